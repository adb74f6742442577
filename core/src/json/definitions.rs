//! The schemas with a name of their own (`$defs`), once each.

use serde_json::{Map, Value, json};

/// The named schemas so far.
#[derive(Debug, Default)]
pub(crate) struct Definitions(Map<String, Value>);

impl Definitions {
    /// A reference to the schema of a Rust type, without the `Json` in front of its name.
    pub fn refer(&mut self, type_name: &str, schema: impl FnOnce(&mut Self) -> Value) -> Value {
        let name = type_name.strip_prefix("Json").unwrap_or(type_name);
        if !self.0.contains_key(name) {
            let schema = schema(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}
