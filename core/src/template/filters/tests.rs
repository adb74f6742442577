use super::*;
use proptest::prelude::*;

fn text(text: &str) -> Argument {
    Argument::Text(text.to_owned())
}

fn number(number: &str) -> Argument {
    Argument::Number(number.to_owned())
}

/// A filter of `merge`, or else of `jinja`.
fn prepared(name: &str, positional: &[Argument]) -> Result<Filter, arguments::BadArguments> {
    let mut rows = FILTERS
        .iter()
        .filter(|row| row.merge.contains(&name) || row.jinja.contains(&name));
    rows.next().unwrap().prepare(Arguments {
        positional: positional.iter().cloned().collect(),
        named: Vec::new(),
    })
}

fn applied(
    name: &str,
    arguments: &[Argument],
    value: Operand<'_>,
) -> Result<Option<String>, ValueFault> {
    let filter = prepared(name, arguments).unwrap_or_else(|_| panic!("{name}: {arguments:?}"));
    let made = filter.apply(value)?;
    Ok(made.into_text().map(Cow::into_owned))
}

fn of_text(name: &str, arguments: &[Argument], value: &str) -> String {
    let made = applied(name, arguments, Operand::Text(value.into()));
    made.unwrap_or_else(|fault| panic!("{name} {value}: {fault:?}"))
        .unwrap()
}

#[test]
fn letters_change_their_case() {
    for (name, value, expected) in [
        ("upcase", "straße é", "STRASSE É"),
        ("lower", "ÄÖ ΑΣ", "äö ας"),
        ("capitalize", "éA BC", "Éa bc"),
        ("capitalize", "", ""),
        (
            "title",
            "ann o'neil-LEE (of <york)",
            "Ann O'neil-Lee (Of <York)",
        ),
    ] {
        assert_eq!(of_text(name, &[], value), expected, "{name}");
    }
}

#[test]
fn texts_are_cut_as_each_language_does() {
    let long = "Ground control to Major Tom.";
    for (arguments, value, expected) in [
        (&[number("20")] as &[_], long, "Ground control to..."),
        (
            &[number("25"), text(", and so on")],
            long,
            "Ground control, and so on",
        ),
        (&[number("20"), text("")], long, "Ground control to Ma"),
        (&[number("28")], long, long),
        (&[number("2")], long, "..."),
        (&[number("0"), text("")], long, ""),
        (&[number("3"), text("é")], "ééééé", "ééé"),
        (&[number("1000000000000000000000")], long, long),
    ] {
        assert_eq!(
            of_text("truncate", arguments, value),
            expected,
            "{arguments:?}"
        );
    }
    assert_eq!(
        of_text("truncate", &[], &"x".repeat(51)),
        "x".repeat(47) + "..."
    );
    for (words, expected) in [
        ("3", "Ground control to..."),
        ("5", long),
        ("0", "Ground..."),
    ] {
        assert_eq!(of_text("truncatewords", &[number(words)], long), expected);
    }
    let jinja = FILTERS.iter().find(|row| row.jinja.contains(&"truncate"));
    let jinja = jinja.unwrap();
    for (arguments, value, expected) in [
        (&[number("9")] as &[_], "foo bar baz qux", Some("foo...")),
        (
            &[number("9"), Argument::Boolean(true)],
            "foo bar baz qux",
            Some("foo ba..."),
        ),
        (&[number("11")], "foo bar baz qux", Some("foo bar baz qux")),
        (
            &[
                number("11"),
                Argument::Boolean(false),
                text("..."),
                number("0"),
            ],
            "foo bar baz qux",
            Some("foo bar..."),
        ),
        (&[number("2")], "", None),
        (&[number("-1")], "", None),
        (&[number("1.5")], "", None),
    ] {
        let filter = jinja.prepare(Arguments {
            positional: arguments.iter().cloned().collect(),
            named: Vec::new(),
        });
        let made = filter
            .ok()
            .map(|filter| filter.apply(Operand::Text(value.into())));
        let made = made.map(|made| made.unwrap().into_text().unwrap().into_owned());
        assert_eq!(made.as_deref(), expected, "{arguments:?}");
    }
}

