//! Reads a message, or one recipient, from JSON or from another format of serde.

use super::lone_surrogates::MarkedText;
#[cfg(feature = "sonic-rs")]
use super::quick;
use super::reading::{Reading, RecipientReading};
use super::shape::ReadState;
use crate::problem::{Code, Problem, Problems, Refusal};
use serde::Deserializer;
use std::borrow::Cow;

/// Why there is no reading.
pub(crate) enum Unreadable {
    /// The input is not JSON.
    NotJson(Problems),
    /// It holds half surrogate pairs; [`MarkedText::read`] tells where.
    LoneSurrogates(MarkedText),
}

/// Reads the bytes of one JSON text (RFC 8259), which must be UTF-8.
pub(crate) fn read(bytes: &[u8]) -> Result<Reading<'_>, Unreadable> {
    // Checked once over the whole is several times quicker than string by string.
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| {
        Unreadable::NotJson(not_json("The message is not UTF-8; JSON is always UTF-8."))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    #[cfg(feature = "sonic-rs")]
    if let Some(reading) = quick::read(text) {
        return Ok(reading);
    }
    // serde_json stops at half a surrogate pair without a word on the field that has it.
    read_text(text, None).map_err(|error| match MarkedText::new(text) {
        Some(marked) => Unreadable::LoneSurrogates(marked),
        None => Unreadable::NotJson(syntax_problem(&error)),
    })
}

impl MarkedText {
    /// Reads on past the half surrogate pairs; each is a problem of the report.
    pub(crate) fn read(&self) -> Result<Reading<'_>, Problems> {
        read_text(&self.text, Some(&self.mark)).map_err(|error| syntax_problem(&error))
    }
}

/// Reads one element of the array that the message calls `name`.
pub(crate) fn read_recipient<'a>(
    bytes: &'a [u8],
    name: &'a str,
    index: usize,
) -> Result<RecipientReading<'a>, Unreadable> {
    let problem = || not_json(format!("Recipient {} is not JSON.", index + 1));
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| Unreadable::NotJson(problem()))?;
    #[cfg(feature = "sonic-rs")]
    if let Some(reading) = quick::read_recipient(text, name, index) {
        return Ok(reading);
    }
    read_recipient_text(text, None, name, index).map_err(|_| match MarkedText::new(text) {
        Some(marked) => Unreadable::LoneSurrogates(marked),
        None => Unreadable::NotJson(problem()),
    })
}

impl MarkedText {
    /// Reads one recipient on past the half surrogate pairs; each is a problem of the report.
    pub(crate) fn read_recipient<'a>(
        &'a self,
        name: &'a str,
        index: usize,
    ) -> Result<RecipientReading<'a>, Problems> {
        read_recipient_text(&self.text, Some(&self.mark), name, index)
            .map_err(|_| not_json(format!("Recipient {} is not JSON.", index + 1)))
    }
}

/// Reads any deserializer that lends its strings.
pub(crate) fn read_from<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Reading<'a>, D::Error> {
    Reading::of(deserializer, ReadState::new(None))
}

fn read_text<'a>(text: &'a str, mark: Option<&'a str>) -> Result<Reading<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let reading = Reading::of(&mut deserializer, ReadState::new(mark))?;
    deserializer.end()?;
    Ok(reading)
}

fn read_recipient_text<'a>(
    text: &'a str,
    mark: Option<&'a str>,
    name: &'a str,
    index: usize,
) -> Result<RecipientReading<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let state = ReadState::new(mark);
    let reading = RecipientReading::of(&mut deserializer, state, name, index)?;
    deserializer.end()?;
    Ok(reading)
}

/// The problem of a message with half surrogate pairs, when nothing else is to be said of it.
pub(crate) fn holds_lone_surrogates() -> Problems {
    not_json("The message holds half of a surrogate pair.")
}

/// The problem of recipients with a byte that JSON does not have.
pub(crate) fn broken_recipients() -> Problems {
    not_json("The recipients are not JSON: they hold a control character.")
}

/// The problem of a message whose format broke off.
pub(crate) fn unreadable(error: &dyn std::error::Error) -> Problems {
    // What the error says may quote the input.
    let _ = error;
    not_json("The message cannot be read.")
}

