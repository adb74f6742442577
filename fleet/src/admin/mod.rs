//! Makes and checks the streams of a fleet, and tells what is in them.
//!
//! ```text
//! init            makes the streams, or checks those that are there
//! monitoring      what brokers tell of themselves alone: how they sync
//! status          how all of it is
//! dead_letters    what could not be handed over
//! ```

mod dead_letters;
mod init;
mod monitoring;
mod status;

pub use dead_letters::{DeadLetter, dead_letters, replay};
pub use init::{Settings, init};
pub use monitoring::{InvalidMonitoring, Monitoring, check_brokers};
pub use status::{ConsumerStatus, Status, Unclaimed, status};
