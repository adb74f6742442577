//! What is in the pickup directory and on its file system.

use super::back_pressure::{BackPressure, Figures, measure};
use super::blocking::run_blocking;
use super::log;
use crate::args::PressureLimit;
use pmtaemail::Identity;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long a look is good for others: one at many files takes its time.
const FRESH: Duration = Duration::from_secs(5);

/// A file system that takes longer does not answer at present.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the pickup directory when somebody asks, one look at a time.
#[derive(Debug, Clone, Default)]
pub struct PickupLook(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    at: Option<Instant>,
    figures: Figures,
    /// Why values are not known.
    failures: [Option<ErrorKind>; PressureLimit::ALL.len()],
}

impl PickupLook {
    /// What there is, if the file system tells it soon. What back-pressure watches is not looked at again.
    pub async fn figures(&self, back_pressure: &BackPressure, pickup: PathBuf) -> Option<Figures> {
        let seen = Arc::clone(&self.0).lock_owned();
        let mut seen = timeout(PATIENCE, seen).await.ok()?;
        if seen.at.is_some_and(|at| at.elapsed() < FRESH) {
            return Some(seen.figures);
        }
        let watched = back_pressure.figures().unwrap_or_default();
        // Goes on where it takes longer, and keeps others from looking as well.
        let look = run_blocking(move || {
            seen.look(watched, &pickup);
            seen.at = Some(Instant::now());
            seen.figures
        });
        timeout(PATIENCE, look).await.ok()?.ok()
    }
}

impl Seen {
    fn look(&mut self, watched: Figures, pickup: &std::path::Path) {
        self.figures = watched;
        for limit in PressureLimit::ALL {
            if watched.value(limit).is_some() {
                continue;
            }
            let failure = &mut self.failures[limit as usize];
            match measure(limit, pickup, Identity::now().time()) {
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
}
