//! `check`, `warnings` and `render`, which need no pickup directory, and how they read messages from Python.

use crate::deserializer::{Kept, Value};
use crate::objects;
use crate::signals::{Signals, interruptible};
use pmtaemail::{Message, Problems, Selection, Submission, Warning};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use std::num::NonZeroUsize;

/// Reports everything that is wrong with a message: `Problem`s in document order, none if it is valid.
///
/// A message is a dict, or another mapping, a dataclass or a model of pydantic; JSON as `str` or `bytes`; or an
/// `email.message.EmailMessage`, which is sent as it is. Fields may be keyword arguments, with or without a dict;
/// write `from_` for `from`. Names are compared ignoring case, `_` and `-`; `None` means absent. The most common
/// fields:
///
/// - `from`, `to`, `cc`, `bcc`, `reply_to`: `"Ann Lee <ann@example.org>"` or `{"name": str, "address": str}`;
///   all but `from` also take an iterable of them
/// - `subject`, `text`, `html`: `str`
/// - `attachments`: an iterable of `{"filename": str, "content": bytes}`, with `cid` for an inline image
/// - `headers`: `{name: value}`
/// - `date`: a `datetime` with its `tzinfo`
/// - `recipients`, instead of `to`: mail merge, an iterable of `{"address": str, "variables": {name: value}}`
/// - `raw`: a finished message (RFC 5322), `str` or `bytes`, instead of the fields that make one
///
/// Values may be `Decimal`, `UUID`, dates, members of an `Enum`, scalars of numpy. At most the first 1,000 problems
/// are returned. Raises `TypeError`, with the place in a note, for values that a message cannot contain, such as an
/// open file. With `strict=True` the `warnings` of a message without problems are returned as problems.
///
/// >>> import pmtaemail
/// >>> problems = pmtaemail.check(from_="shop@example.com", to="ann@example.org", txt="Hello")
/// >>> [(problem.code, problem.pointer) for problem in problems]
/// [('unknown_field', '/txt')]
#[pyfunction]
#[pyo3(signature = (message = None, /, *, strict = false, **fields))]
pub fn check<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    strict: bool,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let read = Reading {
        signals: &Signals::default(),
        warns: strict,
    };
    match read.message(py, message, fields, |_, warnings| warnings)? {
        Ok(warnings) => objects::warnings(py, &warnings.unwrap_or_default()),
        Err(problems) => objects::problems(py, &problems),
    }
}

/// Reports what is allowed in a message, given as to `check`, but may be a mistake.
///
/// By their codes: `foreign_placeholder` (`*|X|*`, `%recipient.x%`, `%%x%%`, which readers would see); of HTML
/// `missing_text`, `large_html` (over 102 kB), `missing_alt`, `insecure_link` (without https), `script_link`; and
/// `missing_unsubscribe` with more than 5,000 recipients. Templates are checked unrendered. Only `check` says
/// whether the message can be sent. Raises `TypeError` as `check` does.
///
/// >>> import pmtaemail
/// >>> message = {"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello *|FNAME|*"}
/// >>> [(warning.code, warning.pointer) for warning in pmtaemail.warnings(message)]
/// [('foreign_placeholder', '/subject')]
#[pyfunction]
#[pyo3(signature = (message = None, /, **fields))]
pub fn warnings<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyList>> {
    let found = match source(py, message, fields)? {
        Source::Json(bytes) => pmtaemail::warnings(bytes.as_bytes()),
        Source::Object(message) => {
            let signals = Signals::default();
            interruptible(&signals, |_| {
                let kept = Kept::new(&signals);
                pmtaemail::warnings_from_deserializer(Value::new(&message, &kept))
                    .map_err(|stopped| stopped.into_error(py, &signals))
            })?
        }
    };
    objects::warnings(py, &found)
}

/// Renders a message, given as to `check`: the bytes of the mail (RFC 5322), its lines ended by CRLF.
///
/// For a mail merge, this is the message of the first recipient. Date and Message-ID are generated if the message gives
/// none; with both given, the same message always yields the same bytes. `recipient=7` is the message of
/// the seventh recipient. Raises `MessageError` with all problems.
///
/// >>> import pmtaemail
/// >>> mail = pmtaemail.render({"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"})
/// >>> mail.endswith(b"\r\n\r\nHello\r\n")
/// True
#[pyfunction]
#[pyo3(signature = (message = None, /, *, recipient = None, **fields))]
pub fn render<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    recipient: Option<usize>,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let selection = selection(recipient, None)?;
    // The interpreter lock is held: rendering takes less time than releasing the lock costs when another thread is
    // busy. The mail is written straight into Python's memory.
    with_selected(
        py,
        message,
        fields,
        selection,
        Reading::plain(&Signals::default()),
        |message, _| {
            message.with_rendered(|rendered| {
                PyBytes::new_with(py, rendered.size(), |memory| {
                    rendered.write_to(memory);
                    Ok(())
                })
            })
        },
    )?
}

/// A rendered message, given as to `check`: all that is left to do is to submit it.
///
/// All files of a mail merge are in memory. Raises `MessageError`.
///
/// >>> from pmtaemail._native import Prepared
/// >>> prepared = Prepared(from_="shop@example.com", to="ann@example.org", text="Hello")
#[pyclass(frozen, module = "pmtaemail._native")]
pub struct Prepared(pub Submission);

