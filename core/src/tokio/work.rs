//! Work in tokio's blocking threads, for as long as somebody waits for it.

use crate::interruption::Interruption;
use crate::pickup_directory::PickupError;
use ::tokio::runtime::Handle;
use ::tokio::sync::oneshot;
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Submits, which blocks or takes long. Dropped before a thread has begun with it, it is never begun, and what it holds
/// is free at once; dropped later, the interruption is wanted.
///
/// # Errors
/// The system gave no thread for it, or the runtime was shut down before one had begun; or the work panicked, and nobody
/// knows what became of it.
pub(super) async fn submit<T: Send + 'static>(
    pickup: &Path,
    work: impl FnOnce(Interruption<'_>) -> T + Send + 'static,
) -> Result<T, PickupError> {
    run(work).await.map_err(|error| match error {
        NotDone::NeverBegun(why) => why.into_error(pickup),
        NotDone::Panicked(_) => PickupError::ended_early(pickup),
    })
}

/// Runs what blocks and submits nothing. A panic goes on in who waits for it.
///
/// # Errors
/// The system gave no thread for it, or the runtime was shut down before one had begun.
pub(super) async fn prepare<T: Send + 'static>(
    pickup: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PickupError> {
    run(|_| work()).await.map_err(|error| match error {
        NotDone::NeverBegun(why) => why.into_error(pickup),
        NotDone::Panicked(panic) => resume_unwind(panic),
    })
}

/// Why there is no result.
enum NotDone {
    NeverBegun(Lacking),
    Panicked(Box<dyn Any + Send>),
}

enum Lacking {
    Thread,
    Runtime,
}

impl Lacking {
    fn into_error(self, pickup: &Path) -> PickupError {
        match self {
            Self::Thread => {
                let error = io::Error::new(io::ErrorKind::WouldBlock, "the system gives none");
                PickupError::without_threads(pickup)(error)
            }
            Self::Runtime => PickupError::without_runtime(pickup),
        }
    }
}

async fn run<T, W>(work: W) -> Result<T, NotDone>
where
    T: Send + 'static,
    W: FnOnce(Interruption<'_>) -> T + Send + 'static,
{
    let waited = Waited(Arc::new(Work {
        begin: Mutex::new(Some(work)),
        is_abandoned: AtomicBool::new(false),
    }));
    let work = Arc::clone(&waited.0);
    let (sender, result) = oneshot::channel();
    let begin = move || {
        let Some(begin) = work.take() else { return };
        let is_abandoned = || work.is_abandoned.load(Ordering::Relaxed);
        let result = catch_unwind(AssertUnwindSafe(|| begin(Interruption::new(&is_abandoned))));
        // There is nobody to tell if the future was dropped.
        let _ = sender.send(result);
    };
    if !leave_to_a_thread(begin) && waited.0.take().is_some() {
        return Err(NotDone::NeverBegun(Lacking::Thread));
    }
    match result.await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(panic)) => Err(NotDone::Panicked(panic)),
        Err(_) => Err(NotDone::NeverBegun(Lacking::Runtime)),
    }
}

/// Whether there is a thread for it. If not, tokio has kept it all the same, and the next thread begins with it.
fn leave_to_a_thread(begin: impl FnOnce() + Send + 'static) -> bool {
    // It panics outside of a runtime, as it should.
    let runtime = Handle::current();
    // So does this where the system gives no thread.
    catch_unwind(AssertUnwindSafe(|| drop(runtime.spawn_blocking(begin)))).is_ok()
}

/// What is to be done, until a thread takes it, or who waits for it loses patience.
struct Work<W> {
    begin: Mutex<Option<W>>,
    is_abandoned: AtomicBool,
}

impl<W> Work<W> {
    fn take(&self) -> Option<W> {
        let mut begin = self.begin.lock().unwrap_or_else(PoisonError::into_inner);
        begin.take()
    }
}

/// Abandons what it waits for when it is dropped.
struct Waited<W>(Arc<Work<W>>);

impl<W> Drop for Waited<W> {
    fn drop(&mut self) {
        self.0.is_abandoned.store(true, Ordering::Relaxed);
        drop(self.0.take());
    }
}
