//! Properties of an iCalendar object with values between marks: each value is escaped as its place requires.

use crate::problem::{Code, Refusal};
use crate::template::VALUE_MARKS;

const NO_NAME: Refusal = invalid(
    "In a calendar, a placeholder may be used in the value of a property or parameter, not in its name.",
);
const NO_PARAMETER: Refusal = invalid(
    "This value is inserted into a parameter of a calendar property, which takes commas, semicolons and colons only in quotes: write \
     CN=\"{{ name }}\".",
);
const NO_LINE: Refusal = invalid(
    "This value contains a line break and is inserted into a calendar property that is not text, such as an address or a time.",
);

const CUT_APART: Refusal = invalid(
    "A filter in the calendar's template splits text that was joined from values: apply the filter to each value instead.",
);
pub(super) const CONTROL: Refusal = Refusal::new(
    Code::ControlCharacter,
    "A calendar may not contain control characters other than line breaks and tabs (RFC 5545 section 3.1).",
);

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidCalendar, detail)
}

/// Maximum bytes of a line without its end (RFC 5545 section 3.1).
const LINE: usize = 75;

/// Properties whose values are not text, unless they say so (RFC 5545 section 3.8, RFC 7986).
const NO_TEXT: [&str; 32] = [
    "ATTACH",
    "ATTENDEE",
    "COMPLETED",
    "CONFERENCE",
    "CREATED",
    "DTEND",
    "DTSTAMP",
    "DTSTART",
    "DUE",
    "DURATION",
    "EXDATE",
    "EXRULE",
    "FREEBUSY",
    "GEO",
    "IMAGE",
    "LAST-MODIFIED",
    "ORGANIZER",
    "PERCENT-COMPLETE",
    "PRIORITY",
    "RDATE",
    "RECURRENCE-ID",
    "REFRESH-INTERVAL",
    "REPEAT",
    "RRULE",
    "SEQUENCE",
    "SOURCE",
    "TRIGGER",
    "TZOFFSETFROM",
    "TZOFFSETTO",
    "TZURL",
    "TZUNTIL",
    "URL",
];

/// A place within a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Name,
    ParameterName,
    Parameter { is_quoted: bool },
    Text,
    OtherValue,
}

/// Writes properties with escaped values, folded.
pub(super) fn write_properties(marked: &str) -> Result<String, Refusal> {
    let mut writer = Writer {
        out: String::new(),
        line: String::new(),
        place: Place::Name,
        word_start: 0,
        value_type: None,
    };
    let (start, end) = VALUE_MARKS;
    // What was put together from values may become part of a value.
    let mut depth = 0_usize;
    let mut characters = marked.chars().peekable();
    while let Some(character) = characters.next() {
        if character == start {
            depth += 1;
            if matches!(writer.place, Place::Name | Place::ParameterName) {
                return Err(NO_NAME);
            }
        } else if character == end {
            depth = depth.checked_sub(1).ok_or(CUT_APART)?;
        } else if depth > 0 {
            writer.value(character)?;
        } else if character == '\n' {
            match characters.next_if(|next| matches!(next, ' ' | '\t')) {
                // The line goes on, and is folded anew.
                Some(_) => {}
                None => writer.end_line("\n"),
            }
        } else if character.is_control() && character != '\t' {
            return Err(CONTROL);
        } else {
            writer.literal(character);
        }
    }
    if depth > 0 {
        return Err(CUT_APART);
    }
    writer.end_line("");
    Ok(writer.out)
}

struct Writer {
    out: String,
    line: String,
    place: Place,
    /// Start of the name of the current parameter, or of its value, in the line.
    word_start: usize,
    /// Whether VALUE says that the value is text.
    value_type: Option<bool>,
}

impl Writer {
    /// A character of the template.
    fn literal(&mut self, character: char) {
        match (self.place, character) {
            (Place::Name | Place::Parameter { is_quoted: false }, ';') => {
                self.end_parameter();
                self.place = Place::ParameterName;
                self.word_start = self.line.len() + 1;
            }
            (Place::Name | Place::Parameter { is_quoted: false }, ':') => {
                self.end_parameter();
                let name = self.line.split([';', ':']).next().unwrap_or(&self.line);
                let is_other = NO_TEXT.iter().any(|known| known.eq_ignore_ascii_case(name));
                self.place = if self.value_type.unwrap_or(!is_other) {
                    Place::Text
                } else {
                    Place::OtherValue
                };
            }
            (Place::ParameterName, '=') => self.place = Place::Parameter { is_quoted: false },
            (Place::Parameter { is_quoted }, '"') => {
                self.place = Place::Parameter {
                    is_quoted: !is_quoted,
                };
            }
            _ => {}
        }
        self.line.push(character);
    }

