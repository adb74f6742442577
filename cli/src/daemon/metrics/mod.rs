//! The metrics that `GET /metrics` serves to Prometheus.
//!
//! ```text
//! page           the response, in the requested format
//!   counters     what is counted as it happens: outside of this folder, since the log counts there
//!   present      what is measured on request: connections, places, whether messages are taken
//!     process    this process
//! ```

mod page;
mod present;
mod process;

pub use page::metrics;
