//! Which messages of a batch are submitted together next.

use super::super::memory::{needed, needed_for_json};
use pmtaemail::BatchReader;

/// How much is submitted together next.
pub struct NextGroup {
    /// 0 if the first one needs more memory than there may be.
    pub messages: usize,
    /// The memory for the parsed values of the largest one. They are read one after the other, and none stays.
    pub values: usize,
}

impl NextGroup {
    /// Of messages for which `most` bytes of memory each are enough.
    pub fn of(reader: &BatchReader, most: usize) -> Self {
        let mut next = Self {
            messages: 0,
            values: 0,
        };
        for entry in reader.next_group() {
            let values = entry.json().map_or(0, needed_for_json);
            if needed(entry.size()).saturating_add(values) > most {
                break;
            }
            next.messages += 1;
            next.values = next.values.max(values);
        }
        next
    }
}
