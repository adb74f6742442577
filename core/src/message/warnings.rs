//! What is right, and yet may not be meant: placeholders that nothing here puts a value in.

use crate::json::{JsonMessage, MessageReading, TemplateLanguage};
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
        template,
        ..
    } = *message.value;
    let language = match template.map(|word| word.value.meaning()) {
        None => Language::Untold,
        Some(Some(TemplateLanguage::SparkPost)) => Language::SparkPost,
        Some(_) => Language::Other,
    };
    let headers = headers.map_or_else(Vec::new, |headers| headers.value.0);
    let values = headers.into_iter().flat_map(|header| header.values);
    let texts = [subject, text, html, amp].into_iter().flatten();
    texts
        .chain(values)
        .filter_map(|text| {
            let (offset, form) = foreign_placeholder(&text.value, language)?;
            let place = Place::of(&text.value, offset);
            Some(Warning {
                code: "foreign_placeholder",
                pointer: report.pointer(text.location),
                detail: form.detail(place, language),
            })
        })
        .collect()
}

/// How a placeholder begins and ends, what its name may hold, and how the sentence writes it.
#[derive(Debug)]
struct Form {
    start: &'static str,
    end: &'static str,
    fits: fn(u8) -> bool,
    shown: &'static str,
    kind: Kind,
}

/// What a message says of the language of its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Untold,
    SparkPost,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It is that of another program, whatever the message says.
    Foreign,
    /// The same, where it is a word of its own: its signs are common inside words.
    ForeignWord,
    /// It is that of a template language, of which the message says nothing.
    Untold,
    /// The same, and SparkPost's language takes it for text.
    UntoldTag,
}

impl Form {
    fn detail(&self, place: Place, language: Language) -> String {
        let form = self.shown;
        match self.kind {
            Kind::UntoldTag if language == Language::SparkPost => format!(
                "In {place} there is `{form}`, a tag of another language, which readers would see; with `\"template\": \
                 \"sparkpost\"` statements are written `{{{{ if name }}}}`."
            ),
            Kind::Foreign | Kind::ForeignWord => format!(
                "In {place} there is `{form}`, a placeholder of another program, which readers \
                 would see; with `\"template\": \"merge\"` it is written `{{{{ name }}}}`."
            ),
            Kind::Untold | Kind::UntoldTag => format!(
                "In {place} there is `{form}`, which readers would see: give the language of the \
                 texts, `\"template\": \"merge\"` or `\"jinja\"`, or `\"none\"` if it is meant so."
            ),
        }
    }

    /// Where the first one is.
    fn find(&self, text: &[u8]) -> Option<usize> {
        const LONGEST: usize = 100;
        let mut starts = memchr::memmem::find_iter(text, self.start);
        starts.find(|&at| {
            let rest = &text[at + self.start.len()..];
            let name = rest.iter().take(LONGEST);
            let length = name.take_while(|byte| (self.fits)(**byte)).count();
            let Some(behind) = rest[length..].strip_prefix(self.end.as_bytes()) else {
                return false;
            };
            // A single letter between two signs is too often something else.
            let (least, is_alone) = match self.kind {
                Kind::ForeignWord => {
                    let before = text[..at].last().copied();
                    (2, !joins(before) && !joins(behind.first().copied()))
                }
                Kind::Foreign | Kind::Untold | Kind::UntoldTag => (1, true),
            };
            length >= least && is_alone
        })
    }
}

/// Whether this byte beside a word makes a longer word of it.
fn joins(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | 0x80..))
}

static FORMS: [Form; 7] = [
    // Mailchimp, Mandrill.
    Form {
        start: "*|",
        end: "|*",
        fits: |byte| !matches!(byte, b'|' | b'\r' | b'\n'),
        shown: "*|NAME|*",
        kind: Kind::Foreign,
    },
    // Mailgun.
    Form {
        start: "%recipient.",
        end: "%",
        fits: is_name,
        shown: "%recipient.name%",
        kind: Kind::Foreign,
    },
    // Salesforce.
    Form {
        start: "%%",
        end: "%%",
        fits: is_name,
        shown: "%%name%%",
        kind: Kind::Foreign,
    },
    // Mailjet.
    Form {
        start: "[[",
        end: "]]",
        fits: |byte| is_name(byte) || byte == b':',
        shown: "[[var:name]]",
        kind: Kind::Foreign,
    },
    // SendGrid.
    Form {
        start: "-",
        end: "-",
        fits: |byte| byte.is_ascii_alphanumeric() || byte == b'_',
        shown: "-name-",
        kind: Kind::ForeignWord,
    },
    // Handlebars, Liquid, Jinja, SparkPost.
    Form {
        start: "{{",
        end: "}}",
        fits: |byte| !matches!(byte, b'}' | b'\r' | b'\n'),
        shown: "{{ name }}",
        kind: Kind::Untold,
    },
    // Liquid, Jinja.
    Form {
        start: "{%",
        end: "%}",
        fits: |byte| !matches!(byte, b'%' | b'\r' | b'\n'),
        shown: "{% tag %}",
        kind: Kind::UntoldTag,
    },
];

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The first placeholder that nothing here fills, and its form.
fn foreign_placeholder(text: &str, language: Language) -> Option<(usize, &'static Form)> {
    let forms = FORMS.iter();
    let forms = forms.filter(|form| match form.kind {
        Kind::Foreign | Kind::ForeignWord => true,
        Kind::Untold => language == Language::Untold,
        Kind::UntoldTag => language != Language::Other,
    });
    let found = forms.filter_map(|form| Some((form.find(text.as_bytes())?, form)));
    found.min_by_key(|(at, _)| *at)
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
            ("Dear -first_name-, [[var:x]]", Some((5, "-name-"))),
            ("(-name-)", Some((1, "-name-"))),
            ("-name-", Some((0, "-name-"))),
            (
                "a-b-c well-known-thing -webkit-box --name-- -x- - a - é-aa-",
                None,
            ),
            ("[[var:name]] %%x%%", Some((0, "[[var:name]]"))),
            ("[[a b]] [x] [[ x ]]", None),
            ("{ {{}} {{ a\n }} {%%} } %}", None),
            ("[x]", None),
            ("", None),
        ] {
            for language in [Language::Untold, Language::SparkPost, Language::Other] {
                let found = foreign_placeholder(text, language);
                let found = found.map(|(at, form)| (at, form.shown));
                assert_eq!(found, expected, "{text}");
            }
        }
        for (text, expected) in [
            ("Hi {{ name }}", Some((3, "{{ name }}"))),
            ("{{{name}}}", Some((0, "{{ name }}"))),
            ("{% if a %} {{ b }}", Some((0, "{% tag %}"))),
            ("{{#if a}}x{{/if}}", Some((0, "{{ name }}"))),
        ] {
            let found =
                foreign_placeholder(text, Language::Untold).map(|(at, form)| (at, form.shown));
            assert_eq!(found, expected, "{text}");
            assert!(foreign_placeholder(text, Language::Other).is_none());
            let in_sparkpost = foreign_placeholder(text, Language::SparkPost);
            let in_sparkpost = in_sparkpost.map(|(_, form)| form.shown);
            assert_eq!(
                in_sparkpost,
                text.contains("{%").then_some("{% tag %}"),
                "{text}"
            );
        }
        let long = format!("*|{}|*", "x".repeat(101));
        assert!(foreign_placeholder(&long, Language::Untold).is_none());
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
