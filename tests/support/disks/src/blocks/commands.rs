//! What a test asks for.
//!
//! ```text
//! now                             this instant
//! flushes FROM TO                 how many there were between two instants
//! cut INSTANT POLICY [SEED]       shows what a power cut at an instant leaves: nothing, everything, writes, sectors, large-sectors
//!                                 of what was not flushed. Answers the name of the file that it is shown as, which may be written
//! drop NAME                       shows it no longer
//! ```

use super::Disk;
use super::serve::{state_name, state_number};
use crate::command::Answer;

pub fn answer(disk: &Disk, words: &[&str]) -> Answer {
    let mut history = disk.history();
    match words {
        ["now"] => Ok(history.record.now().to_string()),
        ["flushes", from, to] => Ok(history
            .record
            .flushes(from.parse()?..to.parse()?)
            .to_string()),
        ["cut", instant, policy, rest @ ..] => {
            let seed = rest.first().unwrap_or(&"0").parse()?;
            let state = history.record.cut(instant.parse()?, policy.parse()?, seed);
            let number = history.next;
            history.next += 1;
            history.states.insert(number, state);
            Ok(state_name(number))
        }
        ["drop", name] => {
            let number = state_number(name).ok_or("no such state")?;
            history
                .states
                .remove(&number)
                .map(|_| String::new())
                .ok_or_else(|| "no such state".into())
        }
        _ => Err("no such command".into()),
    }
}
