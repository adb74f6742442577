//! Views that are kept to be shown: pickup files, and what is known about their messages. The oldest makes room for a
//! new one.

use super::super::error::ApiError;
use super::places::PlacedWarning;
use super::values::Values;
use bytes::Bytes;
use pmtaemail::RejectedRecipients;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

/// Maximum number of views that are kept.
const MOST: usize = 64;

/// What a view takes besides its bytes.
const OVERHEAD: usize = 4 << 10;

/// Approximately the memory of a rejected recipient.
const REJECTED: usize = 256;

/// One view.
#[derive(Debug)]
pub struct View {
    /// The name by which the page knows it, and which nobody can guess.
    pub name: String,
    /// The name of the file, where it is one of the outbox.
    pub file: Option<String>,
    /// Whole pickup files.
    pub files: Vec<Bytes>,
    /// Its mails.
    pub mails: Mails,
    /// When PowerMTA would have received them, or did.
    pub received: SystemTime,
    /// The values of recipients, where it was posted.
    pub values: Values,
    pub warnings: Vec<PlacedWarning>,
    /// Those who get nothing, if the mail merge skips invalid recipients.
    pub rejected: Option<RejectedRecipients>,
}

/// Which mails the files contain, in which order.
#[derive(Debug)]
pub enum Mails {
    /// As they are in the first file.
    OfFile,
    /// One, that all recipients of all files get.
    One,
    /// One for each recipient of a mail merge.
    Each(Vec<MailPlace>),
    /// That of one recipient of many: the files are too large to be kept.
    Only { recipient: usize, of: usize },
}

/// Where the mail of one recipient is.
#[derive(Debug, Clone, Copy)]
pub struct MailPlace {
    /// The index of the file.
    pub file: u32,
    /// The recipient of that file, from 0.
    pub recipient: u32,
    /// The index in the message.
    pub index: u32,
}

impl View {
    /// A new name: 128 random bits.
    pub fn new_name() -> Result<String, ApiError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| ApiError::Internal)?;
        Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    fn size(&self) -> usize {
        let places = match &self.mails {
            Mails::Each(places) => places.len() * size_of::<MailPlace>(),
            _ => 0,
        };
        let rejected = self.rejected.as_ref().map_or(0, RejectedRecipients::len);
        self.files_size() + places + self.values.size() + rejected * REJECTED + OVERHEAD
    }

    /// How many bytes its files have.
    pub fn files_size(&self) -> usize {
        self.files.iter().map(Bytes::len).sum()
    }
}

/// The newest views.
#[derive(Debug)]
pub struct Views {
    room: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// The most recently used are at the end.
    views: VecDeque<Arc<View>>,
    size: usize,
}

impl Views {
    /// No views yet, with room for this many bytes.
    pub fn new(room: usize) -> Self {
        Self {
            room,
            kept: Mutex::default(),
        }
    }

    /// How many bytes the files of one view may have.
    pub fn room(&self) -> usize {
        self.room.saturating_sub(OVERHEAD)
    }

    /// Keeps a view, if there can be room for it.
    pub fn add(&self, view: View) -> Result<Arc<View>, ApiError> {
        let size = view.size();
        if size > self.room {
            return Err(self.too_large());
        }
        let view = Arc::new(view);
        let mut kept = self.kept();
        while kept.views.len() >= MOST || kept.size + size > self.room {
            let oldest = kept.views.pop_front();
            kept.size -= oldest.expect("what is kept has a size").size();
        }
        kept.size += size;
        kept.views.push_back(Arc::clone(&view));
        Ok(view)
    }

    /// A view by its name, unless it was dropped to make room.
    pub fn get(&self, name: &str) -> Result<Arc<View>, ApiError> {
        let mut kept = self.kept();
        let found = kept.views.iter().position(|view| view.name == name);
        let view = found.and_then(|index| kept.views.remove(index));
        let view = view.ok_or(ApiError::NotFound)?;
        kept.views.push_back(Arc::clone(&view));
        Ok(view)
    }

    /// The error for a view that can never have room.
    pub fn too_large(&self) -> ApiError {
        ApiError::TooLargeToPreview { limit: self.room() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics with the lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(size: usize) -> View {
        View {
            name: View::new_name().unwrap(),
            file: None,
            files: vec![vec![0; size].into()],
            mails: Mails::One,
            received: SystemTime::UNIX_EPOCH,
            values: Values::default(),
            warnings: Vec::new(),
            rejected: None,
        }
    }

    #[test]
    fn the_oldest_makes_room() {
        const SIZE: usize = 10_000;
        let views = Views::new(3 * (SIZE + OVERHEAD));
        let add = |size| views.add(view(size)).map(|view| view.name.clone());
        let names: Vec<_> = (0..3).map(|_| add(SIZE).unwrap()).collect();
        let are_there = |names: &[String]| (names.iter()).all(|name| views.get(name).is_ok());
        assert!(are_there(&names) && names.iter().all(|name| name.len() == 32));
        // It was just used, so another one is the oldest.
        views.get(&names[0]).unwrap();
        let new = add(SIZE).unwrap();
        assert!(are_there(&[names[0].clone(), names[2].clone(), new]));
        assert!(views.get(&names[1]).is_err());
        let large = add(3 * SIZE).unwrap();
        assert!(views.get(&names[0]).is_err() && views.get(&large).is_ok());
        let Err(ApiError::TooLargeToPreview { limit }) = add(3 * (SIZE + OVERHEAD)) else {
            panic!("it has no room")
        };
        assert_eq!(limit, 3 * SIZE + 2 * OVERHEAD);
        assert!(views.get(&large).is_ok());
    }

    #[test]
    fn their_number_is_limited() {
        let views = Views::new(usize::MAX);
        let add = || views.add(view(1)).unwrap().name.clone();
        let first = add();
        let second = add();
        for _ in 0..MOST - 1 {
            add();
        }
        assert!(views.get(&first).is_err() && views.get(&second).is_ok());
    }
}
