//! What this door has of Python's own: the exceptions of `pmtaemail.errors` and the objects of
//! `pmtaemail._objects`.

use crate::receipts::RecipientReceipts;
use pmtaemail::{ClaimError, PickupError, Problems, Receipt, RejectedRecipients, Warning};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple, PyType};

/// The plain object that replaces a foreign one; see `pmtaemail/_objects.py`.
pub fn plain<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = object.py();
    PLAIN
        .import(py, "pmtaemail._objects", "plain")?
        .call1((object,))
}

/// Whether it is a `decimal.Decimal`.
pub fn is_decimal(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    object.is_instance(DECIMAL.import(object.py(), "decimal", "Decimal")?)
}

/// A message with fields that were given as keywords.
pub fn joined<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    static JOINED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let joined = JOINED.import(py, "pmtaemail._objects", "joined")?;
    joined.call1((message, fields))
}

/// The messages of an iterable.
pub fn several<'py>(messages: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    static SEVERAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let several = SEVERAL.import(messages.py(), "pmtaemail._objects", "several")?;
    Ok(several.call1((messages,))?.cast_into()?)
}

pub fn receipt<'py>(py: Python<'py>, receipt: &Receipt) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let files = PyTuple::new(py, &receipt.files)?;
    let envids = receipt.envelope_ids.as_ref().map(|ids| {
        let ids = ids.iter();
        let ids = ids.map(|id| id.map(|id| PyString::new(py, id.as_str())));
        PyTuple::new(py, ids.collect::<Vec<_>>())
    });
    let rejected = receipt.rejected.as_ref();
    let rejected = rejected.map(|rejected| self::rejected(py, rejected));
    let told = receipt.warnings.as_deref();
    let told = told.map(|told| warnings(py, told).map(|told| told.to_tuple()));
    let recipients = match &receipt.envelope_ids {
        None => PyTuple::empty(py).into_any(),
        Some(ids) => Bound::new(py, RecipientReceipts(ids.clone()))?.into_any(),
    };
    let class = CLASS.import(py, "pmtaemail._objects", "Receipt")?;
    class.call1((
        receipt.id.as_str(),
        receipt.message_id.as_deref(),
        files,
        receipt.recipients,
        receipt.size,
        envids.transpose()?,
        rejected.transpose()?,
        recipients,
        receipt.seeds,
        receipt.replayed,
        told.transpose()?,
    ))
}

fn rejected<'py>(
    py: Python<'py>,
    recipients: &RejectedRecipients,
) -> PyResult<Bound<'py, PyTuple>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "pmtaemail._objects", "Rejected")?;
    let recipients = recipients.iter().map(|recipient| {
        class.call1((recipient.index, recipient.pointer, recipient.code.as_str()))
    });
    PyTuple::new(py, recipients.collect::<PyResult<Vec<_>>>()?)
}

pub fn problems<'py>(py: Python<'py>, problems: &Problems) -> PyResult<Bound<'py, PyList>> {
    let problems = problems.iter();
    list_of_problems(
        py,
        problems.map(|p| (p.code().as_str(), p.pointer(), p.detail())),
    )
}

/// Warnings have the same parts as problems, and the same class.
pub fn warnings<'py>(py: Python<'py>, warnings: &[Warning]) -> PyResult<Bound<'py, PyList>> {
    let warnings = warnings.iter();
    list_of_problems(
        py,
        warnings.map(|w| (w.code.as_str(), w.pointer.as_str(), w.detail.as_str())),
    )
}

fn list_of_problems<'py, 'a>(
    py: Python<'py>,
    parts: impl Iterator<Item = (&'static str, &'a str, &'a str)>,
) -> PyResult<Bound<'py, PyList>> {
    static PROBLEM: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = PROBLEM.import(py, "pmtaemail.errors", "Problem")?;
    let list = PyList::empty(py);
    for parts in parts {
        list.append(class.call1(parts)?)?;
    }
    Ok(list)
}

/// Adds the results of the earlier messages, receipts and exceptions, to the exception that a signal handler raised.
pub fn add_results(py: Python<'_>, raised: PyErr, results: &Bound<'_, PyList>) -> PyErr {
    let is_receipt = |result: &Bound<'_, PyAny>| !result.is_instance_of::<PyBaseException>();
    let count = results.iter().filter(is_receipt).count();
    let note = format!(
        "pmtaemail had handed over {count} of the messages, and nothing of the others is left behind: see \
         the exception's `pmtaemail_results`, a receipt or an exception for each message in order"
    );
    // Even without them the exception says why the call ended.
    let _ = raised.value(py).setattr("pmtaemail_results", results);
    let _ = raised.add_note(py, note);
    raised
}

pub fn message_error(py: Python<'_>, found: &Problems) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = problems(py, found).and_then(|problems| {
        CLASS
            .import(py, "pmtaemail.errors", "MessageError")?
            .call1((problems, found.total()))
    });
    made.map_or_else(|error| error, PyErr::from_value)
}

pub fn claim_error(py: Python<'_>, error: &ClaimError) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let code = match error {
        ClaimError::Pickup(error) => return pickup_error(py, error),
        ClaimError::InWork => "in_work",
        ClaimError::Full => "full",
        _ => "conflict",
    };
    let made = CLASS
        .import(py, "pmtaemail.errors", "IdempotencyError")
        .and_then(|class| class.call1((code, error.to_string())));
    made.map_or_else(|error| error, PyErr::from_value)
}

pub fn pickup_error(py: Python<'_>, error: &PickupError) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let arguments = (
        error.os_error(),
        error.to_string(),
        error.path().as_os_str(),
    );
    let made = CLASS
        .import(py, "pmtaemail.errors", "PickupError")
        .and_then(|class| class.call1(arguments))
        .and_then(|made| {
            made.setattr("may_be_delivered", error.may_be_delivered())?;
            made.setattr("id", error.id().as_ref().map(pmtaemail::Id::as_str))?;
            Ok(made)
        });
    made.map_or_else(|error| error, PyErr::from_value)
}
