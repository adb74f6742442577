//! What can be asked for, as the document lists it.

use super::html::text_of;
use serde_json::Value;

/// One path with one method.
pub struct Operation<'d> {
    pub path: &'d str,
    pub method: &'d str,
    pub described: &'d Value,
}

impl<'d> Operation<'d> {
    /// Its name in links.
    pub fn id(&self) -> &'d str {
        text_of(&self.described["operationId"])
    }
}

/// All of them.
pub fn all(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, described)| Operation {
            path,
            method,
            described,
        })
    })
}

/// Those under one tag.
pub fn of_tag<'d>(document: &'d Value, tag: &'d Value) -> impl Iterator<Item = Operation<'d>> {
    all(document).filter(|operation| operation.described["tags"][0] == tag["name"])
}
