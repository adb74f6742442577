//! Why something is not a placeholder.

use super::super::filters::{FilterRow, ValueFault, names};
use super::super::place::{Place, sayable};
use crate::problem::{Code, Refusal};
use crate::text::nearest;

/// What is wrong with a placeholder.
#[derive(Debug)]
pub(super) enum Fault<'t> {
    /// It is not written like one.
    Form,
    /// The language does not have this filter.
    Filter(&'t str),
    /// This filter does not accept these arguments.
    Arguments(&'static FilterRow),
    /// A filter does not accept the text before it.
    Value {
        filter: &'static str,
        fault: ValueFault,
    },
    /// It is a tag of another language.
    Tag,
}

impl Fault<'_> {
    /// Whether it is about a filter.
    pub fn is_of_filter(&self) -> bool {
        matches!(
            self,
            Self::Filter(_) | Self::Arguments(_) | Self::Value { .. }
        )
    }

    /// The refusal for it.
    pub fn at(&self, place: Place) -> Refusal {
        let (code, detail) = match self {
            Self::Form => (
                Code::InvalidTemplate,
                format!(
                    "In {place} a placeholder does not have the form `{{{{ name }}}}` or `{{{{ name | \
                     default: \"text\" }}}}`, with three braces for a value that is HTML; \
                     `{{{{ \"{{{{\" }}}}` writes two braces."
                ),
            ),
            Self::Filter(name) => (Code::InvalidTemplate, unknown_filter(name, place)),
            Self::Arguments(row) => (
                Code::InvalidTemplate,
                format!(
                    "In {place} a filter has the wrong arguments; it is written `{}`, and arguments \
                     are quoted strings, numbers, `true` and `false`.",
                    row.merge_usage()
                ),
            ),
            Self::Value { filter, fault } => (
                Code::InvalidTemplate,
                format!("In {place} the filter `{filter}` {}.", fault.takes),
            ),
            Self::Tag => (
                Code::InvalidTemplate,
                format!(
                    "In {place} there is a tag of another template language, which readers would see; \
                     `\"template\": \"jinja\"` has conditions and loops, and `{{{{ \"{{%\" }}}}` \
                     writes these characters literally."
                ),
            ),
        };
        Refusal::with_detail(code, detail)
    }
}

fn unknown_filter(name: &str, place: Place) -> String {
    let said = sayable(name).map_or_else(String::new, |name| format!(" `{name}`"));
    let meant =
        nearest(names(), name).map_or_else(String::new, |name| format!(" Did you mean `{name}`?"));
    let known: Vec<_> = names().map(|name| format!("`{name}`")).collect();
    format!(
        "In {place} there is an unknown filter{said}. The filters are {}.{meant}",
        known.join(", ")
    )
}
