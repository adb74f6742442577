//! Creates and checks the streams of a fleet, and reports what is in them.
//!
//! ```text
//! init            creates the streams, or checks those that exist
//! monitoring      what brokers report only at their monitoring port: how they sync
//! status          the state of all of it
//! dead_letters    what could not be submitted
//! ```

mod dead_letters;
mod init;
mod monitoring;
mod status;

pub use dead_letters::{DeadLetter, dead_letters, replay};
pub use init::{Settings, init};
pub use monitoring::{InvalidMonitoring, Monitoring, check_brokers};
pub use status::{ConsumerStatus, Status, Unclaimed, status};
