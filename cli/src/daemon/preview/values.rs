//! The template values of a posted message for its recipients, by their names in the message.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The values of a message.
#[derive(Debug, Default)]
pub struct Values {
    /// An object.
    common: Option<Box<RawValue>>,
    /// The same of each recipient.
    own: Vec<Option<Box<RawValue>>>,
}

/// Values keep their spelling: in a template, `1.50` is the same number as in JSON.
pub type Variables = BTreeMap<String, Box<RawValue>>;

impl Values {
    /// Those of a message in JSON, and of the recipients that are in it. What serde reads otherwise than the core
    /// library has none.
    pub fn of_message(json: &[u8]) -> Self {
        let Some(message) = text_of(json).and_then(parsed::<Members<'_>>) else {
            return Self::default();
        };
        let recipients = member(&message, "recipients");
        let recipients = recipients.and_then(|all| parsed::<Vec<&RawValue>>(all.get()));
        let recipients = recipients.into_iter().flatten();
        Self {
            common: variables(&message),
            own: recipients.map(|json| variables_of(json.get())).collect(),
        }
    }

    /// Adds those of the next recipient, which is not in the message.
    pub fn add_recipient(&mut self, json: &[u8]) {
        self.own.push(text_of(json).and_then(variables_of));
    }

    /// The values of the recipient with this index in the message: the message's own, overridden by the recipient's.
    pub fn of(&self, index: usize) -> Variables {
        let own = self.own.get(index).and_then(Option::as_ref);
        let both = self.common.iter().chain(own);
        let both = both.filter_map(|json| parsed::<Variables>(json.get()));
        both.flatten().collect()
    }

    /// Their size in bytes.
    pub fn size(&self) -> usize {
        let own = self.own.iter();
        let own = own.map(|json| size_of_json(json.as_deref()) + size_of::<Box<RawValue>>());
        size_of_json(self.common.as_deref()) + own.sum::<usize>()
    }
}

type Members<'j> = BTreeMap<String, &'j RawValue>;

fn parsed<'j, T: Deserialize<'j>>(json: &'j str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn text_of(json: &[u8]) -> Option<&str> {
    let json = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    str::from_utf8(json).ok()
}

fn variables_of(object: &str) -> Option<Box<RawValue>> {
    variables(&parsed(object)?)
}

fn variables(object: &Members<'_>) -> Option<Box<RawValue>> {
    member(object, "variables").map(ToOwned::to_owned)
}

/// A member by its name, ignoring letter case, `_` and `-`.
fn member<'j>(object: &Members<'j>, name: &str) -> Option<&'j RawValue> {
    let is_it = |known: &str| known.replace(['_', '-'], "").eq_ignore_ascii_case(name);
    let mut members = object.iter();
    members.find_map(|(known, value)| is_it(known).then_some(*value))
}

fn size_of_json(json: Option<&RawValue>) -> usize {
    json.map_or(0, |json| json.get().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn values(values: &Values, index: usize) -> Value {
        serde_json::to_value(values.of(index)).unwrap()
    }

    #[test]
    fn those_of_the_recipient_take_precedence() {
        let message = json!({
            "variables": {"shop": "Eve's", "name": "you"},
            "Recipients": ["a@b", {"address": "c@d", "variables": {"name": "Bo", "n": 1}}],
        });
        let whole = Values::of_message(message.to_string().as_bytes());
        for (index, expected) in [
            (0, json!({"shop": "Eve's", "name": "you"})),
            (1, json!({"shop": "Eve's", "name": "Bo", "n": 1})),
            (2, json!({"shop": "Eve's", "name": "you"})),
        ] {
            assert_eq!(values(&whole, index), expected);
        }
        let mut apart = Values::of_message(br#"{"variables": {"a": 1}}"#);
        apart.add_recipient(br#""a@b""#);
        apart.add_recipient(br#"{"variables": {"b": 2}}"#);
        assert_eq!(values(&apart, 0), json!({"a": 1}));
        assert_eq!(values(&apart, 1), json!({"a": 1, "b": 2}));
        assert!(apart.size() > 16);
        assert!(Values::of_message(b"").of(0).is_empty());
        let number = Values::of_message(br#"{"variables": {"price": 1.50}}"#);
        assert_eq!(number.of(0)["price"].get(), "1.50");
    }
}
