//! The body of a request that may be a mail merge, with more recipients than memory should hold.
//!
//! JSON that is small is kept as it is. Of what is larger, and of lines of JSON, only the message
//! itself stays in memory, and counts; its recipients wait on the file system of the pickup
//! directory. Nothing here holds a thread while a client sends.

use super::body::{BodyLimits, Octets, next_data};
use super::refusal::Refusal;
use super::request::{Arrived, Whole, WholeFormat};
use super::state::{Daemon, InFlight};
use super::threads::elsewhere;
use axum::body::Body;
use bytes::Bytes;
use pmtaemail::{MessageStream, PickupDirectory, StreamFormat, SubmitError};
use std::sync::Arc;
use tokio::time::timeout;

/// JSON up to this size is kept as it is. Of larger bodies each piece of this size has its time, and
/// recipients leave memory once it is there.
const PIECE: usize = 1 << 20;

/// Reads a whole body. `in_flight` makes room for what is kept of it in memory.
pub async fn receive(
    daemon: &Arc<Daemon>,
    format: StreamFormat,
    body: &mut Body,
    in_flight: &mut InFlight,
) -> Result<Arrived, Refusal> {
    let limits = daemon.body;
    let whole = PIECE.min(limits.octets);
    let mut arriving = Arriving {
        limits,
        octets: 0,
        received: match format {
            StreamFormat::Json => Received::Whole(Octets::announced(body, whole)),
            StreamFormat::Ndjson => Received::Apart(MessageStream::new(format)),
        },
    };
    loop {
        let piece = arriving.read_piece(body, in_flight);
        let is_all = timeout(limits.time, piece)
            .await
            .unwrap_or(Err(Refusal::BodyTimeout))?;
        if is_all {
            return Ok(arriving.received.finish());
        }
        let daemon = Arc::clone(daemon);
        let received = arriving.received;
        arriving.received = elsewhere(move || received.spool(&daemon.pickup)).await??;
        arriving.admit(in_flight)?;
    }
}

/// What has come of a body.
struct Arriving {
    limits: BodyLimits,
    octets: usize,
    received: Received,
}

/// What is kept of it in memory.
enum Received {
    Whole(Octets),
    Apart(MessageStream),
}

impl Arriving {
    /// Reads until something must be spooled, or the body ends, which is then said.
    async fn read_piece(
        &mut self,
        body: &mut Body,
        in_flight: &mut InFlight,
    ) -> Result<bool, Refusal> {
        let start = self.octets;
        while !self.is_too_much() && self.octets - start < PIECE {
            let Some(data) = next_data(body).await? else {
                return Ok(true);
            };
            self.octets += data.len();
            let limit = self.limits.of_pieces();
            if self.octets > limit {
                return Err(Refusal::TooLarge { limit });
            }
            self.received.push(data)?;
            self.admit(in_flight)?;
        }
        Ok(false)
    }

    /// Whether there is more than may be kept as it is.
    fn is_too_much(&self) -> bool {
        match &self.received {
            Received::Whole(octets) => octets.len() > PIECE.min(self.limits.octets),
            Received::Apart(_) => false,
        }
    }

    /// Makes room for what is kept, unless the message itself is too large.
    fn admit(&self, in_flight: &mut InFlight) -> Result<(), Refusal> {
        match &self.received {
            Received::Whole(octets) => in_flight.grow_to(octets.len()),
            Received::Apart(stream) if stream.message_len() > self.limits.octets => {
                let limit = self.limits.octets;
                Err(Refusal::MessageTooLarge { limit })
            }
            Received::Apart(stream) => in_flight.grow_to(stream.buffered()),
        }
    }
}

impl Received {
    /// Takes octets as they come. Does not block: nothing is spooled here.
    fn push(&mut self, data: Bytes) -> Result<(), SubmitError> {
        match self {
            Self::Whole(octets) => {
                octets.push(data);
                Ok(())
            }
            Self::Apart(stream) => stream.feed(&data, None),
        }
    }

    /// Spools recipients that are too many for memory. May block.
    fn spool(self, pickup: &PickupDirectory) -> Result<Self, SubmitError> {
        let (mut stream, octets) = match self {
            Self::Whole(octets) => (MessageStream::new(StreamFormat::Json), octets.into_bytes()),
            Self::Apart(stream) => (stream, Bytes::new()),
        };
        stream.feed(&octets, Some(pickup))?;
        Ok(Self::Apart(stream))
    }

    fn finish(self) -> Arrived {
        match self {
            Self::Whole(octets) => Arrived::Whole(Whole {
                format: WholeFormat::Json,
                octets: octets.into_bytes(),
            }),
            Self::Apart(stream) => Arrived::Apart(stream.finish()),
        }
    }
}
