//! The body of a request that may be a mail merge, with more recipients than memory should hold.
//!
//! Small JSON is kept as it is. For larger JSON, for lines of JSON and for forms, only the message itself stays in
//! memory, and counts; its recipients are kept on the file system of the pickup directory. Nothing here holds a thread
//! while a client sends.

use super::admission::Receiving;
use super::blocking::run_blocking;
use super::body::{BodyBuffer, BodyLimits};
use super::coding::DecodedBody;
use super::error::ApiError;
use super::form::{FormKind, FormReader};
use super::memory::needed;
use super::request::{BufferedBody, ReceivedBody};
use super::state::Daemon;
use bytes::Bytes;
use pmtaemail::{MessageStream, PickupDirectory, StreamFormat, SubmitError};
use std::sync::Arc;
use tokio::time::timeout;

/// JSON up to this size is kept as it is. Of larger bodies each piece of this size has its time, and
/// recipients leave memory once it is there.
const PIECE: usize = 1 << 20;

/// Reads a whole body. `receiving` makes room for what is kept of it in memory.
pub async fn receive(
    daemon: &Arc<Daemon>,
    received: PartialBody,
    body: &mut DecodedBody,
    receiving: &mut Receiving,
) -> Result<ReceivedBody, ApiError> {
    let limits = daemon.body;
    let mut reader = BodyReader {
        limits,
        bytes: 0,
        received,
    };
    loop {
        let piece = reader.read_piece(body, receiving);
        let is_all = timeout(limits.time, piece)
            .await
            .unwrap_or(Err(ApiError::BodyTimeout))?;
        if is_all {
            return reader.received.finish();
        }
        let daemon = Arc::clone(daemon);
        let received = reader.received;
        receiving.set_at_work(true);
        reader.received = run_blocking(move || received.spool(&daemon.pickup)).await??;
        receiving.set_at_work(false);
        let kept = needed(reader.kept()?) + body.memory();
        receiving.grow_to(kept).await?;
    }
}

/// The part of a body that has arrived.
struct BodyReader {
    limits: BodyLimits,
    bytes: usize,
    received: PartialBody,
}

/// What is kept of it in memory.
pub enum PartialBody {
    Buffered(BodyBuffer),
    Streamed(MessageStream),
    Form(FormReader),
}

impl BodyReader {
    /// Reads until something must be spooled, or the body ends. Returns whether it ended.
    async fn read_piece(
        &mut self,
        body: &mut DecodedBody,
        receiving: &mut Receiving,
    ) -> Result<bool, ApiError> {
        let start = self.bytes;
        while !self.is_too_much() && self.bytes - start < PIECE {
            let Some(data) = body.next().await? else {
                return Ok(true);
            };
            self.bytes += data.len();
            let limit = self.limits.max_streamed();
            if self.bytes > limit {
                return Err(ApiError::TooLarge { limit });
            }
            self.received.push(data)?;
            let kept = needed(self.kept()?) + body.memory();
            receiving.grow_to(kept).await?;
        }
        Ok(false)
    }

    /// Whether there is more than may be kept unparsed.
    fn is_too_much(&self) -> bool {
        match &self.received {
            PartialBody::Buffered(bytes) => bytes.len() > PIECE.min(self.limits.bytes),
            PartialBody::Streamed(_) | PartialBody::Form(_) => false,
        }
    }

    /// How many bytes are in memory, unless the message itself is too large.
    fn kept(&self) -> Result<usize, ApiError> {
        let limit = self.limits.bytes;
        match &self.received {
            PartialBody::Buffered(bytes) => Ok(bytes.len()),
            PartialBody::Streamed(stream) if stream.message_len() > limit => {
                Err(ApiError::MessageTooLarge { limit })
            }
            PartialBody::Streamed(stream) => Ok(stream.buffered()),
            PartialBody::Form(form) if form.length_apart() > limit => Err(if form.has_table() {
                ApiError::MessageTooLarge { limit }
            } else {
                ApiError::TooLarge { limit }
            }),
            PartialBody::Form(form) => Ok(form.buffered()),
        }
    }
}

impl PartialBody {
    /// Nothing yet of JSON.
    pub fn new(format: StreamFormat, body: &DecodedBody, limits: BodyLimits) -> Self {
        let whole = PIECE.min(limits.bytes);
        match format {
            StreamFormat::Json => Self::Buffered(BodyBuffer::announced(body, whole)),
            StreamFormat::Ndjson => Self::Streamed(MessageStream::new(format)),
        }
    }

    /// A form of which nothing has arrived yet.
    pub fn form(boundary: String) -> Self {
        Self::Form(FormReader::new(boundary))
    }

    /// Takes bytes as they arrive. Does not block: nothing is spooled here.
    fn push(&mut self, data: Bytes) -> Result<(), SubmitError> {
        match self {
            Self::Buffered(bytes) => {
                bytes.push(data);
                Ok(())
            }
            Self::Streamed(stream) => stream.feed(&data, None),
            Self::Form(form) => {
                form.push(data);
                Ok(())
            }
        }
    }

    /// Spools recipients that are too many for memory. May block.
    fn spool(self, pickup: &PickupDirectory) -> Result<Self, SubmitError> {
        let (mut stream, bytes) = match self {
            Self::Buffered(bytes) => (MessageStream::new(StreamFormat::Json), bytes.into_bytes()),
            Self::Streamed(stream) => (stream, Bytes::new()),
            Self::Form(mut form) => {
                form.spool(pickup)?;
                return Ok(Self::Form(form));
            }
        };
        stream.feed(&bytes, Some(pickup))?;
        Ok(Self::Streamed(stream))
    }

    fn finish(self) -> Result<ReceivedBody, ApiError> {
        Ok(match self {
            Self::Buffered(bytes) => ReceivedBody::Buffered(BufferedBody::Json(bytes.into_bytes())),
            Self::Streamed(stream) => ReceivedBody::Streamed(Box::new(stream.finish())),
            Self::Form(form) => match form.finish()? {
                FormKind::Whole(form) => ReceivedBody::Buffered(BufferedBody::Form(form)),
                FormKind::Merge(message) => ReceivedBody::Streamed(message),
            },
        })
    }
}
