//! The native addon of the Node package: messages in, bytes and outcomes out.
//!
//! A Node program uses `lib/`, which encodes messages for the [decoder] and turns outcomes into errors. Neither side
//! knows the fields of a message.

#![allow(
    clippy::needless_pass_by_value,
    reason = "Node-API hands strings over by value"
)]
#![allow(
    clippy::too_many_arguments,
    reason = "`lib/` gives each value by itself"
)]

#[cfg(feature = "bench")]
mod bench;
mod decoder;
mod messages;
pub mod outbox;
mod outcome;
mod pickup;
mod receipts;
mod task;
mod text;

use messages::Messages;
use napi::bindgen_prelude::{AsyncTask, BufferSlice, Either, External, Function, Result};
use napi::{Error, Status};
use napi_derive::napi;
use outcome::{Failure, Found, to_json};
use pmtaemail::outbox::Pickup;
use pmtaemail::{
    EnvelopeIds, GroupLimits, IdempotencyKey, InvalidIdempotencyKey, PickupDirectory,
    RecipientReceipts, Rendered,
};
use receipts::Submitted;
use std::sync::Arc;
use task::{RenderTask, SubmitTask};

/// The version of the core.
#[napi]
pub fn version() -> &'static str {
    pmtaemail::VERSION
}

/// The problems of a message as JSON, if it has any.
#[napi(catch_unwind)]
pub fn check(words: &[u32], text: &[u8], buffers: Vec<&[u8]>) -> Result<Option<String>> {
    let checked = Messages::new(words, text, buffers)?.only(|_| ())?;
    let problems = checked.err().map(Found::from);
    problems.map(|found| to_json(&found)).transpose()
}

/// The warnings of a message as JSON.
#[napi(catch_unwind)]
pub fn warnings(words: &[u32], text: &[u8], buffers: Vec<&[u8]>) -> Result<String> {
    to_json(&Messages::new(words, text, buffers)?.warnings()?)
}

/// The bytes of a message, or its problems as JSON. The bytes are written straight into a buffer of the right size that
/// `allocate` creates: copying large messages costs more than everything else. `recipient` selects a recipient of a
/// mail merge, counted from 1.
#[napi(catch_unwind)]
pub fn render<'env>(
    words: &[u32],
    text: &[u8],
    buffers: Vec<&[u8]>,
    allocate: Function<'env, i64, BufferSlice<'env>>,
    recipient: Option<i64>,
) -> Result<Either<BufferSlice<'env>, String>> {
    let write = |rendered: Rendered<'_>| -> Result<BufferSlice<'env>> {
        let size = i64::try_from(rendered.size());
        let too_long = |_| Error::from_reason("the message is too long");
        let mut memory = allocate.call(size.map_err(too_long)?)?;
        rendered.write_to(&mut memory);
        Ok(memory)
    };
    let messages = Messages::new(words, text, buffers)?.select(recipient, None)?;
    Ok(
        match messages.only(|message| message.with_rendered(write))? {
            Ok(memory) => Either::A(memory?),
            Err(problems) => Either::B(to_json(&Found::from(problems))?),
        },
    )
}

/// The same on another thread.
#[napi(catch_unwind)]
pub fn render_later(
    words: &[u32],
    text: &[u8],
    buffers: Vec<&[u8]>,
    recipient: Option<i64>,
) -> Result<AsyncTask<RenderTask>> {
    let messages = Messages::new(words, text, buffers)?.select(recipient, None)?;
    Ok(AsyncTask::new(RenderTask(messages.into_owned())))
}

/// A pickup directory; or, as JSON, why it cannot be opened.
#[napi(catch_unwind)]
pub fn open_pickup(
    path: String,
    durable: bool,
    staging: Option<String>,
    syncfs: bool,
    file_mode: Option<String>,
    file_group: Option<String>,
    state: Option<String>,
) -> Result<Either<External<Pickup>, String>> {
    let wrong = |sentence: &str| Error::new(Status::InvalidArg, sentence);
    let file_mode = file_mode
        .map(|text| text.parse())
        .transpose()
        .map_err(wrong)?;
    let file_group = file_group
        .map(|text| text.parse())
        .transpose()
        .map_err(wrong)?;
    Ok(
        match pickup::open(path, durable, staging, syncfs, file_mode, file_group, state) {
            Ok(pickup) => Either::A(External::new(pickup)),
            Err(failure) => Either::B(to_json(&failure)?),
        },
    )
}

