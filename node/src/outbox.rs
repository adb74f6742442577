//! What was submitted to a pickup in memory, and what a test captures. JavaScript calls these functions too.

use crate::outcome::to_json;
use napi::bindgen_prelude::{Buffer, External, Result};
use napi::{Error, Status};
use napi_derive::napi;
use pmtaemail::outbox::{Capture, Pickup, SentMessage, UnreadableFile};
use pmtaemail::{PickupDirectory, PickupError};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

thread_local! {
    /// The captures that this JavaScript thread began, newest last. They end with the thread at the latest.
    static CAPTURES: RefCell<Vec<Capture>> = const { RefCell::new(Vec::new()) };
}

/// Where a submission goes now. A capture affects the whole process, but a thread with a capture of its own is not
/// affected by others: test runners run test files in parallel threads.
pub fn destination(pickup: &Pickup) -> std::result::Result<Arc<PickupDirectory>, PickupError> {
    let of_thread =
        || CAPTURES.with_borrow(|captures| captures.last().map(Capture::directory).map(Arc::clone));
    match pickup.memory() {
        Some(memory) => Ok(Arc::clone(memory)),
        None => of_thread().map_or_else(|| pickup.directory(), Ok),
    }
}

/// From now on submissions go to this directory in memory.
#[napi(catch_unwind)]
pub fn begin_capture() -> External<Arc<PickupDirectory>> {
    let capture = Capture::begin();
    let directory = Arc::clone(capture.directory());
    CAPTURES.with_borrow_mut(|captures| captures.push(capture));
    External::new(directory)
}

/// Ends the capture; a second call does nothing.
#[napi(catch_unwind)]
pub fn end_capture(directory: &External<Arc<PickupDirectory>>) {
    let is_other = |capture: &Capture| !Arc::ptr_eq(capture.directory(), directory);
    CAPTURES.with_borrow_mut(|captures| captures.retain(is_other));
}

/// A directory in memory, and how many of its files were already reported.
pub struct Outbox {
    directory: Arc<PickupDirectory>,
    told: usize,
}

/// Messages that were submitted.
#[napi(object, object_from_js = false)]
pub struct Sent {
    /// A list in JSON.
    pub messages: String,
    /// For each message its bytes, followed by the contents of its attachments.
    pub contents: Vec<Buffer>,
}

/// Opens a directory in memory for reading.
#[napi(catch_unwind)]
pub fn open_outbox(directory: &External<Arc<PickupDirectory>>) -> External<Outbox> {
    External::new(Outbox {
        directory: Arc::clone(directory),
        told: 0,
    })
}

/// What was submitted since the last call. Nobody else clears the directory.
#[napi(catch_unwind)]
pub fn next_sent(outbox: &mut External<Outbox>) -> Result<Sent> {
    let files = outbox.directory.submitted_files();
    // All files of a submission appear at once, so none is half reported.
    let sent = sent(SentMessage::of(&files[outbox.told..]))?;
    outbox.told = files.len();
    Ok(sent)
}

/// The messages in a pickup file. `received` is when PowerMTA took it, in milliseconds since 1970.
#[napi(catch_unwind)]
pub fn sent_in_file(file: &[u8], received: f64) -> Result<Sent> {
    let since = Duration::try_from_secs_f64(received / 1_000.0);
    let since = since.map_err(|error| Error::new(Status::InvalidArg, error.to_string()))?;
    sent(SentMessage::in_file(file, SystemTime::UNIX_EPOCH + since))
}

fn sent(messages: std::result::Result<Vec<SentMessage>, UnreadableFile>) -> Result<Sent> {
    let messages = messages.map_err(|error| Error::from_reason(error.to_string()))?;
    Ok(Sent {
        messages: to_json(&messages)?,
        contents: messages.into_iter().flat_map(contents).collect(),
    })
}

/// Forgets what was submitted.
#[napi(catch_unwind)]
pub fn clear_outbox(outbox: &mut External<Outbox>) {
    outbox.directory.clear_submitted_files();
    outbox.told = 0;
}

fn contents(message: SentMessage) -> Vec<Buffer> {
    let attachments = message
        .mail
        .attachments()
        .map(|part| part.content.clone().into());
    let attachments: Vec<Buffer> = attachments.collect();
    [message.bytes.into()]
        .into_iter()
        .chain(attachments)
        .collect()
}
