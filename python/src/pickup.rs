//! The pickup directory, opened once and used from many threads.

use crate::message::{Prepared, with_message};
use crate::objects;
use pmtaemail::{Durability, PickupDirectory, PickupError, PickupOptions, Receipt, Submission};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::{Path, PathBuf};

/// Bounds the memory that `submit_many` needs: rendered messages wait for their group.
const MESSAGES_AT_A_TIME: usize = 256;
const OCTETS_AT_A_TIME: u64 = 32 << 20;

/// A mail merge with larger files does not wait for others.
const MERGE_OCTETS: u64 = 1 << 20;

#[pyclass(frozen, subclass, module = "pmtaemail")]
pub struct Pickup(PickupDirectory);

#[pymethods]
impl Pickup {
    #[new]
    #[pyo3(signature = (directory, *, durability = "durable", staging = None, syncfs = true))]
    fn new(
        py: Python<'_>,
        directory: PathBuf,
        durability: &str,
        staging: Option<PathBuf>,
        syncfs: bool,
    ) -> PyResult<Self> {
        let durability = match durability {
            "durable" => Durability::Durable,
            "none" => Durability::NotDurable,
            _ => {
                return Err(PyValueError::new_err(
                    "durability is \"durable\" or \"none\"",
                ));
            }
        };
        let mut options = PickupOptions::default()
            .with_durability(durability)
            .with_syncfs(syncfs);
        if let Some(staging) = staging {
            options = options.with_staging(staging);
        }
        py.detach(|| PickupDirectory::open(directory, options))
            .map(Self)
            .map_err(|error| objects::pickup_error(py, &error))
    }

    #[getter]
    fn directory(&self) -> &Path {
        self.0.path()
    }

    fn __repr__(&self) -> String {
        format!("<pmtaemail.Pickup {}>", self.0.path().display())
    }

    #[pyo3(signature = (message = None, /, **fields))]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        fields: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let handed_over = match message.as_ref().and_then(prepared) {
            Some(submission) => py.detach(|| self.0.submit(submission)),
            None => with_message(py, message, fields, |message| {
                py.detach(|| self.0.submit_message(message))
            })?,
        };
        outcome(py, handed_over)
    }

    #[pyo3(signature = (messages, /))]
    fn submit_many<'py>(
        &self,
        py: Python<'py>,
        messages: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        // An error of the iterable itself comes before anything is handed over.
        let messages: Vec<Bound<'py, PyAny>> = messages.try_iter()?.collect::<PyResult<_>>()?;
        let results = PyList::empty(py);
        let mut group = Group::default();
        for message in messages {
            match self.take(py, message) {
                Ok(Taken::Waits(submission)) => group.add(submission),
                Ok(Taken::HandedOver(handed_over)) => group.settle(outcome(py, handed_over)),
                Err(error) if error.is_instance_of::<PyException>(py) => group.settle(Err(error)),
                Err(error) => return Err(error),
            }
            if group.is_full() {
                self.hand_over_group(py, &mut group, &results)?;
            }
        }
        self.hand_over_group(py, &mut group, &results)?;
        Ok(results)
    }
}

impl Pickup {
    /// Reads one message of many. Small ones wait for others; of a large mail merge the files go out
    /// as they are made.
    fn take<'py>(&self, py: Python<'py>, message: Bound<'py, PyAny>) -> PyResult<Taken> {
        if let Some(submission) = prepared(&message) {
            return Ok(Taken::Waits(submission.clone()));
        }
        with_message(py, Some(message), None, |message| {
            let small = Submission::within(MERGE_OCTETS, message);
            small.map_or_else(
                || Taken::HandedOver(py.detach(|| self.0.submit_message(message))),
                Taken::Waits,
            )
        })
    }

    /// Appends a receipt or an exception for each message of the group, in order.
    fn hand_over_group<'py>(
        &self,
        py: Python<'py>,
        group: &mut Group<'py>,
        results: &Bound<'py, PyList>,
    ) -> PyResult<()> {
        let Group {
            submissions,
            settled,
            ..
        } = std::mem::take(group);
        let mut handed_over = py.detach(|| self.0.submit_many(&submissions)).into_iter();
        drop(submissions);
        for settled in settled {
            let handed_over = || Some(outcome(py, handed_over.next()?));
            match settled.or_else(handed_over) {
                Some(Ok(receipt)) => results.append(receipt)?,
                Some(Err(error)) => results.append(error.into_value(py))?,
                None => {}
            }
        }
        Ok(())
    }
}

fn prepared<'a>(message: &'a Bound<'_, PyAny>) -> Option<&'a Submission> {
    let prepared = message.cast::<Prepared>().ok()?;
    Some(&prepared.get().0)
}

fn outcome(
    py: Python<'_>,
    handed_over: Result<Receipt, PickupError>,
) -> PyResult<Bound<'_, PyAny>> {
    match handed_over {
        Ok(receipt) => objects::receipt(py, &receipt),
        Err(error) => Err(objects::pickup_error(py, &error)),
    }
}

/// What becomes of one message of many.
enum Taken {
    /// To be handed over with its group.
    Waits(Submission),
    HandedOver(Result<Receipt, PickupError>),
}

/// Messages that are handed over together.
#[derive(Default)]
struct Group<'py> {
    submissions: Vec<Submission>,
    octets: u64,
    /// For each message its receipt or exception, or nothing if it waits.
    settled: Vec<Option<PyResult<Bound<'py, PyAny>>>>,
}

impl<'py> Group<'py> {
    fn add(&mut self, submission: Submission) {
        self.octets += submission.octets();
        self.submissions.push(submission);
        self.settled.push(None);
    }

    fn settle(&mut self, outcome: PyResult<Bound<'py, PyAny>>) {
        self.settled.push(Some(outcome));
    }

    fn is_full(&self) -> bool {
        self.submissions.len() >= MESSAGES_AT_A_TIME || self.octets >= OCTETS_AT_A_TIME
    }
}
