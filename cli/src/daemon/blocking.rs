//! Threads for what blocks or takes long, so that other requests do not wait for it.

use super::error::ApiError;
use tokio::task::spawn_blocking;

/// Most threads for submissions. They sleep in the disk's syncs, which the pickup directory shares
/// between all that wait: many threads make quick submissions, whatever the number of cores.
pub const SUBMIT_THREADS: usize = 512;

/// Runs what blocks or takes long in a thread for that. Its panic is an internal error; the log has
/// its place.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.map_err(|_| ApiError::Internal)
}
