//! The queries of all paths: the accepted names, and what they mean.

use super::error::ApiError;
use super::log::RequestLog;
use axum::http::Uri;
use percent_encoding::percent_decode_str;
use pmtaemail::Selection;
use std::num::NonZeroUsize;

/// A name that a query may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The number of a recipient of a mail merge, from 1.
    Recipient,
    /// How many of the first recipients of a mail merge get their messages.
    Limit,
    /// Whether a batch is submitted as a whole or not at all.
    Atomic,
    /// Whether receipts include warnings.
    Warnings,
    /// Whether warnings count as problems.
    Strict,
}

impl Name {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Limit => "limit",
            Self::Atomic => "atomic",
            Self::Warnings => "warnings",
            Self::Strict => "strict",
        }
    }
}

/// The names of `POST /messages`.
pub const SUBMIT: &[Name] = &[Name::Recipient, Name::Limit, Name::Warnings];
/// Those of `POST /messages/batch`.
pub const BATCH: &[Name] = &[Name::Atomic, Name::Warnings];
/// Those of `POST /messages/render`.
pub const RENDER: &[Name] = &[Name::Recipient];
/// Those of `POST /messages/check`.
pub const CHECK: &[Name] = &[Name::Strict];

/// Refuses a query with any name, for paths that accept none, and logs that.
pub fn refuse_any(uri: &Uri, log: &RequestLog) -> Result<(), ApiError> {
    let query = Query::of(uri, &[]).and_then(Query::without_others);
    query.inspect_err(|error| log.failed(error))
}

/// The query of a request.
#[derive(Debug, Default)]
pub struct Query {
    pub selection: Selection,
    /// `None` if the query does not contain it.
    pub atomic: Option<bool>,
    pub warnings: Option<bool>,
    pub strict: Option<bool>,
    /// Names that do not belong to the path, with their values. For a finished message they are its envelope.
    pub others: Vec<(String, String)>,
}

impl Query {
    /// Reads a query by the names that its path knows.
    pub fn of(uri: &Uri, names: &[Name]) -> Result<Self, ApiError> {
        let mut query = Self::default();
        for (name, value) in pairs(uri.query().unwrap_or_default())? {
            match names.iter().find(|known| known.as_str() == name) {
                None => query.others.push((name, value)),
                Some(name) => query.take(*name, &value)?,
            }
        }
        Ok(query)
    }

    fn take(&mut self, name: Name, value: &str) -> Result<(), ApiError> {
        match name {
            Name::Recipient => self.select(Selection::Only, value),
            Name::Limit => self.select(Selection::First, value),
            Name::Atomic => set(&mut self.atomic, value, NO_ATOMIC),
            Name::Warnings => set(&mut self.warnings, value, NO_WARNINGS),
            Name::Strict => set(&mut self.strict, value, NO_STRICT),
        }
    }

    fn select(
        &mut self,
        selection: impl FnOnce(NonZeroUsize) -> Selection,
        value: &str,
    ) -> Result<(), ApiError> {
        const NO_NUMBER: &str =
            "`recipient` and `limit` must be whole numbers of at least 1 in the query.";
        const TWICE: &str = "The query may contain either `recipient` or `limit`, and only once.";

        let number: NonZeroUsize = value
            .parse()
            .ok()
            .filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or(ApiError::QueryValue(NO_NUMBER))?;
        if self.selection != Selection::All {
            return Err(ApiError::QueryValue(TWICE));
        }
        self.selection = selection(number);
        Ok(())
    }

    /// Refuses names that the path does not know.
    pub fn without_others(self) -> Result<(), ApiError> {
        if self.others.is_empty() {
            Ok(())
        } else {
            Err(ApiError::QueryName)
        }
    }
}

const NO_ATOMIC: &str = "`atomic` must be true or false, and given only once in the query.";
const NO_WARNINGS: &str = "`warnings` must be true or false, and given only once in the query.";
const NO_STRICT: &str = "`strict` must be true or false, and given only once in the query.";

/// Reads a boolean; a name alone is true. Anything else is refused with `refusal`.
fn set(known: &mut Option<bool>, value: &str, refusal: &'static str) -> Result<(), ApiError> {
    let value = match value {
        "" | "true" | "1" => true,
        "false" | "0" => false,
        _ => return Err(ApiError::QueryValue(refusal)),
    };
    match known.replace(value) {
        None => Ok(()),
        Some(_) => Err(ApiError::QueryValue(refusal)),
    }
}

/// Names and values of a query. A plus sign stands for itself: it is common in addresses, and a blank is `%20`.
fn pairs(query: &str) -> Result<Vec<(String, String)>, ApiError> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Result<String, ApiError> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(ApiError::Query),
    }
}
