//! Numbers among the variables arrive as they are written, wherever they are in the document.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use pmtaemail::{Message, NumberLiteral};
use proptest::prelude::*;
use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};

/// A literal of any size and form.
fn literal() -> impl Strategy<Value = String> {
    let digits = "0|[1-9][0-9]{0,40}";
    (
        any::<bool>(),
        digits,
        "|\\.[0-9]{1,30}",
        "|[eE][+-]?[0-9]{1,6}",
    )
        .prop_map(|(is_negative, whole, fraction, exponent)| {
            let sign = if is_negative { "-" } else { "" };
            format!("{sign}{whole}{fraction}{exponent}")
        })
}

/// A piece of JSON, and the paths of the numbers in it.
#[derive(Debug, Clone)]
enum Piece {
    Number(String),
    Other(&'static str),
    List(Vec<Piece>),
    Object(Vec<(&'static str, Piece)>),
}

fn piece() -> impl Strategy<Value = Piece> {
    let other = prop::sample::select(vec![
        "true",
        "false",
        "null",
        r#""""#,
        r#""1.50""#,
        r#""a\"1.0\\""#,
        r#""\u00e9\n2.0""#,
        r#""é 3e4""#,
        "[]",
        "{ }",
        "[ [ ] , { } ]",
    ]);
    let leaf =
        prop_oneof![2 => literal().prop_map(Piece::Number), 1 => other.prop_map(Piece::Other)];
    // Each name is written in one way or another.
    let names = prop::sample::subsequence(vec![r"a", r"\u0062", r"é", r"d\u00e9", r"e1"], 0..5);
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5).prop_map(Piece::List);
        let object = (names.clone(), prop::collection::vec(inner, 5))
            .prop_map(|(names, values)| Piece::Object(names.into_iter().zip(values).collect()));
        prop_oneof![list, object]
    })
}

impl Piece {
    /// Writes the JSON, and a template with what it must become.
    fn write(
        &self,
        blank: &str,
        path: &str,
        json: &mut String,
        checks: &mut Vec<(String, String)>,
    ) {
        match self {
            Self::Number(literal) => {
                json.push_str(literal);
                checks.push((path.to_owned(), literal.clone()));
            }
            Self::Other(text) => json.push_str(text),
            Self::List(elements) => {
                json.push('[');
                for (index, element) in elements.iter().enumerate() {
                    json.push_str(if index > 0 { "," } else { "" });
                    json.push_str(blank);
                    // Dots do not lead into lists.
                    element.write(blank, "", json, &mut Vec::new());
                    json.push_str(blank);
                }
                json.push(']');
            }
            Self::Object(members) => {
                json.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    json.push_str(if index > 0 { "," } else { "" });
                    json.extend([blank, "\"", name, "\"", blank, ":", blank]);
                    let name: String = serde_json::from_str(&format!("\"{name}\"")).unwrap();
                    value.write(blank, &format!("{path}.{name}"), json, checks);
                    json.push_str(blank);
                }
                json.push('}');
            }
        }
    }
}

/// The lines of the text that a message has with these variables.
fn lines(json: &str) -> Vec<String> {
    let message =
        Message::from_json(json.as_bytes()).unwrap_or_else(|problems| panic!("{json}: {problems}"));
    let message = String::from_utf8(message.render()).unwrap();
    let (_, body) = message.split_once("\r\n\r\n").unwrap();
    body.replace("=\r\n", "")
        .lines()
        .map(str::to_owned)
        .collect()
}

proptest! {
    #[test]
    fn each_number_arrives_as_written(
        members in prop::collection::vec(piece(), 1..5),
        blank in prop::sample::select(vec!["", " ", "\r\n\t"]),
        escaped in any::<bool>(),
    ) {
        let names = if escaped { [r"\u0076", r"\u0077", "x", r"y\u0079"] } else { ["v", "w", "x", r"y\u0079"] };
        let members = names.into_iter().zip(members).collect();
        let (mut json, mut checks) = (String::new(), Vec::new());
        Piece::Object(members).write(blank, "", &mut json, &mut checks);
        let template: Vec<_> = checks.iter().map(|(path, _)| format!("{{{{{}}}}}\\n", &path[1..])).collect();
        let template = template.concat();
        let message = format!(
            r#"{{"from": "a@example.com", "to": "b@example.org", "template": "merge", "variables":{blank}{json},
                 "text": "{template}."}}"#
        );
        let expected: Vec<_> = checks.into_iter().map(|(_, literal)| literal).chain([".".to_owned()]).collect();
        prop_assert_eq!(lines(&message), expected);
    }
}

