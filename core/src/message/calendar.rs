//! Invitations and the like: iCalendar objects (RFC 5545) with an iTIP method (RFC 5546).

use crate::json::{JsonCalendar, Located};
use crate::mime::{Content, MediaType};
use crate::problem::{Code, ProblemReport, Refusal};
use crate::syntax::{Fold, LineEnds, folded_lines, unfolded};
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
    let given = value.method.and_then(|method| {
        let known = known_method(&method.value);
        if known.is_none() {
            let detail =
                "The method must be one defined in RFC 5546: REQUEST, REPLY, CANCEL and so on.";
            report.problem(method.location, Code::InvalidCalendar, detail);
        }
        known.map(|known| (method.location, known))
    });
    let Some(content) = value.content else {
        let detail = "A calendar must have `content`, an iCalendar object.";
        report.missing(location, &["content"], Code::MissingField, detail);
        return None;
    };
    let method = match method_within(&content.value) {
        Ok(method) => method,
        Err(detail) => {
            report.problem(content.location, Code::InvalidCalendar, detail);
            return None;
        }
    };
    // Programs differ in which of the two they follow.
    if let Some((location, given)) = given
        && given != method
    {
        let detail = "The METHOD in the content differs from `method`.";
        report.problem(location, Code::InvalidCalendar, detail);
    }
    Some(Calendar {
        method,
        content: content.value,
    })
}

/// An attachment whose type has a `method` is an invitation too; its content must have the same method (RFC 5545
/// section 8.1). Without one it is a plain file, which is not checked.
pub(super) fn check_attached(
    media_type: &MediaType<'_>,
    content: &Content<'_>,
) -> Result<(), Refusal> {
    let Some(given) = media_type
        .parameter("method")
        .filter(|_| media_type.essence() == "text/calendar")
    else {
        return Ok(());
    };
    let bytes = content.decoded();
    // What is asked for is ASCII, whatever charset the rest is in.
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let method =
        method_within(text).map_err(|detail| Refusal::new(Code::InvalidCalendar, detail))?;
    if given.eq_ignore_ascii_case(method) {
        return Ok(());
    }
    let detail = "The METHOD in the content differs from the `method` of the content type.";
    Err(Refusal::new(Code::InvalidCalendar, detail))
}

fn known_method(word: &str) -> Option<&'static str> {
    METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word))
}

const NO_START: &str =
    "The content is not an iCalendar object: it must start with BEGIN:VCALENDAR.";
const NO_END: &str = "The content must end with END:VCALENDAR, and every BEGIN needs a matching END \
                      (RFC 5545 section 3.6).";
const NO_METHOD: &str = "The content has no METHOD (RFC 5545 section 3.7.2), which says whether it \
                         is an invitation, a cancellation or a reply: add it before the first \
                         component.";
const TWO_METHODS: &str =
    "The content has several METHODs but may have only one (RFC 5545 section 3.6).";
const METHOD_INSIDE: &str = "The content has a METHOD inside a component; it belongs before the \
                             first component (RFC 5545 section 3.7.2).";
const UNKNOWN_METHOD: &str = "The METHOD in the content is not one defined in RFC 5546.";

/// The method of an iCalendar object. An error says which rule of such objects is broken: programs take an object that
/// breaks one for an invitation, for a file or for nothing.
pub(super) fn method_within(content: &str) -> Result<&'static str, &'static str> {
    let content = content.trim();
    let mut open: Vec<String> = Vec::new();
    let mut method = None;
    let mut has_ended = false;
    for range in folded_lines(content.as_bytes(), LineEnds::Any) {
        let property = unfolded(&content[range], LineEnds::Any, Fold::WithBlank);
        let Some((name, value)) = name_and_value(&property) else {
            continue;
        };
        if has_ended {
            return Err(NO_END);
        }
        match name.to_ascii_uppercase().as_str() {
            "BEGIN" => {
                let component = value.to_ascii_uppercase();
                match (open.is_empty(), component == "VCALENDAR") {
                    (true, false) => return Err(NO_START),
                    (false, true) => return Err(NO_END),
                    _ => open.push(component),
                }
            }
            _ if open.is_empty() => return Err(NO_START),
            "END" => {
                let component = open.pop().expect("one is open");
                if !component.eq_ignore_ascii_case(value) {
                    return Err(NO_END);
                }
                has_ended = open.is_empty();
            }
            "METHOD" if open.len() > 1 => return Err(METHOD_INSIDE),
            "METHOD" if method.is_some() => return Err(TWO_METHODS),
            "METHOD" => method = Some(known_method(value).ok_or(UNKNOWN_METHOD)?),
            _ => {}
        }
    }
    match (open.is_empty(), has_ended) {
        (_, true) => method.ok_or(NO_METHOD),
        (true, false) => Err(NO_START),
        (false, false) => Err(NO_END),
    }
}

