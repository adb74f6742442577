//! The JSON Schema of a message, made from the same tables that read it.

use super::message::JsonMessage;
use super::shape::Shape;
use serde_json::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of a message, with the documented spelling of each name. Reading
/// is more lenient: letter case, `_` and `-` do not count, and `null` is as absent.
///
/// The rules that no schema can say (addresses, dates, what stands beside what) are told by
/// [`check`](crate::check).
pub fn schema() -> Value {
    let mut schema = JsonMessage::schema();
    if let Some(object) = schema.as_object_mut() {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        object.insert("$schema".to_owned(), dialect.into());
        object.insert("title".to_owned(), "Message".into());
        object.insert(
            "anyOf".to_owned(),
            json!([{"required": ["from"]}, {"required": ["raw"]}]),
        );
    }
    schema
}

/// The schema of an object of such fields: name, description, schema of the value.
pub(super) fn object<const N: usize>(
    description: &str,
    fields: [(&'static str, &'static str, Value); N],
) -> Value {
    let properties: Map<String, Value> = fields
        .into_iter()
        .map(|(name, description, mut schema)| {
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("description".to_owned(), description.trim().into());
            }
            (name.to_owned(), schema)
        })
        .collect();
    json!({
        "type": "object",
        "description": description.trim(),
        "properties": properties,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    /// To write it anew: `UPDATE_SCHEMA=1 cargo test -p pmtaemail schema`.
    #[test]
    fn the_committed_schema_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/message.schema.json");
        let schema = format!("{:#}\n", super::schema());
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == schema, "schema/message.schema.json is stale");
    }
}
