//! The recipients of a transmission, one after the other.

use super::super::object::{Found, Object, Value};
use super::super::translated::Translated;
use super::options::dictionary;
use pmtaemail::Problems;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashSet;

/// The origins of the parts of one of our recipients.
pub const PLACES: &[(&str, &str)] = &[
    ("/address", "/address"),
    ("/name", "/address"),
    ("/variables", "/substitution_data"),
    ("/sender", "/return_path"),
    ("/headers", "/address/header_to"),
    ("/headers/To", "/address/header_to"),
];

/// One recipient.
pub struct Recipient<'a> {
    pub address: Cow<'a, str>,
    pub name: Option<Cow<'a, str>>,
    /// What To shows instead of the recipient.
    shown_to: Option<String>,
    pub return_path: Option<Value<'a>>,
    variables: Vec<(Cow<'a, str>, Value<'a>)>,
}

/// Translates one element of `recipients`.
pub fn translate(index: usize, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Problems> {
    let mut found = Found::default();
    let pointer = format!("/recipients/{index}");
    let value = found.keep(Value::of_body(bytes));
    let recipient = value.and_then(|value| read(&Value { pointer, ..value }, &mut found));
    found.finish()?;
    let recipient = recipient.expect("what is not read is a problem");
    out.extend_from_slice(&recipient.into_ours());
    Ok(())
}

/// Reads a recipient. Returns `None` only if a problem says why.
pub fn read<'a>(value: &Value<'a>, found: &mut Found) -> Option<Recipient<'a>> {
    let mut object = value.object(found)?;
    let Some(address) = object.take("address") else {
        found.add(object.missing("address"));
        return None;
    };
    let mut recipient = read_address(&address, found)?;
    recipient.return_path = object.take("return_path");
    // They would appear only in events, which do not exist here.
    if let Some(tags) = object.take("tags") {
        found.keep(tags.array());
    }
    recipient.variables = variables(&mut object, found);
    object.finish(found);
    Some(recipient)
}

fn read_address<'a>(value: &Value<'a>, found: &mut Found) -> Option<Recipient<'a>> {
    let recipient = |address: Cow<'a, str>, name: Option<Cow<'a, str>>| Recipient {
        address: trimmed(address),
        name: name.map(trimmed).filter(|name| !name.is_empty()),
        shown_to: None,
        return_path: None,
        variables: Vec::new(),
    };
    if value.is_text() {
        let (name, address) = parts(found.keep(value.text())?);
        return Some(recipient(address, name));
    }
    let mut object = value.object(found)?;
    let email = object.take("email");
    let name = object.take("name").and_then(|name| found.keep(name.text()));
    let shown_to = object
        .take("header_to")
        .and_then(|to| found.keep(to.text()));
    let Some(email) = email else {
        found.add(object.missing("email"));
        return None;
    };
    let address = found.keep(email.text());
    object.finish(found);
    let shown_to = shown_to.map(trimmed).filter(|to| !to.is_empty());
    Some(Recipient {
        shown_to: shown_to.map(|to| without_outer_blanks(&to)),
        ..recipient(address?, name)
    })
}

/// The values of a recipient or of a transmission: `substitution_data` win over `metadata`.
pub fn variables<'a>(object: &mut Object<'a>, found: &mut Found) -> Vec<(Cow<'a, str>, Value<'a>)> {
    let mut all: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    let mut known = HashSet::new();
    for name in ["substitution_data", "metadata"] {
        let values = object
            .take(name)
            .and_then(|value| dictionary(&value, found));
        for (name, value) in values
            .map(|mut values| values.take_all())
            .unwrap_or_default()
        {
            if known.insert(name.clone()) {
                all.push((name, value));
            }
        }
    }
    all
}

/// Writes values as they came.
pub fn put_variables(variables: &[(Cow<'_, str>, Value<'_>)], ours: &mut Translated) {
    if variables.is_empty() {
        return;
    }
    let mut object = Translated::new();
    for (name, value) in variables {
        object.put(name, value);
        ours.place(
            super::super::object::member_of("/variables", name),
            &value.pointer,
        );
    }
    ours.put_json("variables", &object.finish().0);
}

impl Recipient<'_> {
    /// The JSON of one of ours.
    pub fn into_ours(self) -> Vec<u8> {
        let mut ours = Translated::new();
        ours.put_made("address", &self.address, "");
        if let Some(name) = &self.name {
            ours.put_made("name", name, "");
        }
        if let Some(to) = &self.shown_to {
            ours.put_made("headers", &Shown { to }, "");
        }
        if let Some(sender) = &self.return_path {
            ours.put("sender", sender);
        }
        put_variables(&self.variables, &mut ours);
        ours.finish().0
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(rename = "To")]
    to: &'a str,
}

