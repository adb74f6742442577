//! Invitations with placeholders.
//!
//! A value fills in part of a line and never adds a line, a property or a parameter: how it is written depends on where
//! it is (RFC 5545 section 3.1, RFC 6868).
//!
//! ```text
//! SUMMARY:Tea with {{ name }}                           name: Lee, Ann      SUMMARY:Tea with Lee\, Ann
//! ATTENDEE;CN="{{ name }}":mailto:{{ address }}                             ATTENDEE;CN="Lee, Ann":mailto:…
//! ```

use super::calendar::method_within;
use super::calendar_property::{CONTROL, write_properties};
use super::filled_length::check_length;
use crate::problem::{Code, Refusal};
use crate::template::{Piece, Slot, TemplateText, marked_value};
use std::borrow::Cow;

/// An iCalendar object with placeholders. Each line with placeholders is evaluated as a whole: it is one value.
#[derive(Debug)]
pub(crate) struct CalendarTemplate<'a> {
    method: &'static str,
    lines: Vec<TemplateText<'a>>,
    /// The common part, with a slot for each of these lines.
    pub text: TemplateText<'a>,
}

/// An iCalendar object with placeholders, before it is known how many values other texts have.
#[derive(Debug)]
pub(crate) struct CalendarSource<'a>(TemplateText<'a>);

const OTHER_METHOD: Refusal = Refusal::new(
    Code::InvalidCalendar,
    "With these values the calendar is not an iCalendar object with the METHOD of its template.",
);

impl<'a> CalendarSource<'a> {
    /// A text with placeholders.
    pub fn new(text: TemplateText<'a>) -> Result<Self, Refusal> {
        let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
        let has_control = text.pieces().iter().any(|piece| match piece {
            Piece::Literal(text) => text.contains(is_control),
            Piece::Slot(_) => false,
        });
        if has_control {
            return Err(CONTROL);
        }
        Ok(Self(text))
    }

    /// The object without its values.
    pub fn outline(&self) -> String {
        self.0.fill(|_| "")
    }

    /// The object as a template whose values are numbered from `first`.
    pub fn into_template(self, method: &'static str, first: usize) -> CalendarTemplate<'a> {
        let mut template = CalendarTemplate {
            method,
            lines: Vec::new(),
            text: TemplateText::default(),
        };
        let mut line = TemplateText::default();
        for piece in self.0.pieces() {
            match piece {
                Piece::Slot(slot) => line.push_slot(*slot),
                Piece::Literal(literal) => {
                    let mut rest = literal.as_ref();
                    while let Some(end) = line_end(rest) {
                        // Where values add no lines the line stays where it is. Tags may make nothing of
                        // it, and then nothing is left of it.
                        let stays = line.slots().all(|slot| slot.escaped);
                        let own = if stays { end - 1 } else { end };
                        line.push_literal(Cow::Owned(rest[..own].to_owned()));
                        template.push(std::mem::take(&mut line), first);
                        template
                            .text
                            .push_literal(Cow::Owned(rest[own..end].to_owned()));
                        rest = &rest[end..];
                    }
                    line.push_literal(Cow::Owned(rest.to_owned()));
                }
            }
        }
        template.push(line, first);
        template
    }
}

/// End of the first line including its continuation lines (RFC 5545 section 3.1).
fn line_end(text: &str) -> Option<usize> {
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    ends.find(|end| !text[*end..].starts_with([' ', '\t']))
}

impl<'a> CalendarTemplate<'a> {
    fn push(&mut self, line: TemplateText<'a>, first: usize) {
        match line.into_literal() {
            Ok(literal) => self.text.push_literal(literal),
            Err(line) => {
                self.text.push_slot(Slot {
                    value: first + self.lines.len(),
                    escaped: false,
                });
                self.lines.push(line);
            }
        }
    }

