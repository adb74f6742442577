//! Each path: its query, bodies, examples and answers.

use super::html::{Page, Prose, Text, code, referred, table, text_of};
use super::operation::{Operation, of_tag};
use super::problems::Problems;
use super::schemas::kind;
use serde_json::Value;
use std::fmt::Write;

/// Where the daemon listens by default.
const HOST: &str = "http://127.0.0.1:8000";

pub fn write(page: &mut Page, document: &Value, tag: &Value) {
    page.put(format_args!(
        "<h2>{}</h2><p>{}</p>\n",
        Text(text_of(&tag["name"])),
        Prose(text_of(&tag["description"]))
    ));
    for operation in of_tag(document, tag) {
        let described = operation.described;
        page.put(format_args!(
            "<section id=\"{id}\"><h3><code><b>{method}</b> {path}</code> \
             <a class=\"here\" href=\"#{id}\" aria-label=\"Link to {method} {path}\">#</a></h3>\
             <p class=\"summary\">{summary}</p>\n",
            id = Text(operation.id()),
            method = Text(&operation.method.to_uppercase()),
            path = Text(operation.path),
            summary = Prose(text_of(&described["summary"])),
        ));
        if described["description"] != described["summary"] {
            page.put(format_args!(
                "<p>{}</p>\n",
                Prose(text_of(&described["description"]))
            ));
        }
        page.put(if described["security"] == Value::Array(Vec::new()) {
            "<p>No access key is needed.</p>\n"
        } else {
            "<p>Where the daemon has access keys, send one: <code>Authorization: Bearer KEY</code>, or as the password of Basic.</p>\n"
        });
        parameters(page, described);
        if described["requestBody"].is_object() {
            bodies(page, &operation);
        } else {
            code(page, &format!("curl {HOST}{}", operation.path));
        }
        answers(page, described);
        page.put("</section>\n");
    }
}

fn parameters(page: &mut Page, described: &Value) {
    page.put("<h4>Query and header fields</h4>\n");
    let parameters = described["parameters"].as_array().into_iter().flatten();
    let rows = parameters.map(|parameter| {
        vec![
            format!("<code>{}</code>", Text(text_of(&parameter["name"]))),
            Text(text_of(&parameter["in"])).to_string(),
            kind(&parameter["schema"]),
            Prose(text_of(&parameter["description"])).to_string(),
        ]
    });
    table(page, &["Name", "In", "Type", "What it says"], rows);
}

fn bodies(page: &mut Page, operation: &Operation<'_>) {
    page.put("<h4>Body</h4>\n");
    for (media_type, content) in contents(&operation.described["requestBody"]) {
        let schema = &content["schema"];
        page.put(format_args!("<h5><code>{}</code></h5>\n", Text(media_type)));
        if schema["properties"].is_object() {
            parts(page, schema);
        } else {
            page.put(format_args!("<p>{}</p>\n", described_or_kind(schema)));
        }
        for (_, example) in content["examples"].as_object().into_iter().flatten() {
            if let Some(summary) = example["summary"].as_str() {
                page.put(format_args!("<p>{}</p>\n", Prose(summary)));
            }
            code(page, &curl(operation, media_type, &example["value"]));
        }
    }
}

fn described_or_kind(schema: &Value) -> String {
    match schema["description"].as_str() {
        Some(description) => Prose(description).to_string(),
        None => kind(schema),
    }
}

/// The parts of a form.
fn parts(page: &mut Page, schema: &Value) {
    let parts = schema["properties"].as_object();
    let named = (parts.into_iter().flatten())
        .map(|(name, part)| (format!("<code>{}</code>", Text(name)), part));
    let other = (
        "<em>any other</em>".to_owned(),
        &schema["additionalProperties"],
    );
    let rows = named.chain([other]).map(|(name, part)| {
        vec![
            name,
            kind(part),
            Prose(text_of(&part["description"])).to_string(),
        ]
    });
    table(page, &["Part", "Type", "What it says"], rows);
}

/// What sends an example.
fn curl(operation: &Operation<'_>, media_type: &str, example: &Value) -> String {
    let mut command = format!("curl {HOST}{}", operation.path);
    if let Some(parts) = example
        .as_object()
        .filter(|_| media_type == "multipart/form-data")
    {
        for (name, part) in parts {
            let (file, media_type) = match part {
                Value::String(_) => (format!("{name}.csv"), "text/csv"),
                _ => (format!("{name}.json"), "application/json"),
            };
            write!(command, " \\\n  -F '{name}=<{file};type={media_type}'")
                .expect("a String takes it");
        }
        return command;
    }
    let body = match example {
        Value::String(lines) => lines.trim_end().to_owned(),
        value => format!("{value:#}"),
    };
    let body = body.replace('\'', r"'\''");
    format!("{command} \\\n  -H 'Content-Type: {media_type}' \\\n  --data-binary '{body}'")
}

fn answers(page: &mut Page, described: &Value) {
    page.put("<h4>Answers</h4>\n");
    let responses = described["responses"].as_object().into_iter().flatten();
    let rows = responses.map(|(status, response)| {
        let headers = response["headers"].as_object().into_iter().flatten();
        let headers: Vec<_> = headers
            .map(|(name, _)| format!("<code>{}</code>", Text(name)))
            .collect();
        vec![
            format!("<code>{}</code>", Text(status)),
            format!(
                "{}{}",
                Prose(text_of(&response["description"])),
                answer(response)
            ),
            headers.join(", "),
        ]
    });
    table(page, &["Status", "What it says", "Header fields"], rows);
}

/// What an answer's body may be.
fn answer(response: &Value) -> String {
    let mut said = String::new();
    for (media_type, content) in contents(response) {
        let schema = &content["schema"];
        let put = if referred(schema) == Some("Problem") {
            let (count, links) = Problems::links(content);
            let word = if count == 1 { "problem" } else { "problems" };
            write!(
                said,
                "<details><summary>{count} {word}</summary><ul>{links}</ul></details>"
            )
        } else {
            let what = described_or_kind(schema);
            write!(said, "<br><code>{}</code>: {what}", Text(media_type))
        };
        put.expect("a String takes all that is written");
        for (_, example) in content["examples"].as_object().into_iter().flatten() {
            if referred(schema) != Some("Problem") {
                write!(
                    said,
                    "<pre><code>{}</code></pre>",
                    Text(&format!("{:#}", example["value"]))
                )
                .expect("a String takes all that is written");
            }
        }
    }
    said
}

fn contents(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of["content"].as_object().into_iter().flatten()
}
