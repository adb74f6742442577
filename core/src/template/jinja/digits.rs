//! Numbers that are written as they were given: `19.90`, `1e3`, and integers of more than 128 bits.
//!
//! minijinja only knows integers and floats, and would write `19.9`. So a number that it would write differently
//! becomes an object with its digits, which passes unchanged through loops, `set` and filters. Whatever computes with
//! numbers gets the number instead:
//!
//! ```text
//! {% if price > 10 %}{{ price }}{% endif %}      as it was given: 19.90
//! {{ price + 1 }} {{ price|round }}              computed with 19.9
//! ```
//!
//! `operands` handles operators, `computed` filters and tests.

use crate::number::Number;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, ValueKind};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A number for minijinja, or an object with its digits.
pub(super) fn value(number: Number<'_>) -> Value {
    if let Some(integer) = number.to_integer() {
        return Value::from(integer);
    }
    let float = number.to_float();
    let (value, digits) = (Value::from(float), number.into_text());
    if value.to_string() == digits {
        return value;
    }
    Value::from_object(Digits {
        digits: digits.into_owned(),
        number: float,
    })
}

/// The digits of a number that keeps them.
pub(super) fn of(value: &Value) -> Option<&str> {
    let digits = value.downcast_object_ref::<Digits>()?;
    Some(&digits.digits)
}

/// A value to compute with: the number, if it keeps its digits.
pub(super) fn number(value: &Value) -> Value {
    match value.downcast_object_ref::<Digits>() {
        Some(digits) => Value::from(digits.number),
        None => value.clone(),
    }
}

/// A value to compare, in which all numbers are numbers to compute with.
pub(super) fn numbers(value: &Value) -> Value {
    match value.kind() {
        ValueKind::Plain => number(value),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            Value::from_object(Numbers(value.clone()))
        }
        _ => value.clone(),
    }
}

struct Digits {
    digits: String,
    number: f64,
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits)
    }
}

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.number != 0.0
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        self.number.partial_cmp(&other.number)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits)
    }
}

/// A list or an object whose values become numbers when they are accessed: nothing is copied before.
#[derive(Debug)]
struct Numbers(Value);

impl Object for Numbers {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.0.kind() {
            ValueKind::Seq => ObjectRepr::Seq,
            ValueKind::Map => ObjectRepr::Map,
            _ => ObjectRepr::Iterable,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let value = self.0.get_item(key).ok()?;
        (!value.is_undefined()).then(|| numbers(&value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        if let (ObjectRepr::Seq, Some(length)) = (self.repr(), self.0.len()) {
            return Enumerator::Seq(length);
        }
        match self.0.try_iter() {
            // Names are texts.
            Ok(names) if self.repr() == ObjectRepr::Map => Enumerator::Iter(Box::new(names)),
            Ok(values) => Enumerator::Iter(Box::new(values.map(|value| numbers(&value)))),
            Err(_) => Enumerator::NonEnumerable,
        }
    }

    /// A tuple is not a list.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        let order = self.0.is_tuple().cmp(&other.0.is_tuple());
        order.is_ne().then_some(order)
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        self.0.len()
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
    fn one_text_writes_and_works_with_them() {
        let json = br#"{"from": "a@example.com", "template": "jinja", "subject": "{{ n }} {{ m }}",
            "text": "{% if n > m %}{{ n + m }}{% endif %}", "variables": {"n": 19.90},
            "recipients": [{"address": "b@example.org", "variables": {"m": 1.0}}]}"#;
        let mail = String::from_utf8(crate::render(json).unwrap()).unwrap();
        assert!(mail.contains("\r\nSubject: 19.90 1.0\r\n"), "{mail}");
        assert!(mail.trim_end().ends_with("\r\n20.9"), "{mail}");
    }

