//! A batch, message by message: each is submitted as soon as it arrives, together with those that arrived meanwhile.

use super::super::admission::{InFlight, Receiving};
use super::super::coding::DecodedBody;
use super::super::error::ApiError;
use super::super::log::{BatchLog, Ending};
use super::super::memory::needed;
use super::super::state::Daemon;
use super::client_time::ClientTime;
use super::next_group::NextGroup;
use super::output::{Gone, Output, channel};
use super::{Batch, answer};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use pmtaemail::{BatchEntry, BatchReader, Position, Receipt, Submitter};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};

/// While one group is synced the next one is rendered and written.
const GROUPS: usize = 2;

/// How long a client may leave results unread when its batch gives way.
const GIVING_WAY: Duration = Duration::from_secs(1);

/// Responds with the results as they become available. The work continues after the response has begun.
pub async fn submit(daemon: Arc<Daemon>, batch: Batch) -> Result<Response, ApiError> {
    let limits = daemon.body;
    let (output, begun, body) = channel(limits.time);
    let session = Session {
        reader: BatchReader::new(batch.format, limits.bytes)
            .with_group(daemon.group_messages)
            .with_warnings(batch.warns),
        daemon,
        receiving: batch.receiving,
        running: VecDeque::new(),
        output,
        log: batch.log,
        submitter: batch.submitter,
    };
    let permits = batch.permits;
    tokio::spawn(async move {
        session.run(batch.body).await;
        drop(permits);
    });
    match begun.await {
        Ok(Ok(())) => Ok(answer(StatusCode::OK, Body::new(body))),
        Ok(Err(error)) => Err(error),
        // A panic, which is logged.
        Err(_) => Err(ApiError::UNKNOWN),
    }
}

/// A batch in progress.
struct Session {
    daemon: Arc<Daemon>,
    reader: BatchReader,
    receiving: Receiving,
    /// Groups in the order in which they were begun.
    running: VecDeque<Group>,
    output: Output,
    log: BatchLog,
    submitter: Submitter,
}

/// Messages that are submitted together.
struct Group {
    bytes: usize,
    /// The memory for what is made of them.
    values: usize,
    positions: Vec<Position>,
    results: JoinHandle<Vec<(Position, Result<Receipt, ApiError>)>>,
}

/// Why a batch ends before its body does.
enum Stop {
    /// The client gets an error.
    Failed(ApiError),
    /// The client is gone.
    Gone,
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// The next bytes of a body, and the body.
type NextBytes =
    Pin<Box<dyn Future<Output = (DecodedBody, Result<Option<Bytes>, ApiError>)> + Send>>;

/// Dropping it while it waits would lose bytes: so it owns the body, and is kept.
fn next_bytes(mut body: DecodedBody) -> NextBytes {
    Box::pin(async move {
        let bytes = body.next().await;
        (body, bytes)
    })
}

impl Session {
    async fn run(mut self, body: DecodedBody) {
        let done = self.go(body).await;
        if let Err(Stop::Failed(ApiError::GaveWay)) = done {
            // Others wait for its bytes.
            self.output.hurry(GIVING_WAY);
        }
        // Groups that were begun are finished, and no others are begun: messages without a receipt were not submitted.
        let finished = match done {
            Err(Stop::Gone) => Err(Stop::Gone),
            done => self.finish().await.map_err(Stop::from).and(done),
        };
        self.finish_unseen().await;
        let Self {
            reader,
            mut output,
            log,
            receiving,
            ..
        } = self;
        drop(receiving);
        match finished {
            Err(Stop::Failed(error)) if output.is_unbegun() => {
                log.end(error.status(), Ending::Failed(&error));
                output.refuse(error);
            }
            Err(Stop::Failed(error)) => {
                log.end(StatusCode::OK, Ending::Failed(&error));
                if output.write(reader.position(), Err(error)).await.is_ok() {
                    // Whether it arrives is up to the client.
                    let _ = output.end().await;
                }
            }
            Err(Stop::Gone) => log.end(StatusCode::OK, Ending::Unread),
            Ok(()) => {
                log.end(StatusCode::OK, Ending::Whole);
                let _ = output.end().await;
            }
        }
    }

