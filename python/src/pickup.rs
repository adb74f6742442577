//! The pickup directory, opened once and used from many threads.

use crate::message::{Prepared, Reading, selection, with_message, with_selected};
use crate::objects;
use crate::outbox::messages_in;
use crate::signals::{Signals, interruptible};
use pmtaemail::{
    Batch, Durability, FileGroup, FileMode, IdempotencyKey, PickupDirectory, PickupError,
    PickupOptions, Receipt, Selection, outbox,
};
use pyo3::exceptions::{PyAttributeError, PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// PowerMTA's pickup directory. Opened once and used from many threads, which share their syncs.
///
/// `directory` is a path. `durability` is `"durable"`, or `"none"`, which syncs nothing: fast, but lost in a power
/// failure. `staging` is the folder in which several files of one submission wait until all are submitted, or none, on
/// the same file system; files that a killed process had decided to submit are moved on from there. `syncfs=False`
/// never syncs the whole file system. `file_mode` (`0o640`) and `file_group` (a name or number) apply to each file, at
/// the cost of a system call. `state` is the folder of the store of idempotency keys, by default next to the staging
/// folder; only one process at a time can use it. The process may fork. Raises `PickupError`, an `OSError`, if the
/// directory is missing or cannot be written.
///
/// >>> import pmtaemail, tempfile
/// >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
/// >>> receipt = pickup.submit(from_="shop@example.com", to="ann@example.org", text="Hello")
/// >>> (pickup.directory / receipt.files[0]).stat().st_size == receipt.octets
/// True
#[pyclass(frozen, subclass, module = "pmtaemail")]
pub struct Pickup(outbox::Pickup);

/// A group, in the forms that `os.chown` and `shutil.chown` take.
#[derive(FromPyObject)]
enum GroupArg {
    Id(u32),
    Name(String),
}

impl GroupArg {
    fn into_group(self) -> PyResult<FileGroup> {
        match self {
            Self::Id(id) => Ok(FileGroup::Id(id)),
            Self::Name(name) => name.parse().map_err(|_| {
                PyValueError::new_err("file_group is the name of a group or its number")
            }),
        }
    }
}

#[pymethods]
impl Pickup {
    #[new]
    #[pyo3(signature = (directory, *, durability = "durable", staging = None, syncfs = true, file_mode = None, file_group = None, state = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn new(
        py: Python<'_>,
        directory: PathBuf,
        durability: &str,
        staging: Option<PathBuf>,
        syncfs: bool,
        file_mode: Option<u32>,
        file_group: Option<GroupArg>,
        state: Option<PathBuf>,
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
        if let Some(mode) = file_mode {
            let mode = FileMode::new(mode).map_err(|_| {
                PyValueError::new_err("file_mode is permissions such as 0o640, up to 0o777")
            })?;
            options = options.with_file_mode(mode);
        }
        if let Some(group) = file_group {
            options = options.with_file_group(group.into_group()?);
        }
        if let Some(state) = state {
            options = options.with_state(state);
        }
        py.detach(|| outbox::Pickup::open(directory, options))
            .map(Self)
            .map_err(|error| objects::pickup_error(py, &error))
    }

    /// A pickup in memory: what is submitted to it stays there, for the tests of an application.
    ///
    /// It does everything that one on disk does, but sends nothing. It holds 256 MiB; beyond that `submit` raises
    /// `PickupError`.
    ///
    /// >>> import pmtaemail
    /// >>> pickup = pmtaemail.Pickup.memory()
    /// >>> receipt = pickup.submit(from_="shop@example.com", to="ann@example.org", subject="Hello")
    /// >>> [(message.to, message.subject) for message in pickup.messages]
    /// [(['ann@example.org'], 'Hello')]
    #[staticmethod]
    fn memory() -> Self {
        Self(outbox::Pickup::in_memory())
    }

    /// What was submitted to a pickup in memory: `pmtaemail.testing.SentMessage`s, in order, of a mail merge one for
    /// each recipient. Raises `AttributeError` if the pickup is a directory.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        messages_in(py, self.in_memory()?)
    }

    /// Forgets what was submitted to a pickup in memory, except its idempotency keys. Raises `AttributeError` if
    /// the pickup is a directory.
    fn clear(&self) -> PyResult<()> {
        self.in_memory()?.clear_submitted_files();
        Ok(())
    }

    /// The absolute path of the directory; `:memory:` for one in memory.
    #[getter]
    fn directory(&self) -> &Path {
        self.0.path()
    }

    fn __repr__(&self) -> String {
        format!("<pmtaemail.Pickup {}>", self.0.path().display())
    }

    /// Submits one message, given as to `check`. When this returns, it is visible to PowerMTA and durable.
    ///
    /// Each file of a mail merge is written as soon as it is made: they are never all in memory. Blocks until the
    /// disk is done, usually for a few milliseconds, while other threads run. For a test of a mail merge,
    /// `limit=3` submits it only for its first three recipients, and `recipient=7` only to the seventh.
    ///
    /// With an `idempotency_key` (1 to 255 printable ASCII characters) a message that was submitted with it in the
    /// last 24 hours is not submitted again: its receipt is returned again, with `replayed`. Raises
    /// `IdempotencyError` if that was another message.
    ///
    /// With `warnings=True` the receipt has the message's `warnings`.
    ///
    /// Raises `MessageError` with all problems; or `PickupError`, whose `may_be_delivered` is true in the rare case
    /// that PowerMTA may have the message anyway. What the handler of a signal raises, such as
    /// `KeyboardInterrupt`, has the attribute `pmtaemail_results`: `[]`, or a list with the receipt if it was too
    /// late to stop.
    ///
    /// >>> import pmtaemail, tempfile
    /// >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp())
    /// >>> receipt = pickup.submit({"from": "shop@example.com", "to": "ann@example.org"}, text="Hello")
    /// >>> receipt.recipients, receipt.files == (receipt.id + ".eml",)
    /// (1, True)
    #[pyo3(signature = (message = None, /, *, recipient = None, limit = None, idempotency_key = None, warnings = false, **fields))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn submit<'py>(
        &self,
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        recipient: Option<usize>,
        limit: Option<usize>,
        idempotency_key: Option<&str>,
        warnings: bool,
        fields: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = Asked {
            selection: selection(recipient, limit)?,
            warns: warnings,
        };
        if let Some(key) = idempotency_key {
            let key = key.parse::<IdempotencyKey>();
            let key = key.map_err(|error| PyValueError::new_err(error.to_string()))?;
            return self.submit_once(py, message, fields, asked, key);
        }
        let submitted = match message.as_ref().and_then(prepared) {
            Some(submission) if asked.selection == Selection::All && !asked.warns => {
                let directory = self.opened(py)?;
                py.detach(|| directory.submit(submission))
            }
            _ => self.submit_message(py, message, fields, asked)?,
        };
        let receipt = submitted.map_err(|error| objects::pickup_error(py, &error))?;
        receipt_of(py, &receipt)
    }

    /// Submits many messages, an iterable of what `check` takes: a receipt or an exception for each, in order.
    ///
    /// They share their syncs in groups of up to 256. The iterable is read to its end before the first is submitted: if
    /// it raises, nothing is. An invalid message, or one that cannot be submitted, does not affect the others: its
    /// `MessageError`, `PickupError` or `TypeError` is returned in its place.
    ///
    /// What the handler of a signal raises, such as `KeyboardInterrupt`, comes within a second and has the
    /// attribute `pmtaemail_results`: receipts and exceptions for the messages before; nothing of the others is
    /// left behind. With `warnings=True` receipts have their messages' `warnings`.
    ///
    /// >>> import pmtaemail, tempfile
    /// >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
    /// >>> messages = [{"from": "shop@example.com", "to": to, "text": "Hello"} for to in ("ann@example.org", "nobody")]
    /// >>> [type(result).__name__ for result in pickup.submit_many(messages)]
    /// ['Receipt', 'MessageError']
    #[pyo3(signature = (messages, /, *, warnings = false))]
    fn submit_many<'py>(
        &self,
        py: Python<'py>,
        messages: &Bound<'py, PyAny>,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        let messages = objects::several(messages)?;
        let results = PyList::empty(py);
        // It fails only for signals, never for something that is wrong with a single message.
        self.submit_all(&messages, warnings, &results)
            .map_err(|raised| objects::add_results(py, raised, &results))?;
        Ok(results)
    }
}

