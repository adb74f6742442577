//! Invitations and their like: iCalendar objects (RFC 5545) with an iTIP method (RFC 5546).

use crate::json::{JsonCalendar, Located};
use crate::problem::{Code, Location, ProblemReport};
use crate::syntax::{Fold, LineEnds, folded_lines, unfolded};
use crate::text::starts_with_ignoring_case;
use std::borrow::Cow;

/// An iCalendar object as an alternative body.
#[derive(Debug)]
pub(crate) struct Calendar<'a> {
    pub method: &'static str,
    pub content: Cow<'a, str>,
}

impl Calendar<'_> {
    /// The same object, borrowed.
    pub fn lend(&self) -> Calendar<'_> {
        Calendar {
            method: self.method,
            content: Cow::Borrowed(&self.content),
        }
    }
}

/// The methods of RFC 5546 section 1.4.
const METHODS: [&str; 8] = [
    "PUBLISH",
    "REQUEST",
    "REPLY",
    "ADD",
    "CANCEL",
    "REFRESH",
    "COUNTER",
    "DECLINECOUNTER",
];

pub(super) fn read_calendar<'a>(
    calendar: Located<JsonCalendar<'a>>,
    report: &mut ProblemReport<'a>,
) -> Option<Calendar<'a>> {
    let Located { location, value } = calendar;
    let Some(content) = value.content else {
        let detail = "A calendar must have `content`, an iCalendar object.";
        report.missing(location, &["content"], Code::MissingField, detail);
        return None;
    };
    let trimmed = content.value.trim_start();
    if !starts_with_ignoring_case(trimmed, "BEGIN:VCALENDAR") {
        let detail = "The content is no iCalendar object: it must begin with BEGIN:VCALENDAR.";
        report.problem(content.location, Code::InvalidCalendar, detail);
    }
    let method = read_method(location, value.method, &content, report)?;
    Some(Calendar {
        method,
        content: content.value,
    })
}

/// The method of the field and of the object must be one: programs differ in which they follow.
fn read_method<'a>(
    location: Location,
    given: Option<Located<Cow<'a, str>>>,
    content: &Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Option<&'static str> {
    let find = |word: &str| {
        METHODS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(word))
    };
    let within = folded_lines(content.value.as_bytes(), LineEnds::Any).find_map(|range| {
        let property = unfolded(&content.value[range], LineEnds::Any, Fold::WithBlank);
        method_of(&property).map(str::to_owned)
    });
    match (given, within.as_deref()) {
        (Some(given), within) => {
            let method = find(&given.value);
            if method.is_none() {
                let detail = "The method is one of RFC 5546: REQUEST, REPLY, CANCEL and so on.";
                report.problem(given.location, Code::InvalidCalendar, detail);
            } else if within.is_some_and(|within| find(within) != method) {
                let detail = "The content's METHOD is another one than `method`.";
                report.problem(given.location, Code::InvalidCalendar, detail);
            }
            method
        }
        (None, Some(within)) => {
            let method = find(within);
            if method.is_none() {
                let detail = "The content's METHOD is none of RFC 5546.";
                report.problem(content.location, Code::InvalidCalendar, detail);
            }
            method
        }
        (None, None) => {
            let detail = "A calendar must have a `method`, here or within its content.";
            report.missing(location, &["method"], Code::MissingField, detail);
            None
        }
    }
}

/// The value of a METHOD property, which may have parameters.
fn method_of(line: &str) -> Option<&str> {
    let rest = line.get(6..)?;
    let is_method = starts_with_ignoring_case(line, "METHOD") && rest.starts_with([':', ';']);
    is_method.then(|| rest.rsplit_once(':').map_or("", |(_, value)| value).trim())
}
