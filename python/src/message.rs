//! The verbs that need no pickup directory, and how they read what Python gives them.

use crate::deserializer::{Kept, Value};
use crate::objects;
use crate::signals::{Signals, interruptible};
use pmtaemail::{Message, Problems, Submission};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

#[pyfunction]
#[pyo3(signature = (message = None, /, **fields))]
pub fn check<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    match read(py, message, fields, &Signals::default(), |_| ())? {
        Ok(()) => Ok(PyList::empty(py)),
        Err(problems) => objects::problems(py, &problems),
    }
}

/// The interpreter lock is held: rendering is shorter than what giving it away costs when another
/// thread is busy.
#[pyfunction]
#[pyo3(signature = (message = None, /, **fields))]
pub fn render<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyBytes>> {
    // Written right into Python's memory.
    with_message(py, message, fields, &Signals::default(), |message| {
        message.with_rendered(|rendered| {
            PyBytes::new_with(py, rendered.size(), |memory| {
                rendered.write_to(memory);
                Ok(())
            })
        })
    })?
}

/// A message that is rendered: all that is left to do is to hand it over.
#[pyclass(frozen, module = "pmtaemail._native")]
pub struct Prepared(pub Submission);

#[pymethods]
impl Prepared {
    #[new]
    #[pyo3(signature = (message = None, /, **fields))]
    fn new<'py>(
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        fields: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        with_message(py, message, fields, &Signals::default(), |message| {
            Self(Submission::new(message))
        })
    }
}

/// Hands a message to `verb`, which may let the interpreter go meanwhile: what the message borrows
/// from Python are `str` and `bytes`, which never change and are kept until `verb` is done.
pub fn with_message<'py, T>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
    signals: &Signals,
    verb: impl FnOnce(&Message<'_>) -> T,
) -> PyResult<T> {
    read(py, message, fields, signals, |message| verb(&message))?
        .map_err(|problems| objects::message_error(py, &problems))
}

/// Reads a message: JSON as text or bytes, or an object; `fields` are added to an object's.
fn read<'py, T>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
    signals: &Signals,
    then: impl FnOnce(Message<'_>) -> T,
) -> PyResult<Result<T, Problems>> {
    let message = match (message, fields) {
        (Some(message), None) if is_plain(&message) => message,
        (Some(message), None) => {
            let plain = objects::plain(&message)?;
            if plain.is_instance_of::<PyString>() {
                let error = "a message is a dict, JSON as str or bytes, or an EmailMessage; a file \
                             or a path is not read";
                return Err(PyTypeError::new_err(error));
            }
            plain
        }
        (None, Some(fields)) => return read_object(fields.as_any(), signals, then),
        (message, fields) => objects::joined(py, message, fields)?,
    };
    if let Ok(text) = message.cast::<PyString>() {
        // Half a surrogate pair is no UTF-8, which the core says.
        let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
        return read_json(bytes.cast()?, signals, then);
    }
    if let Ok(bytes) = message.cast::<PyBytes>() {
        return read_json(bytes, signals, then);
    }
    read_object(&message, signals, then)
}

fn is_plain(message: &Bound<'_, PyAny>) -> bool {
    message.is_exact_instance_of::<PyDict>()
        || message.is_instance_of::<PyString>()
        || message.is_instance_of::<PyBytes>()
}

fn read_json<T>(
    bytes: &Bound<'_, PyBytes>,
    signals: &Signals,
    then: impl FnOnce(Message<'_>) -> T,
) -> PyResult<Result<T, Problems>> {
    interruptible(signals, |interruption| {
        let message = Message::from_json_unless(bytes.as_bytes(), interruption);
        match message.transpose() {
            Some(message) => Ok(message.map(then)),
            None => Err(signals.take_error()),
        }
    })
}

fn read_object<T>(
    message: &Bound<'_, PyAny>,
    signals: &Signals,
    then: impl FnOnce(Message<'_>) -> T,
) -> PyResult<Result<T, Problems>> {
    interruptible(signals, |interruption| {
        let kept = Kept::new(signals);
        let value = Value::new(message, &kept);
        let message = Message::from_deserializer_unless(value, interruption)
            .map_err(|stopped| stopped.into_error(message.py(), signals))?;
        match message.transpose() {
            Some(message) => Ok(message.map(then)),
            None => Err(signals.take_error()),
        }
    })
}
