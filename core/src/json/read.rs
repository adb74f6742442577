//! Reads a message, or one recipient, from JSON or from another format of serde.

use super::lone_surrogates::MarkedText;
use super::reading::{Document, MessageReading, Reading, RecipientReading, read_with};
use super::shape::{ReadState, Shape};
use crate::interruption::Interruption;
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::text::same_name;
use serde::Deserializer;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Why the input cannot be read.
pub(crate) enum Unreadable {
    /// The input is not JSON.
    NotJson(Problems),
    /// It contains half surrogate pairs; [`MarkedText::read`] finds out where.
    LoneSurrogates(MarkedText),
}

/// Reads the bytes of one JSON text (RFC 8259), which must be UTF-8.
pub(crate) fn read(bytes: &[u8]) -> Result<MessageReading<'_>, Unreadable> {
    read_unless(bytes, Interruption::NEVER)
}

/// The same; if it is interrupted, a meaningless error.
pub(crate) fn read_unless<'a>(
    bytes: &'a [u8],
    interruption: Interruption<'a>,
) -> Result<MessageReading<'a>, Unreadable> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    read_document(bytes, Document::Message, interruption)
}

/// Reads one element of the array that the message calls `name`.
pub(crate) fn read_recipient<'a>(
    bytes: &'a [u8],
    name: &'a str,
    index: usize,
) -> Result<RecipientReading<'a>, Unreadable> {
    let document = Document::Recipient { name, index };
    read_document(bytes, document, Interruption::NEVER)
}

impl MarkedText {
    /// Reads past the half surrogate pairs; each becomes a problem in the report.
    pub(crate) fn read(&self) -> Result<MessageReading<'_>, Problems> {
        let (mark, never) = (Some(self.mark.as_ref()), Interruption::NEVER);
        read_text(&self.text, mark, Document::Message, never)
    }

    /// Reads one recipient past the half surrogate pairs; each becomes a problem in the report.
    pub(crate) fn read_recipient<'a>(
        &'a self,
        name: &'a str,
        index: usize,
    ) -> Result<RecipientReading<'a>, Problems> {
        let document = Document::Recipient { name, index };
        let (mark, never) = (Some(self.mark.as_ref()), Interruption::NEVER);
        read_text(&self.text, mark, document, never)
    }
}

/// Reads any deserializer that lends its strings.
pub(crate) fn read_from<'a, D: Deserializer<'a>>(
    deserializer: D,
) -> Result<MessageReading<'a>, D::Error> {
    read_with(
        deserializer,
        ReadState::new(None, Interruption::NEVER),
        Document::Message,
    )
}

fn read_document<'a, S: Shape<'a>>(
    bytes: &'a [u8],
    document: Document<'a>,
    interruption: Interruption<'a>,
) -> Result<Reading<'a, S>, Unreadable> {
    // Checked once over the whole is several times faster than string by string.
    let text = simdutf8::basic::from_utf8(bytes)
        .map_err(|_| Unreadable::NotJson(not_read(bytes, document, None)))?;
    // serde_json stops at half a surrogate pair without a word on the field that has it.
    let reading = read_text(text, None, document, interruption);
    reading.map_err(|problems| {
        let looks_further = !interruption.is_wanted();
        match looks_further.then(|| MarkedText::new(text)).flatten() {
            Some(marked) => Unreadable::LoneSurrogates(marked),
            None => Unreadable::NotJson(problems),
        }
    })
}

fn read_text<'a, S: Shape<'a>>(
    text: &'a str,
    mark: Option<&'a str>,
    document: Document<'a>,
    interruption: Interruption<'a>,
) -> Result<Reading<'a, S>, Problems> {
    let read = || {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let reading = read_with(
            &mut deserializer,
            ReadState::of_text(text, mark, interruption),
            document,
        )?;
        deserializer.end()?;
        Ok(reading)
    };
    read().map_err(|error| not_read(text.as_bytes(), document, Some(&error)))
}

