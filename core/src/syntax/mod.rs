//! The lexer of RFC 5322 and MIME. Everything that reads an address, a header field or a media type uses it, so that
//! all agree where a quoted string, a comment or a line ends.
//!
//! ```text
//!  address::strict   address::lenient   MediaType            raw     missing_fields   calendar
//!  (what callers     (finished mail,    ContentDisposition   (header sections, line ends)
//!   write)            sendmail)         (parameters)
//!        └────────────────┴───────────────────┘                └──────────┴─────────────┘
//!                         │                                               │
//!  parameters             │                               header_section: its fields
//!        └─ cursor: atom, token, quoted-string,                           │
//!           comment, domain-literal                       lines: CR, LF, CRLF, folds
//!              └─ quoted_string: what is between the quotes
//!                 characters: atext, token, dtext, controls
//! ```
//!
//! The strict grammar accepts what a caller may write and nothing else, since a misread address sends mail to a
//! stranger. The lenient one accepts what programs have written into messages for forty years, including obsolete
//! forms. Both refuse a token without an end.

mod characters;
mod comments;
mod cursor;
mod header_section;
mod lines;
mod parameters;
mod quoted_string;
#[cfg(test)]
mod tests;

pub(crate) use characters::{
    Class, has_control, has_control_except_tab, holds_encoded_word, is_atext, is_dot_atom,
};
pub(crate) use comments::without_comments;
pub(crate) use cursor::{Cursor, Unclosed};
pub(crate) use header_section::{
    FieldForm, WrittenField, fields, has_bare_cr, header_end, is_no_field, is_obsolete_field,
};
pub(crate) use lines::{
    Fold, LineEnds, folded_lines, holds_bare_cr, lines, split_line, to_crlf, to_lf, unfolded,
};
pub(crate) use parameters::{Malformed, Parameter, next_parameter};
pub(crate) use quoted_string::{quote, quoted_characters, unquote};