#[test]
fn the_numbers_of_each_recipient_and_of_all_keep_their_digits() {
    let json = r#"{"from": "a@example.com", "template": "merge", "text": "{{ a }} {{ b }} {{ c.d }}",
        "variables": {"a": 19.90, "b": 12345678901234567890123, "c": {"d": 0.1e-7}},
        "recipients": [
            {"address": "b@example.org", "priority": 5e1, "variables": {"c": {"\u0064": -0}, "b": 1E400}},
            "c@example.org",
            {"variables": {"a": 1.0, "unused": [1.50, {"a": "}"}, 2.50], "c": {"d": 1e3}}, "email": "d@example.org"}
        ]}"#;
    let message = Message::from_json(json.as_bytes()).unwrap();
    for (index, expected) in [
        "19.90 1E400 -0",
        "19.90 12345678901234567890123 0.1e-7",
        "1.0 12345678901234567890123 1e3",
    ]
    .into_iter()
    .enumerate()
    {
        let mail = String::from_utf8(message.render_recipient(index).unwrap()).unwrap();
        assert_eq!(mail.split_once("\r\n\r\n").unwrap().1.trim_end(), expected);
    }
}

#[test]
fn a_number_of_a_million_digits_takes_no_longer_than_a_text() {
    let number = "123456789.".to_owned() + &"7".repeat(1_000_000);
    let json = format!(
        r#"{{"from": "a@example.com", "to": "b@example.org", "template": "merge", "text": "{{{{ a }}}}",
             "variables": {{"a": {number}}}}}"#
    );
    assert_eq!(lines(&json), [number]);
}

#[test]
fn a_number_is_not_a_string() {
    for (field, value) in [
        ("subject", "19.90"),
        ("subject", "12345678901234567890123"),
        ("to", "1"),
        ("headers", "[1.0]"),
    ] {
        let json =
            format!(r#"{{"from": "a@example.com", "cc": "b@example.org", "{field}": {value}}}"#);
        let problems = Message::from_json(json.as_bytes()).unwrap_err();
        assert!(
            problems
                .iter()
                .any(|problem| problem.code().as_str() == "wrong_type"),
            "{problems}"
        );
    }
}

/// A value of a format of serde.
#[derive(Clone)]
enum Foreign {
    Text(&'static str),
    Object(Vec<(&'static str, Foreign)>),
    List(Vec<Foreign>),
    Literal(&'static str),
    Wide(i128),
    WideUnsigned(u128),
    Single(f32),
    Double(f64),
}

impl<'de> Deserializer<'de> for Foreign {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => visitor.visit_borrowed_str(text),
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(members.into_iter())),
            Self::List(elements) => visitor.visit_seq(SeqDeserializer::new(elements.into_iter())),
            Self::Literal(literal) => NumberLiteral::new(literal).unwrap().visit(visitor),
            Self::Wide(number) => visitor.visit_i128(number),
            Self::WideUnsigned(number) => visitor.visit_u128(number),
            Self::Single(number) => visitor.visit_f32(number),
            Self::Double(number) => visitor.visit_f64(number),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl IntoDeserializer<'_> for Foreign {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[test]
fn numbers_of_other_formats_keep_their_digits() {
    for (number, expected) in [
        (Foreign::Literal("19.90"), "19.90"),
        (Foreign::Literal("-0"), "-0"),
        (
            Foreign::Wide(i128::MIN),
            "-170141183460469231731687303715884105728",
        ),
        (
            Foreign::WideUnsigned(u128::MAX),
            "340282366920938463463374607431768211455",
        ),
        (Foreign::Single(19.9), "19.9"),
        (Foreign::Double(19.9), "19.9"),
        (Foreign::Double(1.0), "1.0"),
        // What `serde_json` gives where it has the feature `arbitrary_precision`.
        (
            Foreign::Object(vec![(
                "$serde_json::private::Number",
                Foreign::Text("1.50"),
            )]),
            "1.50",
        ),
    ] {
        let variables = Foreign::Object(vec![("a", number)]);
        let recipient = Foreign::Object(vec![
            ("address", Foreign::Text("b@example.org")),
            ("variables", variables),
            (
                "priority",
                Foreign::Object(vec![("$serde_json::private::Number", Foreign::Text("50"))]),
            ),
        ]);
        let message = [
            ("from", Foreign::Text("a@example.com")),
            ("template", Foreign::Text("merge")),
            ("text", Foreign::Text("{{ a }}")),
            ("recipients", Foreign::List(vec![recipient])),
        ];
        let message = MapDeserializer::new(message.into_iter());
        let message = Message::from_deserializer(message).unwrap().unwrap();
        let mail = String::from_utf8(message.render_recipient(0).unwrap()).unwrap();
        assert_eq!(mail.split_once("\r\n\r\n").unwrap().1.trim_end(), expected);
    }
}

#[test]
fn an_object_is_not_a_priority() {
    for priority in [
        r#"{"a": 50}"#,
        r#"{"$serde_json::private::Number": "x"}"#,
        "{}",
    ] {
        let json = format!(
            r#"{{"from": "a@example.com", "text": "x", "recipients": [{{"address": "b@example.org", "priority": {priority}}}]}}"#
        );
        let problems = Message::from_json(json.as_bytes()).unwrap_err();
        let problem = problems.iter().next().unwrap();
        assert_eq!(
            (problem.pointer(), problem.code().as_str()),
            ("/recipients/0/priority", "wrong_type")
        );
    }
}
