//! The identifiers of each recipient of a mail merge, created on access.

use crate::outcome::to_json;
use napi::Error;
use napi::bindgen_prelude::{External, Result};
use napi_derive::napi;
use pmtaemail::{EnvelopeIds, RecipientReceipt, RecipientReceipts};
use std::io;

/// How many are passed at once: a call costs as much as several of them.
const AT_ONCE: usize = 1_000;

/// The outcomes of the messages of one call.
#[napi(object, object_from_js = false)]
pub struct Submitted {
    /// One for each, as a JSON array.
    pub outcomes: String,
    /// The identifiers of each mail merge that was submitted.
    pub recipients: Vec<External<EnvelopeIds>>,
}

impl From<(String, Vec<EnvelopeIds>)> for Submitted {
    fn from((outcomes, recipients): (String, Vec<EnvelopeIds>)) -> Self {
        Self {
            outcomes,
            recipients: recipients.into_iter().map(External::new).collect(),
        }
    }
}

/// The next recipients, as a JSON array; it is empty after the last.
pub fn next(receipts: &mut RecipientReceipts) -> Result<String> {
    let some: io::Result<Vec<RecipientReceipt>> = receipts.take(AT_ONCE).collect();
    to_json(&some.map_err(|error| Error::from_reason(error.to_string()))?)
}
