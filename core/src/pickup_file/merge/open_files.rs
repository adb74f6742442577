//! The files that are being built, whose number and size are bounded.

use super::file_builder::{FileBuilder, LARGE};
use super::plan::Plan;
use super::recipient::RecipientWriter;
use std::sync::Arc;

/// Files that are not full yet. The recipients of one share everything that it contains once.
#[derive(Debug, Default)]
pub(super) struct OpenFiles<'m> {
    files: Vec<FileBuilder<'m>>,
    /// How many recipients were added.
    count: usize,
}

/// Recipients who differ too much for one file usually fit in a few.
const MOST_OPEN: usize = 64;
/// How many bytes are held for all of them together.
const MOST_BYTES: usize = LARGE;

impl<'m> OpenFiles<'m> {
    /// Adds a recipient to a file that has room, which may be a new one. `write` is called with each file that is
    /// complete.
    pub fn add<E>(
        &mut self,
        plan: &Arc<Plan<'m>>,
        recipient: &RecipientWriter,
        mut write: impl FnMut(FileBuilder<'m>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut files = self.files.iter().enumerate();
        let known = files.find_map(|(index, file)| Some((index, file.takes(plan, recipient)?)));
        let (index, late) = if let Some(known) = known {
            known
        } else {
            if self.files.len() == MOST_OPEN {
                // The one that has waited longest for another.
                self.close(|file| usize::MAX - file.last_used, &mut write)?;
            }
            self.files
                .push(FileBuilder::new(Arc::clone(plan), recipient.key));
            (self.files.len() - 1, 0)
        };
        self.count += 1;
        let file = &mut self.files[index];
        file.add(recipient, late);
        file.last_used = self.count;
        if file.is_full() {
            write(self.files.remove(index))?;
        } else if self.files.iter().map(FileBuilder::size).sum::<usize>() > MOST_BYTES {
            self.close(FileBuilder::size, &mut write)?;
        }
        Ok(())
    }

    /// Closes the file with the highest `rank`.
    fn close<E>(
        &mut self,
        rank: impl Fn(&FileBuilder<'m>) -> usize,
        write: &mut impl FnMut(FileBuilder<'m>) -> Result<(), E>,
    ) -> Result<(), E> {
        let ranks = self.files.iter().map(rank).enumerate();
        match ranks.max_by_key(|(_, rank)| *rank) {
            Some((index, _)) => write(self.files.remove(index)),
            None => Ok(()),
        }
    }

    /// Those that are left.
    pub fn into_files(self) -> impl Iterator<Item = FileBuilder<'m>> {
        self.files.into_iter()
    }
}
