//! The message's `headers`: the sender's own header fields, and those that are read as fields of the message.
//!
//! ```text
//! read  recipient      values and templates to …
//! extra  own           … the sender's own fields; fields of the message
//! templates  names     … those with placeholders; the name decides which it is
//! elements             … lists to which a value adds nothing
//! ```

mod elements;
mod extra;
mod names;
mod own;
mod read;
mod recipient;
mod templates;
#[cfg(test)]
mod tests;

pub(crate) use elements::check_elements;
pub(crate) use extra::{ExtraBody, ExtraHeader};
pub(crate) use names::HeaderScope;
pub(crate) use own::{OwnHeader, OwnValues};
pub(crate) use read::{
    ReadHeaders, ValueTemplates, read_headers, read_own_headers, take_id, take_message_id,
};
pub(crate) use recipient::RecipientHeaders;
pub(crate) use templates::{HeaderTemplates, UnsubscribeSource, UnsubscribeTemplate};
