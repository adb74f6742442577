//! What templates do with a value before it is written: `{{ name | upcase }}`.
//!
//! A filter is parsed once, with its arguments, and then applied to each recipient's value. The languages share the
//! functions; [`FILTERS`] has the name of each in each language.
//!
//! ```text
//! table                       the names
//! case  truncate  url         texts
//! date  number  json          texts of other things
//! arguments  operand  work
//! ```
//! Each file imports only from the lines below its own, and the types of this one.

mod arguments;
mod case;
mod date;
mod json;
mod number;
mod operand;
mod table;
mod truncate;
mod url;
mod work;

pub(super) use arguments::{Argument, Arguments};
pub(super) use case::Case;
pub(super) use operand::Operand;
#[cfg(any(feature = "jinja", test))]
pub(super) use table::FILTERS;
pub(super) use table::{FilterRow, filter_of, names};
pub(super) use url::UrlSet;
pub(super) use work::Work;

use crate::problem::Code;
use date::DateFormat;
use json::JsonStyle;
use number::NumberFormat;
use std::borrow::Cow;
use truncate::{Truncation, WordLimit};

/// A filter with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Filter {
    Case(Case),
    Date(DateFormat),
    /// Replaces absent values, empty texts, lists and objects, and `false`.
    Default {
        value: Argument,
        /// `false` is a value like any other.
        allows_false: bool,
    },
    Json(JsonStyle),
    Number(NumberFormat),
    Truncate(Truncation),
    TruncateWords(WordLimit),
    UrlEncode(UrlSet),
}

/// Why a filter cannot be applied to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ValueFault {
    pub code: Code,
    /// What it accepts, as the end of a sentence that begins with its name.
    pub takes: &'static str,
}

const NO_TEXT: ValueFault = ValueFault {
    code: Code::WrongType,
    takes: "takes text, a number, true or false",
};

impl Filter {
    /// The result of the filter for a value. An absent value stays absent, unless there is a default for it.
    pub fn apply<'v>(&self, value: Operand<'v>) -> Result<Operand<'v>, ValueFault> {
        let is_empty = match &value {
            Operand::Absent => true,
            Operand::Boolean(boolean) => !boolean,
            Operand::Text(text) => text.is_empty(),
            Operand::List(list) => list.is_empty(),
            Operand::Object(members) => members.is_empty(),
            Operand::Number(_) => false,
        };
        match (self, value) {
            (
                Self::Default {
                    value: default,
                    allows_false,
                },
                value,
            ) => Ok(match value {
                Operand::Boolean(false) if *allows_false => value,
                _ if is_empty => default.to_operand(),
                _ => value,
            }),
            (_, Operand::Absent) => Ok(Operand::Absent),
            (Self::Json(style), value) => {
                let json = style.write(&value).ok_or(work::TOO_MUCH)?;
                Ok(Operand::Text(json.into()))
            }
            (Self::Date(format), value) => format.apply(value).map(Operand::Text),
            (Self::Number(format), value) => format.apply(value).map(Operand::Text),
            (_, value) => {
                let text = value.into_text().ok_or(NO_TEXT)?;
                Ok(Operand::Text(self.of_text(text)))
            }
        }
    }

    /// The result of a text filter.
    fn of_text<'v>(&self, text: Cow<'v, str>) -> Cow<'v, str> {
        match self {
            Self::Case(case) => case.apply(&text).into(),
            Self::Truncate(truncation) => truncation.apply(text),
            Self::TruncateWords(limit) => limit.apply(text),
            Self::UrlEncode(set) => set.encode(text),
            Self::Date(_) | Self::Default { .. } | Self::Json(_) | Self::Number(_) => text,
        }
    }
}

#[cfg(test)]
mod tests;
