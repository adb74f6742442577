//! The description of the daemon for programs (OpenAPI 3.1). It is made from what the daemon itself goes by:
//!
//! ```text
//! mod              the document
//!   page           the same for people (the cargo feature `docs-page`)
//!   operations     what can be asked for: paths, queries, bodies, answers
//!     errors       the answers that are errors, by making each of them once
//!   schemas        the message, from core's table of fields; receipts and problems
//! ```

mod errors;
mod operations;
#[cfg(feature = "docs-page")]
mod page;
mod schemas;

use super::error::ApiError;
use super::log::RequestLog;
use super::paths::is_open;
use super::query::refuse_any;
use axum::Extension;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use operations::{Operation, operations};
#[cfg(feature = "docs-page")]
pub use page::docs;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        let method = operation.method;
        path[method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "pmtaemail",
            "version": pmtaemail::VERSION,
            "summary": "Submit mail to PowerMTA with JSON instead of SMTP and MIME.",
            "description": "A body may be compressed (`Content-Encoding`: gzip, deflate, zstd). Every answer has `X-Request-Id`, \
                            that of the request where it had one, and errors are problem details (RFC 9457).",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This daemon."}],
        "tags": [
            {"name": "Messages", "description": "Hand over messages and mail merges to PowerMTA."},
            {"name": "Operation", "description": "For monitoring and orchestration."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::schemas(),
            "headers": headers(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access key, if the daemon is configured \
                                                                               with any."},
                "basic": {"type": "http", "scheme": "basic", "description": "An access key as the password; the user name is ignored."},
            },
        },
    })
}

fn described(operation: Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": operation.parameters(),
        // Without keys nothing is asked for.
        "security": if is_open(operation.path) {
            json!([])
        } else {
            json!([{}, {"bearer": []}, {"basic": []}])
        },
    });
    if let Some(body) = &operation.body {
        described["requestBody"] = json!({"required": true, "content": body});
    }
    described["responses"] = operation.responses().into();
    described
}

fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "Names the request in the log.",
            "required": true,
            "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        },
        "Idempotent-Replayed": {
            "description": "The message was already submitted with the same Idempotency-Key and was not submitted again.",
            "schema": {"const": "true"},
        },
        "Retry-After": {
            "description": "Number of seconds after which to retry the request.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {
            "description": "How to send an access key.",
            "schema": {"type": "string"},
        },
        "Accept-Encoding": {
            "description": "The supported content codings.",
            "schema": {"type": "string"},
        },
    })
}

/// `GET /openapi.json`.
pub async fn openapi(
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Result<Response, ApiError> {
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| Bytes::from(document().to_string().into_bytes()));
    refuse_any(&uri, &log)?;
    let media_type = [(header::CONTENT_TYPE, "application/json")];
    Ok((media_type, DOCUMENT.clone()).into_response())
}

#[cfg(test)]
mod tests {
    use super::super::paths;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_path_is_described() {
        let document = document();
        let described: BTreeSet<_> = document["paths"].as_object().unwrap().keys().collect();
        let all: BTreeSet<_> = paths::ALL.iter().copied().collect();
        assert!(described.into_iter().eq(all));
    }

    #[test]
    #[cfg(feature = "docs-page")]
    fn each_route_is_a_path_that_is_described() {
        let source = include_str!("../routes.rs");
        let (router, _) = source.split_once("#[cfg(test)]").expect("it has tests");
        assert_eq!(router.matches(".route(paths::").count(), paths::ALL.len());
        // One more: /messages/ is /messages.
        assert_eq!(router.matches(".route(").count(), paths::ALL.len() + 1);
    }

    #[test]
    fn every_reference_exists() {
        fn references<'v>(value: &'v Value, all: &mut Vec<&'v str>) {
            match value {
                Value::Object(members) => {
                    all.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|value| references(value, all));
                }
                Value::Array(elements) => elements.iter().for_each(|value| references(value, all)),
                _ => {}
            }
        }
        let document = document();
        let mut all = Vec::new();
        references(&document, &mut all);
        assert!(all.len() > 100);
        for reference in all {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }
}
