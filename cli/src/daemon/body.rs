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
    pub octets: usize,
    pub time: Duration,
}

impl BodyLimits {
    /// Refuses a body that says itself that it is too large, before any of it is read.
    pub fn admit(self, body: &Body) -> Result<(), Refusal> {
        if body.size_hint().lower() > self.octets as u64 {
            return Err(self.too_large());
        }
        Ok(())
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
        let announced = body
            .size_hint()
            .exact()
            .and_then(|size| size.try_into().ok());
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            // Trailers say nothing here.
            let Ok(data) = frame.map_err(|_| Refusal::BodyBroken)?.into_data() else {
                continue;
            };
            if first.len() + all.len() + data.len() > self.octets {
                return Err(self.too_large());
            }
            in_flight.grow(data.len())?;
            if first.is_empty() && all.is_empty() {
                first = data;
            } else {
                if all.is_empty() {
                    // The system gives memory to what is written, not to what is reserved.
                    all.reserve(announced.unwrap_or(0));
                }
                all.extend_from_slice(&std::mem::take(&mut first));
                all.extend_from_slice(&data);
            }
        }
        // Most messages come in one piece and are never copied.
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    fn too_large(self) -> Refusal {
        Refusal::TooLarge { limit: self.octets }
    }
}

/// Goes on reading a refused body for a while. A connection that is closed while its client still
/// sends is reset, and most clients then never see the answer.
pub fn discard(mut body: Body) {
    tokio::spawn(timeout(LINGER, async move {
        while let Some(Ok(_)) = body.frame().await {}
    }));
}
