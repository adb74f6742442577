//! The pickup directory, opened once and used from many threads.

use crate::{message, objects};
use pmtaemail::{Durability, PickupDirectory, PickupOptions, Submission};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::{Path, PathBuf};

/// Bounds the memory that `submit_many` needs: rendered messages wait for their group.
const MESSAGES_AT_A_TIME: usize = 256;
const OCTETS_AT_A_TIME: u64 = 32 << 20;

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
        let submission = message::submission(py, message, fields)?;
        py.detach(|| self.0.submit(&submission))
            .map_err(|error| objects::pickup_error(py, &error))
            .and_then(|receipt| objects::receipt(py, &receipt))
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
            match message::submission(py, Some(message), None) {
                Ok(submission) => group.add(submission),
                Err(error) if error.is_instance_of::<PyException>(py) => group.refuse(error),
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
    /// Appends a receipt or an exception for each message of the group, in order.
    fn hand_over_group(
        &self,
        py: Python<'_>,
        group: &mut Group,
        results: &Bound<'_, PyList>,
    ) -> PyResult<()> {
        let Group {
            submissions,
            refused,
            ..
        } = std::mem::take(group);
        let mut handed_over = py.detach(|| self.0.submit_many(&submissions)).into_iter();
        drop(submissions);
        for error in refused {
            match error {
                Some(error) => results.append(error.into_value(py))?,
                None => match handed_over.next() {
                    Some(Ok(receipt)) => results.append(objects::receipt(py, &receipt)?)?,
                    Some(Err(error)) => {
                        results.append(objects::pickup_error(py, &error).into_value(py))?;
                    }
                    None => {}
                },
            }
        }
        Ok(())
    }
}

/// Messages that are handed over together.
#[derive(Default)]
struct Group {
    submissions: Vec<Submission>,
    octets: u64,
    /// For each message the exception that it met, or nothing.
    refused: Vec<Option<PyErr>>,
}

impl Group {
    fn add(&mut self, submission: Submission) {
        self.octets += submission.octets();
        self.submissions.push(submission);
        self.refused.push(None);
    }

    fn refuse(&mut self, error: PyErr) {
        self.refused.push(Some(error));
    }

    fn is_full(&self) -> bool {
        self.submissions.len() >= MESSAGES_AT_A_TIME || self.octets >= OCTETS_AT_A_TIME
    }
}
