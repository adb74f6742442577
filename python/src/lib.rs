//! The Python door of pmtaemail: the module `pmtaemail._native`. It converts and hands on; fields
//! and rules are the core's.

#[cfg(feature = "bench")]
mod bench;
mod deserializer;
mod message;
mod objects;
mod pickup;
mod signals;

#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[cfg(feature = "bench")]
    #[pymodule_export]
    use super::bench::core_seconds;
    #[pymodule_export]
    use super::message::{Prepared, check, render};
    #[pymodule_export]
    use super::pickup::Pickup;
    #[pymodule_export]
    const VERSION: &str = pmtaemail::VERSION;
}
