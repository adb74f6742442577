//! Conditions, loops, and the lines that they stand on.

use super::text;
use serde_json::json;

#[test]
fn conditions_hold_as_in_lua() {
    let values = json!({"empty": "", "zero": 0, "no": false, "yes": true, "list": [], "t": "b", "n": 5, "f": 5.0,
        "big": 9_007_199_254_740_993_i64, "words": ["a"], "digits": "40", "object": {}});
    for (condition, expected) in [
        ("empty", true),
        ("zero", true),
        ("no", false),
        ("missing", false),
        ("nil", false),
        ("not missing", true),
        ("not no == yes", true),
        ("not (no == yes)", true),
        ("not yes == yes", false),
        ("list", true),
        ("missing.a.b", false),
        ("t.a.b", false),
        ("t == 'b'", true),
        ("t == \"b\"", true),
        ("t == 5", false),
        ("n == f", true),
        ("n == 5.00", true),
        ("n != '5'", true),
        ("missing == nil", true),
        ("missing == no", false),
        ("list != nil", true),
        ("big > 9007199254740992", true),
        ("n > 4 and n < 6", true),
        ("n >= 5 and n <= 5", true),
        ("n > 5 or n < 5", false),
        ("no and missing or yes", true),
        ("n > -1", true),
        ("n < 1e3", true),
        ("digits > 39", true),
        ("digits > 100", false),
        ("digits > '100'", true),
        ("t > 'a'", true),
        ("missing > 5", false),
        ("missing < 5", false),
        ("#words == 1", true),
        ("#missing == 0", true),
        ("empty(list)", true),
        ("empty(missing)", true),
        ("empty(words)", false),
        ("empty(object)", true),
        ("empty(empty)", true),
        ("empty(n)", false),
        ("words[1] == 'a'", true),
        ("words[1.0] == 'a'", true),
        ("words[0]", false),
        ("words[2]", false),
        ("words['1']", false),
        ("object[1]", false),
        ("words[missing]", false),
        ("(missing or words)[1] == 'a'", true),
        ("address", true),
        ("true", true),
        ("(((true)))", true),
    ] {
        let template = format!("{{{{ if {condition} }}}}true{{{{ else }}}}false{{{{ end }}}}");
        assert_eq!(
            text(&template, &values),
            expected.to_string(),
            "{condition}"
        );
    }
    assert_eq!(
        text(
            "{{ empty or 'x' }}|{{ no or 0 }}|{{ no }}|{{ yes and t }}|{{ no or nil }}",
            &values
        ),
        "|0|false|b|"
    );
}

#[test]
fn loops_know_where_they_are() {
    let values = json!({"rows": [{"cells": ["a", "b"]}, {"cells": ["c"]}, {}], "l": ["x", "y"]});
    for (template, expected) in [
        ("{{each l}}{{loop_index}}{{loop_var}}{{end}}", "1x2y"),
        (
            "{{each rows}}{{loop_index}}:{{each loop_var.cells}}{{loop_var}}{{loop_index}}{{end}};{{end}}",
            "1:a1b2;2:c1;3:;",
        ),
        (
            "{{each rows}}{{each loop_vars.rows.cells}}{{loop_vars.cells}}{{#loop_vars.rows.cells}}{{end}}{{end}}",
            "a2b2c1",
        ),
        ("{{each l}}{{each l}}{{loop_vars.l}}{{end}}{{end}}", "xyxy"),
        (
            "{{each l}}{{each rows[1].cells}}{{loop_vars['l']}}{{loop_vars.cells}}{{end}}{{end}}",
            "xaxbyayb",
        ),
        ("{{each missing or l}}{{loop_var}}{{end}}", "xy"),
        ("{{each missing}}x{{end}}{{each l[9]}}x{{end}}", ""),
        (
            "{{each l}}{{if loop_index == #l}}last{{elseif loop_var == 'x'}}first{{else}}no{{end}} {{end}}",
            "first last ",
        ),
        (
            "{{each rows}}{{each loop_var.cells}}{{if loop_var == 'b'}}{{loop_vars.rows.cells[1]}}{{end}}{{end}}{{end}}",
            "a",
        ),
        ("{{{each l}}}{{{loop_var}}}{{{end}}}", "xy"),
    ] {
        assert_eq!(text(template, &values), expected, "{template}");
    }
}

#[test]
fn lines_of_statements_alone_are_not_written() {
    let values = json!({"x": true, "v": "v"});
    for (template, expected) in [
        ("a\n  {{ if x }}  \t\nb\n  {{ end }}\nc\n", "a\n  b\n  c\n"),
        ("a {{ if x }}\nb{{ end }}\nc", "a \nb\nc"),
        ("{{ if x }}{{ if v }} \nb\n{{ end }}{{ end }} ", "b\n"),
        ("{{ if x }} {{ v }}\n{{ end }}", " v\n"),
        ("{{ v }}{{ if x }}\n{{ end }}\n", "v\n"),
        ("{{ v }}\n{{ v }} \n", "v\nv \n"),
        ("{{ if x }}\r\nb\r\n{{ end }}\r\nc", "b\nc"),
        ("{{ if x }}\n\n{{ end }}\n\nc", "\n\nc"),
        ("{{ if x }}\n{{ else }}\nb\n{{ end }}", ""),
    ] {
        assert_eq!(text(template, &values), expected, "{template:?}");
    }
}
