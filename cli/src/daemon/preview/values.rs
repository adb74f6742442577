//! The values that a posted message has for its recipients, by the names that it has for them.

use bytes::Bytes;
use serde_json::{Map, Value};

/// The JSON that has them.
#[derive(Debug, Default)]
pub struct Values {
    /// The message.
    pub message: Bytes,
    /// Its recipients, where they do not stand in it.
    pub recipients: Vec<Bytes>,
}

impl Values {
    /// The values of the recipient with this index in the message: the message's own, and theirs, which win.
    pub fn of(&self, index: usize) -> Map<String, Value> {
        let Some(message) = parsed(&self.message) else {
            return Map::new();
        };
        let recipient = match self.recipients.get(index) {
            Some(recipient) => parsed(recipient),
            None => member(&message, "recipients").and_then(|all| all.get(index).cloned()),
        };
        let mut values = variables(&message);
        values.extend(recipient.iter().flat_map(variables));
        values
    }

    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        let recipients = self.recipients.iter();
        let recipients = recipients.map(|json| json.len() + size_of::<Bytes>());
        self.message.len() + recipients.sum::<usize>()
    }
}

/// What serde reads otherwise than the core library is shown without values.
fn parsed(json: &[u8]) -> Option<Value> {
    let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    serde_json::from_slice(json).ok()
}

fn variables(object: &Value) -> Map<String, Value> {
    match member(object, "variables") {
        Some(Value::Object(variables)) => variables.clone(),
        _ => Map::new(),
    }
}

/// A member by its name, in which letter case, `_` and `-` do not count.
fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let mut members = object.as_object()?.iter();
    let is_it = |known: &str| known.replace(['_', '-'], "").eq_ignore_ascii_case(name);
    members.find_map(|(known, value)| is_it(known).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn those_of_the_recipient_win() {
        let message = json!({
            "variables": {"shop": "Eve's", "name": "you"},
            "Recipients": ["a@b", {"address": "c@d", "variables": {"name": "Bo", "n": 1}}],
        });
        let values = Values {
            message: message.to_string().into(),
            recipients: Vec::new(),
        };
        for (index, expected) in [
            (0, json!({"shop": "Eve's", "name": "you"})),
            (1, json!({"shop": "Eve's", "name": "Bo", "n": 1})),
            (2, json!({"shop": "Eve's", "name": "you"})),
        ] {
            assert_eq!(Value::Object(values.of(index)), expected);
        }
        let apart = Values {
            message: r#"{"variables": {"a": 1}}"#.into(),
            recipients: vec![r#"{"variables": {"b": 2}}"#.into()],
        };
        assert_eq!(Value::Object(apart.of(0)), json!({"a": 1, "b": 2}));
        assert!(Values::default().of(0).is_empty());
    }
}