/// The name of a property, and its value after its parameters. `None` for an empty line. A value that contains a colon
/// is incomplete; those that are examined contain none.
fn name_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let name = line.split([':', ';']).next()?;
    let value = line[name.len()..].rsplit_once(':');
    let value = value.map_or("", |(_, value)| value.trim());
    (!line.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object of these lines.
    fn object(lines: &str) -> String {
        format!("BEGIN:VCALENDAR\r\n{lines}END:VCALENDAR\r\n")
    }

    #[test]
    fn the_method_is_found() {
        let event = "BEGIN:VEVENT\nX-A:METHOD:ADD\nBEGIN:VALARM\nEND:valarm\n\nEND:VEVENT\n";
        for lines in [
            "METHOD:REQUEST\r\n",
            "method:request\r",
            "METH\r\n OD:REQ\r\n\tUEST\r\n",
            "METHOD;X=\"a:b\":REQUEST\n",
            "VERSION:2.0\nMETHOD: REQUEST \n",
            &format!("METHOD:REQUEST\n{event}{event}"),
            &format!("{event}METHOD:REQUEST\n"),
            "X-METHOD:ADD\nMETHOD-X:ADD\nMETHOD:REQUEST\nX-A:1\n METHOD:ADD\n",
        ] {
            assert_eq!(method_within(&object(lines)), Ok("REQUEST"), "{lines:?}");
        }
        let lower = " \r\nbegin:vcalendar\nmethod:add\nend:vcalendar\n\n ";
        assert_eq!(method_within(lower), Ok("ADD"));
    }

    #[test]
    fn invalid_invitations_are_refused() {
        let event = |lines: &str| format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n");
        let method = "METHOD:REQUEST\r\n";
        for (lines, expected) in [
            (String::new(), NO_METHOD),
            (event(""), NO_METHOD),
            (" METHOD:REQUEST\n".to_owned(), NO_START),
            ("X-A:\n METHOD:REQUEST\n".to_owned(), NO_METHOD),
            ("METHOD\n".to_owned(), UNKNOWN_METHOD),
            ("METHOD:\n".to_owned(), UNKNOWN_METHOD),
            ("METHOD:INVITE\n".to_owned(), UNKNOWN_METHOD),
            (method.repeat(2), TWO_METHODS),
            (format!("{method}METHOD:CANCEL\n"), TWO_METHODS),
            (event(method), METHOD_INSIDE),
            (format!("{method}{}", event(method)), METHOD_INSIDE),
            (format!("{method}BEGIN:VEVENT\n"), NO_END),
            (format!("{method}END:VEVENT\n"), NO_END),
            (format!("{method}BEGIN:VEVENT\nEND:VTODO\n"), NO_END),
            (format!("{method}END:VCALENDAR\n"), NO_END),
            (format!("{method}END:VCALENDAR\nBEGIN:VCALENDAR\n"), NO_END),
            (format!("{method}BEGIN:VCALENDAR\nEND:VCALENDAR\n"), NO_END),
        ] {
            assert_eq!(method_within(&object(&lines)), Err(expected), "{lines:?}");
        }
        for (content, expected) in [
            ("", NO_START),
            ("METHOD:REQUEST", NO_START),
            ("END:VCALENDAR", NO_START),
            ("BEGIN:VEVENT\nEND:VEVENT", NO_START),
            ("BEGIN:VCALENDARS\nMETHOD:ADD\nEND:VCALENDARS", NO_START),
            ("BEGIN:VCALENDAR", NO_END),
            ("BEGIN:VCALENDAR\nMETHOD:ADD\n", NO_END),
            ("BEGIN:VCALENDAR\nMETHOD:ADD\nEND:VCALENDAR\nX", NO_END),
            ("BEGIN:VCALENDAR METHOD:ADD END:VCALENDAR", NO_END),
        ] {
            assert_eq!(method_within(content), Err(expected), "{content:?}");
        }
    }

    #[test]
    fn an_attached_file_may_begin_with_a_byte_order_mark() {
        let calendar = "\u{feff}BEGIN:VCALENDAR\r\nMETHOD:ADD\r\nEND:VCALENDAR\r\n";
        let content = Content::Bytes(Cow::Borrowed(calendar.as_bytes()));
        for (media_type, is_taken) in [
            ("text/calendar; method=add", true),
            ("text/calendar; method=REPLY", false),
        ] {
            let media_type = Cow::Borrowed(media_type);
            let media_type = MediaType::parse(&media_type).unwrap();
            assert_eq!(check_attached(&media_type, &content).is_ok(), is_taken);
        }
    }
}
