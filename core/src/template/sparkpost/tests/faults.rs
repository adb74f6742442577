//! What is refused.

use super::super::super::TextKind;
use super::super::super::sources::TOO_MANY;
use super::{ANN, html, text, written};
use serde_json::json;

fn refused(template: &str) -> String {
    written(
        template,
        TextKind::Text,
        &json!({}),
        &json!({"l": [1], "x": "x"}),
        ANN,
    )
    .unwrap_err()
}

/// Texts that are no templates, the place that is told, and a part of the sentence.
const FAULTS: [(&str, &str, &str); 37] = [
    (
        "{{",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "é {{ x",
        "line 1, column 3",
        "a placeholder does not have the form",
    ),
    (
        "{{ x y }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ 1x }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ x. }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ x['a }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ x = 1 }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ x == 1 == 2 }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ (x }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ '\\x' }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    (
        "{{ /if }}",
        "line 1, column 1",
        "a placeholder does not have the form",
    ),
    ("{{ x-y }}", "line 1, column 1", "there is `-`"),
    ("{{ x + 1 }}", "line 1, column 1", "there is `+`"),
    ("{{ x .. x }}", "line 1, column 1", "there is `..`"),
    ("{{ x | upper }}", "line 1, column 1", "there is `|`"),
    ("a\n {{ for }}", "line 2, column 2", "the word `for`"),
    ("{{ #if x }}", "line 1, column 1", "the word `if`"),
    (
        "{{ if x in l }}{{ end }}",
        "line 1, column 1",
        "the word `in`",
    ),
    (
        "{{ end }}",
        "line 1, column 1",
        "`{{ end }}` without the statement",
    ),
    (
        "{{ if x }}{{ end }}\n{{ else }}",
        "line 2, column 1",
        "`{{ else }}` without the statement",
    ),
    (
        "{{ each l }}{{ elseif x }}{{ end }}",
        "line 1, column 13",
        "`{{ elseif }}` without the statement",
    ),
    (
        "{{ if x }}{{ else }}{{ else }}{{ end }}",
        "line 1, column 21",
        "`{{ else }}` without the statement",
    ),
    (
        "{{ if x }}{{ else }}{{ elseif x }}{{ end }}",
        "line 1, column 21",
        "`{{ elseif }}` without the statement",
    ),
    (
        "{{ if x }}{{ if x }}{{ end }}",
        "line 1, column 1",
        "`{{ if }}` has no",
    ),
    (
        "{{ x }}\n{{ each l }}",
        "line 2, column 1",
        "`{{ each }}` has no",
    ),
    ("{{ loop_var }}", "line 1, column 1", "a loop variable"),
    ("{{ loop_index }}", "line 1, column 1", "a loop variable"),
    ("{{ loop_vars.l }}", "line 1, column 1", "a loop variable"),
    (
        "{{ each l }}{{ loop_vars.x }}{{ end }}",
        "line 1, column 13",
        "`loop_vars` does not name a list",
    ),
    (
        "{{ each l }}{{ loop_vars }}{{ end }}",
        "line 1, column 13",
        "`loop_vars` does not name a list",
    ),
    (
        "{{ render_dynamic_content(dynamic_html.x) }}",
        "line 1, column 1",
        "`render_dynamic_content`, a feature of SparkPost",
    ),
    (
        "{{ render_snippet('x') }}",
        "line 1, column 1",
        "`render_snippet`, a feature of SparkPost",
    ),
    ("{{ now() }}", "line 1, column 1", "an unknown macro `now`"),
    (
        "http://a[[data-msys-clicktrack=\"0\"]]",
        "line 1, column 9",
        "a link attribute",
    ),
    (
        "{{ if 1 }}{{ each 'x' }}{{ end }}{{ end }}",
        "line 1, column 11",
        "loops over something that is not a list",
    ),
    (
        "{{ true < false }}",
        "line 1, column 1",
        "compares values of different types",
    ),
];

#[test]
fn invalid_templates_are_reported_with_the_position() {
    for (template, place, part) in FAULTS {
        let found = refused(template);
        let start = format!("In {place} ");
        assert!(
            found.starts_with(&start) && found.contains(part),
            "{template}: {found}"
        );
    }
    let long = format!("{{{{ {}() }}}}", "x".repeat(81));
    assert!(refused(&long).contains("there is an unknown macro."));
    assert_eq!(
        html("[[data-msys-clicktrack]]", &json!({})),
        "[[data-msys-clicktrack]]"
    );
}

