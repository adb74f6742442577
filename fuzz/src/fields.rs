//! JSON by the documented names: letter case, `_` and `-` do not count, and `null` is as absent.

use serde_json::Value;
use std::collections::BTreeMap;

/// The members of an object by their plain names.
#[derive(Debug, Default)]
pub struct Fields<'v>(BTreeMap<String, &'v Value>);

/// A name as names are compared.
pub fn plain(name: &str) -> String {
    let name: String = name.chars().filter(|char| !"_-".contains(*char)).collect();
    match name.to_lowercase().as_str() {
        "contentid" => "cid".to_owned(),
        "email" => "address".to_owned(),
        other => other.to_owned(),
    }
}

impl<'v> Fields<'v> {
    /// Those of an object; none of anything else.
    pub fn of(value: &'v Value) -> Self {
        let members = value.as_object().into_iter().flatten();
        let members = members.filter(|(_, value)| !value.is_null());
        Self(members.map(|(name, value)| (plain(name), value)).collect())
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        self.0.get(name).copied()
    }

    /// The member as text.
    pub fn text(&self, name: &str) -> Option<&'v str> {
        self.get(name)?.as_str()
    }

    /// Whether there is one of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a member is true.
    pub fn is(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Bool(true))
    }
}

/// The elements of an array that are not null.
pub fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter(|element| !element.is_null())
}

/// One text or several.
pub fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        list => elements(list).filter_map(Value::as_str).collect(),
    }
}
