//! The body of a request, within its limits.

use super::admission::Receiving;
use super::coding::DecodedBody;
use super::error::ApiError;
use super::memory::needed;
use bytes::{Bytes, BytesMut};
use std::time::Duration;
use tokio::time::timeout;

/// The limits of a body.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Maximum size of a body, or of a message without its recipients, in bytes.
    pub bytes: usize,
    /// Maximum size of the body of a mail merge, in bytes.
    pub merge: usize,
    /// Maximum time for a body, or for each MiB of one that is processed in pieces.
    pub time: Duration,
}

impl BodyLimits {
    /// Maximum size of a body that is processed in pieces, including recipients, in bytes.
    pub fn max_streamed(self) -> usize {
        self.bytes.max(self.merge)
    }

    /// Reads a whole body, for which `receiving` makes room.
    pub async fn receive(
        self,
        body: &mut DecodedBody,
        receiving: &mut Receiving,
    ) -> Result<Bytes, ApiError> {
        timeout(self.time, self.read(body, receiving))
            .await
            .unwrap_or(Err(ApiError::BodyTimeout))
    }

    async fn read(
        self,
        body: &mut DecodedBody,
        receiving: &mut Receiving,
    ) -> Result<Bytes, ApiError> {
        let limit = self.bytes;
        let mut bytes = BodyBuffer::announced(body, limit);
        while let Some(data) = body.next().await? {
            if bytes.len() + data.len() > limit {
                return Err(ApiError::TooLarge { limit });
            }
            bytes.push(data);
            let kept = needed(bytes.len()) + body.memory();
            receiving.grow_to(kept).await?;
        }
        Ok(bytes.into_bytes())
    }
}

/// Collects a body into one piece. Most messages come in one and are never copied.
#[derive(Debug, Default)]
pub struct BodyBuffer {
    first: Bytes,
    all: BytesMut,
    announced: usize,
}

impl BodyBuffer {
    /// An empty buffer with room for as many bytes as the body announces, up to `limit`.
    pub fn announced(body: &DecodedBody, limit: usize) -> Self {
        let announced = body.announced().unwrap_or(0);
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
            // The system provides memory when it is written, not when it is reserved.
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
