//! Who may use the daemon: whoever has a key, if there is a file of keys.
//!
//! ```text
//! credentials      the key of a request, in any form in which clients send it
//! usage            how much each key has used
//! ```

mod credentials;
mod usage;

use super::counters::{Counters, KeyCounters};
use super::error::ApiError;
use super::log;
use crate::access::{AccessKey, KeyFile, KeyFileProblems, KeyHash, now};
use axum::extract::Request;
use axum::http::HeaderMap;
use credentials::key_of;
use pmtaemail::Submitter;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use usage::{KeyQuota, Usage};

/// The keys that are in force.
#[derive(Debug)]
pub struct Access {
    path: PathBuf,
    counters: Arc<Counters>,
    /// By the hash of the key. The duration of the lookup reveals nothing about a key: see [`KeyHash`].
    holders: RwLock<Arc<HashMap<KeyHash, Arc<Holder>>>>,
}

/// Whoever has a key.
#[derive(Debug)]
struct Holder {
    key: AccessKey,
    usage: Arc<Usage>,
    counters: Arc<KeyCounters>,
    submitter: Submitter,
}

impl Access {
    /// Uses the keys of a file. The usage of each is counted.
    pub fn open(path: PathBuf, counters: Arc<Counters>) -> Result<Self, KeyFileProblems> {
        let file = KeyFile::read(&path)?;
        let holders = holders(file, &HashMap::new(), &counters);
        Ok(Self {
            path,
            counters,
            holders: RwLock::new(Arc::new(holders)),
        })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.holders().len()
    }

    /// Reads the file again. If anything is wrong with it, all keys stay as they are. A key of the same name has used
    /// as much as before.
    pub fn reload(&self) {
        match KeyFile::read(&self.path) {
            Ok(file) => {
                let used = self.holders();
                let used = used
                    .values()
                    .map(|holder| (holder.key.name.as_str(), holder));
                let used = used.map(|(name, holder)| (name, Arc::clone(&holder.usage)));
                let holders = holders(file, &used.collect(), &self.counters);
                let count = holders.len();
                let mut current = self.holders.write().unwrap_or_else(PoisonError::into_inner);
                *current = Arc::new(holders);
                drop(current);
                // Only once they are in force: somebody may be waiting for this line.
                log::keys_reloaded(count);
            }
            Err(problems) => log::keys_not_reloaded(&problems),
        }
    }

    /// The sender of a request with this head, if they may send it.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Requester, ApiError> {
        let key = key_of(headers).ok_or(ApiError::NoAccessKey)?;
        let holders = self.holders();
        let holder = holders.get(&KeyHash::of(&key));
        let holder = holder.ok_or(ApiError::WrongAccessKey)?;
        if holder.key.has_expired(now()) {
            return Err(ApiError::WrongAccessKey);
        }
        Ok(Requester(Some(Arc::clone(holder))))
    }

    fn holders(&self) -> Arc<HashMap<KeyHash, Arc<Holder>>> {
        // Consistent at every instant, so a panic while it was locked does not matter.
        let holders = self.holders.read();
        Arc::clone(&holders.unwrap_or_else(PoisonError::into_inner))
    }
}

fn holders(
    file: KeyFile,
    used: &HashMap<&str, Arc<Usage>>,
    counters: &Counters,
) -> HashMap<KeyHash, Arc<Holder>> {
    let holder = |key: AccessKey| {
        let usage = used.get(key.name.as_str()).cloned().unwrap_or_default();
        let quota = KeyQuota::new(&key, Arc::clone(&usage), false);
        let submitter = Submitter::named(&key.name)
            .with_senders(key.senders.clone())
            .with_quota(Arc::new(quota));
        let hash = key.hash;
        let holder = Holder {
            counters: Arc::new(counters.of_key(&key.name)),
            key,
            usage,
            submitter,
        };
        (hash, Arc::new(holder))
    };
    file.keys.into_iter().map(holder).collect()
}

/// The sender of a request. By default anybody: there are no keys.
#[derive(Debug, Clone, Default)]
pub struct Requester(Option<Arc<Holder>>);

impl Requester {
    /// The sender of a request.
    pub fn of(request: &Request) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    /// Whether they may see messages: with a key that allows it, or if there are no keys.
    #[cfg(feature = "preview")]
    pub fn may_preview(&self) -> bool {
        self.0.as_deref().is_none_or(|holder| holder.key.preview)
    }

    /// The counters of their key.
    pub fn counters(&self) -> Option<&Arc<KeyCounters>> {
        self.0.as_deref().map(|holder| &holder.counters)
    }

    /// Counts a request of theirs.
    pub fn count_request(&self) -> Result<(), ApiError> {
        let Some(holder) = &self.0 else {
            return Ok(());
        };
        let counted = holder.usage.count_message(holder.key.rate);
        counted.map_err(ApiError::OverQuota)
    }

    /// On whose behalf their message is submitted.
    pub fn submitter(&self) -> Submitter {
        (self.0.as_deref()).map_or_else(Submitter::default, |holder| holder.submitter.clone())
    }

    /// On whose behalf their batch is: its first message was counted as the request.
    pub fn batch_submitter(&self) -> Submitter {
        let Some(holder) = &self.0 else {
            return Submitter::default();
        };
        let quota = KeyQuota::new(&holder.key, Arc::clone(&holder.usage), true);
        self.submitter().with_quota(Arc::new(quota))
    }
}
