//! Signals during a call. Python handles them in its main thread and between two steps of the interpreter, so a long
//! call has to check for them.

use pmtaemail::Interruption;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a signal may wait.
const PATIENCE: Duration = Duration::from_millis(100);

/// The clock is read once in this many calls: often enough even if each recipient has megabytes.
const CALLS: u32 = 4;

/// Checks for signals from time to time, and keeps the exception that a handler raises.
#[derive(Default)]
pub struct Signals {
    calls: AtomicU32,
    last: Mutex<Option<Instant>>,
    has_error: AtomicBool,
    error: Mutex<Option<PyErr>>,
}

impl Signals {
    /// Whether a handler has raised an exception. The interpreter lock need not be held.
    pub fn have_raised(&self) -> bool {
        if self.had_raised() {
            return true;
        }
        if self.calls.fetch_add(1, Ordering::Relaxed) % CALLS != CALLS - 1 || !self.is_due() {
            return false;
        }
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is not general enough"
        )]
        let Err(raised) = Python::attach(|py| py.check_signals()) else {
            return false;
        };
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
        self.has_error.store(true, Ordering::Relaxed);
        true
    }

    /// The same, without checking for signals.
    pub fn had_raised(&self) -> bool {
        self.has_error.load(Ordering::Relaxed)
    }

    fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_some_and(|last| now - last >= PATIENCE);
        if is_due || last.is_none() {
            *last = Some(now);
        }
        is_due
    }

    /// Ends the call if a handler has raised an exception.
    pub fn check(&self) -> PyResult<()> {
        self.unless_raised((!self.have_raised()).then_some(()))
    }

    /// The result. If there is none, a handler has raised an exception.
    pub fn unless_raised<T>(&self, done: Option<T>) -> PyResult<T> {
        done.ok_or_else(|| self.take_error())
    }

    /// The exception that the handler raised.
    fn take_error(&self) -> PyErr {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        { error }
            .take()
            .expect("only what has raised interrupts, and once")
    }
}

/// Calls `work` with an interruption that ends it once a handler has raised an exception.
pub fn interruptible<T>(signals: &Signals, work: impl FnOnce(Interruption<'_>) -> T) -> T {
    work(Interruption::new(&|| signals.have_raised()))
}
