//! The body of a request, within its limits.

use super::refusal::Refusal;
use super::state::InFlight;
use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time::timeout;

/// How long the rest of a body that nobody wants is read.
const LINGER: Duration = Duration::from_secs(3);

/// What a body must keep to.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Largest body, or largest message without its recipients.
    pub octets: usize,
    /// Largest body of a mail merge.
    pub merge: usize,
    /// Longest time for a body, or for each MiB of one that comes in pieces.
    pub time: Duration,
}

impl BodyLimits {
    /// Refuses a body that says itself that it has more octets than `limit`, before any of it is
    /// read.
    pub fn admit(limit: usize, body: &Body) -> Result<(), Refusal> {
        if body.size_hint().lower() > limit as u64 {
            return Err(Refusal::TooLarge { limit });
        }
        Ok(())
    }

    /// The most octets of a body that comes in pieces, recipients and all.
    pub fn of_pieces(self) -> usize {
        self.octets.max(self.merge)
    }

    /// Reads a whole body, for which `in_flight` makes room.
    pub async fn receive(
        self,
        body: &mut Body,
        in_flight: &mut InFlight,
    ) -> Result<Bytes, Refusal> {
        timeout(self.time, self.read(body, in_flight))
            .await
            .unwrap_or(Err(Refusal::BodyTimeout))
    }

    async fn read(self, body: &mut Body, in_flight: &mut InFlight) -> Result<Bytes, Refusal> {
        let limit = self.octets;
        let mut octets = Octets::announced(body, limit);
        while let Some(data) = next_data(body).await? {
            if octets.len() + data.len() > limit {
                return Err(Refusal::TooLarge { limit });
            }
            in_flight.grow(data.len())?;
            octets.push(data);
        }
        Ok(octets.into_bytes())
    }
}

/// The next octets of a body.
pub async fn next_data(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        // Trailers say nothing here.
        if let Ok(data) = frame.map_err(|_| Refusal::BodyBroken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Octets that are kept in one piece. Most messages come in one and are never copied.
#[derive(Debug, Default)]
pub struct Octets {
    first: Bytes,
    all: BytesMut,
    announced: usize,
}

impl Octets {
    /// None yet, with room for as many as the body says to have, up to `limit`.
    pub fn announced(body: &Body, limit: usize) -> Self {
        let announced = body.size_hint().exact().unwrap_or(0);
        Self {
            announced: usize::try_from(announced).map_or(limit, |size| size.min(limit)),
            ..Self::default()
        }
    }

    pub fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    pub fn push(&mut self, data: Bytes) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.all.is_empty() {
            // The system gives memory to what is written, not to what is reserved.
            self.all.reserve(self.announced);
        }
        self.all.extend_from_slice(&std::mem::take(&mut self.first));
        self.all.extend_from_slice(&data);
    }

    pub fn into_bytes(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

/// Goes on reading a refused body for a while. A connection that is closed while its client still
/// sends is reset, and most clients then never see the answer.
pub fn discard(mut body: impl HttpBody + Send + Unpin + 'static) {
    tokio::spawn(timeout(LINGER, async move {
        while let Some(Ok(_)) = body.frame().await {}
    }));
}
