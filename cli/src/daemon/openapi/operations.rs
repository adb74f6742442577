//! The operations of the API.

use super::super::error::ApiError;
use super::super::paths;
use super::super::query::{self, Name};
use super::super::request::LINES;
use super::errors::{self, example_id, reference};
use serde_json::{Map, Value, json};

/// One path with one method.
pub struct Operation {
    pub path: &'static str,
    pub method: &'static str,
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub description: &'static str,
    /// The names of its query.
    query: &'static [Name],
    /// Whether its query may contain the envelope of a finished message.
    has_envelope: bool,
    has_idempotency_key: bool,
    /// The content of its body, by media type.
    pub body: Option<Value>,
    /// The successful answers, by their status.
    answers: Vec<(&'static str, Value)>,
    /// The errors that not all operations have.
    errors: Vec<ApiError>,
}

/// All of them.
pub fn operations() -> Vec<Operation> {
    vec![
        submit(),
        batch(),
        check(),
        render(),
        health(),
        live(),
        ready(),
        metrics(),
        openapi(),
        #[cfg(feature = "docs-page")]
        docs(),
    ]
}

fn submit() -> Operation {
    let receipt = json!({
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Receipt"},
            "examples": {"message": {"value": example_receipt()}},
        },
        LINES[0]: {"schema": lines(
            "Where `Accept` asks for it: a line for each recipient of a mail merge, `{\"index\", \"envid\", \"messageId\"}` or, \
             who is left out, `{\"index\", \"pointer\", \"code\"}`, and the receipt in the last one.",
        )},
    });
    let mut submit = Operation::post(
        paths::MESSAGES,
        "submitMessage",
        "Hand a message or a mail merge over to PowerMTA",
    )
    .with_description(
        "The receipt is answered when all files are in the pickup directory and synced. A \
             message answered with an error is not handed over, with one exception: \
             `may-be-delivered`.",
    )
    .with_query(query::SUBMIT)
    .with_answer("200", "It is handed over.", &receipt)
    .with_answer(
        "202",
        "It is in the queue of a fleet; one of its hosts hands it over.",
        &receipt,
    )
    .with_errors(errors::of_submissions())
    .with_errors(errors::of_idempotency());
    submit.has_idempotency_key = true;
    submit.answers[0].1["headers"]["Idempotent-Replayed"] = reference("Idempotent-Replayed");
    submit
}

fn batch() -> Operation {
    let results = lines(
        "A line for each message, in order, as soon as it is durable: its receipt, or its problem with `line` (from 1) or \
         `index` (from 0). A batch that ends too soon has a last line that says why and where.",
    );
    let mut batch = Operation::post(
        paths::BATCH,
        "submitBatch",
        "Hand over many messages, separately or all-or-nothing",
    )
    .with_description(
        "Read results while you send: no more input is read while results wait to be read. A message without a receipt was not \
         handed over, unless its line says `may-be-delivered`.",
    )
    .with_query(query::BATCH)
    .with_answer("200", "Each message has its line.", &json!({LINES[0]: {"schema": results}}));
    batch.has_envelope = false;
    let mut messages = [example_message(), example_message()];
    messages[1]["to"] = "bob@example.org".into();
    let mut keyed = messages.clone();
    keyed[0]["idempotencyKey"] = "order-42".into();
    keyed[1]["idempotencyKey"] = "order-43".into();
    batch.body = Some(json!({
        "application/json": {
            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/BatchMessage"}},
            "examples": {"messages": {"value": keyed}},
        },
        LINES[0]: {
            "schema": lines("A message (`BatchMessage`) a line."),
            "examples": {"messages": {"value": as_lines(&messages)}},
        },
    }));
    batch.errors = errors::of_batches();
    batch.errors.extend(errors::of_submissions());
    batch.answers.push((
        "422",
        json!({
            "description": "With `atomic`: problems, a line each; nothing is handed over.",
            "headers": {"X-Request-Id": reference("X-Request-Id")},
            "content": {LINES[0]: {"schema": lines("A problem a line.")}},
        }),
    ));
    batch
}

fn check() -> Operation {
    let found = json!({"application/json": {
        "schema": {"$ref": "#/components/schemas/Checked"},
        "examples": {"right": {"value": {"problems": []}}},
    }});
    Operation::post(
        paths::CHECK,
        "checkMessage",
        "Report what is wrong with a message",
    )
    .with_description("Nothing is handed over.")
    .with_query(query::CHECK)
    .with_answer("200", "The message is valid.", &found)
}

fn render() -> Operation {
    let mail = json!({"message/rfc822": {"schema": {"type": "string", "contentMediaType": "message/rfc822"}}});
    Operation::post(
        paths::RENDER,
        "renderMessage",
        "Show the mail that would be sent",
    )
    .with_description("For a mail merge, that of the first recipient. Nothing is handed over.")
    .with_query(query::RENDER)
    .with_answer("200", "The mail.", &mail)
}

