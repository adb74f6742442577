//! What `GET /metrics` tells Prometheus.
//!
//! ```text
//! page           the answer, in the format that was asked for
//!   counters     what is counted as it happens: beside this folder, since the log counts there
//!   present      what is looked at when somebody asks: connections, places, whether messages are taken
//!     process    this process
//! ```

mod page;
mod present;
mod process;

pub use page::metrics;