#[test]
fn values_can_be_in_urls() {
    let value = "ann+x@example.com /é?&=#%-._~*'";
    let encoded = "ann%2Bx%40example.com%20/%C3%A9%3F%26%3D%23%25-._~%2A%27";
    assert_eq!(of_text("urlencode", &[], value), encoded);
    let as_form = encoded.replace("%20", "+").replace('/', "%2F");
    assert_eq!(of_text("url_encode", &[], value), as_form);
    assert_eq!(of_text("urlencode", &[], "\0\n"), "%00%0A");
}

#[test]
fn values_become_json() {
    assert_eq!(
        of_text("json", &[], "a\"\\\n\r\t\0\u{7f}\u{85}\u{2028}</script>&'é"),
        r#""a\"\\\n\r\t\u0000\u007f\u0085\u2028\u003c/script\u003e\u0026\u0027é""#
    );
    let value = || {
        let list = vec![
            Operand::Number("19.90".into()),
            Operand::Absent,
            Operand::Object(Vec::new()),
        ];
        Operand::Object(vec![
            ("a".into(), Operand::List(list)),
            ("<".into(), Operand::Boolean(true)),
        ])
    };
    let json = |name: &str, arguments: &[Argument]| applied(name, arguments, value()).unwrap();
    assert_eq!(
        json("json", &[]).unwrap(),
        r#"{"a":[19.90,null,{}],"\u003c":true}"#
    );
    let jinja = FILTERS.iter().find(|row| row.jinja.contains(&"tojson"));
    let written = |positional: &[Argument]| {
        let filter = jinja.unwrap().prepare(Arguments {
            positional: positional.iter().cloned().collect(),
            named: Vec::new(),
        });
        let made = filter.ok()?.apply(value()).unwrap();
        made.into_text().map(Cow::into_owned)
    };
    assert_eq!(
        written(&[]).unwrap(),
        r#"{"a": [19.90, null, {}], "\u003c": true}"#
    );
    assert_eq!(
        written(&[number("1")]).unwrap(),
        "{\n \"a\": [\n  19.90,\n  null,\n  {}\n ],\n \"\\u003c\": true\n}"
    );
    assert_eq!(written(&[number("17")]), None);
}

#[test]
fn dates_are_written_in_their_offset() {
    for (value, format, expected) in [
        ("2026-03-01", "%B %d, %Y", "March 01, 2026"),
        (
            "2026-03-01",
            "%A %-d.%-m.%y %H:%M %Z",
            "Sunday 1.3.26 00:00 UTC",
        ),
        (
            "2026-03-01T23:30:00+02:00",
            "%F %T %z",
            "2026-03-01 23:30:00 +0200",
        ),
        ("2026-03-01 23:30:00.5Z", "%c", "Sun Mar  1 23:30:00 2026"),
        ("2026-03-01T23:30", "%I:%M %p", "11:30 PM"),
        ("1767225600", "%FT%T", "2026-01-01T00:00:00"),
        ("", "%F", ""),
        ("2026-03-01", "100%% %255d", "100% 00000000000000000001"),
    ] {
        assert_eq!(of_text("date", &[text(format)], value), expected, "{value}");
    }
    let of_number = |number: &'static str| {
        applied("date", &[text("%FT%T.%3f")], Operand::Number(number.into()))
    };
    assert_eq!(of_number("0").unwrap().unwrap(), "1970-01-01T00:00:00.000");
    assert_eq!(
        of_number("-1.5").unwrap().unwrap(),
        "1969-12-31T23:59:58.500"
    );
    for value in ["1e9", "1767225600000", "", "1.2.3", "--1"] {
        assert!(of_number(value).is_err(), "{value}");
    }
    for value in [
        "now",
        "today",
        "2026",
        "20260301",
        "March 1, 2026",
        "2026-13-01",
        "2026-02-30",
        "01.03.2026",
        "2026-03-01T25:00:00Z",
        "2026-03-01T12:00:00+02:00[Europe/Oslo]",
        "12:00",
        "é",
        "2026-03-01é",
    ] {
        let made = applied("date", &[text("%F")], Operand::Text(value.into()));
        assert_eq!(made.unwrap_err().code, Code::InvalidDate, "{value}");
    }
    for format in ["%99999999d", "%!", "%", "%E", &"x".repeat(256)] {
        assert!(prepared("date", &[text(format)]).is_err(), "{format}");
    }
    assert!(prepared("date", &[]).is_err());
    assert!(prepared("date", &[number("1")]).is_err());
}

