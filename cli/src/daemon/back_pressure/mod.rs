//! Refuses messages while PowerMTA or the disk cannot keep up.
//!
//! If one of the options requires it, a thread looks every second; its finding is a single word that submissions read.
//! Looking at many files takes time: 200,000 names a tenth of a second, their times several tenths. The thread then
//! rests three times as long as the look took, within bounds, so that a change is seen within five seconds as long as a
//! look takes half a second.
//!
//! ```text
//! mod            the thread, and its reports
//!   gate         one limit, and whether it currently refuses messages
//!   badmail      files that PowerMTA cannot read
//!     measure    the pickup directory and its file system
//! ```

mod badmail;
mod gate;
mod measure;

use super::error::ApiError;
use super::log;
use crate::args::{BackPressureArgs, PressureLimit};
use badmail::{Arrivals, BadMail};
use gate::Gate;
pub use measure::measure;
use pmtaemail::Identity;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long the thread rests between two measurements.
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_millis(2_500);

/// Whether messages are refused, and what was seen.
#[derive(Debug, Clone, Default)]
pub struct BackPressure(Option<Arc<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// A bit for each limit that keeps messages out.
    shut: AtomicU8,
    figures: Mutex<Figures>,
}

/// The measured values of the limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    values: [Option<u64>; PressureLimit::ALL.len()],
    pub badmail: Option<BadMailFigures>,
}

/// Files in the folder for bad mail.
#[derive(Debug, Clone, Copy, Default)]
pub struct BadMailFigures {
    /// How many there are, if known.
    pub files: Option<u64>,
    /// How many have arrived since the start.
    pub arrived: u64,
}

impl Figures {
    /// The value that a limit is about, in its unit, if it is watched and known.
    pub fn value(&self, limit: PressureLimit) -> Option<u64> {
        self.values[limit as usize]
    }

    pub fn set(&mut self, limit: PressureLimit, value: Option<u64>) {
        self.values[limit as usize] = value;
    }
}

impl BackPressure {
    /// Measures once, and then in a thread as long as this is shared, if there is anything to measure.
    pub fn start(args: &BackPressureArgs, pickup: &Path) -> io::Result<Self> {
        let gates: Vec<_> = (args.limits().map(|(limit, bound)| Gate::new(limit, bound))).collect();
        if gates.is_empty() && args.badmail.is_none() {
            return Ok(Self::default());
        }
        let shared = Arc::new(Shared::default());
        let mut watcher = Watcher {
            pickup: pickup.to_owned(),
            failures: vec![None; gates.len()],
            gates,
            badmail: args.badmail.clone().map(WatchedBadMail::new),
        };
        let mut took = watcher.look(&shared);
        let weak = Arc::downgrade(&shared);
        let watch = move || {
            loop {
                thread::sleep((took * 3).clamp(REST, LONGEST_REST));
                match Weak::upgrade(&weak) {
                    Some(shared) => took = watcher.look(&shared),
                    None => return,
                }
            }
        };
        (thread::Builder::new().name("back-pressure".to_owned())).spawn(watch)?;
        Ok(Self(Some(shared)))
    }

    /// Refuses messages while a limit keeps them out.
    pub fn check(&self) -> Result<(), ApiError> {
        match self.shut() {
            None => Ok(()),
            Some(limit) => Err(ApiError::BackPressure(limit)),
        }
    }

    /// The first limit that keeps messages out.
    pub fn shut(&self) -> Option<PressureLimit> {
        let shut = self.0.as_ref()?.shut.load(Ordering::Acquire);
        let is_shut = |limit: &PressureLimit| shut & bit(*limit) != 0;
        PressureLimit::ALL.into_iter().find(is_shut)
    }

    /// Whether a limit keeps messages out.
    pub fn is_shut(&self, limit: PressureLimit) -> bool {
        let shut = (self.0.as_ref()).map_or(0, |shared| shared.shut.load(Ordering::Acquire));
        shut & bit(limit) != 0
    }

    /// The last measurement, if anything is watched.
    pub fn figures(&self) -> Option<Figures> {
        self.0.as_ref().map(|shared| *shared.figures())
    }
}

fn bit(limit: PressureLimit) -> u8 {
    1 << limit as u8
}

impl Shared {
    fn figures(&self) -> impl std::ops::DerefMut<Target = Figures> {
        // Whole at every instant.
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread has.
struct Watcher {
    pickup: PathBuf,
    gates: Vec<Gate>,
    /// Why the value of each gate is not known.
    failures: Vec<Option<ErrorKind>>,
    badmail: Option<WatchedBadMail>,
}

impl Watcher {
    /// Measures everything. Returns how long that took.
    fn look(&mut self, shared: &Shared) -> Duration {
        let start = Instant::now();
        for (gate, failure) in self.gates.iter_mut().zip(&mut self.failures) {
            look_at(gate, failure, &self.pickup, shared);
        }
        if let Some(badmail) = &mut self.badmail {
            badmail.look(shared);
        }
        start.elapsed()
    }
}

/// Moves a gate, which stays as it is if its value is unknown: submissions then find out themselves.
fn look_at(gate: &mut Gate, failure: &mut Option<ErrorKind>, pickup: &Path, shared: &Shared) {
    let limit = gate.limit;
    let value = match measure(limit, pickup, Identity::now().time()) {
        Ok(value) => {
            *failure = None;
            // A value that the file system does not count cannot run out.
            let value = value.unwrap_or(u64::MAX);
            if gate.update(value) {
                log::back_pressure(limit, gate.is_shut(), value, gate.bound);
            }
            (value != u64::MAX).then_some(value)
        }
        Err(error) => {
            if failure.replace(error.kind()) != Some(error.kind()) {
                log::not_measured(limit.name(), &error);
            }
            None
        }
    };
    shared.figures().set(limit, value);
    if gate.is_shut() {
        shared.shut.fetch_or(bit(limit), Ordering::Release);
    } else {
        shared.shut.fetch_and(!bit(limit), Ordering::Release);
    }
}

struct WatchedBadMail {
    badmail: BadMail,
    /// Files that are there at the first look arrived earlier.
    is_first: bool,
    failure: Option<ErrorKind>,
}

impl WatchedBadMail {
    fn new(folder: PathBuf) -> Self {
        Self {
            badmail: BadMail::new(folder),
            is_first: true,
            failure: None,
        }
    }

    fn look(&mut self, shared: &Shared) {
        let found = self.badmail.look(Identity::now().time());
        let mut arrived = 0;
        let files = match found {
            Ok(arrivals) => {
                self.failure = None;
                if self.is_first {
                    log::badmail_at_start(&arrivals.submitted, arrivals.others);
                } else {
                    arrived = arrivals.count();
                    tell(&arrivals);
                }
                self.is_first = false;
                Some(self.badmail.count())
            }
            Err(error) => {
                if self.failure.replace(error.kind()) != Some(error.kind()) {
                    log::not_measured("badmail", &error);
                }
                None
            }
        };
        let mut figures = shared.figures();
        let known = figures.badmail.get_or_insert_default();
        known.files = files;
        known.arrived += arrived;
    }
}

fn tell(arrivals: &Arrivals) {
    for (id, file) in &arrivals.submitted {
        log::badmail(*id, file);
    }
    if arrivals.others > 0 {
        log::badmail_of_others(arrivals.others);
    }
}
