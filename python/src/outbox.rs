//! What was submitted to a pickup in memory, as the objects of `pmtaemail._sent`.

use pmtaemail::PickupDirectory;
use pmtaemail::outbox::{self, MailMailbox, OutboxEnvelope, Part, SentMessage, UnreadableFile};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// While this exists, everything submitted through any `Pickup` of this process stays in memory.
#[pyclass(frozen, module = "pmtaemail._native")]
pub struct Capture {
    directory: Arc<PickupDirectory>,
    /// Until it ends.
    capture: Mutex<Option<outbox::Capture>>,
}

#[pymethods]
impl Capture {
    #[new]
    fn new() -> Self {
        let capture = outbox::Capture::begin();
        Self {
            directory: Arc::clone(capture.directory()),
            capture: Mutex::new(Some(capture)),
        }
    }

    /// How many pickup files were submitted since it began, or was cleared.
    #[getter]
    fn files(&self) -> usize {
        self.directory.submitted_files().len()
    }

    /// What was submitted until it ended.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        messages_in(py, &self.directory)
    }

    /// Forgets what was submitted so far.
    fn clear(&self) {
        self.directory.clear_submitted_files();
    }

    /// From here on, submissions go where they went before.
    fn end(&self) {
        let mut capture = self.capture.lock().unwrap_or_else(PoisonError::into_inner);
        drop(capture.take());
    }
}

/// The messages in a pickup file; one for each recipient of a mail merge. `received` is in seconds since 1970.
#[pyfunction]
#[pyo3(signature = (file, received))]
pub fn sent_messages<'py>(
    py: Python<'py>,
    file: &[u8],
    received: f64,
) -> PyResult<Bound<'py, PyList>> {
    let received = Duration::try_from_secs_f64(received);
    let received = received.map_err(|error| PyValueError::new_err(error.to_string()))?;
    list(
        py,
        SentMessage::in_file(file, SystemTime::UNIX_EPOCH + received),
    )
}

pub fn messages_in<'py>(
    py: Python<'py>,
    directory: &PickupDirectory,
) -> PyResult<Bound<'py, PyList>> {
    list(
        py,
        py.detach(|| SentMessage::of(&directory.submitted_files())),
    )
}

fn list(
    py: Python<'_>,
    sent: Result<Vec<SentMessage>, UnreadableFile>,
) -> PyResult<Bound<'_, PyList>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "pmtaemail._sent", "SentMessage")?;
    let messages = PyList::empty(py);
    let sent = sent.map_err(|error| PyValueError::new_err(error.to_string()))?;
    for message in &sent {
        messages.append(class.call((), Some(&fields(py, message)?))?)?;
    }
    Ok(messages)
}

fn fields<'py>(py: Python<'py>, message: &SentMessage) -> PyResult<Bound<'py, PyDict>> {
    let SentMessage { mail, .. } = message;
    let fields = PyDict::new(py);
    let headers = mail.headers.iter().map(|field| (&field.name, &field.value));
    let attachments = mail.attachments().map(|part| attachment(py, part));
    fields.set_item("id", message.id.map(|id| id.to_string()))?;
    fields.set_item(
        "envelope",
        envelope(py, &message.envelope, &message.recipients)?,
    )?;
    let authors = mailboxes(py, &mail.mailboxes("From"))?;
    fields.set_item(
        "from_",
        PyString::new(py, ", ").call_method1("join", (authors,))?,
    )?;
    for (name, field) in [("to", "To"), ("cc", "Cc"), ("reply_to", "Reply-To")] {
        fields.set_item(name, mailboxes(py, &mail.mailboxes(field))?)?;
    }
    fields.set_item("subject", mail.header("Subject"))?;
    fields.set_item("message_id", mail.message_id())?;
    fields.set_item("text", mail.text())?;
    fields.set_item("html", mail.html())?;
    fields.set_item("amp", mail.amp())?;
    fields.set_item("calendar", mail.calendar())?;
    fields.set_item("headers", PyTuple::new(py, headers.collect::<Vec<_>>())?)?;
    fields.set_item(
        "attachments",
        PyList::new(py, attachments.collect::<PyResult<Vec<_>>>()?)?,
    )?;
    fields.set_item("octets", PyBytes::new(py, &message.bytes))?;
    Ok(fields)
}

/// Names and addresses, which Python combines.
fn mailboxes<'py>(py: Python<'py>, mailboxes: &[MailMailbox]) -> PyResult<Bound<'py, PyAny>> {
    static WRITTEN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let parts = mailboxes
        .iter()
        .map(|mailbox| (&mailbox.name, &mailbox.address));
    let written = WRITTEN.import(py, "pmtaemail._sent", "written")?;
    written.call1((PyList::new(py, parts.collect::<Vec<_>>())?,))
}

fn attachment<'py>(py: Python<'py>, part: &Part) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS
        .import(py, "pmtaemail._sent", "SentAttachment")?
        .call1((
            &part.filename,
            &part.media_type,
            PyBytes::new(py, &part.content),
            &part.disposition,
            &part.content_id,
        ))
}

fn envelope<'py>(
    py: Python<'py>,
    envelope: &OutboxEnvelope<'_>,
    recipients: &[String],
) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let fields = PyDict::new(py);
    fields.set_item("mail_from", &envelope.from)?;
    fields.set_item("rcpt_tos", recipients)?;
    for (name, value) in [
        ("envid", &envelope.envid),
        ("job", &envelope.job),
        ("vmta", &envelope.vmta),
        ("dkim", &envelope.dkim),
        ("schedule", &envelope.schedule),
        ("subaccount_id", &envelope.subaccount_id),
        ("custom_message_id", &envelope.custom_message_id),
        ("ret", &envelope.ret),
        ("notify", &envelope.notify),
    ] {
        fields.set_item(name, value.as_deref())?;
    }
    let priority = envelope.priority.as_deref().map(str::parse::<u32>);
    let priority = priority.transpose();
    let no_number = |_| PyValueError::new_err("the priority of a recipient is no number");
    fields.set_item("priority", priority.map_err(no_number)?)?;
    fields.set_item("verp", envelope.verp)?;
    fields.set_item("smtputf8", envelope.smtputf8)?;
    CLASS
        .import(py, "pmtaemail._sent", "Envelope")?
        .call((), Some(&fields))
}
