//! Threads for work that blocks or takes long, so that other requests do not wait for it.

use super::error::ApiError;
use pmtaemail::Id;
use std::io;
use std::panic::catch_unwind;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;

/// Maximum number of threads for blocking work. Those of large messages and mail merges sleep during disk syncs, which
/// the pickup directory shares between all that wait: many threads make submissions quick, whatever the number of
/// cores.
pub const MOST_THREADS: usize = 512;

/// Up to this size, reading and rendering a message and writing its file take some ten microseconds each: less than
/// handing the work to another thread costs.
pub const INLINE_BYTES: usize = 64 << 10;

/// For ever: they are cheap, and at least one must stay.
const KEEP_ALIVE: Duration = Duration::from_hours(24 * 366);

/// Starts the runtime, with at most this many threads for blocking work, the first of which starts at once.
///
/// If tokio cannot start a thread, it keeps the work and yet reports a failure if there is no other thread: a message
/// that was refused would be submitted later. With one thread it never fails; the work waits for that one.
pub fn start_runtime(threads: usize) -> io::Result<Runtime> {
    let start = || {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(threads)
            .thread_keep_alive(KEEP_ALIVE)
            .build()?;
        let first = runtime.block_on(async { spawn_blocking(|| ()).await });
        first.map_err(io::Error::from)?;
        Ok(runtime)
    };
    // It panics if it cannot start a thread.
    catch_unwind(start).unwrap_or_else(|_| Err(no_threads()))
}

/// What to do if the system cannot start threads.
pub fn no_threads() -> io::Error {
    io::Error::other(
        "no thread can be started; raise the limit on processes (ulimit -u, TasksMax= of the service, the container's \
         limit of pids)",
    )
}

/// Runs a submission. After a panic it is unknown whether it succeeded.
pub async fn run_submission<T: Send + 'static>(
    id: Id,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work)
        .await
        .map_err(|_| ApiError::MayBeDelivered {
            id: Some(id),
            error: None,
        })
}

/// Runs work that blocks or takes long in a thread for that. A panic becomes an internal error; the log has its place.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.map_err(|_| ApiError::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::Identity;

    #[test]
    fn a_submission_that_panics_may_be_delivered() {
        let id = Identity::now().id();
        let runtime = start_runtime(1).unwrap();
        let result = runtime.block_on(run_submission(id, || {
            std::panic::resume_unwind(Box::new(()))
        }));
        let Err(ApiError::MayBeDelivered { id: said, error }) = result else {
            panic!("not known to be unknown")
        };
        assert_eq!((said, error.is_none()), (Some(id), true));
    }
}
