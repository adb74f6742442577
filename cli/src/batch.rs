//! `submit --batch`: many messages from one file, with one line for the result of each.
//!
//! ```text
//! this thread         reads, piece by piece
//!   printing thread   splits the pieces into groups of messages, and prints results in their order
//!     two workers     take turns: while one group is synced the next one is rendered and written
//! ```

use crate::args::BatchArgs;
use crate::daemon::{ApiError, result_pieces, room_for_batch};
use crate::exit::{Exit, Exits, Failure};
use crate::input::Input;
use crate::output;
use crate::progress::ProgressDisplay;
use pmtaemail::{
    AtomicBatch, BatchEntry, BatchError, BatchFormat, BatchReader, ClaimError, PickupDirectory,
    Position, Receipt, SubmitError,
};
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

/// The maximum size of a message; a larger mail merge is submitted by itself.
const MESSAGE_LIMIT: usize = 256 << 20;

/// While one group is synced the next one is rendered and written.
const WORKERS: usize = 2;

/// The results of a group; or its messages if a panic ended it: some of them may have been submitted.
type Results = Result<Vec<(Position, Result<Receipt, BatchError>)>, Vec<Position>>;

/// Submits each message and prints its receipt, or why it has none.
pub fn submit(args: &BatchArgs, pickup: &PickupDirectory) -> Result<Exit, Failure> {
    let mut input = Input::open(Some(&args.file))?;
    let format = match args.format() {
        Some(format) => format,
        None => input.batch_format()?,
    };
    let progress = ProgressDisplay::start_beside_output();
    if args.atomic {
        return submit_all(input, format, args.warns, pickup, &progress);
    }
    let (sender, pieces) = sync_channel::<Vec<u8>>(1);
    thread::scope(|scope| {
        let printing = scope.spawn(move || {
            let mut printer = Printer::default();
            submit_pieces(&pieces, (format, args.warns), pickup, &mut printer).map(|()| printer)
        });
        let mut is_wanted = true;
        let read = input.read(&progress, |piece| {
            let sent = sender.send(piece.to_vec());
            // The printing thread had to stop, or has reached the end of an array.
            is_wanted = sent.is_ok();
            sent.map_err(|_| SubmitError::Spool(io::ErrorKind::BrokenPipe.into()))
        });
        drop((sender, progress));
        let ended = printing
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let printer = ended?;
        if is_wanted {
            read?;
        }
        Ok(printer.exit())
    })
}

/// Submits all messages, or none.
fn submit_all(
    input: Input,
    format: BatchFormat,
    warns: bool,
    pickup: &PickupDirectory,
    progress: &ProgressDisplay,
) -> Result<Exit, Failure> {
    let mut batch = AtomicBatch::new(format, MESSAGE_LIMIT).with_warnings(warns);
    input.read(progress, |piece| batch.feed(piece, Some(pickup)))?;
    // All are submitted, or none.
    let mut exits = Exits::default();
    let outcome = batch.submit(pickup, |position, result, lines| {
        if let Err(error) = &result {
            exits.failed(exit_of(error));
        }
        let pieces = result_pieces(position, result.map_err(ApiError::from));
        pieces
            .into_iter()
            .try_for_each(|piece| lines.write_all(&piece))
    })?;
    let unread = if outcome.is_submitted {
        Failure::Results
    } else {
        Failure::Spool
    };
    let mut lines = output::buffered();
    for piece in outcome.results {
        lines
            .write(&piece.map_err(unread)?)
            .map_err(Failure::Results)?;
    }
    lines.finish().map_err(Failure::Results)?;
    if !outcome.is_submitted {
        output::print_warnings(["nothing was submitted".to_owned()]);
    }
    Ok(exits.exit())
}

/// Submits messages as they arrive. Those that are there never wait for more.
fn submit_pieces(
    pieces: &Receiver<Vec<u8>>,
    (format, warns): (BatchFormat, bool),
    pickup: &PickupDirectory,
    printer: &mut Printer,
) -> Result<(), Failure> {
    // The files are shared between the workers, with some to spare.
    let room = room_for_batch();
    let mut reader = BatchReader::new(format, MESSAGE_LIMIT)
        .with_group(room.messages)
        .with_warnings(warns);
    thread::scope(|scope| {
        let mut workers = Workers::start(|groups, results| {
            scope.spawn(move || work(&groups, &results, pickup));
        });
        while !reader.has_ended() {
            let piece = match pieces.try_recv() {
                Ok(piece) => Some(piece),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    workers.submit_ready(&mut reader, printer)?;
                    workers.finish(printer)?;
                    pieces.recv().ok()
                }
            };
            match piece {
                Some(piece) => reader.feed(&piece),
                None => reader.finish(),
            }
            if reader.is_full() {
                workers.submit_ready(&mut reader, printer)?;
            }
        }
        workers.submit_ready(&mut reader, printer)?;
        workers.finish(printer)
    })
}

/// Threads that submit groups, one after the other.
struct Workers {
    idle: VecDeque<Worker>,
    /// Workers that were given a group, in that order.
    busy: VecDeque<Worker>,
}

struct Worker {
    groups: SyncSender<Vec<BatchEntry>>,
    results: Receiver<Results>,
}

