//! Keeps what a process submits in memory while its tests look at it.

use crate::pickup_directory::{PickupDirectory, PickupError, PickupOptions};
use std::path::{self, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};

/// The captures of this process, the newest last. A forked process that finds it locked for reading can read it as
/// well.
static CAPTURES: RwLock<Vec<Arc<PickupDirectory>>> = RwLock::new(Vec::new());
/// Their number, for those who only want to know that there are none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// While this exists, everything submitted through any [`Pickup`] of this process goes to a pickup directory in memory
/// instead of its own. If there are several, the newest one gets it.
///
/// ```
/// use pmtaemail::outbox::{Capture, Pickup, SentMessage};
/// use pmtaemail::{PickupOptions, Submission};
///
/// let capture = Capture::begin();
/// let pickup = Pickup::open("/nowhere", PickupOptions::default())?;
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello"}"#;
/// pickup.directory()?.submit(&Submission::from_json(json).unwrap())?;
/// let sent = SentMessage::of(&capture.directory().submitted_files()).unwrap();
/// assert_eq!(sent[0].mail.header("Subject"), Some("Hello"));
///
/// drop(capture);
/// assert!(pickup.directory().is_err());
/// # Ok::<(), pmtaemail::PickupError>(())
/// ```
#[derive(Debug)]
pub struct Capture(Arc<PickupDirectory>);

impl Capture {
    /// Starts capturing.
    pub fn begin() -> Self {
        let directory = Arc::new(PickupDirectory::in_memory());
        let mut captures = write();
        captures.push(Arc::clone(&directory));
        COUNT.store(captures.len(), Ordering::Release);
        Self(directory)
    }

    /// The directory in memory.
    pub fn directory(&self) -> &Arc<PickupDirectory> {
        &self.0
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let mut captures = write();
        captures.retain(|directory| !Arc::ptr_eq(directory, &self.0));
        COUNT.store(captures.len(), Ordering::Release);
    }
}

fn captured() -> Option<Arc<PickupDirectory>> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    // Whole at every instant.
    let captures = CAPTURES.read().unwrap_or_else(PoisonError::into_inner);
    captures.last().cloned()
}

fn write() -> RwLockWriteGuard<'static, Vec<Arc<PickupDirectory>>> {
    CAPTURES.write().unwrap_or_else(PoisonError::into_inner)
}

/// A pickup directory that a [`Capture`] can replace, for programs whose tests must not send mail.
///
/// ```
/// use pmtaemail::outbox::{Pickup, SentMessage};
/// use pmtaemail::Submission;
///
/// let pickup = Pickup::in_memory();
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello"}"#;
/// pickup.directory()?.submit(&Submission::from_json(json)?)?;
/// let sent = SentMessage::of(&pickup.memory().unwrap().submitted_files())?;
/// assert_eq!(sent[0].recipients, ["ann@example.org"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pickup {
    place: Place,
    path: PathBuf,
}

#[derive(Debug)]
enum Place {
    Opened(Arc<PickupDirectory>),
    /// It is opened when something is submitted and nothing captures it.
    Deferred {
        options: PickupOptions,
        opened: Mutex<Option<Arc<PickupDirectory>>>,
    },
    /// It is in memory itself, so it is not captured.
    InMemory(Arc<PickupDirectory>),
}

impl Pickup {
    /// Opens a pickup directory as [`PickupDirectory::open`] does. Under a [`Capture`], nothing is opened or created
    /// until the first submission after it. See [`Capture`] for an example.
    ///
    /// # Errors
    /// Those of [`PickupDirectory::open`].
    pub fn open(path: impl Into<PathBuf>, options: PickupOptions) -> Result<Self, PickupError> {
        let path = path.into();
        if captured().is_some() {
            return Ok(Self {
                path: path::absolute(&path).unwrap_or(path),
                place: Place::Deferred {
                    options,
                    opened: Mutex::default(),
                },
            });
        }
        let directory = PickupDirectory::open(path, options)?;
        Ok(Self {
            path: directory.path().to_owned(),
            place: Place::Opened(Arc::new(directory)),
        })
    }

    /// A pickup directory in memory; see [`PickupDirectory::in_memory`].
    pub fn in_memory() -> Self {
        let directory = PickupDirectory::in_memory();
        Self {
            path: directory.path().to_owned(),
            place: Place::InMemory(Arc::new(directory)),
        }
    }

    /// The directory to which a submission currently goes.
    ///
    /// # Errors
    /// It was [opened](Self::open) under a capture that has ended, and cannot be opened now.
    pub fn directory(&self) -> Result<Arc<PickupDirectory>, PickupError> {
        if let Place::InMemory(directory) = &self.place {
            return Ok(Arc::clone(directory));
        }
        if let Some(directory) = captured() {
            return Ok(directory);
        }
        match &self.place {
            Place::Opened(directory) | Place::InMemory(directory) => Ok(Arc::clone(directory)),
            Place::Deferred { options, opened } => {
                let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(directory) = &*opened {
                    return Ok(Arc::clone(directory));
                }
                let directory = PickupDirectory::open(&self.path, options.clone())?;
                Ok(Arc::clone(opened.insert(Arc::new(directory))))
            }
        }
    }

    /// The directory, if it is in memory; `None` if it is on disk, captured or not.
    pub fn memory(&self) -> Option<&Arc<PickupDirectory>> {
        match &self.place {
            Place::InMemory(directory) => Some(directory),
            _ => None,
        }
    }

    /// The absolute path of the directory; `:memory:` for one in memory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Submission;
    use std::fs;

    fn submit(pickup: &Pickup) {
        let json = br#"{"from": "shop@example.com", "to": "ann@example.org"}"#;
        let submission = Submission::from_json(json).unwrap();
        pickup.directory().unwrap().submit(&submission).unwrap();
    }

    fn captured_files(capture: &Capture) -> usize {
        capture.directory().submitted_files().len()
    }

    /// One test, since a capture is the whole process's; nextest runs each in a process of its own, cargo does not.
    #[test]
    fn the_newest_capture_has_what_is_submitted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pickup");
        let files = || fs::read_dir(&path).map_or(0, Iterator::count);
        assert!(Pickup::open(&path, PickupOptions::default()).is_err());

        let outer = Capture::begin();
        let deferred = Pickup::open(&path, PickupOptions::default()).unwrap();
        let memory = Pickup::in_memory();
        submit(&deferred);
        {
            let inner = Capture::begin();
            submit(&deferred);
            submit(&memory);
            assert_eq!((captured_files(&inner), captured_files(&outer)), (1, 1));
        }
        submit(&deferred);
        assert_eq!(captured_files(&outer), 2);
        assert_eq!(memory.memory().unwrap().submitted_files().len(), 1);
        assert!(deferred.memory().is_none());
        assert_eq!(
            (deferred.path(), memory.path()),
            (&*path, Path::new(":memory:"))
        );
        drop(outer);

        assert!(deferred.directory().is_err());
        fs::create_dir(&path).unwrap();
        submit(&deferred);
        submit(&deferred);
        submit(&Pickup::open(&path, PickupOptions::default()).unwrap());
        assert_eq!(files(), 3);
    }
}