    /// Takes messages, submits them, and writes their results.
    async fn go(&mut self, body: DecodedBody) -> Result<(), Stop> {
        let limit = self.daemon.body.time;
        let mut gives_way = pin!(self.receiving.gives_way());
        let mut stopping = self.daemon.stopping.subscribe();
        let mut body = Some(next_bytes(body));
        let mut time = ClientTime::start(limit);
        // Until when the next group may wait for room.
        let mut room_limit: Option<Instant> = None;
        loop {
            let may_read = body.is_some() && !self.reader.is_full();
            let may_start = !self.reader.is_empty() && self.running.len() < GROUPS;
            room_limit = may_start.then(|| room_limit.unwrap_or_else(|| Instant::now() + limit));
            let is_first = self.output.is_unbegun() && self.running.is_empty();
            // While a client waits for results, its time does not count.
            let is_its_turn = may_read && self.reader.is_empty() && self.running.is_empty();
            if body.is_none() && self.reader.is_empty() && self.running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = &mut gives_way => return Err(ApiError::GaveWay.into()),
                () = stops(&mut stopping) => return Err(ApiError::Stopping.into()),
                results = next_results(&mut self.running), if !self.running.is_empty() => {
                    tokio::select! {
                        biased;
                        written = self.write(results) => written?,
                        // A client that reads nothing cannot be told.
                        () = &mut gives_way => return Err(Stop::Gone),
                    }
                    time.restart();
                }
                (rest, bytes) = next_of(&mut body), if may_read => {
                    body = self.take(rest, bytes?, &mut time).await?;
                }
                room = room(&self.receiving, &self.daemon.groups, room_limit.filter(|_| !is_first)), if may_start => {
                    room_limit = None;
                    self.start(room?).await?;
                    time.restart();
                }
                () = sleep_until(time.limit()), if is_its_turn => return Err(ApiError::BodyTimeout.into()),
                () = self.output.gone() => return Err(Stop::Gone),
            }
        }
    }

    /// Takes the next bytes of the body. Returns the future of those after them.
    async fn take(
        &mut self,
        body: DecodedBody,
        bytes: Option<Bytes>,
        time: &mut ClientTime,
    ) -> Result<Option<NextBytes>, ApiError> {
        let Some(bytes) = bytes else {
            self.reader.finish();
            return Ok(None);
        };
        let before = self.reader.position();
        self.reader.feed(&bytes);
        let is_progress = !self.reader.is_empty() || self.reader.position() != before;
        time.take(bytes.len(), is_progress);
        let kept = self.kept() + body.memory();
        self.receiving.grow_to(kept).await?;
        // Nothing after a broken place is read.
        Ok((!self.reader.has_ended()).then(|| next_bytes(body)))
    }

    /// The memory for the messages that are there.
    fn kept(&self) -> usize {
        let bytes: usize = self.running.iter().map(|group| group.bytes).sum();
        let values: usize = self.running.iter().map(|group| group.values).sum();
        needed(self.reader.buffered() + bytes) + values
    }

    /// Begins to submit what is ready, as soon as there is memory for what is made of it.
    async fn start(&mut self, room: (InFlight, OwnedSemaphorePermit)) -> Result<(), Stop> {
        // Without a result for each that waits: the last line tells where the batch ends.
        self.daemon.back_pressure.check()?;
        let next = NextGroup::of(&self.reader, self.receiving.most_of_one());
        if next.messages == 0 {
            self.refuse_first();
            return Ok(());
        }
        let most = self.receiving.most();
        if self.kept() + next.values > most {
            // A group that was begun returns its own memory.
            self.finish().await?;
        }
        let kept = self.kept() + next.values;
        self.receiving.grow_to(kept.min(most)).await?;
        let entries = self.reader.take_first(next.messages);
        if entries.first().is_some_and(BatchEntry::is_no_batch) && self.output.is_unbegun() {
            return Err(ApiError::NotAnArray.into());
        }
        let daemon = Arc::clone(&self.daemon);
        let submitter = self.submitter.clone();
        self.running.push_back(Group {
            bytes: entries.iter().map(BatchEntry::size).sum(),
            values: next.values,
            positions: entries.iter().map(BatchEntry::position).collect(),
            results: spawn_blocking(move || {
                let results = daemon.pickup.submit_batch_for(&submitter, entries);
                let results = results.into_iter();
                let results =
                    results.map(|(position, result)| (position, result.map_err(ApiError::from)));
                drop(room);
                results.collect()
            }),
        });
        self.receiving.set_at_work(true);
        Ok(())
    }

    /// Refuses the first message that is ready, and continues after it.
    fn refuse_first(&mut self) {
        let refused = self.reader.take_first(1);
        let positions: Vec<_> = refused.iter().map(BatchEntry::position).collect();
        let results = positions.clone().into_iter();
        let results = results.map(|position| (position, Err(ApiError::TooMuchMemory)));
        let results = results.collect();
        self.running.push_back(Group {
            bytes: 0,
            values: 0,
            positions,
            results: tokio::spawn(async { results }),
        });
    }

