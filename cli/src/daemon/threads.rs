//! Threads for what blocks or takes long.

use super::refusal::Refusal;
use tokio::task::spawn_blocking;

/// Most threads for submissions. They sleep in the disk's syncs, which the pickup directory shares
/// between all that wait: many threads make quick submissions, whatever the number of cores.
pub const SUBMIT_THREADS: usize = 512;

/// Does what takes long in a thread where it may.
pub async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(work).await.map_err(|_| Refusal::Internal)
}
