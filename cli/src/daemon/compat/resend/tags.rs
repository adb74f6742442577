//! Tags: they are for events, which do not exist here. They are checked, and have no effect.

use super::super::object::{Found, Value};

/// Checks tags in each form in which clients write them.
///
/// ```text
/// [{"name": "campaign", "value": "spring"}]     as Resend documents it
/// [{"campaign": "spring"}]                      Symfony
/// {"campaign": "spring"}
/// ```
pub fn check(tags: &Value<'_>, found: &mut Found) {
    if tags.is_object() {
        check_tag(tags, found);
        return;
    }
    let list = tags
        .array()
        .map_err(|_| tags.wrong_type("an array of tags"));
    for tag in found.keep(list).unwrap_or_default() {
        check_tag(&tag, found);
    }
}

fn check_tag(tag: &Value<'_>, found: &mut Found) {
    let Some(mut members) = tag.object(found) else {
        return;
    };
    if let Some(name) = members.take("name") {
        found.keep(name.text());
        let value = members.take("value");
        found.keep(match value {
            Some(value) => value.text(),
            None => Err(members.missing("value")),
        });
        members.finish(found);
        return;
    }
    for (_, value) in members.take_all() {
        found.keep(value.text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Vec<String> {
        let mut found = Found::default();
        check(&Value::of_body(json.as_bytes()).unwrap(), &mut found);
        found.told()
    }

    #[test]
    fn tags_have_several_forms() {
        for json in [
            "[]",
            "{}",
            r#"[{"name": "a", "value": "b"}, {"X-Tag": "c"}]"#,
            r#"{"a": "b", "c": "d"}"#,
        ] {
            assert!(told(json).is_empty(), "{json}");
        }
        for (json, expected) in [
            ("1", " wrong_type"),
            (r#"["a"]"#, "/0 wrong_type"),
            (r#"[{"name": "a"}]"#, "/0/value missing_field"),
            (r#"[{"name": 1, "value": "b"}]"#, "/0/name wrong_type"),
            (r#"[{"name": "a", "value": 1}]"#, "/0/value wrong_type"),
            (
                r#"[{"name": "a", "value": "b", "x": "c"}]"#,
                "/0/x unknown_field",
            ),
            (r#"[{"X-Tag": ["c"]}]"#, "/0/X-Tag wrong_type"),
            (r#"{"a": null}"#, "/a wrong_type"),
        ] {
            assert_eq!(told(json), [expected], "{json}");
        }
    }
}