impl Workers {
    fn start(mut spawn: impl FnMut(Receiver<Vec<BatchEntry>>, SyncSender<Results>)) -> Self {
        let workers = (0..WORKERS).map(|_| {
            let (groups, to_do) = sync_channel(1);
            let (done, results) = sync_channel(1);
            spawn(to_do, done);
            Worker { groups, results }
        });
        Self {
            idle: workers.collect(),
            busy: VecDeque::new(),
        }
    }

    /// Submits all messages that have arrived.
    fn submit_ready(
        &mut self,
        reader: &mut BatchReader,
        printer: &mut Printer,
    ) -> Result<(), Failure> {
        while !reader.is_empty() {
            if self.idle.is_empty() {
                self.print_oldest(printer)?;
            }
            let worker = self.idle.pop_front().expect("one is idle");
            worker.groups.send(reader.take()).expect(ALIVE);
            self.busy.push_back(worker);
        }
        Ok(())
    }

    /// Prints the results of all groups that were begun.
    fn finish(&mut self, printer: &mut Printer) -> Result<(), Failure> {
        while !self.busy.is_empty() {
            self.print_oldest(printer)?;
        }
        Ok(())
    }

    fn print_oldest(&mut self, printer: &mut Printer) -> Result<(), Failure> {
        let worker = self.busy.pop_front().expect("one is busy");
        let results = worker.results.recv().expect(ALIVE);
        self.idle.push_back(worker);
        printer.print(results)
    }
}

const ALIVE: &str = "a worker ends after its groups";

fn work(
    groups: &Receiver<Vec<BatchEntry>>,
    results: &SyncSender<Results>,
    pickup: &PickupDirectory,
) {
    for group in groups {
        if results.send(submit_group(group, pickup)).is_err() {
            // The results could not be printed; the program ends.
            return;
        }
    }
}

fn submit_group(group: Vec<BatchEntry>, pickup: &PickupDirectory) -> Results {
    let positions = group.iter().map(BatchEntry::position).collect();
    // The transactions of the group clean up after themselves; nothing else is shared.
    catch_unwind(AssertUnwindSafe(|| pickup.submit_batch(group))).map_err(|_panic| positions)
}

/// Prints results, and counts them.
#[derive(Debug, Default)]
struct Printer {
    messages: usize,
    failed: usize,
    exits: Exits,
}

impl Printer {
    fn print(&mut self, results: Results) -> Result<(), Failure> {
        let mut lines = output::buffered();
        let mut write = |position, result| {
            let mut pieces = result_pieces(position, result);
            let written = pieces.try_for_each(|piece| lines.write(&piece));
            written.map_err(Failure::Results)
        };
        match results {
            Ok(results) => {
                for (position, result) in results {
                    if let Err(error) = &result {
                        self.tell_cause(position, error);
                    }
                    self.count(result.as_ref().err().map(exit_of));
                    write(position, result.map_err(ApiError::from))?;
                }
            }
            Err(positions) => {
                for position in positions {
                    self.count(Some(Exit::InputOutput));
                    write(position, Err(ApiError::UNKNOWN))?;
                }
            }
        }
        lines.finish().map_err(Failure::Results)
    }

    /// Counts a message, and how it failed.
    fn count(&mut self, failure: Option<Exit>) {
        self.messages += 1;
        match failure {
            None => self.exits.handed_over(),
            Some(exit) => {
                self.failed += 1;
                self.exits.failed(exit);
            }
        }
    }

    /// The first time, reports what the line of a message leaves out about the pickup directory.
    fn tell_cause(&self, position: Position, error: &BatchError) {
        if let BatchError::Submit(SubmitError::Pickup(_) | SubmitError::Spool(_))
        | BatchError::Claim(ClaimError::Pickup(_)) = error
            && self.exits.are_ok()
        {
            let place = match position {
                Position::Line(number) => format!("line {number}"),
                Position::Index(number) => format!("index {number}"),
            };
            output::print_warnings([format!("{place}: {error}")]);
        }
    }

    /// The exit code, see [`Exits`].
    fn exit(&self) -> Exit {
        if self.failed > 0 {
            let Self {
                messages, failed, ..
            } = self;
            output::print_warnings([format!(
                "{failed} of {messages} messages were not submitted"
            )]);
        }
        self.exits.exit()
    }
}

fn exit_of(error: &BatchError) -> Exit {
    match error {
        BatchError::TooLarge { .. }
        | BatchError::NotAnArray
        | BatchError::Claim(ClaimError::Conflict)
        | BatchError::Submit(SubmitError::Problems(_)) => Exit::Data,
        BatchError::Submit(SubmitError::Pickup(error))
        | BatchError::Claim(ClaimError::Pickup(error)) => Failure::Pickup(error.clone()).exit(),
        BatchError::Claim(_)
        | BatchError::Submit(SubmitError::Spool(_) | SubmitError::OverQuota(_)) => Exit::Temporary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_a_group_that_panicked_may_be_delivered() {
        let mut printer = Printer::default();
        let positions = vec![Position::Line(1), Position::Line(2)];
        printer.print(Err(positions)).unwrap();
        assert_eq!((printer.messages, printer.failed), (2, 2));
        assert_eq!(printer.exit().code(), 74);
    }
}
