//! The Python extension module `pmtaemail._native`. It converts values and passes them on; fields and rules belong to
//! the core. The doc comments of what Python sees are its docstrings there, and those of `pmtaemail/_native.pyi`.
#![expect(
    clippy::doc_link_with_quotes,
    reason = "the examples are Python's, where these are lists"
)]

#[cfg(feature = "bench")]
mod bench;
mod deserializer;
mod message;
mod objects;
mod outbox;
mod pickup;
mod receipts;
mod signals;

#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[cfg(feature = "bench")]
    #[pymodule_export]
    use super::bench::core_seconds;
    #[pymodule_export]
    use super::message::{Prepared, check, render, warnings};
    #[pymodule_export]
    use super::outbox::{Capture, sent_messages};
    #[pymodule_export]
    use super::pickup::Pickup;
    #[pymodule_export]
    use super::receipts::RecipientReceipts;
    #[pymodule_export]
    const VERSION: &str = pmtaemail::VERSION;

    use pyo3::exceptions::PyImportError;
    use pyo3::prelude::*;
    use pyo3::sync::PyOnceLock;

    /// The classes of exceptions and receipts are looked up once for the whole process, so they are those
    /// of one interpreter: in another `except MessageError` would not match.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        static INTERPRETER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = module.py();
        // Each interpreter has its own `sys`.
        let sys = py.import("sys")?.into_any();
        let first = INTERPRETER.get_or_init(py, || sys.clone().unbind());
        if first.is(&sys) {
            return Ok(());
        }
        Err(PyImportError::new_err(
            "pmtaemail works in one interpreter of a process, and is loaded in another already; under \
             mod_wsgi say WSGIApplicationGroup %{GLOBAL}",
        ))
    }
}
