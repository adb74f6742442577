//! What each recipient of a mail merge is known by, made when it is asked for.

use crate::outcome::to_json;
use napi::Error;
use napi::bindgen_prelude::{External, Result};
use napi_derive::napi;
use pmtaemail::{EnvelopeIds, RecipientReceipt, RecipientReceipts};
use std::io;

/// How many cross the border at once: a call costs as much as some of them.
const AT_ONCE: usize = 1_000;

/// What became of the messages of one call.
#[napi(object, object_from_js = false)]
pub struct Submitted {
    /// One for each, as a JSON list.
    pub outcomes: String,
    /// The ids of each mail merge that was submitted.
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

/// The next recipients, as a JSON list; none are after the last.
pub fn next(receipts: &mut RecipientReceipts) -> Result<String> {
    let some: io::Result<Vec<RecipientReceipt>> = receipts.take(AT_ONCE).collect();
    to_json(&some.map_err(|error| Error::from_reason(error.to_string()))?)
}
