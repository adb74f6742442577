//! Reads JSON with sonic-rs, which takes 16 bytes at a time where `serde_json` takes 8: a text of 33 kB is
//! read in half of the time.
//!
//! `serde_json` keeps the last word. What sonic-rs does not read, or not without a problem, is read
//! again: so there is one judgement of what JSON is, and one set of sentences. In particular sonic-rs
//! is not asked to skip values that nobody wants, which are a problem of the message anyway: it would
//! call itself for each level of them, until the stack overflows.

use super::reading::{Document, Reading, read_with};
use super::shape::{ReadState, Shape};
use sonic_rs::{Deserializer, Error};

/// A level of nesting takes 16 KiB of the stack in sonic-rs where nothing is optimized, much more than
/// in `serde_json`, and a thread may have little. What is deeper than messages are is left to that.
const LEVELS: u8 = 24;

/// What the text says, unless there is a problem.
pub(super) fn read<'a, S: Shape<'a>>(
    text: &'a str,
    document: Document<'a>,
) -> Option<Reading<'a, S>> {
    let read = || -> Result<_, Error> {
        let state = ReadState::new(None).nested_at_most(LEVELS);
        let mut deserializer = Deserializer::from_str(text);
        let reading = read_with(&mut deserializer, state, document)?;
        deserializer.end()?;
        Ok(reading)
    };
    read().ok().filter(|reading| reading.report.len() == 0)
}
