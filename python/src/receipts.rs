//! The identifiers of each recipient of a mail merge, created on access.

use pmtaemail::{EnvelopeIds, RecipientReceipt, RecipientReceipts as Receipts};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple, PyType};

/// The identifiers of each recipient's message of a mail merge: `RecipientReceipt`s in the order of the recipients.
/// They are made when they are accessed, and take no memory however many there are.
///
/// >>> import pmtaemail, tempfile
/// >>> pickup = pmtaemail.Pickup(tempfile.mkdtemp(), durability="none")
/// >>> receipt = pickup.submit(from_="shop@example.com", recipients=[{"address": "ann@example.org", "envid": "a-1"}])
/// >>> [(one.index, one.envid) for one in receipt.recipient_receipts]
/// [(0, 'a-1')]
#[pyclass(frozen, module = "pmtaemail._native")]
pub struct RecipientReceipts(pub EnvelopeIds);

#[pymethods]
impl RecipientReceipts {
    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __iter__(&self) -> RecipientReceiptsIterator {
        RecipientReceiptsIterator(self.0.recipient_receipts())
    }

    fn __contains__(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        let index = object.getattr("index").and_then(|index| index.extract());
        let Ok(index) = index else {
            return Ok(false);
        };
        match self.0.recipient_receipts().nth(index).transpose()? {
            Some(receipt) => python_object(object.py(), &receipt)?.eq(object),
            None => Ok(false),
        }
    }

    /// They are pickled as a tuple.
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyType>, (Bound<'py, PyList>,))> {
        let all = PyList::empty(py);
        for receipt in self.0.recipient_receipts() {
            all.append(python_object(py, &receipt?)?)?;
        }
        Ok((py.get_type::<PyTuple>(), (all,)))
    }

    fn __repr__(&self) -> String {
        format!("<pmtaemail.RecipientReceipts of {}>", self.0.len())
    }
}

#[pyclass(module = "pmtaemail._native")]
pub struct RecipientReceiptsIterator(Receipts);

#[pymethods]
impl RecipientReceiptsIterator {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = self.0.next().transpose()?;
        next.map(|receipt| python_object(py, &receipt)).transpose()
    }

    fn __length_hint__(&self) -> usize {
        self.0.len()
    }
}

fn python_object<'py>(py: Python<'py>, receipt: &RecipientReceipt) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.import(py, "pmtaemail._objects", "RecipientReceipt")?;
    class.call1((receipt.index, &receipt.envid, &receipt.message_id))
}