#[test]
fn numbers_keep_their_digits() {
    for (arguments, value, expected) in [
        (&[] as &[_], "1234567.891", "1,234,567.891"),
        (&[], "19.90", "19.90"),
        (&[], "123", "123"),
        (
            &[],
            "12345678901234567890123",
            "12,345,678,901,234,567,890,123",
        ),
        (&[number("2"), text(","), text(".")], "1234.5", "1.234,50"),
        (
            &[number("2"), text(","), text("\u{202f}")],
            "-1234.5",
            "-1\u{202f}234,50",
        ),
        (&[number("0")], "1234.5", "1,235"),
        (&[number("0")], "0.49", "0"),
        (&[number("2")], "0.005", "0.01"),
        (&[number("2")], "-0.004", "0.00"),
        (&[number("1")], "999.95", "1,000.0"),
        (&[number("2"), text("."), text("")], "1234567", "1234567.00"),
        (&[], "1.5e3", "1,500"),
        (&[], "1E-3", "0.001"),
        (&[], "-12e-1", "-1.2"),
        (&[], "007", "7"),
        (&[], ".5", "0.5"),
        (&[], " +1 ", "1"),
        (&[], "", ""),
    ] {
        assert_eq!(of_text("number", arguments, value), expected, "{value}");
    }
    for value in [
        "1,234",
        "x",
        "-",
        ".",
        "1e",
        "1e1001",
        "1e99999999999",
        "1.2.3",
        "٣",
        "0x1",
        "--1",
    ] {
        let made = applied("number", &[], Operand::Text(value.into()));
        assert_eq!(made.unwrap_err().code, Code::WrongType, "{value}");
    }
    assert!(applied("number", &[], Operand::Boolean(true)).is_err());
    for arguments in [
        &[number("101")] as &[_],
        &[number("-1")],
        &[text("2")],
        &[number("2"), text("123456789")],
        &[number("2"), text("."), text(","), text("")],
    ] {
        assert!(prepared("number", arguments).is_err(), "{arguments:?}");
    }
    let long = "9".repeat(1_000_000);
    assert_eq!(of_text("number", &[number("0")], &long).len(), 1_333_333);
}

#[test]
fn defaults_are_as_liquids() {
    let default = |value, arguments: &[Argument]| {
        let filter = prepared("default", arguments).unwrap();
        filter
            .apply(value)
            .unwrap()
            .into_text()
            .map(Cow::into_owned)
    };
    for (value, expected) in [
        (Operand::Absent, "x"),
        (Operand::Text("".into()), "x"),
        (Operand::Boolean(false), "x"),
        (Operand::List(Vec::new()), "x"),
        (Operand::Text(" ".into()), " "),
        (Operand::Number("0".into()), "0"),
        (Operand::Boolean(true), "true"),
    ] {
        assert_eq!(default(value, &[text("x")]).as_deref(), Some(expected));
    }
    let (name, _) = filter_of("default").unwrap();
    let allowed = filter_of(name).unwrap().1.prepare(Arguments {
        positional: [text("x")].into(),
        named: vec![("allow_false".to_owned(), Argument::Boolean(true))],
    });
    let made = allowed.unwrap().apply(Operand::Boolean(false)).unwrap();
    assert_eq!(made, Operand::Boolean(false));
    assert_eq!(default(Operand::Absent, &[]).as_deref(), Some(""));
}

