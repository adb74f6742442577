//! Header fields and the reply address, which some clients give in both places.

use super::super::object::{Found, Object, Value};
use super::super::translated::Translated;
use super::mailboxes;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;

/// A header field in the form for our message.
#[derive(Serialize)]
struct Field<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    #[serde(skip)]
    place: String,
}

/// Reads `headers` and `reply_to`.
pub fn put(email: &mut Object<'_>, ours: &mut Translated, found: &mut Found) {
    let headers = email.take("headers");
    let place = headers.as_ref().map(|headers| headers.pointer.clone());
    let mut fields = headers.map_or_else(Vec::new, |headers| read_headers(&headers, found));
    let reply_to = email.take("reply_to").filter(|value| !is_nothing(value));
    if let Some(reply_to) = reply_to
        && !says_more(&mut fields, &reply_to)
    {
        mailboxes::put_all("replyTo", &reply_to, None, ours, found);
    }
    if fields.is_empty() {
        return;
    }
    ours.put_made("headers", &fields, &place.unwrap_or_default());
    for (index, field) in fields.iter().enumerate() {
        for member in ["", "/name", "/value"] {
            ours.place(format!("/headers/{index}{member}"), &field.place);
        }
    }
}

/// An empty string or array, which some clients write for an absent field.
pub fn is_nothing(value: &Value<'_>) -> bool {
    value.array().is_ok_and(|list| list.is_empty())
        || value.text().is_ok_and(|text| text.trim().is_empty())
}

/// Whether a Reply-To among the header fields has all of `reply_to` and more: Symfony writes the first mailbox there,
/// and all of them here. A field with the same content is removed; any other is left to be refused.
fn says_more(fields: &mut Vec<Field<'_>>, reply_to: &Value<'_>) -> bool {
    let is_it = |field: &Field<'_>| field.name.eq_ignore_ascii_case("Reply-To");
    let Some(at) = fields.iter().position(is_it) else {
        return false;
    };
    let in_headers: HashSet<_> = mailboxes::addresses(&fields[at].value)
        .into_iter()
        .collect();
    let mut given = HashSet::new();
    for value in reply_to.array().unwrap_or_else(|_| vec![reply_to.clone()]) {
        given.extend(mailboxes::addresses(&value.text().unwrap_or_default()));
    }
    if !given.is_subset(&in_headers) {
        return false;
    }
    let says_more = in_headers.len() > given.len();
    if !says_more {
        fields.remove(at);
    }
    says_more
}

/// `{"X-Shop": "north"}`, or `[{"name": "X-Shop", "value": "north"}]` as Swoosh writes it. PHP writes no fields as an
/// empty array.
fn read_headers<'a>(headers: &Value<'a>, found: &mut Found) -> Vec<Field<'a>> {
    if headers.is_object() {
        let members = headers.object(found);
        let members = members.map(|mut members| members.take_all());
        let given = members.into_iter().flatten();
        let given = given.filter(|(_, value)| !value.is_null());
        return given
            .filter_map(|(name, value)| read_field(name, &value, found))
            .collect();
    }
    let list = headers
        .array()
        .map_err(|_| headers.wrong_type("an object of names and values"));
    let list = found.keep(list).unwrap_or_default();
    list.iter()
        .filter_map(|element| read_element(element, found))
        .collect()
}

fn read_element<'a>(element: &Value<'a>, found: &mut Found) -> Option<Field<'a>> {
    let mut members = element.object(found)?;
    let (name, value) = (members.take("name"), members.take("value"));
    for (member, name) in [(&name, "name"), (&value, "value")] {
        if member.is_none() {
            found.add(members.missing(name));
        }
    }
    members.finish(found);
    let name = found.keep(name?.text())?;
    read_field(name, &value?, found)
}

fn read_field<'a>(name: Cow<'a, str>, value: &Value<'a>, found: &mut Found) -> Option<Field<'a>> {
    let place = value.pointer.clone();
    let value = found.keep(value.text_or_number())?;
    Some(Field { name, value, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(json: &str) -> Result<String, Vec<String>> {
        let mut found = Found::default();
        let email = Value::of_body(json.as_bytes()).unwrap().object(&mut found);
        let mut ours = Translated::new();
        put(&mut email.unwrap(), &mut ours, &mut found);
        match found.told() {
            told if told.is_empty() => Ok(String::from_utf8(ours.finish().0).unwrap()),
            told => Err(told),
        }
    }

    #[test]
    fn header_fields_have_several_forms() {
        let expected =
            r#"{"headers":[{"name":"X-A","value":"a\n"},{"name":"X-B","value":"1.50"}]}"#;
        for json in [
            r#"{"headers": {"X-A": "a\n", "X-B": 1.50, "X-C": null}}"#,
            r#"{"headers": [{"name": "X-A", "value": "a\n"}, {"value": 1.50, "name": "X-B"}]}"#,
        ] {
            assert_eq!(ours(json).as_deref(), Ok(expected), "{json}");
        }
        for json in [
            "{}",
            r#"{"headers": []}"#,
            r#"{"headers": {}, "reply_to": []}"#,
        ] {
            assert_eq!(ours(json).as_deref(), Ok("{}"), "{json}");
        }
        for (json, expected) in [
            ("1", "/headers wrong_type"),
            (r#"{"X-A": true}"#, "/headers/X-A wrong_type"),
            (r#"{"X-A": ["a"]}"#, "/headers/X-A wrong_type"),
            (r#"["a"]"#, "/headers/0 wrong_type"),
            (r#"[{"name": "a"}]"#, "/headers/0/value missing_field"),
            (r#"[{"value": "a"}]"#, "/headers/0/name missing_field"),
            (
                r#"[{"name": "a", "value": "b", "x": 1}]"#,
                "/headers/0/x unknown_field",
            ),
        ] {
            let json = format!(r#"{{"headers": {json}}}"#);
            assert_eq!(ours(&json), Err(vec![expected.to_owned()]), "{json}");
        }
    }

    #[test]
    fn where_replies_go_may_be_said_twice() {
        for (reply_to, header, expected) in [
            (
                r#""Acme, Inc <a@b.example>""#,
                r#"\"Acme, Inc\" <A@b.example>"#,
                r#"{"replyTo":{"name":"Acme, Inc","address":"a@b.example"}}"#,
            ),
            (
                r#"["a@b.example", "c@d.example"]"#,
                "C <c@d.example>, a@b.example",
                r#"{"replyTo":["a@b.example","c@d.example"]}"#,
            ),
            (
                r#""a@b.example""#,
                "a@b.example, c@d.example",
                r#"{"headers":[{"name":"reply-to","value":"a@b.example, c@d.example"}]}"#,
            ),
            (
                r#""a@b.example""#,
                "c@d.example",
                r#"{"replyTo":"a@b.example","headers":[{"name":"reply-to","value":"c@d.example"}]}"#,
            ),
            (
                r#""""#,
                "c@d.example",
                r#"{"headers":[{"name":"reply-to","value":"c@d.example"}]}"#,
            ),
        ] {
            let json =
                format!(r#"{{"reply_to": {reply_to}, "headers": {{"reply-to": "{header}"}}}}"#);
            assert_eq!(ours(&json).as_deref(), Ok(expected), "{json}");
        }
    }
}
