//! What bodies and answers look like.

use pmtaemail::Code;
use serde_json::{Map, Value, json};

/// All schemas by their names: those of a message are core's.
pub fn schemas() -> Map<String, Value> {
    let mut message = pmtaemail::schema();
    let members = message.as_object_mut().expect("a schema is an object");
    members.remove("$schema");
    let definitions = members.remove("$defs");
    let Some(Value::Object(mut schemas)) = definitions else {
        unreachable!("it has definitions")
    };
    let mut of_batch = message.clone();
    of_batch["title"] = "BatchMessage".into();
    of_batch["description"] = "One message of a batch.".into();
    of_batch["properties"]["idempotencyKey"] = json!({
        "type": "string", "pattern": "^[ -~]{1,255}$",
        "description": "The same message with the same key is not submitted again within 24 hours. Not allowed in an atomic \
                        batch.",
    });
    schemas.insert("Message".to_owned(), message);
    schemas.insert("BatchMessage".to_owned(), of_batch);
    schemas.values_mut().for_each(refer_to_components);
    for (name, schema) in answers() {
        schemas.insert(name.to_owned(), schema);
    }
    schemas
}

/// A schema's own definitions are the document's.
fn refer_to_components(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                *reference = reference.replace("#/$defs/", "#/components/schemas/");
            }
            members.values_mut().for_each(refer_to_components);
        }
        Value::Array(elements) => elements.iter_mut().for_each(refer_to_components),
        _ => {}
    }
}

fn answers() -> [(&'static str, Value); 11] {
    [
        ("Receipt", receipt()),
        ("Rejected", rejected()),
        ("Checked", checked()),
        ("Warning", warning()),
        ("Problem", problem()),
        ("ProblemEntry", problem_entry()),
        ("ProblemCode", problem_code()),
        ("Health", health()),
        ("Live", live()),
        ("Ready", ready()),
        ("ReadyCheck", ready_check()),
    ]
}

fn object(description: &str, required: &[&str], properties: &Value) -> Value {
    json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn receipt() -> Value {
    object(
        "The receipt of a message that is handed over.",
        &["id", "files", "recipients", "octets"],
        &json!({
            "id": {"type": "string", "description": "Unique, and sorts by time: the name of its files, and its envelope id where it gives none."},
            "messageId": {"type": "string", "description": "The Message-ID without angle brackets; a mail merge has one for each recipient."},
            "files": {"type": "array", "items": {"type": "string"}, "description": "The names of the files in the pickup directory."},
            "recipients": {"type": "integer", "minimum": 0, "description": "How many different recipients."},
            "seeds": {"type": "integer", "minimum": 0, "description": "How many different seeds, where there are some."},
            "octets": {"type": "integer", "minimum": 0, "description": "The size of all files, in bytes."},
            "replayed": {"const": true, "description": "In a batch: it was submitted before under its idempotencyKey."},
            "envids": {
                "type": "array", "items": {"type": ["string", "null"]},
                "description": "The envelope ids of a mail merge's recipients; null where the message gives one.",
            },
            "rejected": {
                "type": "array", "items": {"$ref": "#/components/schemas/Rejected"},
                "description": "Recipients who get nothing, with `invalidRecipients: skip`.",
            },
            "warnings": {
                "type": "array", "items": {"$ref": "#/components/schemas/Warning"},
                "description": "What may be a mistake, if `warnings` asks for it.",
            },
        }),
    )
}

fn rejected() -> Value {
    object(
        "A recipient of a mail merge who gets nothing, with `invalidRecipients: skip`.",
        &["index", "pointer", "code"],
        &json!({
            "index": {"type": "integer", "minimum": 0, "description": "Whose: the place in `recipients`, from 0."},
            "pointer": pointer(),
            "code": code(),
        }),
    )
}

fn checked() -> Value {
    object(
        "A valid message.",
        &["problems"],
        &json!({
            "problems": {"type": "array", "maxItems": 0, "items": false},
            "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Warning"}},
            "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/Rejected"}},
        }),
    )
}