fn health() -> Operation {
    let health = json_of(
        "Health",
        &json!({"status": "ok", "version": pmtaemail::VERSION}),
    );
    let failing = json!({
        "status": "pickup-unavailable", "cause": "read-only", "version": pmtaemail::VERSION,
    });
    Operation::get(paths::HEALTH, "health", "Whether messages are accepted")
        .with_description("Tries what a message needs, at most once per second.")
        .with_answer("200", "They are.", &health)
        .with_answer(
            "503",
            "They are not; `cause` says why.",
            &json_of("Health", &failing),
        )
}

fn live() -> Operation {
    let live = json_of(
        "Live",
        &json!({"status": "ok", "version": pmtaemail::VERSION}),
    );
    Operation::get(paths::LIVE, "live", "Whether the process responds")
        .with_answer("200", "It does.", &live)
}

fn ready() -> Operation {
    let ready = |keys: Value, status: &str| {
        let ok = json!({"status": "ok"});
        let checks = json!({"pickup": ok, "disk": ok, "depth": ok, "keys": keys});
        json!({"status": status, "version": pmtaemail::VERSION, "checks": checks})
    };
    let good = ready(json!({"status": "ok"}), "ok");
    let failing = ready(json!({"status": "failed", "cause": "full"}), "unready");
    Operation::get(
        paths::READY,
        "ready",
        "Whether everything that messages need is available",
    )
    .with_answer("200", "It is.", &json_of("Ready", &good))
    .with_answer("503", "Some checks failed.", &json_of("Ready", &failing))
}

fn metrics() -> Operation {
    let text = json!({"schema": {"type": "string"}});
    Operation::get(paths::METRICS, "metrics", "Metrics for Prometheus")
        .with_description("OpenMetrics 1.0 where `Accept` names it, else the text format 0.0.4.")
        .with_answer(
            "200",
            "All metrics.",
            &json!({"text/plain": text, "application/openmetrics-text": text}),
        )
}

fn openapi() -> Operation {
    Operation::get(paths::OPENAPI, "openapi", "This description").with_answer(
        "200",
        "OpenAPI 3.1.",
        &json!({"application/json": {"schema": {"type": "object"}}}),
    )
}

#[cfg(feature = "docs-page")]
fn docs() -> Operation {
    let page =
        json!({"text/html": {"schema": {"type": "string", "contentMediaType": "text/html"}}});
    Operation::get(paths::DOCS, "docs", "This description as a web page")
        .with_description("A page that needs no script and no network.")
        .with_answer("200", "The page.", &page)
}

fn json_of(schema: &str, example: &Value) -> Value {
    json!({"application/json": {
        "schema": {"$ref": format!("#/components/schemas/{schema}")},
        "examples": {"example": {"value": example}},
    }})
}

fn lines(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// Values as lines of JSON.
fn as_lines(values: &[Value]) -> String {
    let lines = values.iter().map(|value| format!("{value}\n"));
    lines.collect()
}

fn example_receipt() -> Value {
    let id = example_id();
    json!({
        "id": id, "messageId": format!("{id}@example.com"), "files": [format!("{id}.eml")], "recipients": 1, "octets": 385,
    })
}

fn example_message() -> Value {
    json!({
        "from": "Shop <shop@example.com>", "to": "ann@example.org", "subject": "Your order", "text": "Thank you!",
    })
}

/// A message in each accepted format.
fn message_body() -> Value {
    let message = json!({"$ref": "#/components/schemas/Message"});
    let example = example_message();
    let template = json!({
        "from": "Shop <shop@example.com>", "subject": "{{ name }}, your order", "text": "Thank you, {{ name }}!", "template": "merge",
    });
    let recipient = json!({"address": "ann@example.org", "variables": {"name": "Ann"}});
    let mut merge = template.clone();
    merge["recipients"] = json!([recipient]);
    let merge_lines = as_lines(&[template.clone(), recipient]);
    let mail = "From: Shop <shop@example.com>\r\nTo: ann@example.org\r\nSubject: Your order\r\n\r\nThank you!\r\n";
    json!({
        "application/json": {
            "schema": message,
            "examples": {
                "message": {"summary": "One message.", "value": example},
                "recipients": {"summary": "A mail merge: each recipient gets a message of their own.", "value": merge},
            },
        },
        LINES[0]: {
            "schema": lines("The message (`Message`), then a recipient (`Recipient`) a line."),
            "examples": {"merge": {"value": merge_lines}},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "message": message,
                    "recipients": {
                        "type": "string", "contentMediaType": "text/csv", "description": "A table of recipients.",
                    },
                },
                // Clients do not agree on how a backslash is written.
                "propertyNames": {"pattern": r"^[^\x00-\x1f\x7f\\]*$"},
                "additionalProperties": {
                    "type": "string", "contentMediaType": "application/octet-stream",
                    "description": "A file, which an attachment takes by the name of its `part`.",
                },
                "required": ["message"],
            },
            "encoding": {
                "message": {"contentType": "application/json"},
                "recipients": {"contentType": "text/csv"},
            },
            "examples": {"merge": {"value": {"message": template, "recipients": "address,name\r\nann@example.org,Ann\r\n"}}},
        },
        "message/rfc822": {
            "schema": {
                "type": "string", "contentMediaType": "message/rfc822",
                "description": "A finished message, which is sent as it is; its envelope may stand in the query.",
            },
            "examples": {"mail": {"value": mail}},
        },
    })
}