/// The problem of input that is not JSON: it is not UTF-8, or has a syntax error.
fn not_read(bytes: &[u8], document: Document<'_>, error: Option<&serde_json::Error>) -> Problems {
    let error = match (document, error) {
        (Document::Message, _) if is_finished(bytes) => {
            return not_json(
                "The message is not JSON. It looks like a finished message (RFC 5322): give that in \
                 `raw`, or over HTTP as message/rfc822.",
            );
        }
        (Document::Recipient { index, .. }, _) => {
            return not_json(format!("Recipient {} is not JSON.", index + 1));
        }
        (Document::Message, None) => {
            return not_json("The message is not valid UTF-8, which JSON must be.");
        }
        (Document::Message, Some(_)) if holds_several(bytes) => {
            return not_json(
                "There is more JSON after the message. To send several messages as a batch, post them to /messages/batch or use \
                 `submit --batch`. To send a mail merge with one recipient per line, use application/x-ndjson or `--ndjson`.",
            );
        }
        (Document::Message, Some(error)) => error,
    };
    // serde_json has no kind for it.
    if error.to_string().starts_with("recursion limit exceeded") {
        return not_json("The JSON is nested more than 127 arrays and objects deep.");
    }
    let what = match error.classify() {
        serde_json::error::Category::Eof => "The message ends before its JSON is complete",
        _ => "The message is not JSON",
    };
    let (line, column) = (error.line(), error.column());
    not_json(format!("{what}, at line {line}, column {column}."))
}

/// Whether there is a second JSON text after the first one.
fn holds_several(bytes: &[u8]) -> bool {
    let mut texts = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    matches!((texts.next(), texts.next()), (Some(Ok(_)), Some(Ok(_))))
}

/// Whether a line that should be a recipient is itself a message: only messages have `from`.
pub(crate) fn is_message(line: &[u8]) -> bool {
    let members = serde_json::from_slice::<Map<String, Value>>(line);
    members.is_ok_and(|members| members.keys().any(|name| same_name(name, "from")))
}

/// Whether the bytes start with a header field.
fn is_finished(bytes: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let name = bytes.iter().take_while(|byte| is_name(byte)).count();
    name > 0 && bytes.get(name) == Some(&b':')
}

/// The problem of what cannot be read.
pub(crate) fn not_json(detail: impl Into<Cow<'static, str>>) -> Problems {
    let detail = detail.into();
    let code = Code::NotJson;
    Problems::one(Problem::new(String::new(), Refusal { code, detail }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_values_need_little_of_the_stack() {
        let lists = format!("{}{}", "[".repeat(124), "]".repeat(124));
        let objects = format!("{}1{}", r#"{"a":"#.repeat(124), "}".repeat(124));
        let read = move || {
            for value in [lists, objects] {
                let json = format!(
                    r#"{{"from": "a@b.c", "to": "d@e.f", "template": "jinja", "variables": {{"v": {value}}}}}"#
                );
                crate::check(json.as_bytes()).unwrap();
            }
        };
        // Without optimization; in less than the 2 MiB that a thread has in Rust.
        let thread = std::thread::Builder::new().stack_size(1 << 20);
        thread.spawn(read).unwrap().join().unwrap();
    }

    #[test]
    fn several_messages_are_reported() {
        let one = r#"{"from": "a@b.c", "to": "d@e.f"}"#;
        for (json, told) in [
            (format!("{one}\n{one}\n"), "There is more JSON"),
            (format!("{one} {one}{one}"), "There is more JSON"),
            (format!("{one}\n\"b@c.d\"\n"), "There is more JSON"),
            (format!("{one}\nx"), "line 2, column 1."),
            (format!("{one}\n{{"), "line 2, column 1."),
            (format!("{{{one}"), "line 1, column 2."),
        ] {
            let problems = crate::check(json.as_bytes()).unwrap_err();
            let problem = problems.iter().next().unwrap();
            assert_eq!(problem.code(), Code::NotJson);
            assert!(problem.detail().contains(told), "{json}: {problem}");
        }
        crate::check(format!("{one}\n \n").as_bytes()).unwrap();
        for (line, expected) in [
            (one, true),
            (r#"{"to": "a@b.c", "FROM": {"x": [1]}}"#, true),
            (r#"{"address": "a@b.c", "variables": {"from": 1}}"#, false),
            (r#""from""#, false),
            ("from", false),
            (r#"{"from": 1"#, false),
        ] {
            assert_eq!(is_message(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn values_that_nobody_wants_are_skipped_however_deep_they_are() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for (name, code) in [("subject", "wrong_type"), ("too", "unknown_field")] {
            let json = format!(r#"{{"from": "a@b.c", "to": "d@e.f", "{name}": {deep}}}"#);
            let problems = crate::check(json.as_bytes()).unwrap_err();
            let codes: Vec<_> = problems
                .iter()
                .map(|problem| problem.code().as_str())
                .collect();
            assert_eq!(codes, [code], "{name}");
        }
    }
}