    /// Evaluates `VALUE=TEXT` and the like.
    fn end_parameter(&mut self) {
        if let Place::Parameter { .. } = self.place
            && let Some((name, value)) = self.line[self.word_start..].split_once('=')
            && name.eq_ignore_ascii_case("VALUE")
        {
            self.value_type = Some(value.eq_ignore_ascii_case("TEXT"));
        }
    }

    /// A character of a value.
    fn value(&mut self, character: char) -> Result<(), Refusal> {
        match (self.place, character) {
            (Place::Name | Place::ParameterName, _) => return Err(NO_NAME),
            (Place::Text, '\n') => self.line.push_str("\\n"),
            (Place::Text, '\\' | ',' | ';') => {
                self.line.push('\\');
                self.line.push(character);
            }
            (Place::Parameter { .. }, '^') => self.line.push_str("^^"),
            (Place::Parameter { is_quoted: true }, '"') => self.line.push_str("^'"),
            (Place::Parameter { is_quoted: true }, '\n') => self.line.push_str("^n"),
            (Place::Parameter { is_quoted: false }, '"' | ',' | ';' | ':' | '\n') => {
                return Err(NO_PARAMETER);
            }
            (Place::OtherValue, '\n') => return Err(NO_LINE),
            (_, character) => self.line.push(character),
        }
        Ok(())
    }

    /// Ends a line, which is not empty unless its tags wrote nothing.
    fn end_line(&mut self, end: &str) {
        let mut room = LINE;
        for character in self.line.chars() {
            if character.len_utf8() > room {
                self.out.push_str("\n ");
                room = LINE - 1;
            }
            self.out.push(character);
            room -= character.len_utf8();
        }
        if !self.line.is_empty() {
            self.out.push_str(end);
        }
        self.line.clear();
        self.place = Place::Name;
        self.value_type = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(template: &str, value: &str) -> Result<String, &'static str> {
        let marked = template.replace('#', &format!("\u{1}{value}\u{2}"));
        write_properties(&marked).map_err(|refusal| match refusal.detail {
            std::borrow::Cow::Borrowed(detail) => detail,
            std::borrow::Cow::Owned(_) => unreachable!("these are all fixed"),
        })
    }

    #[test]
    fn values_are_written_as_their_place_asks_for() {
        let value = "a, b; \"c\": \\ ^\nBEGIN:X";
        let text = "a\\, b\\; \"c\": \\\\ ^\\nBEGIN:X";
        for (template, expected) in [
            ("SUMMARY:#!", format!("SUMMARY:{text}!")),
            ("x-a;LANGUAGE=en:#\n", format!("x-a;LANGUAGE=en:{text}\n")),
            ("DTSTART;VALUE=TEXT:#", format!("DTSTART;VALUE=TEXT:{text}")),
            (
                "ATTENDEE;CN=\"#\":mailto:a@b",
                "ATTENDEE;CN=\"a, b; ^'c^': \\ ^^^nBEGIN:X\":mailto:a@b".to_owned(),
            ),
        ] {
            assert_eq!(written(template, value).unwrap(), expected, "{template}");
        }
        assert_eq!(
            written("ATTENDEE;CN=#:mailto:#", "Ann").unwrap(),
            "ATTENDEE;CN=Ann:mailto:Ann"
        );
        assert_eq!(written("URL:#", "a;b,c?d").unwrap(), "URL:a;b,c?d");
        assert_eq!(
            written("X-A:a\n  #b\nX-B:\n", "c").unwrap(),
            "X-A:a cb\nX-B:\n"
        );
    }

    #[test]
    fn a_value_adds_nothing() {
        for (template, value) in [
            ("#:x", "a"),
            ("X;#=x:y", "a"),
            ("ATTENDEE;CN=#:x", "a:b"),
            ("ATTENDEE;CN=#:x", "a;ROLE=CHAIR"),
            ("ATTENDEE;CN=#:x", "a\nb"),
            ("ATTENDEE:mailto:#", "a\nATTENDEE:b"),
            ("X-A;VALUE=URI:#", "a\nb"),
            ("DTSTART:#", "\n"),
        ] {
            assert!(written(template, value).is_err(), "{template}");
        }
    }

    #[test]
    fn a_value_within_a_value_ends_none() {
        assert_eq!(
            written("SUMMARY:#", "a\u{1};\u{2},\nX:b").unwrap(),
            "SUMMARY:a\\;\\,\\nX:b"
        );
        for value in ["a\u{1}", "\u{2}"] {
            assert_eq!(written("SUMMARY:#", value), Err(&*CUT_APART.detail));
        }
        assert_eq!(written("SUMMARY:\0", ""), Err(&*CONTROL.detail));
    }

    #[test]
    fn lines_are_folded_between_characters() {
        let text = written("SUMMARY:#\n", &"å, ".repeat(60)).unwrap();
        assert!(text.lines().all(|line| line.len() <= LINE), "{text}");
        assert_eq!(
            text.replace("\n ", ""),
            format!("SUMMARY:{}\n", "å\\, ".repeat(60))
        );
    }
}