/// Clients leave blanks around names and addresses.
pub fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The parts of `"Ann Lee" <ann@example.org>`, or an address alone.
fn parts(text: Cow<'_, str>) -> (Option<Cow<'_, str>>, Cow<'_, str>) {
    let trimmed = text.trim();
    let Some((name, address)) = trimmed
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
    else {
        return (None, text);
    };
    let name = name.trim();
    let name = match name
        .strip_prefix('"')
        .and_then(|name| name.strip_suffix('"'))
    {
        Some(quoted) => unescaped(quoted),
        None => name.to_owned(),
    };
    (Some(name.into()), address.to_owned().into())
}

/// The text of a quoted string (RFC 5322 section 3.2.4).
fn unescaped(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            character => text.push(character),
        }
    }
    text
}

/// A list of mailboxes with blanks removed from the ends of quoted names: one client writes `"Ann Lee " <ann@…>`.
fn without_outer_blanks(list: &str) -> String {
    let mut text = String::with_capacity(list.len());
    let mut rest = list;
    while let Some(start) = rest.find('"') {
        let (before, quoted) = rest.split_at(start + 1);
        text.push_str(before);
        let end = closing_quote(quoted);
        text.push_str(quoted[..end].trim());
        rest = &quoted[end..];
        if let Some(behind) = rest.strip_prefix('"') {
            text.push('"');
            rest = behind;
        }
    }
    text.push_str(rest);
    text
}

/// The end of the quoted string that starts here, or of the text.
fn closing_quote(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(json: &str) -> String {
        let mut out = Vec::new();
        translate(3, json.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn told(json: &str) -> Vec<String> {
        let problems = translate(3, json.as_bytes(), &mut Vec::new()).unwrap_err();
        let told = |it: &pmtaemail::Problem| format!("{} {}", it.pointer(), it.code());
        problems.iter().map(told).collect()
    }

    #[test]
    fn an_address_has_several_forms() {
        for (json, expected) in [
            (
                r#"{"address": "a@b.example"}"#,
                r#"{"address":"a@b.example"}"#,
            ),
            (
                r#"{"address": " a@b.example "}"#,
                r#"{"address":"a@b.example"}"#,
            ),
            (
                r#"{"address": "\"Lee, \\\"A\\\"\" <a@b.example>"}"#,
                r#"{"address":"a@b.example","name":"Lee, \"A\""}"#,
            ),
            (
                r#"{"address": {"email": " a@b.example", "name": "Ann "}}"#,
                r#"{"address":"a@b.example","name":"Ann"}"#,
            ),
            (
                r#"{"address": {"email": "a@b.example", "name": "", "header_to": "\"Ann \" <c@d>,\" B\\\" \" <e@f>"}}"#,
                r#"{"address":"a@b.example","headers":{"To":"\"Ann\" <c@d>,\"B\\\"\" <e@f>"}}"#,
            ),
            (
                r#"{"address": {"email": "a@b.example", "name": null, "header_to": null}, "tags": []}"#,
                r#"{"address":"a@b.example"}"#,
            ),
        ] {
            assert_eq!(ours(json), expected, "{json}");
        }
    }

    #[test]
    fn substitution_data_win_over_metadata() {
        let json = r#"{"address": "a@b.example", "metadata": {"a": 1, "b" : {"c":2}}, "return_path": "r@b.example",
            "substitution_data": {"a": 1.50}}"#;
        let expected = r#"{"address":"a@b.example","sender":"r@b.example","variables":{"a":1.50,"b":{"c":2}}}"#;
        assert_eq!(ours(json), expected);
        let php = r#"{"address": "a@b.example", "metadata": [], "substitution_data": []}"#;
        assert_eq!(ours(php), r#"{"address":"a@b.example"}"#);
    }

    #[test]
    fn faults_are_reported_with_their_position() {
        for (json, expected) in [
            ("1", "/recipients/3 wrong_type"),
            ("{}", "/recipients/3/address missing_field"),
            (
                r#"{"address": {}}"#,
                "/recipients/3/address/email missing_field",
            ),
            (r#"{"address": 1}"#, "/recipients/3/address wrong_type"),
            (
                r#"{"address": "a@b", "tags": {}}"#,
                "/recipients/3/tags wrong_type",
            ),
            (
                r#"{"address": "a@b", "metadata": [1]}"#,
                "/recipients/3/metadata wrong_type",
            ),
            (
                r#"{"address": "a@b", "x": 1}"#,
                "/recipients/3/x unknown_field",
            ),
            (
                r#"{"address": {"email": "a@b", "x": 1}}"#,
                "/recipients/3/address/x unknown_field",
            ),
        ] {
            assert_eq!(told(json), [expected], "{json}");
        }
    }
}
