//! Many hosts, one queue: daemons put messages into NATS `JetStream` instead of a pickup directory, and next to each
//! PowerMTA a consumer takes them out and submits them.
//!
//! ```text
//! pmtaemailapi serve --forward            NATS JetStream, three brokers             pmtaemailapi consume
//!
//! check, render ──▶ Publisher ──▶ stream MAIL      MAIL.<region>.<pool>.<priority> ▶ Consumer ──▶ pickup directory
//!                       │         bucket MAIL_KEYS   keys of 24 hours                 │  ▲
//!                       ├───────▶ objects MAIL_LARGE what is larger than a message    ▼  │ journal of what is on its way
//!                       └ find, claim, done         stream MAIL_DEAD ◀── what cannot be submitted
//! ```
//!
//! Each file imports from those below it only:
//!
//! ```text
//! consumer                  takes batches, submits and acknowledges them
//!   hand_over     journal   one batch into the pickup directory; what was on its way when a host died
//!   seen                    what this host has submitted
//! publisher                 puts parcels into the stream
//!   keys                    idempotency keys of all hosts
//!   routes                  the hosts that a submission goes to
//! admin                     creates, checks and describes the streams; dead letters
//! parcel                    a submission as bytes
//! connection    names       the brokers; names of streams, subjects and consumers
//! error     clock           what can go wrong; the time
//! ```
#![forbid(unsafe_code)]

mod admin;
mod clock;
mod connection;
mod consumer;
mod error;
mod hand_over;
mod journal;
mod keys;
mod names;
mod parcel;
mod publisher;
mod routes;
mod seen;

pub use admin::{
    ConsumerStatus, DeadLetter, InvalidMonitoring, Monitoring, Settings, Status, Unclaimed,
    check_brokers, dead_letters, init, replay, status,
};
pub use connection::{Brokers, connect};
pub use consumer::{Consumer, ConsumerOptions, Event};
pub use error::FleetError;
pub use names::{InvalidName, Priority, Route};
pub use publisher::Publisher;
pub use routes::Routes;
