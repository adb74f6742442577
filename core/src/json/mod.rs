//! What the JSON says: names, types and locations, without a rule of mail.
//!
//! A field is one row of a table. From its row come the reading, the hint at a near name, the sentence
//! with the words that it may be, what it cannot be used with, the header fields that are made from it
//! alone, the JSON Schema, and from that the types of Python and of JavaScript (`make generate`). Where
//! it means something is in `message`; the compiler tells if that is forgotten.
//!
//! Each file imports from the lines below its own:
//!
//! ```text
//! read     schema                                the ways in; the document's JSON Schema
//! quick                                          the same for what is right, with SIMD
//! reading                                        what was read
//! message                                        the table of the message
//! recipient                                      tables of what it is made of
//! mailbox  content  headers  objects
//! object                                         what a table becomes
//! words    variables   plain                     shapes: a choice, values, arrays, text or object
//! choice
//! shape    names                                 any value of any format, what it should have been
//! state    row                                   the problems so far; one field
//! definitions  lone_surrogates  not_unicode  number
//! ```
//!
//! Every value is read whatever its type is, so that one reading finds all that is wrong. The
//! shapes are independent of the format: anything that is a serde [`Deserializer`](serde::Deserializer) and lends its
//! strings can be read.

mod choice;
mod content;
mod definitions;
mod headers;
mod lone_surrogates;
mod mailbox;
mod message;
mod names;
mod not_unicode;
mod number;
mod object;
mod objects;
mod plain;
#[cfg(feature = "sonic-rs")]
mod quick;
mod read;
mod reading;
mod recipient;
mod row;
mod schema;
mod shape;
mod state;
mod variables;
mod words;

pub(crate) use choice::{Choice, JsonWord};
pub(crate) use content::{JsonAttachment, JsonContent, JsonRaw};
pub(crate) use headers::{JsonHeader, JsonHeaders};
pub(crate) use mailbox::{JsonMailbox, JsonMailboxObject, JsonMailboxes};
pub(crate) use message::{JsonMessage, field_of_header, is_boolean};
pub use not_unicode::NotUnicode;
pub(crate) use number::JsonNumber;
pub(crate) use objects::{JsonCalendar, JsonDkim, JsonDsn, JsonUnsubscribe, JsonWindow};
pub(crate) use plain::JsonTexts;
pub(crate) use read::{
    Unreadable, broken_recipients, holds_lone_surrogates, read, read_from, read_recipient,
    unreadable,
};
pub(crate) use reading::{Reading, RecipientReading};
pub(crate) use recipient::{JsonPriority, JsonRecipient, JsonRecipientObject};
pub use schema::schema;
pub(crate) use shape::Located;
pub(crate) use variables::{JsonValue, JsonVariable, JsonVariables};
pub(crate) use words::{
    DispositionWord, Encoding, MergeForm, NotifyWord, Priority, ReturnWord, TemplateLanguage,
};
