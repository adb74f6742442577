//! Values in lists of addresses and of URLs.

use super::{problems, rendered};
use serde_json::json;

/// Header fields, their templates, and values that would add an address or a URL.
const ADDING: [(&str, &str, &str); 8] = [
    ("Reply-To", "{{ x }} <r@b.c>", "eve@example.org, Ann"),
    (
        "Reply-To",
        "\"{{ x }}\" <r@b.c>",
        "Ann\" <eve@example.org>, \"b",
    ),
    ("Reply-To", "r@b.c, {{ x }}@b.c", "eve@example.org, a"),
    (
        "Disposition-Notification-To",
        "Desk <{{ x }}@b.c>",
        "a@b.c>, <eve",
    ),
    (
        "List-Unsubscribe",
        "<https://b.c/{{ x }}>",
        "a>, <mailto:eve@example.org",
    ),
    (
        "List-Unsubscribe",
        "<{{ x }}>",
        "https://b.c>, <mailto:eve@example.org",
    ),
    (
        "List-Help",
        "<https://b.c/{{ x }}>",
        "a>, <https://example.org",
    ),
    ("List-Post", "<mailto:{{ x }}@b.c>", "a@b.c>, <mailto:eve"),
];

#[test]
fn a_value_adds_no_address_and_no_url() {
    for language in ["merge", "jinja", "sparkpost"] {
        for (header, template, value) in ADDING {
            let variables = json!({"x": value});
            let one = json!({"headers": {header: template}, "template": language, "variables": variables});
            let mut fields = one.clone();
            fields["recipients"] = json!([{"address": "b@example.org", "variables": variables}]);
            fields["variables"].take();
            for (fields, at) in [(one, "/variables"), (fields, "/recipients/0/variables")] {
                let found = problems(&fields);
                let told: Vec<_> = found
                    .iter()
                    .map(|(at, code, _)| (at.as_str(), code.as_str()))
                    .collect();
                assert_eq!(told, [(at, "invalid_header_value")], "{header}: {template}");
                let (_, _, detail) = &found[0];
                assert!(detail.starts_with(&format!("In `{header}`: ")), "{detail}");
            }
        }
        for (header, template, value, line) in [
            (
                "Reply-To",
                "{{ x }}",
                "a@b.c, Bo <d@e.f>",
                "a@b.c, Bo <d@e.f>",
            ),
            (
                "Reply-To",
                "a@b.c, {{ x }}",
                "d@e.f, g@h.i",
                "a@b.c, d@e.f, g@h.i",
            ),
            (
                "Reply-To",
                "\"{{ x }}\" <a@b.c>",
                "Lee, Ann",
                "\"Lee, Ann\" <a@b.c>",
            ),
            (
                "List-Help",
                "<mailto:a@b.c?subject={{ x }}>",
                "a,b",
                "<mailto:a@b.c?subject=a,b>",
            ),
            ("List-Help", "{{ x }}", "<a:b>, <c:d>", "<a:b>, <c:d>"),
        ] {
            let fields = json!({"headers": {header: template}, "template": language, "variables": {"x": value}});
            let mail = rendered(&fields);
            assert!(mail.contains(&format!("{header}: {line}\r\n")), "{mail}");
        }
    }
}