#[test]
fn values_that_do_not_fit_are_reported() {
    let values = json!({"l": [1], "o": {"a": 1}, "x": "x", "b": true});
    for (template, told) in [
        (
            "{{ l }}",
            "The template inserts this value, so it must be a string, a number, true or false.",
        ),
        (
            "{{ o }}",
            "The template inserts this value, so it must be a string, a number, true or false.",
        ),
        (
            "{{ l or x }}",
            "The template in `/text`, line 1, column 1, inserts a list or an object, which is not text.",
        ),
        (
            "a\n{{ if x }}{{ o }}{{ end }}",
            "The template in `/text`, line 2, column 11, inserts a list",
        ),
        ("{{ address }}", "The template inserts this value"),
        (
            "{{ each x }}{{ end }}",
            "loops over something that is not a list",
        ),
        (
            "{{ each o }}{{ end }}",
            "loops over something that is not a list",
        ),
        (
            "{{ if l == l }}{{ end }}",
            "compares values of different types",
        ),
        (
            "{{ if x > 1 }}{{ end }}",
            "compares values of different types",
        ),
        (
            "{{ if b > 1 }}{{ end }}",
            "compares values of different types",
        ),
        ("{{ #x }}", "asks for the length"),
    ] {
        let found = written(template, TextKind::Text, &json!({}), &values, ANN).unwrap_err();
        assert!(found.contains(told), "{template}: {found}");
        let shared = written(template, TextKind::Text, &values, &json!({}), ANN).unwrap_err();
        assert_eq!(shared, found, "{template}");
    }
    for (template, own) in [
        ("{{ x }}", "a\nb"),
        ("{{ if x }}{{ x }}{{ end }}", "\0"),
        ("{{ no or x }}", "\r"),
    ] {
        let own = json!({"x": own});
        assert!(
            written(template, TextKind::Header, &json!({}), &own, ANN)
                .unwrap_err()
                .contains("control character")
        );
        assert!(
            written(template, TextKind::Header, &own, &json!({}), ANN)
                .unwrap_err()
                .contains("control character")
        );
        assert!(written(template, TextKind::Text, &json!({}), &own, ANN).is_ok());
    }
    let constant = written(
        "{{ 'a\\nb' }}",
        TextKind::Header,
        &json!({}),
        &json!({}),
        ANN,
    );
    assert!(
        constant
            .unwrap_err()
            .contains("a placeholder writes a line break")
    );
}