fn warning() -> Value {
    object(
        "What may be a mistake.",
        &["code", "pointer", "detail"],
        &json!({
            "code": code(),
            "pointer": pointer(),
            "detail": {"type": "string"},
        }),
    )
}

fn problem() -> Value {
    object(
        "Problem details (RFC 9457).",
        &["type", "title", "status"],
        &json!({
            "type": {"type": "string", "format": "uri", "description": "A stable name, or about:blank if the status says \
                                                                        everything."},
            "title": {"type": "string", "description": "What the type is, in words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the answer, or of this line of a batch."},
            "cause": {"type": "string", "description": "Which of several reasons it is: a stable word."},
            "detail": {"type": "string", "description": "What is wrong, and what to do."},
            "id": {"type": "string", "description": "The submission's, where PowerMTA may have it."},
            "errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/ProblemEntry"}, "description": "What is wrong with the message."},
            "total": {"type": "integer", "minimum": 1, "description": "How many problems there are, if `errors` does not \
                                                                       list all of them."},
            "line": {"type": "integer", "minimum": 1, "description": "In a batch: the line of the message."},
            "index": {"type": "integer", "minimum": 0, "description": "In a batch: the index of the message."},
        }),
    )
}

fn problem_entry() -> Value {
    object(
        "One problem of a message.",
        &["code", "pointer", "detail"],
        &json!({
            "code": code(),
            "pointer": {"type": "string", "pattern": "^#", "description": "A JSON Pointer (RFC 6901) as a URI fragment."},
            "detail": {"type": "string", "description": "One sentence, which never quotes a value of the message."},
        }),
    )
}

fn problem_code() -> Value {
    let codes = Code::ALL
        .iter()
        .map(|code| json!({"const": code.as_str(), "description": code.meaning()}));
    json!({
        "type": "string",
        "oneOf": codes.collect::<Vec<_>>(),
        "description": "What is wrong: a stable word. More may be added later.",
    })
}

fn code() -> Value {
    json!({"$ref": "#/components/schemas/ProblemCode"})
}

fn pointer() -> Value {
    json!({"type": "string", "description": "A JSON Pointer (RFC 6901)."})
}

fn health() -> Value {
    let count = json!({"type": ["integer", "null"], "minimum": 0});
    let pickup = object(
        "What is in the pickup directory and on its file system, of that which options ask to watch.",
        &[],
        &json!({"files": count, "ageSeconds": count, "freeOctets": count, "freeInodes": count}),
    );
    let badmail = object(
        "What is in the folder for bad mail, and what came there since the start.",
        &["files", "arrived"],
        &json!({"files": count, "arrived": {"type": "integer", "minimum": 0}}),
    );
    object(
        "Whether messages are accepted.",
        &["status", "version"],
        &json!({
            "status": {"enum": ["ok", "pickup-unavailable", "back-pressure", "busy"]},
            "cause": {"type": "string", "description": "A frozen word."},
            "version": {"type": "string"},
            "pickup": pickup,
            "badmail": badmail,
        }),
    )
}

fn live() -> Value {
    object(
        "The process answers.",
        &["status", "version"],
        &json!({"status": {"const": "ok"}, "version": {"type": "string"}}),
    )
}

fn ready() -> Value {
    let check = json!({"$ref": "#/components/schemas/ReadyCheck"});
    let names = ["pickup", "disk", "depth", "keys"];
    let checks = object(
        "Each check by its name.",
        &names,
        &names
            .map(|name| (name, check.clone()))
            .into_iter()
            .collect(),
    );
    object(
        "Whether everything that messages need is available.",
        &["status", "version", "checks"],
        &json!({
            "status": {"enum": ["ok", "unready"]},
            "version": {"type": "string"},
            "checks": checks,
        }),
    )
}

fn ready_check() -> Value {
    object(
        "What one check found.",
        &["status"],
        &json!({
            "status": {"enum": ["ok", "failed"]},
            "cause": {"type": "string", "description": "A frozen word."},
        }),
    )
}
