//! Placeholders that nothing here fills in.

use crate::json::{JsonWord, Located, TemplateLanguage};
use crate::template::Place;

/// How a placeholder starts and ends, what its name may contain, and how the sentence shows it.
#[derive(Debug)]
struct Form {
    start: &'static str,
    end: &'static str,
    fits: fn(u8) -> bool,
    shown: &'static str,
    kind: Kind,
}

/// What a message says about the language of its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Untold,
    SparkPost,
    Other,
}

impl Language {
    /// For a message with this `template` field.
    pub fn of(template: Option<&Located<JsonWord<'_, TemplateLanguage>>>) -> Self {
        match template.map(|word| word.value.meaning()) {
            None => Self::Untold,
            Some(Some(TemplateLanguage::SparkPost)) => Self::SparkPost,
            Some(_) => Self::Other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It belongs to another program, whatever the message says.
    Foreign,
    /// The same, but only as a separate word: its characters are common inside words.
    ForeignWord,
    /// It belongs to a template language, but the message names none.
    Untold,
    /// The same, and SparkPost's language takes it for text.
    UntoldTag,
}

impl Form {
    fn detail(&self, place: Place, language: Language) -> String {
        let form = self.shown;
        match self.kind {
            Kind::UntoldTag if language == Language::SparkPost => format!(
                "In {place} there is `{form}`, a tag of another template language, which readers would see; with `\"template\": \
                 \"sparkpost\"` statements are written `{{{{ if name }}}}`."
            ),
            Kind::Foreign | Kind::ForeignWord => format!(
                "In {place} there is `{form}`, a placeholder of another template language, which \
                 readers would see; with `\"template\": \"merge\"` it is written `{{{{ name }}}}`."
            ),
            Kind::Untold | Kind::UntoldTag => format!(
                "In {place} there is `{form}`, which readers would see: set the language of the \
                 texts, `\"template\": \"merge\"` or `\"jinja\"`, or `\"none\"` if it is meant literally."
            ),
        }
    }

    /// The position of the first one.
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

/// Whether this byte next to a word makes it a longer word.
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

/// A sentence about the first placeholder that nothing here fills.
pub(super) fn foreign_placeholder(text: &str, language: Language) -> Option<String> {
    let (offset, form) = find(text, language)?;
    Some(form.detail(Place::of(text, offset), language))
}

/// The first placeholder that nothing here fills, and its form.
fn find(text: &str, language: Language) -> Option<(usize, &'static Form)> {
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
                let found = find(text, language);
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
            let found = find(text, Language::Untold).map(|(at, form)| (at, form.shown));
            assert_eq!(found, expected, "{text}");
            assert!(find(text, Language::Other).is_none());
            let in_sparkpost = find(text, Language::SparkPost);
            let in_sparkpost = in_sparkpost.map(|(_, form)| form.shown);
            assert_eq!(
                in_sparkpost,
                text.contains("{%").then_some("{% tag %}"),
                "{text}"
            );
        }
        let long = format!("*|{}|*", "x".repeat(101));
        assert!(find(&long, Language::Untold).is_none());
    }
}