fn syntax_problem(error: &serde_json::Error) -> Problems {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "The message ends before its JSON does",
        _ => "The message is not JSON",
    };
    not_json(format!(
        "{what}: see line {}, column {}.",
        error.line(),
        error.column()
    ))
}

fn not_json(detail: impl Into<Cow<'static, str>>) -> Problems {
    let detail = detail.into();
    let code = Code::NotJson;
    Problems::one(Problem::new(String::new(), Refusal { code, detail }))
}

#[cfg(all(test, feature = "sonic-rs"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What both agree on: nothing where there is a problem.
    fn messages(text: &str) -> [Option<String>; 2] {
        let show = |reading: Reading<'_>| format!("{:?} {:?}", reading.message, reading.report);
        let judged = read_text(text, None).ok();
        let judged = judged.filter(|reading| reading.report.len() == 0);
        [quick::read(text).map(show), judged.map(show)]
    }

    fn recipients(text: &str) -> [Option<String>; 2] {
        let show =
            |reading: RecipientReading<'_>| format!("{:?} {:?}", reading.recipient, reading.report);
        let judged = read_recipient_text(text, None, "recipients", 3).ok();
        let judged = judged.filter(|reading| reading.report.len() == 0);
        [
            quick::read_recipient(text, "recipients", 3).map(show),
            judged.map(show),
        ]
    }

    /// Tokens of JSON, right and wrong, so that a text of them is often nearly JSON.
    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            r#""([ -~é\u{1F600}]|\\\\["\\\\/bfnrtux]|\\\\u[0-9a-fA-F]{4}|\\\\ud83d\\\\ude00|[\t\r\n\u{0}\u{7f}]){0,40}""#,
            r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{0,30})?([eE][-+]?[0-9]{0,4})?",
            "true|false|null|nul|True|NaN|Infinity|-|\\+1|01|1\\.|\\.5|0x1|''",
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let separator = "[ \t\r\n]{0,2}(,|,|,|,|,|,|,,|)[ \t\r\n]{0,2}";
            prop_oneof![
                proptest::collection::vec((inner.clone(), separator), 0..4)
                    .prop_map(|items| joined("[", &items, "]")),
                proptest::collection::vec(
                    ("\"[a-e]\"|\"\\\\\\\\u006[1-4]\"", inner, separator),
                    0..4
                )
                .prop_map(|items| {
                    let members: Vec<_> = items
                        .into_iter()
                        .map(|(name, value, separator)| (format!("{name}:{value}"), separator))
                        .collect();
                    joined("{", &members, "}")
                }),
            ]
        })
    }

    fn joined(open: &str, items: &[(String, String)], close: &str) -> String {
        let mut text = open.to_owned();
        for (index, (item, separator)) in items.iter().enumerate() {
            text.push_str(item);
            if index + 1 < items.len() || separator.contains(",,") {
                text.push_str(separator);
            }
        }
        text + close
    }

    proptest! {
        #[test]
        fn readers_agree(value in value(), text in value(), after in "[ \n,}x]{0,1}") {
            let message = format!(
                r#"{{"from": "a@example.com", "variables": {{"v": {value}}}, "subject": {text}}}{after}"#
            );
            let [quick, judged] = messages(&message);
            prop_assert!(quick == judged);
            let recipient = format!(r#"{{"address": "a@example.com", "variables": {{"v": {value}}}}}{after}"#);
            let [quick, judged] = recipients(&recipient);
            prop_assert!(quick == judged);
        }
    }

    #[test]
    fn what_is_right_is_read_quickly() {
        let deep = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for value in [
            "12345678901234567890123",
            "-0",
            "-0.0",
            "1e308",
            "5e-324",
            "18446744073709551615",
            "-9223372036854775808",
            "9007199254740993",
            "0.1",
            "1.7976931348623157e308",
            r#""\ud83d\ude00""#,
            &deep(125),
        ] {
            let message = format!(r#"{{"variables": {{"v": {value}}}}}"#);
            let [quick, judged] = messages(&message);
            assert!(quick.is_some(), "{value}");
            assert!(quick == judged, "{value}");
        }
        // What serde_json refuses, sonic-rs must not let through.
        for value in [
            "1e999",
            r#""\ud800""#,
            &deep(126),
            &deep(200),
            &deep(100_000),
        ] {
            let message = format!(r#"{{"variables": {{"v": {value}}}}}"#);
            assert!(messages(&message) == [None, None], "{}", value.len());
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
