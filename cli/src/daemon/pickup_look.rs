//! What is in the pickup directory and on its file system.

use super::back_pressure::{BackPressure, Figures, measure};
use super::blocking::run_blocking;
use super::error::ApiError;
use super::log;
use crate::args::PressureLimit;
use pmtaemail::Identity;
use std::io;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long a result is shared, at least.
const FRESH: Duration = Duration::from_secs(5);

/// Looking at very many files takes time; at most every fourth second is spent on it.
const REST: u32 = 3;

/// How long somebody waits for a look before they get the previous result.
const PATIENCE: Duration = Duration::from_secs(2);

/// A look longer ago than this says nothing about the present.
const OLD: Duration = Duration::from_mins(5);

/// Looks at the pickup directory on request, one look at a time. The values matter most when they take longest:
/// PowerMTA is down, and files pile up.
#[derive(Debug, Clone, Default)]
pub struct PickupLook(Arc<watch::Sender<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// When the check in progress began.
    looks_since: Option<Instant>,
    /// When the last look began and ended.
    looked: Option<(Instant, Instant)>,
    figures: Figures,
    /// Why values are unknown.
    failures: [Option<ErrorKind>; PressureLimit::ALL.len()],
}

/// What a look found of each value that it looked for.
type Looked = Vec<(PressureLimit, io::Result<Option<u64>>)>;

impl PickupLook {
    /// The numbers, as far as the file system provides them. What back-pressure watches is not measured again.
    pub async fn figures(&self, back_pressure: &BackPressure, pickup: PathBuf) -> Figures {
        // A queue and a directory in memory have no files.
        if !pickup.is_absolute() {
            return Figures::default();
        }
        let watched = back_pressure.figures().unwrap_or_default();
        let mut figures = self.latest(move || look(watched, &pickup)).await;
        for limit in PressureLimit::ALL {
            if let Some(value) = watched.value(limit) {
                figures.set(limit, Some(value));
            }
        }
        figures.badmail = watched.badmail;
        figures
    }

    /// The result of the last look, or of a new one that ends soon.
    async fn latest(&self, look: impl FnOnce() -> Looked + Send + 'static) -> Figures {
        let mut seen = self.0.subscribe();
        if self.0.send_if_modified(Seen::begin) {
            let sender = Arc::clone(&self.0);
            // Continues when the client disconnects, or if it takes longer.
            tokio::spawn(async move {
                let looked = run_blocking(look).await;
                sender.send_modify(|seen| seen.end(looked));
            });
        }
        let ended = seen.wait_for(|seen| seen.looks_since.is_none());
        // Otherwise the previous result has to do.
        drop(timeout(PATIENCE, ended).await);
        self.0.borrow().figures()
    }
}

impl Seen {
    /// Whether the caller should look.
    fn begin(&mut self) -> bool {
        let is_fresh = self.looked.is_some_and(|(began, ended)| {
            let took = ended.duration_since(began);
            ended.elapsed() < FRESH.max(took * REST)
        });
        let begins = !is_fresh && self.looks_since.is_none();
        if begins {
            self.looks_since = Some(Instant::now());
        }
        begins
    }

    fn end(&mut self, looked: Result<Looked, ApiError>) {
        let now = Instant::now();
        self.looked = Some((self.looks_since.take().unwrap_or(now), now));
        self.figures = Figures::default();
        // A panic is logged with its location, and counts as finding nothing.
        for (limit, value) in looked.unwrap_or_default() {
            let failure = &mut self.failures[limit as usize];
            match value {
                Ok(value) => {
                    *failure = None;
                    self.figures.set(limit, value);
                }
                Err(error) => {
                    if failure.replace(error.kind()) != Some(error.kind()) {
                        log::not_measured(limit.name(), &error);
                    }
                }
            }
        }
    }

    fn figures(&self) -> Figures {
        match self.looked {
            Some((_, ended)) if ended.elapsed() < OLD => self.figures,
            _ => Figures::default(),
        }
    }
}

/// Measures what back-pressure does not watch.
fn look(watched: Figures, pickup: &Path) -> Looked {
    let limits = PressureLimit::ALL.into_iter();
    let limits = limits.filter(|limit| watched.value(*limit).is_none());
    limits
        .map(|limit| (limit, measure(limit, pickup, Identity::now().time())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const DEPTH: PressureLimit = PressureLimit::MaxDepth;

    fn finds(depth: u64) -> impl FnOnce() -> Looked + Send + 'static {
        move || vec![(DEPTH, Ok(Some(depth)))]
    }

    async fn depth(
        look: &PickupLook,
        finds: impl FnOnce() -> Looked + Send + 'static,
    ) -> Option<u64> {
        look.latest(finds).await.value(DEPTH)
    }

    /// Makes the last look older.
    fn age(look: &PickupLook, time: Duration) {
        look.0.send_modify(|seen| {
            let (began, ended) = seen.looked.unwrap();
            seen.looked = Some((began - time, ended - time));
        });
    }

    #[tokio::test]
    async fn a_result_is_reused_for_a_while() {
        let look = PickupLook::default();
        assert_eq!(depth(&look, finds(1)).await, Some(1));
        assert_eq!(depth(&look, finds(2)).await, Some(1));
        age(&look, FRESH);
        assert_eq!(depth(&look, finds(3)).await, Some(3));
        // A look that took long is not repeated at once.
        look.0.send_modify(|seen| {
            let (began, ended) = seen.looked.unwrap();
            seen.looked = Some((began - FRESH, ended));
        });
        age(&look, FRESH);
        assert_eq!(depth(&look, finds(4)).await, Some(3));
        age(&look, FRESH * REST);
        assert_eq!(depth(&look, finds(5)).await, Some(5));
    }

    #[tokio::test]
    async fn while_a_look_takes_long_the_last_one_has_to_do() {
        let look = PickupLook::default();
        assert_eq!(depth(&look, finds(1)).await, Some(1));
        age(&look, FRESH);
        let (go_on, wait) = mpsc::channel::<()>();
        let hangs = move || {
            wait.recv().unwrap();
            vec![(DEPTH, Ok(Some(2)))]
        };
        assert_eq!(depth(&look, hangs).await, Some(1));
        let never = || -> Looked { panic!("there are two at a time") };
        assert_eq!(depth(&look, never).await, Some(1));
        age(&look, OLD);
        assert_eq!(depth(&look, never).await, None);
        go_on.send(()).unwrap();
        assert_eq!(depth(&look, never).await, Some(2));
    }

    #[tokio::test]
    async fn a_measurement_that_fails_is_absent() {
        let look = PickupLook::default();
        assert_eq!(depth(&look, finds(1)).await, Some(1));
        age(&look, FRESH);
        let fails = || vec![(DEPTH, Err(ErrorKind::NotFound.into()))];
        assert_eq!(depth(&look, fails).await, None);
        age(&look, FRESH);
        assert_eq!(depth(&look, finds(2)).await, Some(2));
        age(&look, FRESH);
        let panics = || -> Looked { std::panic::resume_unwind(Box::new(())) };
        assert_eq!(depth(&look, panics).await, None);
    }
}
