//! What holds for any text and any value.

use super::super::super::TextKind;
use super::{ANN, html, text, written};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces of which texts are made that are templates, nearly.
const PIECES: [&str; 34] = [
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{ x }}",
    "{{{ x }}}",
    "{{ if x }}",
    "{{ elseif y }}",
    "{{ else }}",
    "{{ end }}",
    "{{ each l }}",
    "loop_var",
    "loop_vars.l",
    "'",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "#l",
    "not ",
    " or ",
    " and ",
    " == ",
    " < ",
    "x",
    ".a",
    "1",
    "\n",
    " ",
    "http://",
    "empty(",
    "é",
    "<template type=amp-mustache>",
];

fn nearly_template() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(PIECES.as_slice());
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = TextKind> {
    use TextKind::{Calendar, Header, Html, Text};
    proptest::sample::select(vec![Text, Html, Header, Calendar])
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}|[{}\\[\\]<'\n\r\0]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-c]", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_worked_out_or_refused(
        template in nearly_template(),
        kind in kind(),
        values in (any_value(), any_value(), any_value()),
    ) {
        let (x, y, l) = values;
        let own = json!({"x": x, "y": y});
        let shared = json!({"l": l, "x": "shared"});
        let told = written(&template, kind, &shared, &own, ANN);
        if let Err(told) = &told {
            prop_assert!(told.ends_with('.'), "{}", told);
        }
        // What everybody has and what is the recipient's own are the same values.
        let mut all = shared;
        if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
            all.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
        }
        // Of several problems another may come first.
        for (shared, own) in [(&all, &json!({})), (&json!({}), &all)] {
            let found = written(&template, kind, shared, own, ANN);
            prop_assert_eq!(found.as_ref().ok(), told.as_ref().ok());
        }
    }

    #[test]
    fn a_text_without_two_braces_stays(template in "[^{]{0,20}|[{]?[^{]{0,9}") {
        let lines = template.replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(html(&template, &json!({})), lines);
    }

    #[test]
    fn a_value_is_nothing_but_a_value(value in "\\PC{0,20}|[{}a-z _.'\"<>&%\n/:-]{0,20}", number: f64) {
        let values = json!({"x": value, "l": [value], "y": true});
        for template in [
            "{{ x }}", "{{{ x }}}", "{{ x or 'no' }}", "{{ no or x }}", "{{ if y }}{{ x }}{{ end }}", "{{ l[1] }}",
            "{{ each l }}{{ loop_var }}{{ end }}", "{{ each l }}{{ loop_vars.l }}{{ end }}", "{{ y and x }}",
        ] {
            prop_assert_eq!(&text(template, &values), &value, "{}", template);
            let unescaped = html(template, &values).replace("&lt;", "<").replace("&gt;", ">");
            let unescaped = unescaped.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
            if !template.contains("{{{") {
                prop_assert_eq!(&unescaped, &value, "{}", template);
            }
        }
        let link = text("https://example.com/{{ x }}", &values);
        let encoded = link.strip_prefix("https://example.com/").unwrap();
        prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        prop_assert_eq!(text("https://example.com/{{{ x }}}", &values), format!("https://example.com/{value}"));
        if number.is_finite() {
            let digits = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(text("{{ n }}", &json!({"n": number})), digits);
        }
    }
}
