//! Work in tokio's blocking threads, for as long as somebody waits for it.

use crate::interruption::Interruption;
use crate::pickup_directory::PickupError;
use ::tokio::task::{JoinError, JoinHandle, spawn_blocking};
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Submits, which blocks or takes long. Dropped before a thread has begun with it, it is never begun; dropped later,
/// the interruption is wanted.
///
/// # Errors
/// The runtime was shut down before a thread had begun; or the work panicked, and nobody knows what became of it.
pub(super) async fn submit<T: Send + 'static>(
    pickup: &Path,
    work: impl FnOnce(Interruption<'_>) -> T + Send + 'static,
) -> Result<T, PickupError> {
    run(work).await.map_err(|error| {
        if error.is_cancelled() {
            PickupError::without_runtime(pickup)
        } else {
            PickupError::ended_early(pickup)
        }
    })
}

/// Runs what blocks and submits nothing. A panic goes on in who waits for it.
///
/// # Errors
/// The runtime was shut down before a thread had begun.
pub(super) async fn prepare<T: Send + 'static>(
    pickup: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PickupError> {
    run(|_| work()).await.map_err(|error| {
        if let Ok(panic) = error.try_into_panic() {
            resume_unwind(panic);
        }
        PickupError::without_runtime(pickup)
    })
}

async fn run<T: Send + 'static>(
    work: impl FnOnce(Interruption<'_>) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let is_abandoned = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_abandoned);
    let task = spawn_blocking(move || work(Interruption::new(&|| asked.load(Ordering::Relaxed))));
    let mut work = Abandoned { task, is_abandoned };
    (&mut work.task).await
}

/// Abandons what it waits for when it is dropped.
struct Abandoned<T> {
    task: JoinHandle<T>,
    is_abandoned: Arc<AtomicBool>,
}

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
        // It does nothing where a thread is at work, or has finished.
        self.task.abort();
    }
}
