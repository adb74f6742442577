//! Each object: its fields.

use super::html::{Page, Prose, Text, referred, table, text_of};
use serde_json::Value;

/// The schemas that people look for first; the others follow in alphabetical order.
const FIRST: [&str; 5] = [
    "Message",
    "Receipt",
    "Problem",
    "ProblemEntry",
    "ProblemCode",
];

/// The names of all of them.
pub fn names(document: &Value) -> impl Iterator<Item = &str> {
    let schemas = document["components"]["schemas"].as_object();
    let all = schemas.into_iter().flat_map(|schemas| schemas.keys());
    let others = all.map(String::as_str).filter(|name| !FIRST.contains(name));
    FIRST.into_iter().chain(others)
}

pub fn write(page: &mut Page, document: &Value) {
    page.put(
        "<h2 id=\"objects\">Objects</h2><p>Names of fields are compared without letter case, <code>_</code> and <code>-</code>: \
         <code>replyTo</code>, <code>reply_to</code> and <code>Reply-To</code> are one.</p>\n",
    );
    for name in names(document) {
        let schema = &document["components"]["schemas"][name];
        page.put(format_args!(
            "<section id=\"{0}\"><h3>{0} <a class=\"here\" href=\"#{0}\" aria-label=\"Link to {0}\">#</a></h3><p>{1}</p>\n",
            Text(name),
            Prose(text_of(&schema["description"])),
        ));
        if schema["properties"].is_object() {
            let mut rows = Vec::new();
            fields(&mut rows, "", schema);
            table(page, &["Field", "Type", "What it says"], rows);
        } else if let Some(words) = schema["oneOf"].as_array() {
            let rows = words.iter().map(|word| {
                let code = format!("<code>{}</code>", Text(text_of(&word["const"])));
                vec![code, Prose(text_of(&word["description"])).to_string()]
            });
            table(page, &["Word", "What it says"], rows);
        } else {
            page.put(format_args!("<p>{}</p>\n", kind(schema)));
        }
        one_of_these(page, schema);
        page.put("</section>\n");
    }
}

/// Which of several fields there must be.
fn one_of_these(page: &mut Page, schema: &Value) {
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    let needed: Vec<_> = choices
        .filter_map(|choice| choice["required"].as_array())
        .map(|names| in_code(names.iter().map(text_of)).join(" and "))
        .collect();
    if !needed.is_empty() {
        page.put(format_args!("<p>Needed: {}.</p>\n", needed.join(" or ")));
    }
}

/// A row for each field, those of inner objects after their names.
fn fields(rows: &mut Vec<Vec<String>>, within: &str, schema: &Value) {
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .map(text_of)
        .collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let full = format!("{within}{name}");
        let examples = field["examples"].as_array().into_iter().flatten();
        let examples = examples.map(|example| {
            format!(
                "<span class=\"example\">For example <code>{}</code></span>",
                Text(&inline(example))
            )
        });
        let aliases = field["x-aliases"].as_array().into_iter().flatten();
        let aliases = aliases.map(|alias| format!("Also <code>{}</code>.", Text(text_of(alias))));
        let description = Prose(text_of(&field["description"])).to_string();
        let said: Vec<_> = (std::iter::once(description).chain(examples).chain(aliases)).collect();
        let needed = if required.contains(&name.as_str()) {
            " <em>needed</em>"
        } else {
            ""
        };
        rows.push(vec![
            format!("<code>{}</code>{needed}", Text(&full)),
            kind(field),
            said.join(" "),
        ]);
        fields(rows, &format!("{full}."), field);
    }
}

fn in_code<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    texts
        .map(|text| format!("<code>{}</code>", Text(text)))
        .collect()
}

/// A value in a line.
fn inline(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What a value may be.
pub fn kind(schema: &Value) -> String {
    if let Some(name) = referred(schema) {
        return format!("<a href=\"#{0}\">{0}</a>", Text(name));
    }
    if let Some(constant) = schema.get("const") {
        return format!("<code>{}</code>", Text(&inline(constant)));
    }
    if let Some(words) = schema["enum"].as_array() {
        return in_code(words.iter().map(text_of)).join(" or ");
    }
    if let Some(choices) = schema["anyOf"]
        .as_array()
        .filter(|_| !schema["properties"].is_object())
    {
        return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(names) => names.iter().map(text_of).collect::<Vec<_>>().join(" or "),
        Value::String(name) if name == "array" => format!("array of {}", kind(&schema["items"])),
        Value::String(name) if schema["additionalProperties"].is_object() => {
            format!("{name} of {}", kind(&schema["additionalProperties"]))
        }
        Value::String(name) => format!("{}{}", Text(name), limits(schema)),
        _ => "any".to_owned(),
    }
}

/// What narrows a plain type.
fn limits(schema: &Value) -> String {
    // A larger bound is that of the machine, which tells a reader nothing.
    let number = |name| schema[name].as_i64();
    let range = match (number("minimum"), number("maximum")) {
        (Some(from), Some(to)) => format!(" from {from} to {to}"),
        (Some(from), None) => format!(" from {from}"),
        (None, Some(to)) => format!(" to {to}"),
        (None, None) => String::new(),
    };
    let names = ["format", "contentMediaType"].iter();
    let names = names.filter_map(|name| schema[name].as_str());
    let names = names.map(|name| format!(" ({})", Text(name)));
    std::iter::once(range).chain(names).collect()
}