#[pymethods]
impl Prepared {
    #[new]
    #[pyo3(signature = (message = None, /, *, recipient = None, limit = None, warnings = false, **fields))]
    fn new<'py>(
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        recipient: Option<usize>,
        limit: Option<usize>,
        warnings: bool,
        fields: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        let selection = selection(recipient, limit)?;
        let signals = Signals::default();
        let read = Reading {
            signals: &signals,
            warns: warnings,
        };
        let submission = interruptible(&signals, |interruption| {
            with_selected(py, message, fields, selection, read, |message, warnings| {
                let submission = Submission::new_unless(message, interruption)?;
                Some(match warnings {
                    Some(warnings) => submission.with_warnings(warnings),
                    None => submission,
                })
            })
        })?;
        signals.unless_raised(submission.map(Self))
    }
}

/// Passes a message to `verb`, which may release the interpreter meanwhile: the message borrows only `str` and `bytes`
/// from Python, which never change and are kept until `verb` returns.
pub fn with_message<'py, T>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
    read: Reading<'_>,
    verb: impl FnOnce(&Message<'_>, Option<Vec<Warning>>) -> T,
) -> PyResult<T> {
    read.message(py, message, fields, |message, warnings| {
        verb(&message, warnings)
    })?
    .map_err(|problems| objects::message_error(py, &problems))
}

/// The same for some of the recipients of a mail merge.
pub fn with_selected<'py, T>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
    selection: Selection,
    read: Reading<'_>,
    verb: impl FnOnce(&Message<'_>, Option<Vec<Warning>>) -> T,
) -> PyResult<T> {
    let selected = |message: Message<'_>, warnings| {
        let selected = message.select(selection);
        selected.map(|message| verb(&message, warnings))
    };
    read.message(py, message, fields, selected)?
        .and_then(|selected| selected)
        .map_err(|problems| objects::message_error(py, &problems))
}

/// The recipients that the arguments `recipient` and `limit` select.
pub fn selection(recipient: Option<usize>, limit: Option<usize>) -> PyResult<Selection> {
    let from_1 = |number: usize| {
        let error = "recipient and limit are whole numbers from 1";
        NonZeroUsize::new(number).ok_or_else(|| PyValueError::new_err(error))
    };
    match (recipient, limit) {
        (None, None) => Ok(Selection::All),
        (Some(number), None) => from_1(number).map(Selection::Only),
        (None, Some(count)) => from_1(count).map(Selection::First),
        (Some(_), Some(_)) => Err(PyTypeError::new_err("give recipient or limit, not both")),
    }
}

/// The source of a message.
enum Source<'py> {
    Json(Bound<'py, PyBytes>),
    Object(Bound<'py, PyAny>),
}

/// How a message is read.
#[derive(Clone, Copy)]
pub struct Reading<'s> {
    pub signals: &'s Signals,
    /// Whether its warnings are wanted. Iterables can be read only once, so they are found in the same pass.
    pub warns: bool,
}

impl<'s> Reading<'s> {
    /// Without warnings.
    pub fn plain(signals: &'s Signals) -> Self {
        Self {
            signals,
            warns: false,
        }
    }

    /// Reads a message: JSON as text or bytes, or an object; `fields` are added to an object's.
    fn message<'py, T>(
        self,
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        fields: Option<Bound<'py, PyDict>>,
        then: impl FnOnce(Message<'_>, Option<Vec<Warning>>) -> T,
    ) -> PyResult<Result<T, Problems>> {
        match source(py, message, fields)? {
            Source::Json(bytes) => self.json(&bytes, then),
            Source::Object(message) => self.object(&message, then),
        }
    }

    fn json<T>(
        self,
        bytes: &Bound<'_, PyBytes>,
        then: impl FnOnce(Message<'_>, Option<Vec<Warning>>) -> T,
    ) -> PyResult<Result<T, Problems>> {
        let bytes = bytes.as_bytes();
        interruptible(self.signals, |interruption| {
            let mut told = self.warns.then(Vec::new);
            let message = match &mut told {
                Some(told) => Message::from_json_with_warnings(bytes, interruption, told),
                None => Message::from_json_unless(bytes, interruption),
            };
            let message = self.signals.unless_raised(message.transpose())?;
            Ok(message.map(|message| then(message, told)))
        })
    }

    fn object<T>(
        self,
        object: &Bound<'_, PyAny>,
        then: impl FnOnce(Message<'_>, Option<Vec<Warning>>) -> T,
    ) -> PyResult<Result<T, Problems>> {
        let signals = self.signals;
        interruptible(signals, |interruption| {
            let kept = Kept::new(signals);
            let value = Value::new(object, &kept);
            let mut told = self.warns.then(Vec::new);
            let message = match &mut told {
                Some(told) => Message::from_deserializer_with_warnings(value, interruption, told),
                None => Message::from_deserializer_unless(value, interruption),
            };
            let message = message.map_err(|stopped| stopped.into_error(object.py(), signals))?;
            let message = signals.unless_raised(message.transpose())?;
            Ok(message.map(|message| then(message, told)))
        })
    }
}

fn source<'py>(
    py: Python<'py>,
    message: Option<Bound<'py, PyAny>>,
    fields: Option<Bound<'py, PyDict>>,
) -> PyResult<Source<'py>> {
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
        (None, Some(fields)) => return Ok(Source::Object(fields.into_any())),
        (message, fields) => objects::joined(py, message, fields)?,
    };
    if let Ok(text) = message.cast::<PyString>() {
        // A lone surrogate is not valid UTF-8, which the core reports.
        let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
        return Ok(Source::Json(bytes.cast_into()?));
    }
    Ok(match message.cast_into::<PyBytes>() {
        Ok(bytes) => Source::Json(bytes),
        Err(other) => Source::Object(other.into_inner()),
    })
}

fn is_plain(message: &Bound<'_, PyAny>) -> bool {
    message.is_exact_instance_of::<PyDict>()
        || message.is_instance_of::<PyString>()
        || message.is_instance_of::<PyBytes>()
}
