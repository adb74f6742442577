//! Reads a message, or one recipient, from JSON or from another format of serde.

use super::lone_surrogates::MarkedText;
use super::message::JsonMessage;
use super::recipient::JsonRecipient;
use super::shape::{Located, ReadState, ValueSeed, wrong_type};
use crate::problem::{Code, Location, Problem, ProblemReport, Problems, Refusal};
use serde::Deserializer;
use serde::de::DeserializeSeed;
use std::borrow::Cow;

/// What was read, and the report that goes on collecting.
pub(crate) struct Reading<'a> {
    /// Absent when the document is not an object; the report says so.
    pub message: Option<Box<JsonMessage<'a>>>,
    pub report: ProblemReport<'a>,
}

/// Why there is no reading.
pub(crate) enum Unreadable {
    /// The input is not JSON.
    NotJson(Problems),
    /// It holds half surrogate pairs; [`MarkedText::read`] tells where.
    LoneSurrogates(MarkedText),
}

/// Reads the octets of one JSON text (RFC 8259), which must be UTF-8.
pub(crate) fn read(octets: &[u8]) -> Result<Reading<'_>, Unreadable> {
    // Checked once over the whole is several times quicker than string by string.
    let text = simdutf8::basic::from_utf8(octets).map_err(|_| {
        Unreadable::NotJson(not_json("The message is not UTF-8; JSON is always UTF-8."))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // serde_json stops at half a surrogate pair without a word on which field it stands in.
    read_text(text, None).map_err(|error| match MarkedText::new(text) {
        Some(marked) => Unreadable::LoneSurrogates(marked),
        None => Unreadable::NotJson(syntax_problem(&error)),
    })
}

impl MarkedText {
    /// Reads on past the half surrogate pairs; each is a problem of the report.
    pub(crate) fn read(&self) -> Result<Reading<'_>, Problems> {
        read_text(&self.text, Some(&self.mark)).map_err(|error| syntax_problem(&error))
    }
}

/// One recipient that was read by itself, and the report that goes on collecting.
pub(crate) struct RecipientReading<'a> {
    /// Absent for `null`, and for what became a problem.
    pub recipient: Option<Located<JsonRecipient<'a>>>,
    pub report: ProblemReport<'a>,
}

/// Reads one element of the array that the message calls `name`.
pub(crate) fn read_recipient<'a>(
    octets: &'a [u8],
    name: &'a str,
    index: usize,
) -> Result<RecipientReading<'a>, Unreadable> {
    let problem = || not_json(format!("Recipient {} is not JSON.", index + 1));
    let text = simdutf8::basic::from_utf8(octets).map_err(|_| Unreadable::NotJson(problem()))?;
    read_recipient_text(text, None, name, index).map_err(|_| match MarkedText::new(text) {
        Some(marked) => Unreadable::LoneSurrogates(marked),
        None => Unreadable::NotJson(problem()),
    })
}

impl MarkedText {
    /// Reads one recipient on past the half surrogate pairs; each is a problem of the report.
    pub(crate) fn read_recipient<'a>(
        &'a self,
        name: &'a str,
        index: usize,
    ) -> Result<RecipientReading<'a>, Problems> {
        read_recipient_text(&self.text, Some(&self.mark), name, index)
            .map_err(|_| not_json(format!("Recipient {} is not JSON.", index + 1)))
    }
}

fn read_recipient_text<'a>(
    text: &'a str,
    mark: Option<&'a str>,
    name: &'a str,
    index: usize,
) -> Result<RecipientReading<'a>, serde_json::Error> {
    let mut state = ReadState::new(mark);
    let list = state.report.member(Location::ROOT, Cow::Borrowed(name));
    let location = state.report.element(list, index);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let recipient = ValueSeed::new(&mut state, location).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(RecipientReading {
        recipient: recipient.map(|value| Located { location, value }),
        report: state.into_report(),
    })
}

/// Reads any deserializer that lends its strings.
pub(crate) fn read_from<'a, D: Deserializer<'a>>(
    deserializer: D,
    mark: Option<&'a str>,
) -> Result<Reading<'a>, D::Error> {
    let mut state = ReadState::new(mark);
    let message: Option<Box<JsonMessage<'a>>> =
        ValueSeed::new(&mut state, Location::ROOT).deserialize(deserializer)?;
    // `null` stands for an absent value, but here there is nothing that it could be absent from.
    if message.is_none() && state.report.len() == 0 {
        wrong_type::<JsonMessage<'a>>(&mut state, Location::ROOT);
    }
    Ok(Reading {
        message,
        report: state.into_report(),
    })
}

fn read_text<'a>(text: &'a str, mark: Option<&'a str>) -> Result<Reading<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let reading = read_from(&mut deserializer, mark)?;
    deserializer.end()?;
    Ok(reading)
}

/// The problem of a message with half surrogate pairs, when nothing else is to be said of it.
pub(crate) fn holds_lone_surrogates() -> Problems {
    not_json("The message holds half of a surrogate pair.")
}

/// The problem of recipients with an octet that JSON has not.
pub(crate) fn broken_recipients() -> Problems {
    not_json("The recipients are not JSON: they hold a control character.")
}

/// The problem of a message whose format broke off.
pub(crate) fn unreadable(error: &dyn std::error::Error) -> Problems {
    // What the error says may quote the input.
    let _ = error;
    not_json("The message cannot be read.")
}

fn syntax_problem(error: &serde_json::Error) -> Problems {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "The message ends before its JSON does",
        _ => "The message is not JSON",
    };
    not_json(format!(
        "{what}: see line {}, column {}.",
        error.line(),
        error.column()
    ))
}

fn not_json(detail: impl Into<Cow<'static, str>>) -> Problems {
    let detail = detail.into();
    let code = Code::NotJson;
    Problems::one(Problem::new(String::new(), Refusal { code, detail }))
}
