//! The files of the pickup directory: their list, and their contents.
//!
//! While somebody listens, the directory is polled: checking for a change takes a single system call, and works on any
//! file system. The directory is read again only after a change, and no file is read twice.

use super::super::blocking::run_blocking;
use super::super::error::ApiError;
use super::shown::header_of;
use bytes::Bytes;
use jiff::Timestamp;
use pmtaemail::outbox::OutboxFile;
use rustix::fs::{Mode, OFlags};
use serde::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// The maximum number of listed files.
const MOST: usize = 200;

/// Only the names of larger files are shown.
const LARGEST: u64 = 1 << 20;

/// How often the directory is polled while somebody listens.
const INTERVAL: Duration = Duration::from_millis(250);

/// Reading a large directory takes time: no more than a fifth of the time goes into it.
const REST: u32 = 4;

/// A directory may change again within one tick of its clock. So it is read once more when that is over.
const TICK: Duration = Duration::from_secs(2);

/// The files of a directory.
pub struct Outbox {
    path: PathBuf,
    known: Mutex<HashMap<Key, Summary>>,
    seen: watch::Sender<Seen>,
    /// Whether somebody looks.
    is_watched: Mutex<bool>,
}

/// The last result; `None` before the first look.
pub type Seen = Option<Result<Arc<Listing>, Arc<io::Error>>>;

/// The newest files.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    files: Vec<Listed>,
    /// Whether there are others.
    more: bool,
}

/// One file.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Listed {
    name: String,
    octets: u64,
    #[serde(serialize_with = "as_text")]
    time: Timestamp,
    #[serde(flatten)]
    summary: Summary,
}

/// The content of a file, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Summary {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<usize>,
}

/// What distinguishes a file from others; the newest sorts last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    modified: Timestamp,
    name: String,
    octets: u64,
    inode: u64,
}

impl Outbox {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            known: Mutex::default(),
            seen: watch::Sender::new(None),
            is_watched: Mutex::new(false),
        }
    }

    /// The newest files. Reads the directory, and those of its files that are not known yet.
    pub fn list(&self) -> io::Result<Arc<Listing>> {
        // The oldest of the files found is dropped first.
        let mut newest = BinaryHeap::new();
        let mut more = false;
        for entry in fs::read_dir(&self.path)? {
            let Some(key) = Key::of(&entry?)? else {
                continue;
            };
            newest.push(Reverse(key));
            if newest.len() > MOST {
                newest.pop();
                more = true;
            }
        }
        let newest = newest.into_sorted_vec();
        // Files of others are read with the lock; whatever panics, an entry is whole or missing.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = HashMap::with_capacity(newest.len());
        let mut files = Vec::with_capacity(newest.len());
        for Reverse(key) in newest {
            let summary = known.remove(&key);
            let summary = summary.unwrap_or_else(|| self.summary(&key));
            files.push(Listed {
                name: key.name.clone(),
                octets: key.octets,
                time: key.modified,
                summary: summary.clone(),
            });
            kept.insert(key, summary);
        }
        *known = kept;
        Ok(Arc::new(Listing { files, more }))
    }

    /// The content of a file, and when it was written.
    pub fn read(&self, name: &str, room: usize) -> Result<(Bytes, SystemTime), ApiError> {
        if !is_visible(name) || name.contains(['/', '\0']) {
            return Err(ApiError::NotFound);
        }
        let (file, size, modified) = self.open(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename => ApiError::NotFound,
            _ => ApiError::Unreadable(error),
        })?;
        if size > room as u64 {
            return Err(ApiError::TooLargeToPreview { limit: room });
        }
        let content = read_up_to(file, room as u64).map_err(ApiError::Unreadable)?;
        Ok((content.into(), modified))
    }

    /// Opens a regular file of the directory. Neither a link nor a pipe is one.
    fn open(&self, name: &str) -> io::Result<(File, u64, SystemTime)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::open(self.path.join(name), flags, Mode::empty());
        let file = match opened {
            Ok(file) => File::from(file),
            // The errors for a link and for a socket.
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NXIO) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok((file, metadata.len(), metadata.modified()?))
    }

    /// What a file holds. PowerMTA may take it meanwhile, and others may have written it: then nothing is known.
    fn summary(&self, key: &Key) -> Summary {
        let content = (key.octets <= LARGEST).then(|| {
            let (file, _, modified) = self.open(&key.name)?;
            Ok::<_, io::Error>((read_up_to(file, LARGEST)?, modified))
        });
        match content {
            Some(Ok((content, modified))) => Summary::of(&content, modified),
            _ => Summary::default(),
        }
    }
}

