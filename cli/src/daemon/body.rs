//! The body of a request, within its limits.

use super::admission::Receiving;
use super::coding::DecodedBody;
use super::error::ApiError;
use super::memory::needed;
use bytes::{Bytes, BytesMut};
use std::time::Duration;
use tokio::time::timeout;

/// What a body must keep to.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Most bytes of a body, or of a message without its recipients.
    pub bytes: usize,
    /// Most bytes of the body of a mail merge.
    pub merge: usize,
    /// Longest time for a body, or for each MiB of one that comes in pieces.
    pub time: Duration,
}

impl BodyLimits {
    /// The most bytes of a body that comes in pieces, recipients and all.
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
    /// Nothing yet, with room for as many bytes as the body says to have, up to `limit`.
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