impl Pickup {
    /// Where a submission goes now. A pickup that was created during a test's capture opens its directory only here.
    fn opened(&self, py: Python<'_>) -> PyResult<Arc<PickupDirectory>> {
        let directory = py.detach(|| self.0.directory());
        directory.map_err(|error| objects::pickup_error(py, &error))
    }

    fn in_memory(&self) -> PyResult<&PickupDirectory> {
        let memory = self.0.memory().map(AsRef::as_ref);
        let sentence = "the messages of a pickup directory are its files; Pickup.memory() and pmtaemail.testing keep them";
        memory.ok_or_else(|| PyAttributeError::new_err(sentence))
    }

    /// Reads a message and submits it under a key, unless it already was.
    fn submit_once<'py>(
        &self,
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        fields: Option<Bound<'py, PyDict>>,
        Asked { selection, warns }: Asked,
        key: IdempotencyKey,
    ) -> PyResult<Bound<'py, PyAny>> {
        let read = Reading {
            signals: &Signals::default(),
            warns,
        };
        let directory = self.opened(py)?;
        let submitted = with_selected(py, message, fields, selection, read, |message, told| {
            let submitted = py.detach(|| directory.submit_message_once(message, key));
            submitted.map(|mut receipt| {
                receipt.warnings = told;
                receipt
            })
        })?;
        let receipt = submitted.map_err(|error| objects::claim_error(py, &error))?;
        receipt_of(py, &receipt)
    }

    /// Reads a message and submits it.
    fn submit_message<'py>(
        &self,
        py: Python<'py>,
        message: Option<Bound<'py, PyAny>>,
        fields: Option<Bound<'py, PyDict>>,
        Asked { selection, warns }: Asked,
    ) -> PyResult<Result<Receipt, PickupError>> {
        let signals = Signals::default();
        let read = Reading {
            signals: &signals,
            warns,
        };
        let directory = self.opened(py)?;
        let submitted = interruptible(&signals, |interruption| {
            with_selected(py, message, fields, selection, read, |message, told| {
                let submitted =
                    py.detach(|| directory.submit_message_unless(message, interruption));
                submitted.map(|submitted| {
                    submitted.map(|mut receipt| {
                        receipt.warnings = told;
                        receipt
                    })
                })
            })
        });
        let submitted =
            submitted.and_then(|submitted| signals.unless_raised(submitted.transpose()));
        submitted.map_err(|error| {
            if signals.had_raised() || !error.is_instance_of::<PyException>(py) {
                objects::add_results(py, error, &PyList::empty(py))
            } else {
                error
            }
        })
    }

    /// Appends a receipt or an exception for each message. After an error, those of the submitted groups are there; the
    /// other messages leave nothing behind.
    fn submit_all<'py>(
        &self,
        messages: &Bound<'py, PyList>,
        warns: bool,
        results: &Bound<'py, PyList>,
    ) -> PyResult<()> {
        let py = results.py();
        let directory = self.opened(py)?;
        let mut batch = Batch::new(&directory);
        let signals = Signals::default();
        let read = Reading {
            signals: &signals,
            warns,
        };
        for message in messages {
            match push(py, &mut batch, message, read) {
                Err(error) if error.is_instance_of::<PyException>(py) && !signals.had_raised() => {
                    batch.push_error(Failed::Message(error));
                }
                pushed => pushed?,
            }
            if batch.is_full() {
                commit(py, &mut batch, results)?;
            } else {
                signals.check()?;
            }
        }
        commit(py, &mut batch, results)
    }
}

