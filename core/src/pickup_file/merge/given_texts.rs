//! Strings that the caller gave for some recipients of a merge.

use crate::spool::{Spool, SpoolReader};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::sync::Arc;

/// Separates the strings in the spool: none of them contains a line end.
const END: u8 = b'\n';

/// A string, or none, for each recipient.
#[derive(Debug, Default)]
pub(super) struct GivenTexts {
    recipients: usize,
    /// How many consecutive recipients have none, have one, have none, …
    runs: Vec<usize>,
    texts: Spool,
}

impl GivenTexts {
    /// Adds that of the next recipient, without line ends.
    pub fn push(&mut self, text: Option<&str>) {
        self.recipients += 1;
        let is_of_last = self.runs.len().is_multiple_of(2) == text.is_some();
        match self.runs.last_mut() {
            Some(run) if is_of_last => *run += 1,
            // The first run is of those that have none.
            None if text.is_some() => self.runs.extend([0, 1]),
            _ => self.runs.push(1),
        }
        if let Some(text) = text {
            self.texts.push(text.as_bytes());
            self.texts.push(&[END]);
        }
    }

    /// How many recipients there are.
    pub fn recipients(&self) -> usize {
        self.recipients
    }

    /// For each recipient, whether it has one.
    pub fn are_given(&self) -> impl Iterator<Item = bool> + '_ {
        given_by_runs(self.runs.iter().copied())
    }

    /// The same as an iterator that borrows nothing.
    pub fn into_are_given(self: Arc<Self>) -> impl Iterator<Item = bool> + Send {
        let runs = (0..self.runs.len()).map(move |number| self.runs[number]);
        given_by_runs(runs)
    }

    /// The spool of the strings.
    pub fn spool_mut(&mut self) -> &mut Spool {
        &mut self.texts
    }
}

/// The stored form, without the strings themselves.
#[cfg(feature = "idempotency")]
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct StoredTexts {
    recipients: usize,
    runs: Vec<usize>,
    size: u64,
}

#[cfg(feature = "idempotency")]
impl StoredTexts {
    /// The size of all strings, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(feature = "idempotency")]
impl GivenTexts {
    /// The stored form, and the strings themselves.
    pub fn store(self: &Arc<Self>) -> (StoredTexts, impl io::Read + Send + Sync + use<>) {
        let stored = StoredTexts {
            recipients: self.recipients,
            runs: self.runs.clone(),
            size: self.texts.len(),
        };
        (stored, SpoolReader::new(SharedSpool(Arc::clone(self))))
    }

    /// Reads the stored form.
    pub fn restore(
        stored: StoredTexts,
        texts: &mut dyn io::Read,
        create: &mut dyn FnMut() -> io::Result<std::fs::File>,
    ) -> io::Result<Self> {
        let mut spool = Spool::default();
        let mut rest = stored.size;
        let mut piece = vec![0; 64 << 10];
        while rest > 0 {
            let most = usize::try_from(rest).map_or(piece.len(), |rest| rest.min(piece.len()));
            texts.read_exact(&mut piece[..most])?;
            spool.push(&piece[..most]);
            spool.flush(&mut *create)?;
            rest -= most as u64;
        }
        Ok(Self {
            recipients: stored.recipients,
            runs: stored.runs,
            texts: spool,
        })
    }
}

fn given_by_runs(runs: impl Iterator<Item = usize>) -> impl Iterator<Item = bool> {
    let is_given = [false, true].into_iter().cycle();
    is_given
        .zip(runs)
        .flat_map(|(is_given, run)| std::iter::repeat_n(is_given, run))
}

/// Reads the string of one recipient after the other.
#[derive(Debug)]
pub(super) struct GivenTextsReader {
    given: Arc<GivenTexts>,
    source: BufReader<SpoolReader<SharedSpool>>,
    /// The current run, and how many recipients of it were read.
    run: usize,
    read: usize,
}

impl GivenTextsReader {
    pub fn new(given: Arc<GivenTexts>) -> Self {
        Self {
            source: BufReader::new(SpoolReader::new(SharedSpool(Arc::clone(&given)))),
            given,
            run: 0,
            read: 0,
        }
    }

    fn read_text(&mut self) -> io::Result<String> {
        let mut text = Vec::new();
        self.source.read_until(END, &mut text)?;
        if text.pop() != Some(END) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        String::from_utf8(text).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }
}

impl Iterator for GivenTextsReader {
    type Item = io::Result<Option<String>>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.read == *self.given.runs.get(self.run)? {
            self.run += 1;
            self.read = 0;
        }
        self.read += 1;
        let is_given = self.run % 2 == 1;
        Some(is_given.then(|| self.read_text()).transpose())
    }
}

/// The spool of shared strings.
#[derive(Debug)]
struct SharedSpool(Arc<GivenTexts>);

impl std::ops::Deref for SharedSpool {
    type Target = Spool;

    fn deref(&self) -> &Spool {
        &self.0.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_read_as_they_were_given(texts in prop::collection::vec(prop::option::of("[a-c]{1,3}"), 0..20)) {
            let mut given = GivenTexts::default();
            for text in &texts {
                given.push(text.as_deref());
            }
            let given = Arc::new(given);
            prop_assert_eq!(given.recipients(), texts.len());
            let are_given: Vec<_> = texts.iter().map(Option::is_some).collect();
            prop_assert_eq!(given.are_given().collect::<Vec<_>>(), &are_given[..]);
            prop_assert_eq!(Arc::clone(&given).into_are_given().collect::<Vec<_>>(), are_given);
            let read: io::Result<Vec<_>> = GivenTextsReader::new(given).collect();
            prop_assert_eq!(read.unwrap(), texts);
        }
    }
}
