//! The JSON Schema of a message, made from the same tables that read it.

use super::definitions::Definitions;
use super::message::JsonMessage;
use super::row::object_schema;
use serde_json::{Value, json};

/// The JSON Schema (draft 2020-12) of a message, with the documented spelling of each name. The reader is more lenient:
/// it ignores letter case, `_` and `-`, and treats `null` as absent.
///
/// Keywords that JSON Schema does not have: `x-aliases` lists other accepted names of a field; `x-iterable` marks an
/// array that may be so long that a language may give its elements one by one. Where there is a `contentMediaType`,
/// languages that have bytes may give them; where the format is `date-time`, they may give their own date type.
///
/// A schema cannot express the rules about addresses, dates and which fields go together: [`check`](crate::check) does.
///
/// ```
/// let schema = pmtaemail::schema();
/// assert_eq!(schema["title"], "Message");
/// assert_eq!(schema["properties"]["subject"]["type"], "string");
/// ```
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
