//! The pickup directory, opened once and used from many threads.

use crate::message::{Prepared, with_message};
use crate::objects;
use pmtaemail::{Batch, Durability, PickupDirectory, PickupError, PickupOptions, Receipt};
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::{Path, PathBuf};

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
        let submitted = match message.as_ref().and_then(prepared) {
            Some(submission) => py.detach(|| self.0.submit(submission)),
            None => with_message(py, message, fields, |message| {
                py.detach(|| self.0.submit_message(message))
            })?,
        };
        outcome(py, submitted)
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
        let mut batch = Batch::new(&self.0);
        for message in messages {
            match push(py, &mut batch, message) {
                Err(error) if error.is_instance_of::<PyException>(py) => {
                    batch.push_error(Failed::Message(error));
                }
                pushed => pushed?,
            }
            if batch.is_full() {
                commit(py, &mut batch, &results)?;
            }
        }
        commit(py, &mut batch, &results)?;
        Ok(results)
    }
}

/// Why one message of many was not submitted.
enum Failed {
    Message(PyErr),
    Pickup(PickupError),
}

impl From<PickupError> for Failed {
    fn from(error: PickupError) -> Self {
        Self::Pickup(error)
    }
}

/// Reads one message of many.
fn push(py: Python<'_>, batch: &mut Batch<'_, Failed>, message: Bound<'_, PyAny>) -> PyResult<()> {
    if let Some(submission) = prepared(&message) {
        batch.push_submission(submission.clone());
        return Ok(());
    }
    with_message(py, Some(message), None, |message| {
        // Its files may have to be written.
        if message.is_merge() {
            py.detach(|| batch.push(message));
        } else {
            batch.push(message);
        }
    })
}

/// Appends a receipt or an exception for each message of the group, in order.
fn commit(
    py: Python<'_>,
    batch: &mut Batch<'_, Failed>,
    results: &Bound<'_, PyList>,
) -> PyResult<()> {
    for result in py.detach(|| batch.commit()) {
        match result {
            Ok(receipt) => results.append(objects::receipt(py, &receipt)?)?,
            Err(Failed::Message(error)) => results.append(error.into_value(py))?,
            Err(Failed::Pickup(error)) => {
                results.append(objects::pickup_error(py, &error).into_value(py))?;
            }
        }
    }
    Ok(())
}

fn prepared<'a>(message: &'a Bound<'_, PyAny>) -> Option<&'a pmtaemail::Submission> {
    let prepared = message.cast::<Prepared>().ok()?;
    Some(&prepared.get().0)
}

fn outcome(py: Python<'_>, submitted: Result<Receipt, PickupError>) -> PyResult<Bound<'_, PyAny>> {
    match submitted {
        Ok(receipt) => objects::receipt(py, &receipt),
        Err(error) => Err(objects::pickup_error(py, &error)),
    }
}
