//! What the JSON says: names, types and locations, without any rule of mail.
//!
//! A field is one row of a table ([`message`] has the main one). Everything else comes from that row: how it is read,
//! the suggestion of a similar name, the list of accepted words, the fields it excludes, the header fields that nobody
//! else may write, the JSON Schema, and from that the types for Python and JavaScript (`make generate`). What the field
//! means is in [`crate::message`]; if that is missing, the compiler says so.
//!
//! Each file imports only from the lines below its own:
//!
//! ```text
//! read       schema                      the ways in; the document's JSON Schema
//! table                                  a recipient as the row of a table
//! reading                                what was read
//! message                                the table of the message
//! recipient                              the tables of what it is made of
//! mailbox  content  headers  objects
//! object                                 what a table becomes
//! words    variables                     shapes: one of some words, a template's values,
//! choice   plain                           and string, array, one or many, string or object
//! shape    names                         takes any value; which field a name means
//! state    row                           the problems so far; all about one field
//! definitions  foreign  literals  lone_surrogates
//! ```
//!
//! Every value is read whatever its type is, so that one pass finds everything that is wrong. The shapes do not depend
//! on the format: any serde [`Deserializer`](serde::Deserializer) that lends its strings can be read.

mod choice;
mod content;
mod definitions;
mod foreign;
mod headers;
mod literals;
mod lone_surrogates;
mod mailbox;
mod message;
mod names;
mod object;
mod objects;
mod plain;
mod read;
mod reading;
mod recipient;
mod row;
mod schema;
mod shape;
mod state;
#[cfg(feature = "csv")]
mod table;
mod variables;
mod words;

pub(crate) use choice::{Choice, JsonWord};
pub(crate) use content::{JsonAttachment, JsonContent, JsonRaw};
pub use foreign::{NotJson, NotUnicode, NumberLiteral};
pub(crate) use headers::{JsonHeader, JsonHeaders};
pub(crate) use mailbox::{JsonMailbox, JsonMailboxObject, JsonMailboxes};
pub use message::iterable_fields;
pub(crate) use message::{JsonMessage, field_of_header, is_boolean};
pub(crate) use objects::{JsonCalendar, JsonDkim, JsonDsn, JsonUnsubscribe, JsonWindow};
pub(crate) use plain::JsonTexts;
pub(crate) use read::{
    Unreadable, is_message, not_json, read, read_from, read_recipient, read_unless,
};
pub(crate) use reading::{MessageReading, RecipientReading};
pub(crate) use recipient::{JsonPriority, JsonRecipient, JsonRecipientObject};
pub use schema::schema;
pub(crate) use shape::Located;
#[cfg(feature = "csv")]
pub(crate) use table::{Columns, TableRow, text_of_cells};
pub(crate) use words::{DispositionWord, Encoding};
pub use words::{InvalidRecipients, MergeForm, NotifyWord, Priority, ReturnWord, TemplateLanguage};
