//! What all requests share.

use super::access::Access;
use super::admission::{self, Admission};
use super::back_pressure::BackPressure;
use super::blocking::INLINE_BYTES;
use super::body::BodyLimits;
use super::counters::Counters;
use super::memory;
use super::open_files::Room;
use super::pickup_look::PickupLook;
use super::readiness::Readiness;
use super::slots::Slots;
use crate::args::{CompatArgs, LimitArgs};
use pmtaemail::PickupDirectory;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What all requests share.
pub struct Daemon {
    pub pickup: Arc<PickupDirectory>,
    /// The same for work that waits without a thread.
    pub handing_over: pmtaemail::tokio::PickupDirectory,
    pub body: BodyLimits,
    pub admission: Admission,
    pub readiness: Readiness,
    pub keys_readiness: Readiness,
    /// A permit for each submission that may have files open, except those of batches.
    pub submissions: Arc<Semaphore>,
    /// Messages of batches that are submitted together, and a permit for each group of them.
    pub group_messages: usize,
    pub groups: Arc<Semaphore>,
    /// Whether it is stopping: long-running work watches this.
    pub stopping: watch::Sender<bool>,
    pub back_pressure: BackPressure,
    pub connections: Slots,
    pub counters: Arc<Counters>,
    pub pickup_look: PickupLook,
    /// Who may use it; `None` if everybody may.
    pub access: Option<Arc<Access>>,
    /// Other services' APIs.
    pub compat: CompatArgs,
}

impl Daemon {
    pub fn new(pickup: pmtaemail::tokio::PickupDirectory, limits: &LimitArgs, room: Room) -> Self {
        let admitted = admission::Room::new(
            limits.max_in_flight,
            memory::for_bodies(limits),
            room.connections,
        );
        let admitted = match limits.memory {
            Some(_) => admitted,
            None => admitted.lenient(),
        };
        Self {
            pickup: Arc::clone(pickup.blocking()),
            handing_over: pickup
                .with_most_at_once(room.submissions)
                .with_inline_writes(INLINE_BYTES),
            body: BodyLimits {
                bytes: limits.body_limit,
                merge: limits.merge_limit,
                time: limits.body_timeout,
            },
            admission: Admission::new(admitted),
            readiness: Readiness::of("pickup"),
            keys_readiness: Readiness::of("keys"),
            submissions: Arc::new(Semaphore::new(room.submissions)),
            group_messages: room.batches.messages,
            groups: Arc::new(Semaphore::new(room.batches.groups)),
            stopping: watch::Sender::new(false),
            back_pressure: BackPressure::default(),
            connections: Slots::new(room.connections, limits),
            counters: Arc::default(),
            pickup_look: PickupLook::default(),
            access: None,
            compat: CompatArgs::default(),
        }
    }

    /// Refuses messages while PowerMTA or the disk cannot keep up.
    pub fn with_back_pressure(self, back_pressure: BackPressure) -> Self {
        Self {
            back_pressure,
            ..self
        }
    }

    /// Counts here what happens.
    pub fn with_counters(self, counters: Arc<Counters>) -> Self {
        Self { counters, ..self }
    }

    /// Enables the APIs of other services.
    pub fn with_compat(self, compat: CompatArgs) -> Self {
        Self { compat, ..self }
    }

    /// Accepts only requests with one of these keys.
    pub fn with_access(self, access: Option<Arc<Access>>) -> Self {
        Self { access, ..self }
    }
}