    async fn write(
        &mut self,
        results: Vec<(Position, Result<Receipt, ApiError>)>,
    ) -> Result<(), Gone> {
        // Now it is the client that may be slow.
        self.receiving.set_at_work(false);
        // All of them are logged, whether anybody reads them or not.
        for (position, result) in &results {
            self.log.message(*position, result.as_ref());
        }
        for (position, result) in results {
            self.output.write(position, result).await?;
        }
        self.output.flush().await?;
        self.receiving.shrink_to(self.kept());
        self.receiving.set_at_work(!self.running.is_empty());
        Ok(())
    }

    /// Waits for the groups that were begun.
    async fn finish(&mut self) -> Result<(), Gone> {
        while !self.running.is_empty() {
            let results = next_results(&mut self.running).await;
            self.write(results).await?;
        }
        Ok(())
    }

    /// The same when nobody reads results any more.
    async fn finish_unseen(&mut self) {
        while !self.running.is_empty() {
            for (position, result) in next_results(&mut self.running).await {
                self.log.message(position, result.as_ref());
            }
        }
    }
}

/// A place among the messages in progress, for which it waits until `limit` if there is one, and then a permit for a
/// group: while it waits for a place it takes no group from others.
async fn room(
    receiving: &Receiving,
    groups: &Arc<Semaphore>,
    limit: Option<Instant>,
) -> Result<(InFlight, OwnedSemaphorePermit), ApiError> {
    let place = match limit {
        None => receiving.place()?,
        Some(limit) => receiving.place_until(limit).await?,
    };
    let permit = Arc::clone(groups).acquire_owned().await;
    Ok((place, permit.expect("nobody closes the semaphore")))
}

/// The results of the oldest group, which leaves the queue with them.
async fn next_results(running: &mut VecDeque<Group>) -> Vec<(Position, Result<Receipt, ApiError>)> {
    let group = running.front_mut().expect("there is one");
    let results = (&mut group.results).await;
    let group = running.pop_front().expect("there is one");
    results.unwrap_or_else(|_panic| {
        // Part of the group may have been submitted.
        let positions = group.positions.into_iter();
        positions
            .map(|position| (position, Err(ApiError::UNKNOWN)))
            .collect()
    })
}

/// Resolves when the daemon ends.
async fn stops(stopping: &mut watch::Receiver<bool>) {
    // Its sender exists as long as the daemon does.
    let _ = stopping.wait_for(|stops| *stops).await;
}

async fn next_of(body: &mut Option<NextBytes>) -> (DecodedBody, Result<Option<Bytes>, ApiError>) {
    let next = body.as_mut().expect("it is read only if it is there");
    next.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::admission::{Admission, Room};
    use crate::daemon::client::Client;

    #[tokio::test]
    async fn a_batch_that_waits_for_a_place_holds_no_group() {
        let admission = Admission::new(Room::new(1, 100, 1000));
        let groups = Arc::new(Semaphore::new(1));
        let receiving = admission.receive(Client::Local, 0).unwrap();
        let others = admission.receive(Client::Local, 0).unwrap();
        let others = others.at_work().unwrap();
        let refused = room(&receiving, &groups, None).await;
        assert!(matches!(refused, Err(ApiError::Busy)));
        let later = Instant::now() + Duration::from_mins(1);
        let mut waiting = pin!(room(&receiving, &groups, Some(later)));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("there is no place"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(groups.available_permits(), 1);
        drop(others);
        let (_place, _permit) = waiting.await.unwrap();
        assert_eq!(groups.available_permits(), 0);
    }

    #[tokio::test]
    async fn messages_of_a_group_that_panics_may_be_delivered() {
        let group = Group {
            bytes: 0,
            values: 0,
            positions: vec![Position::Line(1), Position::Line(3)],
            results: spawn_blocking(|| std::panic::resume_unwind(Box::new(()))),
        };
        let mut running = VecDeque::from([group]);
        let results = next_results(&mut running).await;
        assert_eq!((results.len(), running.len()), (2, 0));
        for (_, result) in results {
            let problem = result.unwrap_err().problem_details().to_json();
            let problem = String::from_utf8(problem).unwrap();
            assert!(problem.contains("problem:may-be-delivered"), "{problem}");
            assert!(!problem.contains(r#""id""#), "{problem}");
        }
    }
}
