//! Whether the pickup directory, or the store of idempotency keys, currently takes messages.
//!
//! Each is probed with what a submission needs. That costs the file system something, so one result serves all who ask
//! within a second, and nothing is probed twice at a time: a hanging file system blocks only one thread.

use super::blocking::run_blocking;
use super::error::ApiError;
use super::log;
use pmtaemail::{PickupError, PickupErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// A file system that answers more slowly does not take messages either.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a result is shared.
const FRESH: Duration = Duration::from_secs(1);

/// What is known about one thing that submissions need.
#[derive(Debug, Clone)]
pub struct Readiness {
    check: &'static str,
    known: Arc<watch::Sender<Known>>,
}

/// The result of a probe: why no messages are taken, as a word that never changes, or an error that says so.
pub type Probed = Result<Option<&'static str>, PickupError>;

#[derive(Debug, Default)]
struct Known {
    /// It is currently being tried.
    is_tried: bool,
    /// When it was tried last.
    tried: Option<Instant>,
    /// Why it takes no messages.
    cause: Option<&'static str>,
}

impl Readiness {
    /// For a check with this name in the log. Nothing is known yet.
    pub fn of(check: &'static str) -> Self {
        Self {
            check,
            known: Arc::default(),
        }
    }

    /// Why it takes no messages, if it does not: a word that never changes. `probe` tries it.
    pub async fn cause(
        &self,
        probe: impl FnOnce() -> Probed + Send + 'static,
    ) -> Option<&'static str> {
        let mut known = self.known.subscribe();
        if self.known.send_if_modified(Known::begin) {
            let (sender, check) = (Arc::clone(&self.known), self.check);
            // Continues when the client disconnects.
            tokio::spawn(async move {
                let tried = run_blocking(probe).await;
                sender.send_modify(|known| known.end(check, tried));
            });
        }
        match timeout(PATIENCE, known.wait_for(|known| !known.is_tried)).await {
            Ok(Ok(known)) => known.cause,
            _ => Some("slow"),
        }
    }
}

impl Known {
    /// Whether the caller should probe it.
    fn begin(&mut self) -> bool {
        let is_fresh = self.tried.is_some_and(|tried| tried.elapsed() < FRESH);
        let begins = !is_fresh && !self.is_tried;
        self.is_tried |= begins;
        begins
    }

    fn end(&mut self, check: &str, tried: Result<Probed, ApiError>) {
        let cause = match &tried {
            Ok(Ok(cause)) => *cause,
            Ok(Err(error)) => Some(cause(error.kind())),
            // A panic, which is logged.
            Err(_) => Some("fault"),
        };
        if cause != self.cause {
            log::health(check, cause, tried.ok().and_then(Result::err).as_ref());
        }
        *self = Self {
            is_tried: false,
            tried: Some(Instant::now()),
            cause,
        };
    }
}

fn cause(kind: PickupErrorKind) -> &'static str {
    match kind {
        PickupErrorKind::NotFound => "not-found",
        PickupErrorKind::NotADirectory => "not-a-directory",
        PickupErrorKind::PermissionDenied => "permission-denied",
        PickupErrorKind::StorageFull => "storage-full",
        PickupErrorKind::QuotaExceeded => "quota-exceeded",
        PickupErrorKind::TooManyOpenFiles => "too-many-open-files",
        PickupErrorKind::ReadOnlyFilesystem => "read-only",
        PickupErrorKind::Unsupported => "unsupported-file-system",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[tokio::test]
    async fn one_attempt_serves_all() {
        let readiness = Readiness::of("pickup");
        let count = Arc::new(AtomicUsize::new(0));
        let (go_on, wait) = mpsc::channel::<()>();
        let mut wait = Some(wait);
        let mut asks = Vec::new();
        for _ in 0..100 {
            let (readiness, count) = (readiness.clone(), Arc::clone(&count));
            let wait = wait.take();
            let probe = move || {
                count.fetch_add(1, Ordering::Relaxed);
                // The first one waits until it may go on.
                let waited = wait.map(|wait| wait.recv());
                assert!(waited.is_none_or(|waited| waited.is_ok()));
                Ok(None)
            };
            asks.push(tokio::spawn(async move { readiness.cause(probe).await }));
        }
        tokio::task::yield_now().await;
        go_on.send(()).unwrap();
        for ask in asks {
            assert_eq!(ask.await.unwrap(), None);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_file_system_that_hangs_holds_one_thread() {
        let readiness = Readiness::of("pickup");
        let (go_on, wait) = mpsc::channel::<()>();
        let hangs = move || {
            wait.recv().unwrap();
            Ok(None)
        };
        assert_eq!(readiness.cause(hangs).await, Some("slow"));
        let never = || -> Probed { panic!("it is tried twice at a time") };
        assert_eq!(readiness.cause(never).await, Some("slow"));
        go_on.send(()).unwrap();
        assert_eq!(readiness.cause(never).await, None);
    }

    #[tokio::test]
    async fn a_panic_is_no_good_sign() {
        let panics = || -> Probed { std::panic::resume_unwind(Box::new(())) };
        assert_eq!(Readiness::of("pickup").cause(panics).await, Some("fault"));
    }
}
