use crate::problem::Problem;

fn message(json: &str) -> Result<String, Vec<(String, &'static str, String)>> {
    let told = |problem: &Problem| {
        let (pointer, detail) = (problem.pointer().to_owned(), problem.detail().to_owned());
        (pointer, problem.code().as_str(), detail)
    };
    crate::render(json.as_bytes())
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .map_err(|problems| problems.iter().map(told).collect())
}

fn rendered(
    field: &str,
    text: &str,
    variables: &str,
) -> Result<String, Vec<(String, &'static str, String)>> {
    let text = serde_json::to_string(text).unwrap();
    message(&format!(
        r#"{{"from": "a@example.com", "to": "b@example.org", "template": "jinja",
            "{field}": {text}, "variables": {variables}}}"#
    ))
}

fn body(text: &str, variables: &str) -> String {
    let message = rendered("html", text, variables);
    let message = message.unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let (_, body) = message.split_once("\r\n\r\n").unwrap();
    body.trim_end().replace("=3D", "=")
}

#[test]
fn templates_are_evaluated() {
    for (text, variables, expected) in [
        ("a {{ b }} c", r#"{"b": "<&>"}"#, "a &lt;&amp;&gt; c"),
        (
            "{{ b|safe }}{{ b|upper }}",
            r#"{"b": "<b>"}"#,
            "<b>&lt;B&gt;",
        ),
        (
            "{{ b|times(2) }} {{ b|times(1.5) }}",
            r#"{"b": 3}"#,
            "6 4.5",
        ),
        ("x{% if b %}y{% else %}z{% endif %}", "{}", "xz"),
        (
            "{% for i in b %}{{ i.c }},{% endfor %}!",
            r#"{"b": [{"c": 1}, {"c": 2.5}]}"#,
            "1,2.5,!",
        ),
        (
            "{% set a = b %}{{ a }}{% set a = 2 %}{{ a }}",
            r#"{"b": 1.5}"#,
            "1.52",
        ),
        ("{{ b }} {{ b }} {# c #} d", r#"{"b": "x"}"#, "x x  d"),
        (
            "a  {%- if b -%}  x  {%- endif -%}  c",
            r#"{"b": true}"#,
            "axc",
        ),
        ("a{# x #}b{# y #}c", "{}", "abc"),
        (
            "{% raw %}{{ x }}{% endraw %}{{ b }}",
            r#"{"b": 1}"#,
            "{{ x }}1",
        ),
        ("{{ b|default('c') }}{{ '{%' }}", "{}", "c{%"),
    ] {
        assert_eq!(body(text, variables), expected, "{text}");
    }
}

#[test]
fn texts_are_bounded_without_variables_too() {
    let text = "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
    let problems = message(&format!(
        r#"{{"from": "a@example.com", "to": "b@example.org", "template": "jinja",
            "text": "{text}"}}"#
    ));
    assert_eq!(problems.unwrap_err()[0].1, "invalid_template");
}

