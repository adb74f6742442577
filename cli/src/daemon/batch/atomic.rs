//! A batch whose messages are submitted together or not at all.

use super::super::admission::{InFlight, Receiving};
use super::super::blocking::run_blocking;
use super::super::body::BodyLimits;
use super::super::coding::DecodedBody;
use super::super::error::ApiError;
use super::super::log::{BatchLog, Ending};
use super::super::memory::{needed, needed_for_json};
use super::super::receipt::in_pieces;
use super::super::state::Daemon;
use super::{Batch, answer, result_pieces};
use axum::http::StatusCode;
use axum::response::Response;
use pmtaemail::{AtomicBatch, BatchEntry, BatchOutcome, SubmitError};
use std::sync::Arc;
use tokio::time::timeout;

/// Each piece of this size has its time, and leaves memory once it is there.
const PIECE: usize = 1 << 20;

/// Answers with the receipts of all messages, or with the problems of some.
pub async fn submit(daemon: Arc<Daemon>, batch: Batch) -> Result<Response, ApiError> {
    let Batch {
        format,
        mut body,
        mut receiving,
        mut log,
        permits,
        submitter,
        warns,
    } = batch;
    let gives_way = receiving.gives_way();
    let waiting = AtomicBatch::new(format, daemon.body.bytes)
        .with_submitter(submitter)
        .with_warnings(warns);
    let received = tokio::select! {
        biased;
        received = receive(&daemon, waiting, &mut body, &mut receiving) => received,
        () = gives_way => Err(ApiError::GaveWay),
    };
    let admitted = received.and_then(|waiting| {
        // The body may have taken a while.
        daemon.back_pressure.check()?;
        Ok((waiting, receiving.at_work()?))
    });
    let failed = |error: &ApiError, log: &BatchLog| log.end(error.status(), Ending::Failed(error));
    let (waiting, mut in_flight) = admitted.inspect_err(|error| failed(error, &log))?;
    let submitted = run_blocking(move || {
        let submitted = submit_all(&daemon, waiting, &mut in_flight, &mut log);
        drop((in_flight, permits));
        let outcome = submitted.inspect_err(|error| failed(error, &log))?;
        let status = if outcome.is_submitted {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        log.end(status, Ending::Whole);
        Ok(answer(status, in_pieces(outcome.results)))
    });
    // After a panic it is unknown whether they were submitted.
    submitted.await.map_err(|_panic| ApiError::UNKNOWN)?
}

/// Receives the complete body, most of which is kept on the file system of the pickup directory.
async fn receive(
    daemon: &Arc<Daemon>,
    mut waiting: AtomicBatch,
    body: &mut DecodedBody,
    receiving: &mut Receiving,
) -> Result<AtomicBatch, ApiError> {
    let limits = daemon.body;
    loop {
        let piece = read_piece(limits, &mut waiting, body, receiving);
        let is_all = timeout(limits.time, piece)
            .await
            .unwrap_or(Err(ApiError::BodyTimeout))?;
        if is_all {
            return Ok(waiting);
        }
        let daemon = Arc::clone(daemon);
        let flush = move || {
            waiting.feed(&[], Some(&daemon.pickup))?;
            Ok::<_, SubmitError>(waiting)
        };
        receiving.set_at_work(true);
        waiting = run_blocking(flush).await??;
        receiving.set_at_work(false);
        receiving.shrink_to(needed(waiting.buffered()) + body.memory());
    }
}

/// Reads until something must leave memory, or the body ends. Returns whether it ended.
async fn read_piece(
    limits: BodyLimits,
    waiting: &mut AtomicBatch,
    body: &mut DecodedBody,
    receiving: &mut Receiving,
) -> Result<bool, ApiError> {
    while waiting.buffered() < PIECE {
        let Some(bytes) = body.next().await? else {
            return Ok(true);
        };
        if waiting.size() + bytes.len() as u64 > limits.max_streamed() as u64 {
            let limit = limits.max_streamed();
            return Err(ApiError::TooLarge { limit });
        }
        waiting.feed(&bytes, None)?;
        receiving
            .grow_to(needed(waiting.buffered()) + body.memory())
            .await?;
    }
    Ok(false)
}

fn submit_all(
    daemon: &Daemon,
    waiting: AtomicBatch,
    in_flight: &mut InFlight,
    log: &mut BatchLog,
) -> Result<BatchOutcome, ApiError> {
    let mut is_no_batch = false;
    let mut no_memory = None;
    // They are read one after the other, and none of them stays in memory.
    let admit = |entry: &BatchEntry| {
        let values = entry.json().map_or(0, needed_for_json);
        let admitted = in_flight.grow_to(needed(entry.size()).saturating_add(values));
        admitted.map_err(|error| no_memory = Some(error)).is_ok()
    };
    let outcome = waiting.submit_while(&daemon.pickup, admit, |position, result, lines| {
        let result = result.map_err(ApiError::from);
        is_no_batch |= matches!(result, Err(ApiError::NotAnArray));
        log.message(position, result.as_ref());
        result_pieces(position, result).try_for_each(|piece| lines.write_all(&piece))
    })?;
    if let Some(error) = no_memory {
        return Err(error);
    }
    if is_no_batch {
        return Err(ApiError::NotAnArray);
    }
    Ok(outcome)
}
