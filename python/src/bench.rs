//! Only for `python/bench/`; not part of any wheel.

use pmtaemail::{Message, Problems};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Error, Value};
use std::time::Instant;

/// The seconds that the core alone takes for a message that is already in Rust's memory, in the shape of a dict.
#[pyfunction]
pub fn core_seconds(json: &[u8], times: u32) -> PyResult<f64> {
    let refused = |error: Error| PyValueError::new_err(error.to_string());
    let wrong = |problems: Problems| PyValueError::new_err(problems.to_string());
    let message: Value = serde_json::from_slice(json).map_err(refused)?;
    let start = Instant::now();
    for _ in 0..times {
        let message = Message::from_deserializer(&message).map_err(refused)?;
        std::hint::black_box(message.map_err(wrong)?.render());
    }
    Ok(start.elapsed().as_secs_f64() / f64::from(times))
}