#[test]
fn faults_are_reported_without_the_values() {
    let huge = "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}";
    for (field, text, pointer, code) in [
        ("subject", "{{ b", "/subject", "invalid_template"),
        ("text", "{% if %}", "/text", "invalid_template"),
        ("text", "{{ c }}", "/variables", "missing_variable"),
        ("text", "{{ b.c.d }}", "/variables", "missing_variable"),
        ("text", "{{ b|nothing }}", "/text", "invalid_template"),
        ("text", "{{ b / 0 }}", "/variables", "invalid_template"),
        ("subject", "{{ b }}", "/variables", "control_character"),
        ("text", huge, "/text", "invalid_template"),
        ("text", "{{ debug() }}", "/text", "invalid_template"),
        ("text", "{{ [b] }}", "/variables", "invalid_template"),
        ("text", "{{ namespace() }}", "/text", "invalid_template"),
        (
            "text",
            "{% macro m() %}{% endmacro %}",
            "/text",
            "invalid_template",
        ),
        ("text", "{% include 'x' %}", "/text", "invalid_template"),
    ] {
        let problems = rendered(field, text, r#"{"b": "secret\n"}"#).unwrap_err();
        let found: Vec<_> = problems.iter().map(|(p, c, _)| (p.as_str(), *c)).collect();
        assert_eq!(found, [(pointer, code)], "{text}: {problems:?}");
        assert!(!problems[0].2.contains("secret"), "{problems:?}");
    }
}

#[test]
fn the_field_the_position_and_the_name_are_reported() {
    for (field, text, told) in [
        (
            "text",
            "é\n {{ user.name }}",
            "The template in `/text` needs a variable that is not given: undefined value \
             `user.name`, in line 2, column 5.",
        ),
        (
            "subject",
            "a {{ b|shout(1) }}",
            "This is not a valid template: unknown filter \
             `shout`, in line 1, column 8.",
        ),
        (
            "text",
            "{% if b is nothing %}{% endif %}",
            "This is not a valid template: unknown test `nothing`, in line 1, column 12.",
        ),
        (
            "text",
            "{{ nothing() }}",
            "This is not a valid template: unknown function `nothing`, in line 1, column 4.",
        ),
        (
            "text",
            "{{ b|join(1, 2, 3) }}",
            "This is not a valid template: the filter `join` does not take these arguments, in line 1, column 6.",
        ),
        (
            "text",
            "{% for i in user.n %}{% endfor %}",
            "The template in `/text` cannot be evaluated with these values: invalid operation at \
             `user.n`, in line 1, column 13.",
        ),
        (
            "text",
            "{{ 5 + user.n|times(b) }}",
            "The template in `/text` cannot be evaluated with these values: `times` takes two \
             numbers, in line 1, column 15.",
        ),
        (
            "text",
            "{{ user.n|date('%Q') }}{{ 'x'|date('%F') }}",
            "This is not a valid template: `date` takes a date such as 2026-01-31 or \
             2026-01-31T12:00:00Z, or the seconds since 1970, in line 1, column 31.",
        ),
        (
            "text",
            "{{ b|date('%F') }}",
            "The template in `/text` cannot be evaluated with these values: `date` takes a date \
             such as 2026-01-31 or 2026-01-31T12:00:00Z, or the seconds since 1970, in line 1, \
             column 6.",
        ),
        (
            "text",
            "é\n{{ user.n * 2 }} {{ user.n * user }}",
            "The template in `/text` cannot be evaluated with these values: a list or an object \
             cannot be multiplied, in line 2, column 34.",
        ),
        (
            "text",
            "{{ user.n * user.n }}{{ '7' * user.n }}",
            "The template in `/text` cannot be evaluated with these values: to multiply a string \
             that is a number, add `|float` or `|int` to it, in line 1, column 28.",
        ),
        (
            "text",
            "{{ 5 + b }}",
            "The template in `/text` cannot be evaluated with these values: invalid operation, \
             in line 1, column 4.",
        ),
        (
            "text",
            "a\n{% if %}",
            "This is not a valid template: syntax error, in line 2, column 7.",
        ),
    ] {
        let problems = rendered(field, text, r#"{"b": "x", "user": {"n": 3}}"#).unwrap_err();
        assert_eq!(problems[0].2, told);
    }
    let long = rendered("text", &format!("{{{{ {} }}}}", "x".repeat(81)), "{}").unwrap_err();
    assert!(
        long[0]
            .2
            .ends_with(": undefined value, in line 1, column 4."),
        "{long:?}"
    );
}

#[test]
fn numbers_are_multiplied() {
    for (text, expected) in [
        ("{{ b * 2 }}", "6"),
        ("{{ 2 * b * b }}", "18"),
        ("{{ 1 + b * (2 + b) - 1 }}", "15"),
        ("{{ 1.5 * -b }}", "-4.5"),
        ("{{ '-' * b }}{{ b * '=' }}", "---=3D=3D=3D"),
        ("{{ c|float * b }}", "6.0"),
        ("{% if b * b > 8 %}{{ d.e * b }}{% endif %}", "12"),
        ("{% set f = b * 2 %}{{ f * f }}", "36"),
        (
            "a * b {{ '*' }}{% raw %}{{ * }}{% endraw %}{# * #}",
            "a * b *{{ * }}",
        ),
    ] {
        let variables = r#"{"b": 3, "c": "2", "d": {"e": 4}}"#;
        let message = rendered("text", text, variables);
        let message = message.unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        let (_, body) = message.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.trim_end(), expected, "{text}");
    }
}

#[test]
fn products_take_no_more_memory_than_other_texts() {
    for text in [
        "{% set a = 'x' * 1000000000 %}",
        "{% set a = 'x' * b %}{% set c = a * b %}",
        "{% set a = [1] * b %}",
        "{{ b * (1, 2) }}",
        "{% set a = range(3) * b %}",
        "{% for a in d * b %}{% endfor %}",
        "{{ b * b * b * b * b * b }}",
        "{{ dict(*d) }}",
    ] {
        let problems = rendered("text", text, r#"{"b": 100000000, "d": [1]}"#).unwrap_err();
        assert_eq!(problems[0].1, "invalid_template", "{text}");
    }
}

/// Whatever the values are, so that it is reported once and not for each recipient.
#[test]
fn problems_of_the_template_are_reported_once() {
    for (text, told) in [
        (
            "{{ x|uper }}",
            "unknown filter `uper`, in line 1, column 6; did you mean `upper`?",
        ),
        (
            "{% filter nope %}{{ x }}{% endfilter %}",
            "unknown filter `nope`, in line 1, column 11.",
        ),
        (
            "{% if 0 %}{{ x|nope }}{% endif %}",
            "unknown filter `nope`, in line 1, column 16.",
        ),
        (
            "{{ x|map('nope')|join }}",
            "unknown filter `nope`, in line 1, column 10.",
        ),
        (
            "{{ x|select('nope') }}",
            "unknown test `nope`, in line 1, column 13.",
        ),
        (
            "{{ x|selectattr('y', 'nope') }}",
            "unknown test `nope`, in line 1, column 22.",
        ),
        (
            "{{ x is nope }}",
            "unknown test `nope`, in line 1, column 9.",
        ),
        (
            "{{ x }}{{ rnge(2) }}",
            "unknown function `rnge`, in line 1, column 11; did you mean `range`?",
        ),
        (
            "{{ x|truncate(2) }}",
            "`truncate` is written `truncate(255, false, '...', 5)`, in line 1, column 6.",
        ),
        (
            "{{ x|date }}",
            "`date` is written `date(\"%B %d, %Y\")`, in line 1, column 6.",
        ),
        (
            "{{ x|number(2, thousand='.') }}",
            "`number` is written `number(2, \".\", \",\")`, in line 1, column 6.",
        ),
        (
            "{{ x|upper(1) }}",
            "`upper` is written `upper`, in line 1, column 6.",
        ),
        (
            "{{ x|trim(1, 2) }}",
            "the filter `trim` does not take these arguments, in line 1, column 6.",
        ),
        (
            "{{ x is divisibleby(1, 2) }}",
            "the test `divisibleby` does not take these arguments, in line 1, column 9.",
        ),
        (
            "{% for i in range('y') %}{{ x }}{% endfor %}",
            "the function `range` does not take these arguments, in line 1, column 13.",
        ),
        (
            "é{{ x }}\n{{ 1 / 0 }}",
            "invalid operation, in line 2, column 4.",
        ),
        (
            "{{ x }} {% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "it takes too long, in line 1, column 47.",
        ),
        (
            "{% set a = 1 / 0 %}",
            "invalid operation, in line 1, column 12.",
        ),
    ] {
        let message = serde_json::json!({
            "from": "a@example.com", "template": "jinja", "text": text,
            "recipients": ["b@example.org", "c@example.org"],
        });
        let problems = crate::check(message.to_string().as_bytes()).unwrap_err();
        let found: Vec<_> = problems
            .iter()
            .map(|p| (p.pointer(), p.code().as_str(), p.detail()))
            .collect();
        let detail = format!("This is not a valid template: {told}");
        assert_eq!(
            found,
            [("/text", "invalid_template", detail.as_str())],
            "{text}"
        );
    }
}

#[test]
fn names_that_a_template_gives_are_no_functions_or_constants() {
    for text in [
        "{% for a in [1] %}{{ a }}{% endfor %}{{ a }}",
        "{% set a = 1 %}{{ a }}{{ b / a }}",
        "{% for a in [1] %}{{ loop.index }}{% endfor %} {{ a / 1 }}",
        "{{ range / 1 }}",
    ] {
        let told = rendered("text", text, r#"{"a": 1, "b": 2, "range": 1}"#);
        assert!(told.is_ok(), "{text}: {told:?}");
    }
}

#[test]
fn filters_of_both_languages_are_there() {
    for (text, expected) in [
        ("{{ a|urlencode }}", "ann%2Bx%40b.c"),
        ("{{ t|date('%d.%m.%Y') }}", "01.03.2026"),
        (
            "{{ n|number(2, ',', '.') }} {{ n|number(thousands=' ') }}",
            "1.234,50 1 234.5",
        ),
        ("{{ o|tojson }}", "{\"a\": [1, \"&lt;\"], \"b\": true}"),
        ("{{ none|tojson }}", "null"),
        (
            "{{ h|safe|upper }}{{ h|upper }}{{ h|safe|tojson }}",
            "<I>&lt;I&gt;\"\\u003ci\\u003e\"",
        ),
        ("{{ x|date('%Y')|default('soon') }}", "soon"),
        (
            "{{ e|default('x', true) }}{{ e|default('x', boolean=true) }}{{ e|default('x') }}",
            "xx",
        ),
        (
            "{{ 'ab cd ef gh'|truncate(8, end='..', leeway=0) }}",
            "ab cd..",
        ),
    ] {
        let variables = r#"{"a": "ann+x@b.c", "t": "2026-03-01", "n": 1234.5, "h": "<i>", "e": "",
                            "o": {"a": [1, "<"], "b": true}}"#;
        let expected = expected.replace("\"&lt;\"", "\"\\u003c\"");
        assert_eq!(body(text, variables), expected, "{text}");
    }
}
