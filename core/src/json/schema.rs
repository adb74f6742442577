//! The JSON Schema of a message, made from the same tables that read it.

use super::definitions::Definitions;
use super::message::JsonMessage;
use super::row::object_schema;
use serde_json::{Value, json};

/// The JSON Schema (draft 2020-12) of a message, with the documented spelling of each name. Reading
/// is more lenient: letter case, `_` and `-` do not count, and `null` is as absent.
///
/// Keywords that JSON Schema does not have: `x-aliases`, the other names that are taken for a field's;
/// `x-iterable`, where an array may be so long that a language may give its elements one by one. What
/// has a `contentMediaType` may be bytes in languages that have them, and what has the format
/// `date-time` their kind of date.
///
/// The rules that no schema can say (addresses, dates, which fields go together) are told by
/// [`check`](crate::check).
pub fn schema() -> Value {
    let mut definitions = Definitions::default();
    let mut schema = object_schema("One message.", JsonMessage::ROWS, &mut definitions);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Message".into();
    schema["anyOf"] = json!([{"required": ["from"]}, {"required": ["raw"]}]);
    schema["$defs"] = definitions.into_value();
    schema
}

#[cfg(test)]
mod tests {
    /// To write it anew, and the types that are made from it: `make generate`.
    #[test]
    #[cfg(feature = "jinja")]
    fn the_committed_schema_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/message.schema.json");
        let schema = format!("{:#}\n", super::schema());
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == schema, "schema/message.schema.json is stale");
    }
}
