//! `GET /docs`: the description of the daemon as a page for people, made from the same document. It consists of HTML
//! and a style sheet only: no script, and nothing from another host, so that it works without a network.
//!
//! ```text
//! mod              the page and its answer
//!   operations     each path: its query, bodies, examples and answers
//!   schemas        each object: its fields
//!   problems       each answer that is an error
//!     operation    what can be asked for, as the document lists it
//!     html         what is text and what is markup
//! ```

mod html;
mod operation;
mod operations;
mod problems;
mod schemas;

use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::query::refuse_any;
use super::document;
use axum::Extension;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use html::{Page, Prose, Text, text_of};
use problems::Problems;
use serde_json::Value;
use std::sync::LazyLock;

const STYLE: &str = include_str!("style.css");

/// What the page may do: be shown, with its one style sheet. A test holds the sum against `STYLE`.
const POLICY: &str = "default-src 'none'; style-src 'sha256-MP0ja9QgH9S2MzCNv21bhO7hVTDOW6sWzKS3dcDQP9Q='; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /docs`.
pub async fn docs(Extension(log): Extension<RequestLog>, uri: Uri) -> Result<Response, ApiError> {
    static PAGE: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(page(&document())));
    refuse_any(&uri, &log)?;
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let head = head.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((head, PAGE.clone()).into_response())
}

fn page(document: &Value) -> String {
    let mut page = Page::default();
    head(&mut page, document);
    contents(&mut page, document);
    page.put("<main id=\"main\">");
    for tag in document["tags"].as_array().into_iter().flatten() {
        operations::write(&mut page, document, tag);
    }
    schemas::write(&mut page, document);
    Problems::of(document).write(&mut page);
    page.put("</main></div></body></html>\n");
    page.into_string()
}

fn head(page: &mut Page, document: &Value) {
    let info = &document["info"];
    let (title, version) = (text_of(&info["title"]), text_of(&info["version"]));
    page.put(format_args!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} {}: HTTP API</title><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">Skip to the content</a>\n",
        Text(title),
        Text(version),
    ));
    page.put(format_args!(
        "<header><h1>{} <small>{}</small></h1><p>{}</p><p>{}</p>\
         <p>For programs: <a href=\"openapi.json\">openapi.json</a>, of which client libraries can be made.</p></header>\n",
        Text(title),
        Text(version),
        Prose(text_of(&info["summary"])),
        Prose(text_of(&info["description"])),
    ));
}

fn contents(page: &mut Page, document: &Value) {
    page.put("<div class=\"columns\"><nav aria-label=\"Contents\">");
    for tag in document["tags"].as_array().into_iter().flatten() {
        page.put(format_args!("<h2>{}</h2><ul>", Text(text_of(&tag["name"]))));
        for operation in operation::of_tag(document, tag) {
            page.put(format_args!(
                "<li><a href=\"#{}\">{} <code>{}</code></a>",
                Text(operation.id()),
                Text(&operation.method.to_uppercase()),
                Text(operation.path),
            ));
        }
        page.put("</ul>");
    }
    page.put("<h2>Objects</h2><ul class=\"names\">");
    for name in schemas::names(document) {
        page.put(format_args!("<li><a href=\"#{0}\">{0}</a>", Text(name)));
    }
    page.put("</ul><h2>Errors</h2><ul><li><a href=\"#problems\">Problems</a></ul></nav>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The values of an attribute, in order.
    fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
        let start = format!(" {attribute}=\"");
        (page.split(&start).skip(1))
            .map(|rest| rest.split('"').next().expect("split gives one"))
            .collect()
    }

    #[test]
    fn each_link_leads_somewhere() {
        let document = document();
        let page = page(&document);
        let all = values(&page, "id");
        let ids: BTreeSet<_> = all.iter().copied().collect();
        assert_eq!(all.len(), ids.len(), "each id stands once");
        for link in values(&page, "href") {
            let is_there = link.strip_prefix('#').is_some_and(|id| ids.contains(id));
            assert!(is_there || link == "openapi.json", "{link}");
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let paths = document["paths"].as_object().unwrap();
        let methods = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let operations = methods.map(|operation| text_of(&operation["operationId"]));
        for id in schemas.keys().map(String::as_str).chain(operations) {
            assert!(ids.contains(id), "{id}");
        }
    }
}