/// The receipt; or the exception that a signal handler raised meanwhile, with the receipt attached.
fn receipt_of<'py>(py: Python<'py>, receipt: &Receipt) -> PyResult<Bound<'py, PyAny>> {
    let mut raised = None;
    let receipt = despite_signals(&mut raised, || objects::receipt(py, receipt))?;
    // Otherwise the interpreter would raise it before the caller has the receipt.
    match raised.or_else(|| py.check_signals().err()) {
        None => Ok(receipt),
        Some(raised) => {
            let results = PyList::new(py, [receipt])?;
            Err(objects::add_results(py, raised, &results))
        }
    }
}

/// Why one message of many was not submitted.
enum Failed {
    Message(PyErr),
    Pickup(PickupError),
}

/// Options of a submission.
struct Asked {
    selection: Selection,
    /// Whether its receipt has warnings.
    warns: bool,
}

impl From<PickupError> for Failed {
    fn from(error: PickupError) -> Self {
        Self::Pickup(error)
    }
}

/// Reads one message of many.
fn push(
    py: Python<'_>,
    batch: &mut Batch<'_, Failed>,
    message: Bound<'_, PyAny>,
    read: Reading<'_>,
) -> PyResult<()> {
    if let Some(submission) = prepared(&message) {
        batch.push_submission(submission.clone());
        return Ok(());
    }
    let signals = read.signals;
    let is_pushed = with_message(py, Some(message), None, read, |message, told| {
        // Its files may have to be written to disk.
        let is_pushed = if message.is_merge() {
            py.detach(|| {
                interruptible(signals, |interruption| {
                    batch.push_unless(message, interruption)
                })
            })
        } else {
            batch.push(message);
            true
        };
        if let Some(told) = told.filter(|_| is_pushed) {
            batch.add_warnings(told);
        }
        is_pushed
    })?;
    signals.unless_raised(is_pushed.then_some(()))
}

/// Appends a receipt or an exception for each message of the group, in order. An exception that a signal handler raises
/// meanwhile is returned once all are appended.
fn commit(
    py: Python<'_>,
    batch: &mut Batch<'_, Failed>,
    results: &Bound<'_, PyList>,
) -> PyResult<()> {
    let mut raised = None;
    for result in py.detach(|| batch.commit()) {
        match result {
            Ok(receipt) => {
                results.append(despite_signals(&mut raised, || {
                    objects::receipt(py, &receipt)
                })?)?;
            }
            Err(Failed::Message(error)) => results.append(error.into_value(py))?,
            Err(Failed::Pickup(error)) => {
                results.append(objects::pickup_error(py, &error).into_value(py))?;
            }
        }
    }
    match raised.or_else(|| py.check_signals().err()) {
        None => Ok(()),
        Some(raised) => Err(raised),
    }
}

/// Calls a function that runs Python code. If a signal handler raises in it, the function is called once more.
fn despite_signals<T>(
    raised: &mut Option<PyErr>,
    function: impl Fn() -> PyResult<T>,
) -> PyResult<T> {
    function().or_else(|error| {
        raised.get_or_insert(error);
        function()
    })
}

fn prepared<'a>(message: &'a Bound<'_, PyAny>) -> Option<&'a pmtaemail::Submission> {
    let prepared = message.cast::<Prepared>().ok()?;
    Some(&prepared.get().0)
}
