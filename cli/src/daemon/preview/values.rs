//! The values that a posted message has for its recipients, by the names that it has for them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The JSON that has them.
#[derive(Debug, Default)]
pub struct Values {
    /// The message.
    pub message: Bytes,
    /// Its recipients, where they do not stand in it.
    pub recipients: Vec<Bytes>,
}

/// Values as they are written: `1.50` is no other number in a template than in JSON.
pub type Variables = BTreeMap<String, Box<RawValue>>;

impl Values {
    /// The values of the recipient with this index in the message: the message's own, and theirs, which win.
    pub fn of(&self, index: usize) -> Variables {
        let mut values = Variables::new();
        if let Some(message) = text_of(&self.message).and_then(parsed::<Members<'_>>) {
            values = variables(&message);
            let own = self.recipients.get(index).and_then(|json| text_of(json));
            let own = own.or_else(|| {
                let all = member(&message, "recipients")?;
                let all = parsed::<Vec<&RawValue>>(all.get())?;
                all.get(index).map(|recipient| recipient.get())
            });
            let own = own.and_then(parsed::<Members<'_>>);
            values.extend(own.iter().flat_map(variables));
        }
        values
    }

    /// How many bytes it takes.
    pub fn size(&self) -> usize {
        let recipients = self.recipients.iter();
        let recipients = recipients.map(|json| json.len() + size_of::<Bytes>());
        self.message.len() + recipients.sum::<usize>()
    }
}

type Members<'j> = BTreeMap<String, &'j RawValue>;

/// What serde reads otherwise than the core library is shown without values.
fn parsed<'j, T: Deserialize<'j>>(json: &'j str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn text_of(json: &[u8]) -> Option<&str> {
    let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    str::from_utf8(json).ok()
}

fn variables(object: &Members<'_>) -> Variables {
    let variables = member(object, "variables").and_then(|json| parsed(json.get()));
    variables.unwrap_or_default()
}

/// A member by its name, in which letter case, `_` and `-` do not count.
fn member<'j>(object: &Members<'j>, name: &str) -> Option<&'j RawValue> {
    let is_it = |known: &str| known.replace(['_', '-'], "").eq_ignore_ascii_case(name);
    let mut members = object.iter();
    members.find_map(|(known, value)| is_it(known).then_some(*value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn values(values: &Values, index: usize) -> Value {
        serde_json::to_value(values.of(index)).unwrap()
    }

    #[test]
    fn those_of_the_recipient_win() {
        let message = json!({
            "variables": {"shop": "Eve's", "name": "you"},
            "Recipients": ["a@b", {"address": "c@d", "variables": {"name": "Bo", "n": 1}}],
        });
        let whole = Values {
            message: message.to_string().into(),
            recipients: Vec::new(),
        };
        for (index, expected) in [
            (0, json!({"shop": "Eve's", "name": "you"})),
            (1, json!({"shop": "Eve's", "name": "Bo", "n": 1})),
            (2, json!({"shop": "Eve's", "name": "you"})),
        ] {
            assert_eq!(values(&whole, index), expected);
        }
        let apart = Values {
            message: r#"{"variables": {"a": 1}}"#.into(),
            recipients: vec![r#"{"variables": {"b": 2}}"#.into()],
        };
        assert_eq!(values(&apart, 0), json!({"a": 1, "b": 2}));
        assert!(Values::default().of(0).is_empty());
        let number = Values {
            message: r#"{"variables": {"price": 1.50}}"#.into(),
            recipients: Vec::new(),
        };
        assert_eq!(number.of(0)["price"].get(), "1.50");
    }
}
