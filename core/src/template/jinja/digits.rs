//! Numbers that are written as they were given: `19.90`, `1e3`, and integers of more than 128 bits.
//!
//! minijinja knows integers and floats alone, and an operator takes nothing else for a number. So a number
//! keeps its digits where a text only writes it, and tests whether it is there or zero:
//!
//! ```text
//! {{ price }} {{ price|default("none") }} {% if price %} … {% for price in prices %} …    19.90
//! {{ price + 1 }} {% if price > 10 %} {{ price|round }}                          worked out, with 19.9
//! ```

use crate::number::Number;
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, ObjectRepr, Value};
use std::fmt;
use std::sync::Arc;

/// Filters that take a number for the text that it is written with, or hand it on.
const FILTERS: [&str; 19] = [
    "capitalize",
    "d",
    "date",
    "default",
    "e",
    "escape",
    "first",
    "join",
    "last",
    "lower",
    "number",
    "safe",
    "string",
    "title",
    "tojson",
    "trim",
    "truncate",
    "upper",
    "urlencode",
];

/// Whether a template works with numbers, and does not only write them.
pub(super) fn computes(source: &str, syntax: &SyntaxConfig) -> bool {
    let mut state = State::default();
    tokenize(source, false, syntax.clone()).any(|token| match token {
        Ok((token, _)) => !state.only_writes(&token),
        // It is no template.
        Err(_) => true,
    })
}

#[derive(Default)]
struct State {
    before: Before,
    /// In the head of a loop, up to its `in`.
    awaits_in: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
    BlockStart,
    Pipe,
    /// The name of a filter, which may have arguments.
    Filter,
    /// `is` or `is not`.
    Is,
}

impl State {
    fn only_writes(&mut self, token: &Token<'_>) -> bool {
        let before = std::mem::take(&mut self.before);
        match token {
            Token::BlockStart => self.before = Before::BlockStart,
            Token::Pipe => self.before = Before::Pipe,
            Token::Ident(name) if before == Before::Pipe => {
                self.before = Before::Filter;
                return FILTERS.contains(name);
            }
            Token::Ident("not") if before == Before::Is => self.before = Before::Is,
            Token::Ident(name) if before == Before::Is => {
                return matches!(*name, "defined" | "undefined" | "none");
            }
            Token::Ident("filter") if before == Before::BlockStart => self.before = Before::Pipe,
            Token::Ident("for") if before == Before::BlockStart => self.awaits_in = true,
            Token::Ident("is") => self.before = Before::Is,
            Token::Ident("in") => return std::mem::take(&mut self.awaits_in),
            Token::ParenOpen => return before == Before::Filter,
            Token::TemplateData(_)
            | Token::VariableStart
            | Token::VariableEnd
            | Token::BlockEnd
            | Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::Dot
            | Token::Comma
            | Token::Tilde
            | Token::Assign
            | Token::ParenClose => {}
            _ => return false,
        }
        true
    }
}

/// A number as minijinja takes it. If `keeps_digits`, one that minijinja would write otherwise is an object
/// with its digits, which is no number to it.
pub(super) fn value(number: Number<'_>, keeps_digits: bool) -> Value {
    if let Some(integer) = number.to_integer() {
        return Value::from(integer);
    }
    let float = number.to_float();
    let (value, digits) = (Value::from(float), number.into_text());
    if !keeps_digits || value.to_string() == digits {
        return value;
    }
    Value::from_object(Digits {
        digits: digits.into_owned(),
        is_zero: float == 0.0,
    })
}

/// The digits of a number that keeps them.
pub(super) fn of(value: &Value) -> Option<&str> {
    let digits = value.downcast_object_ref::<Digits>()?;
    Some(&digits.digits)
}

#[derive(Debug)]
struct Digits {
    digits: String,
    is_zero: bool,
}

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.is_zero
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits)
    }
}

#[cfg(test)]
mod tests {
    fn filled(field: &str, text: &str, number: &str) -> String {
        let json = format!(
            r#"{{"from": "a@example.com", "to": "b@example.org", "template": "jinja", "{field}": {},
                 "variables": {{"n": {number}, "o": {{"n": {number}}}, "l": [{number}, {number}]}}}}"#,
            serde_json::to_string(text).unwrap()
        );
        let mail =
            crate::render(json.as_bytes()).unwrap_or_else(|problems| panic!("{text}: {problems}"));
        let mail = String::from_utf8(mail).unwrap();
        let body = mail.split_once("\r\n\r\n").unwrap().1;
        body.trim_end().replace("=\r\n", "").replace("=3D", "=")
    }

    #[test]
    fn numbers_are_written_with_their_digits() {
        for number in [
            "19.90",
            "19.9",
            "1.0",
            "1e3",
            "-0",
            "1E400",
            "5",
            "12345678901234567890123",
            "-1234567890123456789012345678901234567890123456789",
            "0.10",
        ] {
            for (text, times) in [
                ("{{ n }}", 1),
                ("{{ o.n }}{{ n|default('x') }}{{ n|default('x', true) }}", 3),
                ("{% for i in l %}{{ i }}{% endfor %}", 2),
                (
                    "{% set m = n %}{{ m }}{{ m|string }}{{ '' ~ m }}{{ l|join('') }}",
                    5,
                ),
                (
                    "{% if n is defined and n is not none %}{{ n }}{% endif %}",
                    1,
                ),
                ("{{ n|tojson }}{{ n|truncate(300)|urlencode }}", 2),
                (
                    "{% filter trim %}{{ n or n }}{% endfilter %}{{ n if true }}",
                    2,
                ),
            ] {
                // `-0` is false to the filter.
                if number == "-0" && text.contains("true)") {
                    continue;
                }
                for field in ["text", "html"] {
                    assert_eq!(filled(field, text, number), number.repeat(times), "{text}");
                }
            }
        }
        for (number, is_true) in [("0.00", "no"), ("0e5", "no"), ("-0", "no"), ("0.10", "yes")] {
            assert_eq!(
                filled("text", "{% if n %}yes{% else %}no{% endif %}", number),
                is_true
            );
        }
    }

    #[test]
    fn each_text_goes_by_itself() {
        let json = br#"{"from": "a@example.com", "template": "jinja", "subject": "{{ n }} {{ m }}",
            "text": "{% if n > 3 %}{{ n + m }}{% endif %}", "variables": {"n": 19.90},
            "recipients": [{"address": "b@example.org", "variables": {"m": 1.0}}]}"#;
        let mail = String::from_utf8(crate::render(json).unwrap()).unwrap();
        assert!(mail.contains("\r\nSubject: 19.90 1.0\r\n"), "{mail}");
        assert!(mail.trim_end().ends_with("\r\n20.9"), "{mail}");
    }

    #[test]
    fn numbers_are_numbers_where_a_template_works_with_them() {
        for (text, expected) in [
            ("{{ n + 1 }}", "20.9"),
            ("{{ n|times(2) }}", "39.8"),
            ("{{ n|round }}", "20.0"),
            ("{{ n|int }}", "19"),
            ("{{ -n }}", "-19.9"),
            ("{% if n > 3 and n < 100 %}yes{% endif %}", "yes"),
            (
                "{{ n == 19.9 }}{{ n is number }}{{ 19.9 in l }}{{ n in [19.9] }}",
                "truetruetruetrue",
            ),
            ("{{ range(n|int)|length }}", "19"),
            ("{{ [n, 3]|sort|first }}", "3"),
        ] {
            assert_eq!(filled("text", text, "19.90"), expected, "{text}");
        }
    }
}