    #[test]
    fn only_what_is_computed_is_computed() {
        for (text, expected) in [
            ("{% if n > 10 %}{{ n }}{% endif %}", "19.90"),
            (
                "{{ n if n > 10 else 0 }}{{ n + 1 }}{{ n }}",
                "19.9020.919.90",
            ),
            (
                "{% set m = n %}{% if m == 19.9 %}{{ m }}{% endif %}",
                "19.90",
            ),
            (
                "{% for i in l if i < 20 %}{{ i }};{% endfor %}",
                "19.90;19.90;",
            ),
            (
                "{% for i in [o] if i.n is gt 3 %}{{ i.n }}{% endfor %}",
                "19.90",
            ),
            (
                "{{ l|min }} {{ (l + [3, 50])|max }} {{ ([3] + l)|sort|last }}",
                "19.90 50 19.90",
            ),
            ("{{ [50, n, 3]|sort|join(' ') }}", "3 19.90 50"),
            (
                "{{ [50, n, 3]|sort(reverse=true)|join(' ') }}",
                "50 19.90 3",
            ),
            (
                "{{ [o, {'n': 3}]|sort(attribute='n')|map(attribute='n')|join(' ') }}",
                "3 19.90",
            ),
            ("{{ [o, {'n': 3}]|max(attribute='n')|attr('n') }}", "19.90"),
            ("{{ [n, 19.9, 3]|unique|join(' ') }}", "19.90 3"),
            (
                "{% for g in [o, {'n': 3}, {'n': 19.9}]|groupby('n') %}{{ g.grouper }}:{{ g.list|length }};{% endfor %}",
                "3:1;19.90:2;",
            ),
            (
                "{% for k, v in {'a': n, 'b': 3}|dictsort(by='value') %}{{ k }}{{ v }}{% endfor %}",
                "b3a19.90",
            ),
            (
                "{{ [o]|selectattr('n', 'gt', 3)|map(attribute='n')|first }}",
                "19.90",
            ),
            ("{{ [n, 3]|select('divisibleby', 1.0)|first }}", "3"),
            ("{{ l|select('ge', 19.9)|list|length }}", "2"),
            (
                "{{ 'x' ~ n == 'x19.90' }} {{ 'x' ~ n > 'x19.9' }}",
                "true true",
            ),
            ("{{ (n ~ 'a') > '19.90' }}{{ n > 19 > 3 }}", "truetrue"),
        ] {
            assert_eq!(filled("text", text, "19.90"), expected, "{text}");
        }
        let large = "12345678901234567890123456789012345678901234";
        assert_eq!(
            filled("text", "{% if n > 10 %}{{ n }}{% endif %}", large),
            large
        );
    }

    #[test]
    fn arithmetic_uses_numbers() {
        for (text, expected) in [
            (
                "{{ l|sum }} {{ l|map('round', 1)|join(' ') }} {{ l|sum(start=n) }}",
                "39.8 19.9 19.9 59.699999999999996",
            ),
            (
                "{{ '%.1f'|format(n) }} {{ n|abs }} {{ n|float }}",
                "19.9 19.9 19.9",
            ),
            (
                "{{ n * 2 }} {{ 2 * n }} {{ -n * -n }} {{ n|times(2) }}",
                "39.8 39.8 396.00999999999993 39.8",
            ),
            (
                "{{ 50 - -n }} {{ - n|abs }} {{ -(n) }} {{ -o.n }} {{ - -n }}",
                "69.9 19.9 -19.9 -19.9 19.9",
            ),
            (
                "{{ n // 1 }} {{ n % 10 }} {{ n / 1 }} {{ 1 - n }}",
                "19.0 9.899999999999999 19.9 -18.9",
            ),
            (
                "{{ l == [19.9, 19.9] }} {{ o == {'n': 19.9} }} {{ (n, 1) == (19.9, 1) }}",
                "true true true",
            ),
            (
                "{{ n in l }} {{ n not in [3] }} {{ 3 in l }} {{ 19.9 is in l }} {{ 3 is not in l }}",
                "true true false true true",
            ),
            (
                "{{ n is number }} {{ n is float }} {{ n is integer }} {{ n is eq 19.9 }} {{ n is odd }}",
                "true true false true false",
            ),
            (
                "{{ l.0 > 3 }} {{ 3 < l[0] }} {{ l[-1] == 19.9 }} {{ not n > 20 }}",
                "true true true true",
            ),
            (
                "{{ l != [3] }} {{ l < [20] }} {{ n|default(3) >= 19.9 }} {{ (n, n) == l }}",
                "true true true false",
            ),
        ] {
            assert_eq!(filled("text", text, "19.90"), expected, "{text}");
        }
        assert_eq!(
            filled("text", "{{ range(n)|join }} {{ n }}", "2e0"),
            "01 2e0"
        );
    }

    #[test]
    fn deeply_nested_values_are_compared() {
        let wrap = "{% set a = [a] %}{% set b = [b] %}".repeat(200);
        let text =
            format!("{{% set a = o %}}{{% set b = o %}}{wrap}{{{{ a == b }}}}{{{{ b in [a] }}}}");
        let number = format!("{}19.90{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(filled("text", &text, &number), "truetrue");
    }

    #[test]
    fn problems_point_to_the_original() {
        for (text, place) in [
            ("{{ s + n }}", "line 1, column 4"),
            (
                "{{ -n }}\n{{ n > 3 }} {{ missing + 1 }}",
                "line 2, column 16",
            ),
            (
                "{% if n > 3 and -n < 4 %}{{ s - n }}{% endif %}",
                "line 1, column 29",
            ),
        ] {
            let json = format!(
                r#"{{"from": "a@example.com", "to": "b@example.org", "template": "jinja",
                     "text": {}, "variables": {{"n": 19.90, "s": "x"}}}}"#,
                serde_json::to_string(text).unwrap()
            );
            let problems = crate::render(json.as_bytes()).unwrap_err().to_string();
            assert!(problems.contains(place), "{text}: {problems}");
        }
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
