//! A message or a recipient that was read, from any format.

use super::message::JsonMessage;
use super::recipient::JsonRecipient;
use super::shape::{Located, ReadState, Shape, ValueSeed, wrong_type};
use crate::problem::{Location, ProblemReport};
use serde::Deserializer;
use serde::de::DeserializeSeed;

/// What was read, and the report, which continues to collect.
#[derive(Debug)]
pub(crate) struct Reading<'a, S> {
    /// `None` if it became a problem, or for a recipient that is `null`.
    pub value: Option<Located<S>>,
    pub report: ProblemReport<'a>,
}

pub(crate) type MessageReading<'a> = Reading<'a, Box<JsonMessage<'a>>>;
pub(crate) type RecipientReading<'a> = Reading<'a, JsonRecipient<'a>>;

/// The kind of document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Document<'a> {
    Message,
    /// Element `index` of the array that the message calls `name`, by itself.
    Recipient {
        name: &'a str,
        index: usize,
    },
}

/// Reads a document from any deserializer that lends its strings.
pub(super) fn read_with<'a, S: Shape<'a>, D: Deserializer<'a>>(
    deserializer: D,
    mut state: ReadState<'a>,
    document: Document<'a>,
) -> Result<Reading<'a, S>, D::Error> {
    let location = match document {
        Document::Message => Location::ROOT,
        Document::Recipient { name, index } => {
            let list = state.report.member(Location::ROOT, name.into());
            state.report.element(list, index)
        }
    };
    let value: Option<S> = ValueSeed::new(&mut state, location).deserialize(deserializer)?;
    // `null` is as good as absent, but a message is nothing that could be absent.
    if value.is_none() && location == Location::ROOT && state.report.len() == 0 {
        wrong_type::<S>(&mut state, location);
    }
    Ok(Reading {
        value: value.map(|value| Located { location, value }),
        report: state.report,
    })
}