impl Summary {
    fn of(content: &[u8], modified: SystemTime) -> Self {
        let Ok(file) = OutboxFile::read(content) else {
            return Self::default();
        };
        let source = file.mail(0, modified).unwrap_or_default();
        let header = header_of(&source);
        let field = |name: &str| {
            let value = header.as_ref()?.header(name)?;
            Some(value.to_owned())
        };
        Self {
            subject: field("Subject"),
            from: field("From"),
            recipients: Some(file.recipients()),
        }
    }
}

impl Key {
    /// Of a file that PowerMTA would take.
    fn of(entry: &fs::DirEntry) -> io::Result<Option<Self>> {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_visible(&name) {
            return Ok(None);
        }
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // It was taken.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() {
            return Ok(None);
        }
        let modified = Timestamp::try_from(metadata.modified()?).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Some(Self {
            modified,
            name,
            octets: metadata.len(),
            inode: metadata.ino(),
        }))
    }
}

/// As RFC 3339 has it.
fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn is_visible(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.')
}

fn read_up_to(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(most).read_to_end(&mut content)?;
    Ok(content)
}

/// Subscribes to changes of the directory, beginning with its present state.
pub fn listen(outbox: &Arc<Outbox>) -> watch::Receiver<Seen> {
    let mut is_watched = outbox.lock();
    let mut receiver = outbox.seen.subscribe();
    if *is_watched {
        receiver.mark_changed();
    } else {
        *is_watched = true;
        outbox.seen.send_replace(None);
        receiver.mark_unchanged();
        tokio::spawn(watch(Arc::clone(outbox)));
    }
    receiver
}

/// Polls the directory as long as somebody listens.
async fn watch(outbox: Arc<Outbox>) {
    let mut changed = None;
    while !outbox.is_left() {
        let began = Instant::now();
        let before = changed;
        let looked = Arc::clone(&outbox);
        let look = run_blocking(move || looked.look(before)).await;
        let pause = match look {
            Ok(Ok((now, listing))) => {
                changed = now;
                if let Some(listing) = listing {
                    outbox.tell(Ok(listing));
                }
                INTERVAL.max(began.elapsed() * REST)
            }
            Ok(Err(error)) => {
                changed = None;
                outbox.tell(Err(Arc::new(error)));
                INTERVAL * REST
            }
            // A panic, which is logged where it was.
            Err(_) => INTERVAL * REST,
        };
        sleep(pause).await;
    }
}

impl Outbox {
    /// Reads the directory unless it is unchanged since it was last read. Returns when it changed, if that is long
    /// enough ago to distinguish it from another change.
    fn look(
        &self,
        before: Option<SystemTime>,
    ) -> io::Result<(Option<SystemTime>, Option<Arc<Listing>>)> {
        let changed = fs::metadata(&self.path)?.modified()?;
        if before == Some(changed) {
            return Ok((before, None));
        }
        let listing = self.list()?;
        let is_over = changed.elapsed().is_ok_and(|ago| ago > TICK);
        Ok((is_over.then_some(changed), Some(listing)))
    }

    fn tell(&self, found: Result<Arc<Listing>, Arc<io::Error>>) {
        self.seen.send_if_modified(|seen| {
            let is_same = match (&*seen, &found) {
                (Some(Ok(before)), Ok(now)) => before == now,
                (Some(Err(before)), Err(now)) => before.kind() == now.kind(),
                _ => false,
            };
            if !is_same {
                *seen = Some(found);
            }
            !is_same
        });
    }

    /// Whether nobody listens any more, which ends the polling.
    fn is_left(&self) -> bool {
        let mut is_watched = self.lock();
        *is_watched = self.seen.receiver_count() > 0;
        !*is_watched
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.is_watched
            .lock()
            .expect("nothing panics with the lock")
    }
}
