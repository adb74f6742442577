//! A message or a recipient as it was read, from whatever format.

use super::message::JsonMessage;
use super::recipient::JsonRecipient;
use super::shape::{Located, ReadState, ValueSeed, wrong_type};
use crate::problem::{Location, ProblemReport};
use serde::Deserializer;
use serde::de::DeserializeSeed;
use std::borrow::Cow;

/// What was read, and the report that goes on collecting.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    /// Absent when the document is not an object; the report says so.
    pub message: Option<Box<JsonMessage<'a>>>,
    pub report: ProblemReport<'a>,
}

impl<'a> Reading<'a> {
    pub(super) fn of<D: Deserializer<'a>>(
        deserializer: D,
        mut state: ReadState<'a>,
    ) -> Result<Self, D::Error> {
        let message: Option<Box<JsonMessage<'a>>> =
            ValueSeed::new(&mut state, Location::ROOT).deserialize(deserializer)?;
        // `null` is as good as absent, but here there is nothing that it could be absent from.
        if message.is_none() && state.report.len() == 0 {
            wrong_type::<JsonMessage<'a>>(&mut state, Location::ROOT);
        }
        Ok(Self {
            message,
            report: state.into_report(),
        })
    }
}

/// One recipient that was read by itself, and the report that goes on collecting.
#[derive(Debug)]
pub(crate) struct RecipientReading<'a> {
    /// Absent for `null`, and for what became a problem.
    pub recipient: Option<Located<JsonRecipient<'a>>>,
    pub report: ProblemReport<'a>,
}

impl<'a> RecipientReading<'a> {
    /// Element `index` of the array that the message calls `name`.
    pub(super) fn of<D: Deserializer<'a>>(
        deserializer: D,
        mut state: ReadState<'a>,
        name: &'a str,
        index: usize,
    ) -> Result<Self, D::Error> {
        let list = state.report.member(Location::ROOT, Cow::Borrowed(name));
        let location = state.report.element(list, index);
        let recipient = ValueSeed::new(&mut state, location).deserialize(deserializer)?;
        Ok(Self {
            recipient: recipient.map(|value| Located { location, value }),
            report: state.into_report(),
        })
    }
}
