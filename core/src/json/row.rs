//! One field of an object: everything that the reader, the rules and the schema need to know about it.

use super::definitions::Definitions;
use serde_json::{Map, Value, json};

/// A field of an object. Everything that is generated from the tables comes from this.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says a thing of its own, in a table that is written with their names"
)]
pub(crate) struct Row {
    /// The documented name.
    pub name: &'static str,
    /// Other accepted names.
    aliases: &'static [&'static str],
    description: &'static str,
    schema: fn(&mut Definitions) -> Value,
    pub is_boolean: bool,
    /// The half of a mail object to which it belongs. Set for each field of the message.
    pub section: Option<Section>,
    /// The header fields with the same meaning, for the recipient or for those who carry the message.
    pub headers: &'static [&'static str],
    format: Option<&'static str>,
    content_encoding: Option<&'static str>,
    /// An example value, if it is a string.
    pub example: Option<&'static str>,
    /// Whether it is the content of a body or a file, so that an object which merely refers to one (a path in Python)
    /// is not accepted.
    pub is_content: bool,
    is_required: bool,
    /// Whether its array can be so long that languages may give its elements one by one.
    pub is_iterable: bool,
}

/// The halves of a mail object (RFC 5321 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Who gets the message, and what PowerMTA is told about it.
    Envelope,
    /// Header section and body, made from the fields.
    Content,
    /// Complete header section and body, in place of all fields that make them.
    FinishedContent,
}

/// What [`object!`](super::object) accepts after the shape of a field: `{ of: Content, headers: &["Subject"] }`.
impl Row {
    pub const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        description: &'static str,
        schema: fn(&mut Definitions) -> Value,
        is_boolean: bool,
    ) -> Self {
        Self {
            name,
            aliases,
            description,
            schema,
            is_boolean,
            section: None,
            headers: &[],
            format: None,
            content_encoding: None,
            example: None,
            is_content: false,
            is_required: false,
            is_iterable: false,
        }
    }

    pub const fn of(mut self, section: Section) -> Self {
        self.section = Some(section);
        self
    }

    pub const fn headers(mut self, names: &'static [&'static str]) -> Self {
        self.headers = names;
        self
    }

    /// A format of JSON Schema, such as `date-time`.
    pub const fn format(mut self, format: &'static str) -> Self {
        self.format = Some(format);
        self
    }

    /// How a string is encoded unless the message says otherwise, such as `base64`.
    pub const fn content_encoding(mut self, encoding: &'static str) -> Self {
        self.content_encoding = Some(encoding);
        self
    }

    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Whether it is the content of a body or a file.
    pub const fn content(mut self, is_content: bool) -> Self {
        self.is_content = is_content;
        self
    }

    /// Whether the object is meaningless without it.
    pub const fn required(mut self, is_required: bool) -> Self {
        self.is_required = is_required;
        self
    }

    /// Whether its array can be so long that languages may give its elements one by one.
    pub const fn iterable(mut self, is_iterable: bool) -> Self {
        self.is_iterable = is_iterable;
        self
    }
}

impl Row {
    /// All names, the documented one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    fn schema(&self, definitions: &mut Definitions) -> Value {
        let mut schema = (self.schema)(definitions);
        let object = schema.as_object_mut().expect("a schema is an object");
        let mut insert = |keyword: &str, value: Value| object.insert(keyword.to_owned(), value);
        insert("description", self.description.trim().into());
        if let Some(format) = self.format {
            insert("format", format.into());
        }
        if let Some(encoding) = self.content_encoding {
            insert("contentEncoding", encoding.into());
        }
        if let Some(example) = self.example {
            insert("examples", json!([example]));
        }
        if !self.aliases.is_empty() {
            insert("x-aliases", json!(self.aliases));
        }
        if self.is_iterable {
            insert("x-iterable", true.into());
        }
        schema
    }
}

/// The schema of an object that has these fields and no others.
pub(super) fn object_schema(
    description: &str,
    rows: &[Row],
    definitions: &mut Definitions,
) -> Value {
    let properties: Map<String, Value> = rows
        .iter()
        .map(|row| (row.name.to_owned(), row.schema(definitions)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": description.trim(),
        "properties": properties,
        "additionalProperties": false,
    });
    let required: Vec<&str> = rows
        .iter()
        .filter(|row| row.is_required)
        .map(|row| row.name)
        .collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