    /// The lines with values, in the order of the slots.
    pub fn fill<'v>(&self, value: impl Fn(usize) -> &'v str) -> Result<Vec<String>, Refusal> {
        let lines = self.lines.iter().map(|line| {
            check_length(line, &value)?;
            let mut marked = String::new();
            for piece in line.pieces() {
                match piece {
                    Piece::Literal(literal) => marked.push_str(literal),
                    // The other language has marked what is in it.
                    Piece::Slot(slot) if !slot.escaped => marked.push_str(value(slot.value)),
                    Piece::Slot(slot) => {
                        marked.push_str(&marked_value(value(slot.value)).ok_or(CONTROL)?);
                    }
                }
            }
            write_properties(&marked)
        });
        let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
        let first = self.text.slots().next().map_or(0, |slot| slot.value);
        let object = self.text.fill(|number| &lines[number - first]);
        if method_within(&object) != Ok(self.method) {
            return Err(OTHER_METHOD);
        }
        Ok(lines)
    }
}

#[cfg(test)]
#[cfg(feature = "jinja")]
mod tests {
    /// What a line of a calendar with this value comes out as, unfolded; the code of the problem if there is one.
    fn written(line: &str, value: &str) -> Result<String, &'static str> {
        let content = format!("BEGIN:VCALENDAR\nMETHOD:REQUEST\n{line}\nX-END:x\nEND:VCALENDAR\n");
        let json = serde_json::json!({"from": "a@example.com", "to": "b@example.org", "template": "jinja",
            "variables": {"x": value}, "text": "t", "calendar": {"content": content}});
        let mail = crate::render(json.to_string().as_bytes())
            .map_err(|problems| problems.iter().next().unwrap().code().as_str())?;
        let mail = String::from_utf8(mail).unwrap();
        let mail = mail
            .replace("=\r\n", "")
            .replace("\r\n ", "")
            .replace("=3D", "=");
        let start = mail.find("METHOD:REQUEST\r\n").unwrap() + "METHOD:REQUEST\r\n".len();
        let end = mail
            .find("\r\nX-END:x\r\nEND:VCALENDAR")
            .expect("what follows stays");
        Ok(mail[start..end].to_owned())
    }

    #[test]
    fn text_computed_from_values_is_escaped_like_values() {
        const VALUE: &str = "ann e; \"b\"\nATTENDEE:mailto:eve@example.com";
        const ESCAPED: &str = "ann e\\; \"b\"\\nATTENDEE:mailto:eve@example.com";
        let set = "SUMMARY:{% set y %}Tea {{ x }}{% endset %}";
        for (line, expected) in [
            ("{{ x|e }}", ESCAPED.to_owned()),
            (
                "{{ x|tojson }}",
                r#""ann e\; \\"b\\"\\nATTENDEE:mailto:eve@example.com""#.to_owned(),
            ),
            (
                "{% autoescape 'html' %}{{ x }}{% endautoescape %}",
                ESCAPED.replace('"', "&quot\\;"),
            ),
            (
                "{% filter upper %}{{ x }}{% endfilter %}",
                ESCAPED.to_uppercase().replace("\\N", "\\n"),
            ),
            (
                "{% filter title %}{{ x }}{% endfilter %}",
                r#"Ann E\; "b"\nAttendee:mailto:eve@example.com"#.to_owned(),
            ),
            (
                "{% filter urlencode %}{{ x }}{% endfilter %}",
                "ann%20e%3B%20%22b%22%0AATTENDEE%3Amailto%3Aeve%40example.com".to_owned(),
            ),
            (
                "{% filter truncate(10) %}{{ x }}, {{ x }}{% endfilter %}",
                r"ann e\;...".to_owned(),
            ),
        ] {
            assert_eq!(
                written(&format!("SUMMARY:{line}"), VALUE),
                Ok(format!("SUMMARY:{expected}")),
                "{line}"
            );
        }
        let replaced = written(&format!("{set}{{{{ y|replace('e', 'f') }}}}"), VALUE).unwrap();
        assert!(!replaced.contains('\n'), "{replaced}");
        let parameter =
            written(r#"ATTENDEE;CN="{{ x|tojson }}":mailto:a@b.example"#, VALUE).unwrap();
        assert_eq!(parameter.matches('"').count(), 2, "{parameter}");
        assert!(written(&format!("{set}{{{{ y|split(';')|last }}}}"), VALUE).is_err());
        assert_eq!(
            written("SUMMARY:{{ x|safe }}", "a\0"),
            Err("control_character")
        );
    }
}
