//! The idempotency keys of the submissions to a pickup directory.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::idempotency::{
    Claim, ClaimRefused, Fingerprint, Found, IdempotencyKey, KeyStore, StorePlace, StoreSettings,
};
use crate::identity::Id;

use super::error::{Operation, PickupError};
use super::options::PickupOptions;
use super::staging::Staging;
use super::{PickupDirectory, Place, absolute};

/// Why a key cannot be claimed.
///
/// ```
/// use pmtaemail::{ClaimError, Message, PickupDirectory, PickupOptions};
///
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("pickup");
/// # std::fs::create_dir(&path)?;
/// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
/// let message = |text| Message::builder().from("shop@example.com").to("ann@example.org").text(text).build();
/// directory.submit_message_once(&message("Hello")?, "order-4711".parse()?)?;
/// let error = directory.submit_message_once(&message("Goodbye")?, "order-4711".parse()?).unwrap_err();
/// assert!(matches!(error, ClaimError::Conflict));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The first submission under it is in progress. Try again in a second.
    #[error("a submission with the same idempotency key is in progress: try again later")]
    InWork,
    /// Something else was submitted under it in the last 24 hours.
    #[error(
        "another message was submitted with the same idempotency key: give each message its own key"
    )]
    Conflict,
    /// The store has no room for another key until the oldest is 24 hours old.
    #[error(
        "the store of idempotency keys is full: give it more room, or wait until its oldest keys expire after 24 hours"
    )]
    Full,
    /// The store cannot be used. Or the same message was submitted before but its files could not be published yet:
    /// [`PickupError::may_be_delivered`].
    #[error(transparent)]
    Pickup(#[from] PickupError),
}

/// The store of a pickup directory, opened if that was requested and it exists. `None` if there is no place for it next
/// to the staging folder.
pub(super) fn open(
    staging: &Staging,
    options: &PickupOptions,
) -> Result<Option<Arc<KeyStore>>, PickupError> {
    let folder = match &options.state {
        Some(folder) => Some(absolute(folder)?),
        None => default_folder(staging),
    };
    let Some(folder) = folder else {
        return Ok(None);
    };
    let store = KeyStore::new(StoreSettings {
        place: StorePlace::Folder(folder),
        limit: options.state_limit,
        durable: options.is_durable(),
    });
    if options.state_at_start {
        match check_place(&store, staging).and_then(|()| store.open_if_there()) {
            // Whoever has it may be about to end. Until then no key can be had, and this process does the rest.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            opened => drop(opened.map_err(failed_to_open(&store))?),
        }
    }
    Ok(Some(Arc::new(store)))
}

/// Next to the staging folder, and named after the pickup directory.
fn default_folder(staging: &Staging) -> Option<PathBuf> {
    let folder = staging.folder().ok()?;
    let pickup = fs::canonicalize(staging.pickup()).ok()?;
    let mut name = pickup.file_name().unwrap_or_default().to_owned();
    name.push(".state");
    Some(folder.with_file_name(name))
}

/// PowerMTA reads everything in its directory.
fn check_place(store: &KeyStore, staging: &Staging) -> io::Result<()> {
    let path = store.path();
    let folder = path.parent().unwrap_or(&path);
    let place = match (fs::canonicalize(folder), folder.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            fs::canonicalize(parent)?
        }
        (result, _) => result?,
    };
    if place.starts_with(fs::canonicalize(staging.pickup())?) {
        let sentence = "the state folder must be outside of the pickup directory";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
    }
    Ok(())
}

fn failed_to_open(store: &KeyStore) -> impl FnOnce(io::Error) -> PickupError + use<> {
    let path = store.path();
    move |error| PickupError::from_io(Operation::OpenKeys, &path)(error)
}

impl PickupDirectory {
    /// Claims a key, or finds what was submitted under it.
    pub(crate) fn claim_key(
        &self,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Found, ClaimError> {
        let store = self.open_keys()?;
        let failed = |error| PickupError::from_io(Operation::KeepKey, &store.path())(error);
        let found = store.claim(key, fingerprint);
        #[cfg(feature = "queue")]
        let found = match &self.place {
            Place::Queue(queue) => {
                found.and_then(|found| queue.claim_everywhere(key, fingerprint, found))
            }
            #[cfg(feature = "outbox")]
            Place::Memory(_) => found,
            Place::Disk(_) => found,
        };
        let found = match found {
            Ok(found) => found,
            Err(ClaimRefused::InWork) => return Err(ClaimError::InWork),
            Err(ClaimRefused::Conflict) => return Err(ClaimError::Conflict),
            Err(ClaimRefused::Full) => return Err(ClaimError::Full),
            Err(ClaimRefused::Store(error)) => return Err(failed(error).into()),
        };
        if let Found::Receipt { id, token, .. } = &found {
            self.finish_earlier(*id, *token)?;
        }
        Ok(found)
    }

    /// What was submitted under a key. A store that has not been needed yet has nothing.
    pub(crate) fn find_key(
        &self,
        key: IdempotencyKey,
    ) -> Result<Option<Vec<Vec<u8>>>, PickupError> {
        #[cfg(feature = "queue")]
        if let Place::Queue(queue) = &self.place {
            return queue.find_receipt(key);
        }
        let Some(store) = self.keys().filter(|store| store.is_there()) else {
            return Ok(None);
        };
        let path = store.path();
        let store = self.open_keys()?;
        let found = store.find(key);
        found.map_err(PickupError::from_io(Operation::KeepKey, &path))
    }

    /// Whether the store can be used and has room for names, which are not essential.
    pub(crate) fn has_room_for_names(&self) -> bool {
        #[cfg(feature = "queue")]
        if let Place::Queue(_) = &self.place {
            return false;
        }
        let store = self.open_keys();
        store.is_ok_and(|store| store.has_room_for_names().unwrap_or(false))
    }

    /// Claims an unused key if a single read of the store is enough to know that it is unused. `None` means: call
    /// [`claim`](Self::claim), which may block.
    ///
    /// ```
    /// use pmtaemail::{Claimed, Fingerprinter, IdempotencyKey, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let key: IdempotencyKey = "order-4711".parse()?;
    /// let fingerprint = Fingerprinter::new(&["json"]).with(b"{}").finish();
    /// let claimed = match directory.claim_at_once(key, fingerprint) {
    ///     Some(claim) => Claimed::First(claim),
    ///     None => directory.claim(key, fingerprint)?, // on another thread, if this one must not block
    /// };
    /// assert!(matches!(claimed, Claimed::First(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn claim_at_once(&self, key: IdempotencyKey, fingerprint: Fingerprint) -> Option<Claim> {
        if self.has_leftovers() {
            return None;
        }
        // Other hosts have to be asked.
        #[cfg(feature = "queue")]
        if let Place::Queue(_) = &self.place {
            return None;
        }
        self.keys()?.claim_at_once(key, fingerprint)
    }