impl Operation {
    /// An operation that reports the state of the daemon.
    fn get(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            path,
            method: "get",
            id,
            tag: "Operation",
            summary,
            description: summary,
            query: &[],
            has_envelope: false,
            has_idempotency_key: false,
            body: None,
            answers: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// An operation that takes a message.
    fn post(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method: "post",
            tag: "Messages",
            has_envelope: true,
            body: Some(message_body()),
            errors: errors::of_messages(),
            ..Self::get(path, id, summary)
        }
    }

    fn with_description(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }

    fn with_query(self, query: &'static [Name]) -> Self {
        Self { query, ..self }
    }

    fn with_answer(mut self, status: &'static str, description: &str, content: &Value) -> Self {
        let answer = json!({
            "description": description,
            "headers": {"X-Request-Id": reference("X-Request-Id")},
            "content": content,
        });
        self.answers.push((status, answer));
        self
    }

    fn with_errors(mut self, errors: Vec<ApiError>) -> Self {
        self.errors.extend(errors);
        self
    }

    /// The parameters of its query and its head.
    pub fn parameters(&self) -> Vec<Value> {
        let mut parameters: Vec<_> = self.query.iter().copied().map(query_parameter).collect();
        if self.has_envelope {
            parameters.push(json!({
                "name": "envelope", "in": "query", "style": "form", "explode": true,
                "description": "Only with message/rfc822: envelope fields by their JSON names, one \
                                query parameter each, with a dot before a member (`sender`, `to`, `job`, `dsn.notify`); several of a name make a list.",
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
                "examples": {"envelope": {"value": {"sender": "bounce@example.com", "to": "ann@example.org"}}},
            }));
        }
        if self.has_idempotency_key {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header",
                "description": "Within 24 hours, the same request with the same key gets the first response and is not submitted again.",
                "schema": {"type": "string", "pattern": "^[ -~]{1,255}$"},
            }));
        }
        parameters.push(json!({
            "name": "X-Request-Id", "in": "header",
            "description": "Identifies the request in the log and in its response: 1 to 128 printable ASCII characters without \
                            spaces; anything else is replaced.",
            "schema": {"type": "string"},
        }));
        parameters.push(json!({
            "name": "traceparent", "in": "header",
            "description": "The trace that the request belongs to (W3C Trace Context); an invalid value is ignored.",
            "schema": {"type": "string"},
        }));
        parameters
    }

    /// Its answers by their status.
    pub fn responses(self) -> Map<String, Value> {
        let mut errors = errors::of_any();
        if !paths::is_open(self.path) {
            errors.extend(errors::of_keys());
        }
        if self.body.is_some() {
            errors.extend(errors::of_bodies());
        }
        errors.extend(self.errors);
        let mut responses = errors::responses(errors);
        for (status, answer) in self.answers {
            responses.insert(status.to_owned(), answer);
        }
        responses
    }
}

fn query_parameter(name: Name) -> Value {
    let (description, schema) = match name {
        Name::Recipient => (
            "The recipient of a mail merge to use, counted from 1: only that one.",
            json!({"type": "integer", "minimum": 1, "maximum": usize::MAX}),
        ),
        Name::Limit => (
            "Only the first so many recipients of a mail merge; cannot be combined with `recipient`.",
            json!({"type": "integer", "minimum": 1, "maximum": usize::MAX}),
        ),
        Name::Atomic => (
            "All messages are handed over, or none.",
            json!({"type": "boolean", "default": false}),
        ),
        Name::Warnings => (
            "Adds `warnings` to receipts: what is allowed but may be a mistake.",
            json!({"type": "boolean", "default": false}),
        ),
        Name::Strict => (
            "Treats warnings as problems.",
            json!({"type": "boolean", "default": false}),
        ),
    };
    json!({"name": name.as_str(), "in": "query", "description": description, "schema": schema})
}
