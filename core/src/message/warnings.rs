//! What is right, and yet may not be meant: placeholders that nothing here puts a value in.

use crate::json::{JsonMessage, MessageReading};
use crate::template::Place;
use serde::Serialize;
use std::fmt;

/// Something in a message that breaks no rule, and that its writer should look at.
///
/// Serializes as `{"code": …, "pointer": …, "detail": …}`, as a [`Problem`](crate::Problem) does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// A frozen word that programs may compare: `foreign_placeholder`.
    pub code: &'static str,
    /// Where it is: a JSON Pointer (RFC 6901), as that of a problem.
    pub pointer: String,
    /// One sentence for a person. It never repeats a value of the message.
    pub detail: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.pointer, self.code, self.detail)
    }
}

/// The warnings of a message, one a text at most.
pub(crate) fn warnings(reading: MessageReading<'_>) -> Vec<Warning> {
    let MessageReading { value, report } = reading;
    let Some(message) = value else {
        return Vec::new();
    };
    let JsonMessage {
        subject,
        text,
        html,
        amp,
        headers,
        ..
    } = *message.value;
    let headers = headers.map_or_else(Vec::new, |headers| headers.value.0);
    let values = headers.into_iter().flat_map(|header| header.values);
    let texts = [subject, text, html, amp].into_iter().flatten();
    texts
        .chain(values)
        .filter_map(|text| {
            let (offset, form) = foreign_placeholder(&text.value)?;
            let place = Place::of(&text.value, offset);
            Some(Warning {
                code: "foreign_placeholder",
                pointer: report.pointer(text.location),
                detail: format!(
                    "In {place} there is `{form}`, a placeholder of another program, which readers \
                     would see; with `\"template\": \"merge\"` it is written `{{{{ name }}}}`."
                ),
            })
        })
        .collect()
}

/// How a placeholder begins and ends, what its name may hold, and how the sentence writes it.
struct Form {
    start: &'static str,
    end: &'static str,
    fits: fn(u8) -> bool,
    shown: &'static str,
}

const FORMS: [Form; 3] = [
    // Mailchimp, Mandrill.
    Form {
        start: "*|",
        end: "|*",
        fits: |byte| !matches!(byte, b'|' | b'\r' | b'\n'),
        shown: "*|NAME|*",
    },
    // Mailgun.
    Form {
        start: "%recipient.",
        end: "%",
        fits: is_name,
        shown: "%recipient.name%",
    },
    // Salesforce.
    Form {
        start: "%%",
        end: "%%",
        fits: is_name,
        shown: "%%name%%",
    },
];

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The first placeholder of another program, and its form.
fn foreign_placeholder(text: &str) -> Option<(usize, &'static str)> {
    const LONGEST: usize = 100;
    let found = FORMS.iter().filter_map(|form| {
        let mut starts = memchr::memmem::find_iter(text.as_bytes(), form.start);
        let at = starts.find(|at| {
            let rest = &text.as_bytes()[at + form.start.len()..];
            let length = rest
                .iter()
                .take(LONGEST)
                .take_while(|byte| (form.fits)(**byte));
            let length = length.count();
            length > 0 && rest[length..].starts_with(form.end.as_bytes())
        })?;
        Some((at, form.shown))
    });
    found.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_of_other_programs_are_found() {
        for (text, expected) in [
            ("Hi *|FNAME|*!", Some((3, "*|NAME|*"))),
            ("*|a\n|* *||* *|IF:X=1|*", Some((12, "*|NAME|*"))),
            ("%recipient.first_name%", Some((0, "%recipient.name%"))),
            ("é %%First-Name%% *|X|*", Some((3, "%%name%%"))),
            ("100%% sure, 50%%", None),
            ("%recipient.% %recipient.a b% %recipient%", None),
            ("a *| b | c |", None),
            ("{{ name }} {% if %} [x]", None),
            ("", None),
        ] {
            assert_eq!(foreign_placeholder(text), expected, "{text}");
        }
        let long = format!("*|{}|*", "x".repeat(101));
        assert_eq!(foreign_placeholder(&long), None);
    }

    #[test]
    fn warnings_have_their_places() {
        let json = br#"{"from": "a@example.com", "to": "b@example.org", "Subject": "*|X|*",
            "text": "a\n %recipient.x%", "headers": {"X-A": ["b", "%%x%%"]}, "html": "<p>"}"#;
        crate::check(json).unwrap();
        let found = crate::warnings(json);
        let pointers: Vec<_> = found.iter().map(|w| w.pointer.as_str()).collect();
        assert_eq!(pointers, ["/Subject", "/text", "/headers/X-A/1"]);
        assert!(
            found[1]
                .detail
                .starts_with("In line 2, column 2 there is `%recipient.name%`, ")
        );
        assert_eq!(crate::warnings(b"{"), []);
        let value: serde_json::Value = serde_json::from_slice(json).unwrap();
        let mut of_value = crate::warnings_from_deserializer(&value).unwrap();
        of_value.sort_by_key(|warning| found.iter().position(|w| w == warning));
        assert_eq!(of_value, found);
    }
}