#[test]
fn depth_and_work_are_bounded() {
    let nested = |count: usize, open: &str, inner: &str, close: &str| {
        [&open.repeat(count), inner, &close.repeat(count)].concat()
    };
    for (open, inner, close) in [
        ("{{ if x }}", "x", "{{ end }}"),
        ("{{ each l }}", "x", "{{ end }}"),
        ("{{ if x }}{{ else }}", "x", "{{ end }}"),
    ] {
        assert!(
            written(
                &nested(50, open, inner, close),
                TextKind::Text,
                &json!({}),
                &json!({"l": [1]}),
                ANN
            )
            .is_ok()
        );
        assert!(refused(&nested(51, open, inner, close)).contains("more than 50 deep"));
        assert!(refused(&nested(100_000, open, inner, close)).contains("more than 50 deep"));
    }
    for (open, inner, close) in [
        ("(", "x", ")"),
        ("not ", "x", ""),
        ("#", "x", ""),
        ("l[", "1", "]"),
        ("empty(", "x", ")"),
    ] {
        let deep = format!("{{{{ {} }}}}", nested(100_000, open, inner, close));
        assert!(refused(&deep).contains("more than 50 deep"), "{open}");
    }
    let long = format!("{{{{ {} }}}}", "no or ".repeat(100_000) + "x");
    assert_eq!(text(&long, &json!({"x": "x"})), "x");
    let path = format!("{{{{ x{} }}}}", ".a".repeat(100_000));
    assert_eq!(text(&path, &json!({})), "");
    for part in [
        "<template amp-mustache",
        "<template>amp-mustache",
        "{{{{'",
        "http://",
        "{{ x }} ",
        "<template amp-mustache>{{ a }}",
    ] {
        let _ = written(
            &part.repeat(30_000),
            TextKind::Html,
            &json!({}),
            &json!({}),
            ANN,
        );
    }
    let branches = format!(
        "{{{{ if no }}}}{}{{{{ end }}}}",
        "{{ elseif no }}".repeat(100_000)
    );
    assert_eq!(text(&branches, &json!({})), "");
    let numbers: Vec<_> = (0..2_000).collect();
    let members: serde_json::Map<_, _> = (0..50_000).map(|n| (format!("m{n}"), json!(n))).collect();
    let key = |n: usize| format!("{}{n}", "m".repeat(10_000));
    let similar: serde_json::Map<_, _> = (10..60).map(|n| (key(n), json!(n))).collect();
    let number = format!(
        "{{{{ each l }}}}{{{{ if {} < 1 }}}}{{{{ end }}}}{{{{ end }}}}",
        "1".repeat(1 << 17)
    );
    let values = json!({"l": numbers, "o": members, "t": "x".repeat(1 << 20), "digits": "1".repeat(1 << 20),
        "similar": similar, "key": key(59)});
    assert_eq!(
        text("{{ each l }}{{ loop_var }}{{ end }}", &values).len(),
        10 + 180 + 2_700 + 4_000
    );
    for template in [
        "{{ each l }}{{ each l }}x{{ end }}{{ end }}",
        "{{ each l }}{{ each l }}{{ end }}{{ end }}",
        "{{ each l }}{{ t }}{{ end }}",
        "{{ each l }}{{ o.m49999 }}{{ end }}",
        "{{ each l }}{{ if t == t }}{{ end }}{{ end }}",
        "{{ each l }}{{ if t == 'x' }}{{ end }}{{ end }}",
        "{{ each l }}{{ if digits < 1 }}{{ end }}{{ end }}",
        &number,
        "{{ each l }}{{ o[t] }}{{ end }}",
        "{{ each l }}{{ similar.m9 }}{{ similar[key] }}{{ end }}",
    ] {
        let found = written(template, TextKind::Text, &json!({}), &values, ANN).unwrap_err();
        assert!(found.contains("takes too long"), "{template}: {found}");
    }
    let many: Vec<_> = (0..1_001).map(|n| format!("{{{{ x{n} }}}}")).collect();
    assert_eq!(refused(&many.concat()), TOO_MANY.detail);
    let many: Vec<_> = (0..100_000).map(|n| format!("{{{{ x{n} }}}}")).collect();
    let in_one = format!("{{{{ if no }}}}{}{{{{ end }}}}", many.concat());
    assert_eq!(refused(&in_one), TOO_MANY.detail);
    let again = format!("{{{{ if no }}}}{}{{{{ end }}}}", "{{ x }}".repeat(100_000));
    assert_eq!(text(&again, &json!({})), "");
    // What everybody has takes as much as one recipient may.
    let thousand: Vec<_> = (0..1_000)
        .map(|n| format!("{{{{ each l }}}}{{{{ each l }}}}{n}{{{{ end }}}}{{{{ end }}}}"))
        .collect();
    let shared = json!({"l": vec![1; 500]});
    let found = written(&thousand.concat(), TextKind::Text, &shared, &json!({}), ANN);
    assert!(found.unwrap_err().contains("takes too long"));
}

#[test]
fn a_statement_that_fails_leaves_nothing_to_the_next() {
    let template = "{{ each l }}{{ loop_var.x }}{{ y }}{{ end }}{{ each m }}{{ loop_var.n or 'right' }}{{ end }}";
    let shared = json!({"l": [{"x": [], "n": "wrong"}], "m": [{}], "y": 1});
    let own = json!({"l": []});
    let found = written(template, TextKind::Text, &shared, &own, ANN);
    assert_eq!(found.as_deref(), Ok("right"));
}

#[test]
fn names_and_parts_are_bounded() {
    let names = |count: usize| {
        let names: Vec<_> = (0..count).map(|n| format!("x{n}")).collect();
        format!("{{{{ if {} }}}}{{{{ end }}}}", names.join(" or "))
    };
    assert_eq!(text(&names(1_000), &json!({})), "");
    assert_eq!(refused(&names(1_001)), TOO_MANY.detail);
    for (open, part, close) in [
        ("{{ ", "x or ", "x }}"),
        ("{{ x", ".a", " }}"),
        ("{{ x", "[1]", " }}"),
        ("{{ if x }}", "{{ x }}", "{{ end }}"),
    ] {
        let found = refused(&format!("{open}{}{close}", part.repeat(250_000)));
        assert!(
            found.contains("exceed the limit of 250000 parts"),
            "{part}: {found}"
        );
    }
}