#[test]
fn absent_values_stay_absent() {
    for row in FILTERS {
        for name in row.merge.iter().filter(|name| **name != "default") {
            let arguments = if *name == "date" {
                vec![text("%F")]
            } else {
                Vec::new()
            };
            assert_eq!(
                applied(name, &arguments, Operand::Absent),
                Ok(None),
                "{name}"
            );
        }
    }
    let of_list = applied("upcase", &[], Operand::List(Vec::new()));
    assert_eq!(of_list, Err(NO_TEXT));
}

proptest! {
    /// Nothing that a caller writes makes a filter panic.
    #[test]
    fn filters_take_anything(
        value in "([0-9eE.+-]|\\PC|[\0\r\n]){0,40}",
        texts in proptest::collection::vec("[%a-zA-Z0-9:.-]{0,6}|\\PC{0,3}", 0..3),
        count in "[0-9]{0,22}",
    ) {
        for row in FILTERS {
            let counted = [Argument::Number(count.clone())].into_iter();
            for positional in [
                texts.iter().map(|t| text(t)).collect::<Vec<_>>(),
                counted.chain(texts.iter().map(|t| text(t))).collect(),
            ] {
                let arguments = Arguments { positional: positional.into(), named: Vec::new() };
                if let Ok(filter) = row.prepare(arguments) {
                    let _ = filter.apply(Operand::Text(value.as_str().into()));
                    let _ = filter.apply(Operand::Number(value.as_str().into()));
                }
            }
        }
    }

    /// Grouping and rounding to all digits change no digit.
    #[test]
    fn digits_stay(value in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?") {
        let written = of_text("number", &[], &value).replace(',', "");
        let is_zero = !value.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        let expected = if is_zero { value.trim_start_matches('-') } else { &value };
        prop_assert_eq!(written, expected);
    }
}

/// The table of docs/merge.md: a filter in `merge`, in `jinja`, a value, and what becomes of it.
#[cfg(feature = "jinja")]
#[test]
fn the_table_tells_what_filters_do() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/merge.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, table) = page
        .split_once("| `merge` | `jinja` | of | becomes |\n|---|---|---|---|\n")
        .unwrap();
    let code = |cell: &str| {
        let parts = cell.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut told = [Vec::new(), Vec::new()];
    for row in table.lines().take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(code).collect();
        let [merge, jinja, of, becomes] = cells.as_slice() else {
            panic!("{row}");
        };
        let rows = [("merge", merge), ("jinja", jinja)]
            .into_iter()
            .zip(&mut told);
        for ((language, usages), told) in rows {
            for usage in usages {
                let name = usage.split([':', '(']).next().unwrap();
                told.push(name.to_owned());
                let message = serde_json::json!({
                    "from": "a@example.com", "to": "b@example.org", "template": language,
                    "text": format!("{{{{ v | {usage} }}}}"), "variables": {"v": of[0].trim()},
                });
                let bytes = crate::render(message.to_string().as_bytes()).unwrap();
                let text = String::from_utf8(bytes).unwrap();
                let (_, body) = text.split_once("\r\n\r\n").unwrap();
                let body = encodify::qp::BODY
                    .decode(body.trim_end().as_bytes())
                    .unwrap();
                let body = String::from_utf8(body.to_vec()).unwrap();
                assert_eq!(body, becomes[0], "{language}: {usage}");
            }
        }
    }
    for row in FILTERS {
        for (names, told) in [row.merge, row.jinja].into_iter().zip(&told) {
            for name in names {
                assert!(told.iter().any(|known| known == name), "{name}");
            }
        }
    }
}

#[test]
fn indented_json_is_bounded() {
    let mut deep = Operand::List(vec![Operand::Boolean(true); 30_000]);
    for _ in 0..90 {
        deep = Operand::List(vec![deep]);
    }
    let mut arguments = Arguments::default();
    arguments.positional.push_back(number("16"));
    let row = FILTERS.iter().find(|row| row.jinja == ["tojson"]).unwrap();
    let filter = row.prepare(arguments).unwrap();
    assert_eq!(filter.apply(deep).unwrap_err().code, Code::TooLong);
}