/// A pickup in memory.
#[napi(catch_unwind)]
pub fn open_memory() -> External<Pickup> {
    External::new(Pickup::in_memory())
}

/// The absolute path of the directory.
#[napi(catch_unwind)]
pub fn pickup_path(pickup: &External<Pickup>) -> String {
    pickup.path().to_string_lossy().into_owned()
}

/// Where a submission goes now; or, as JSON, why that cannot be opened.
#[napi(catch_unwind)]
pub fn destination(
    pickup: &External<Pickup>,
) -> Result<Either<External<Arc<PickupDirectory>>, String>> {
    Ok(match outbox::destination(pickup) {
        Ok(directory) => Either::A(External::new(directory)),
        Err(error) => Either::B(to_json(&Failure::from(&error))?),
    })
}

/// Its absolute path; `:memory:` for one in memory.
#[napi(catch_unwind)]
pub fn destination_path(directory: &External<Arc<PickupDirectory>>) -> String {
    directory.path().to_string_lossy().into_owned()
}

/// Whether a submission goes there now.
#[napi(catch_unwind)]
pub fn is_destination(
    pickup: &External<Pickup>,
    directory: &External<Arc<PickupDirectory>>,
) -> bool {
    outbox::destination(pickup).is_ok_and(|now| Arc::ptr_eq(&now, directory))
}

/// The limits for `lib/group.js`: messages and bytes of a group, and groups at a time.
#[napi(catch_unwind)]
pub fn group_limits() -> (u32, u32, u32) {
    let GroupLimits {
        messages,
        size,
        groups,
        ..
    } = GroupLimits::get();
    (messages, size, groups)
}

/// The fields that may be asynchronous iterables.
#[napi(catch_unwind)]
pub fn iterable_fields() -> Vec<&'static str> {
    pmtaemail::iterable_fields().collect()
}

/// Submits messages; one outcome for each. `recipient` or `limit` selects recipients of each, which are mail merges.
/// With a key, each of them is submitted unless it already was. `warns` requests warnings in their receipts.
#[napi(catch_unwind)]
pub fn submit(
    directory: &External<Arc<PickupDirectory>>,
    words: &[u32],
    text: &[u8],
    buffers: Vec<&[u8]>,
    recipient: Option<i64>,
    limit: Option<i64>,
    key: Option<String>,
    warns: Option<bool>,
) -> Result<Submitted> {
    let messages = Messages::new(words, text, buffers)?.select(recipient, limit)?;
    let messages = messages.with_warnings(warns.unwrap_or(false));
    Ok(pickup::submit(directory, &messages, parsed(key)?)?.into())
}

/// The same on another thread.
#[napi(catch_unwind)]
pub fn submit_later(
    directory: &External<Arc<PickupDirectory>>,
    words: &[u32],
    text: &[u8],
    buffers: Vec<&[u8]>,
    recipient: Option<i64>,
    limit: Option<i64>,
    key: Option<String>,
    warns: Option<bool>,
) -> Result<AsyncTask<SubmitTask>> {
    let messages = Messages::new(words, text, buffers)?.select(recipient, limit)?;
    let messages = messages.with_warnings(warns.unwrap_or(false));
    let directory = Arc::clone(directory);
    Ok(AsyncTask::new(SubmitTask {
        directory,
        messages: messages.into_owned(),
        key: parsed(key)?,
    }))
}

fn parsed(key: Option<String>) -> Result<Option<IdempotencyKey>> {
    let key = key.map(|key| key.parse());
    key.transpose()
        .map_err(|error: InvalidIdempotencyKey| Error::new(Status::InvalidArg, error.to_string()))
}

/// The identifiers of the recipients of a mail merge, starting with the first.
#[napi(catch_unwind)]
pub fn recipient_receipts(ids: &External<EnvelopeIds>) -> External<RecipientReceipts> {
    External::new(ids.recipient_receipts())
}

/// The next few, as a JSON array.
#[napi(catch_unwind)]
pub fn next_receipts(known: &mut External<RecipientReceipts>) -> Result<String> {
    receipts::next(known)
}