    /// Forgets a key if something was submitted under it.
    #[cfg(feature = "queue")]
    pub(crate) fn forget_key(
        &self,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<(), ClaimError> {
        if let Found::Receipt { token, .. } = self.claim_key(key, fingerprint)? {
            let store = self.open_keys()?;
            let path = store.path();
            let failed = PickupError::from_io(Operation::KeepKey, &path);
            store.revoke(token).map_err(failed)?;
        }
        Ok(())
    }

    /// Opens the store of keys, and finishes what was decided in it before.
    fn open_keys(&self) -> Result<&Arc<KeyStore>, PickupError> {
        let store = self.keys().ok_or_else(|| {
            let sentence = "there is no room for it next to the pickup directory";
            let error = io::Error::new(io::ErrorKind::NotFound, sentence);
            PickupError::from_io(Operation::OpenKeys, self.path())(error)
        })?;
        match &self.place {
            Place::Disk(disk) => {
                let opened = check_once(store, &disk.staging).and_then(|()| store.open());
                if opened.map_err(failed_to_open(store))? {
                    disk.staging.clear_leftovers();
                }
            }
            #[cfg(any(feature = "outbox", feature = "queue"))]
            _ => {
                store.open().map_err(failed_to_open(store))?;
            }
        }
        Ok(store)
    }

    fn keys(&self) -> Option<&Arc<KeyStore>> {
        match &self.place {
            Place::Disk(disk) => disk.staging.keys(),
            #[cfg(feature = "outbox")]
            Place::Memory(memory) => Some(memory.keys()),
            #[cfg(feature = "queue")]
            Place::Queue(queue) => Some(queue.keys()),
        }
    }

    /// What was decided must be finished before anybody is told that it is submitted.
    fn finish_earlier(&self, id: Id, token: crate::idempotency::Token) -> Result<(), PickupError> {
        let waits = match &self.place {
            Place::Disk(disk) => disk.staging.waits(token),
            // What is decided there is done.
            #[cfg(any(feature = "outbox", feature = "queue"))]
            _ => Ok(false),
        };
        match waits {
            Ok(false) => Ok(()),
            Ok(true) => {
                let error = io::Error::other("it was decided to, and could not be done yet");
                let error = PickupError::from_io(Operation::RollForward, self.path())(error);
                Err(error.after_publishing().with_id(Some(id)))
            }
            Err(error) => Err(error.after_publishing().with_id(Some(id))),
        }
    }

    /// A stored receipt cannot be read.
    pub(crate) fn receipt_unreadable(&self, error: io::Error) -> PickupError {
        let path = self.keys().map(|store| store.path());
        PickupError::from_io(Operation::KeepKey, path.as_deref().unwrap_or(self.path()))(error)
    }

    /// Whether submissions with new keys are currently accepted; `None` if the store has not been needed yet.
    ///
    /// ```
    /// use pmtaemail::{Message, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// assert_eq!(directory.probe_keys()?, None);
    /// let message = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello").build()?;
    /// directory.submit_message_once(&message, "order-4711".parse()?)?;
    /// assert_eq!(directory.probe_keys()?, Some(true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The store cannot be used: another process has it open, or it is damaged.
    pub fn probe_keys(&self) -> Result<Option<bool>, PickupError> {
        if !self.keys().is_some_and(|store| store.is_there()) {
            return Ok(None);
        }
        let store = self.open_keys()?;
        let is_full = store.is_full();
        let is_full = is_full.map_err(PickupError::from_io(Operation::KeepKey, &store.path()))?;
        Ok(Some(!is_full))
    }
}

/// Checks the place before the store is opened.
fn check_once(store: &KeyStore, staging: &Staging) -> io::Result<()> {
    match store.number() {
        Some(_) => Ok(()),
        None => check_place(store, staging),
    }
}
