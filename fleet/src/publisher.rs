//! Puts parcels into the stream.

use crate::error::FleetError;
use crate::keys::{self, ClaimedKey, Refused};
use crate::names;
use crate::parcel;
use crate::routes::Routes;
use async_nats::connection::State;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::jetstream::{self, Context, ErrorCode};
use async_nats::{Client, HeaderMap, header};
use bytes::Bytes;
use pmtaemail::{Identity, Parcel, ParcelFile, ParcelKey, Queue, QueueError};
use std::error::Error;
use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

/// How long publishing a parcel is tried. A stream gets a new leader some five seconds after it lost one.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one attempt waits for its acknowledgement. A lost leader never sends one, and there may already be a new
/// leader.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(2);

/// How long looking up a key waits for one broker.
const ANSWER: Duration = Duration::from_secs(1);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// The maximum duration of a probe, or of looking up a key.
const LOOK: Duration = Duration::from_secs(10);

/// What the header fields of a message take at most, in bytes.
const HEADERS: usize = 1_024;

/// A [`Queue`] in a stream of `JetStream`, for [`PickupDirectory::of_queue`](pmtaemail::PickupDirectory::of_queue).
pub struct Publisher {
    runtime: Handle,
    stream: Arc<Stream>,
}

struct Stream {
    client: Client,
    context: Context,
    routes: Routes,
    keys: Store,
    large: ObjectStore,
}

impl Publisher {
    /// A publisher that works in the current runtime.
    ///
    /// # Errors
    /// The stream, its keys or its object store do not exist: see [`init`](crate::init).
    pub async fn start(client: Client, routes: Routes) -> Result<Self, FleetError> {
        let context = jetstream::new(client.clone());
        let failed = "find the stream, which `pmtaemailapi fleet init` creates";
        let stream = context.get_stream(routes.stream()).await;
        stream.map_err(FleetError::of(failed))?;
        let mut of_keys = context.clone();
        of_keys.set_timeout(ACKNOWLEDGEMENT);
        let keys = of_keys.get_key_value(names::keys(routes.stream())).await;
        let large = context
            .get_object_store(names::large(routes.stream()))
            .await;
        Ok(Self {
            runtime: Handle::current(),
            stream: Arc::new(Stream {
                client,
                routes,
                keys: keys.map_err(FleetError::of(failed))?,
                large: large.map_err(FleetError::of(failed))?,
                context,
            }),
        })
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Publisher")
            .field(&self.stream.routes)
            .finish()
    }
}

impl Queue for Publisher {
    fn name(&self) -> &str {
        self.stream.routes.stream()
    }

    fn find(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, QueueError> {
        self.runtime.block_on(self.stream.find(key))
    }

    fn put(&self, parcel: Parcel, done: Box<dyn FnOnce(Result<(), QueueError>) + Send>) {
        let stream = Arc::clone(&self.stream);
        self.runtime
            .spawn(async move { done(stream.put(parcel).await) });
    }

    fn probe(&self) -> Result<(), QueueError> {
        self.runtime.block_on(self.stream.probe())
    }
}

impl Stream {
    async fn find(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, QueueError> {
        let end = Instant::now() + LOOK;
        loop {
            // Any broker that has the bucket may be asked, even a frozen one: the next attempt asks another.
            let failed = match timeout(ANSWER, keys::find(&self.keys, key)).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => io::Error::other(error),
                Err(_) => io::ErrorKind::TimedOut.into(),
            };
            if Instant::now() > end {
                return Err(failed.into());
            }
            sleep(PAUSE).await;
        }
    }

    async fn probe(&self) -> Result<(), QueueError> {
        let info = self.context.get_stream(self.routes.stream());
        match timeout(LOOK, info).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(io::Error::other(error).into()),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    async fn put(&self, mut parcel: Parcel) -> Result<(), QueueError> {
        let subject = self.routes.subject(&parcel.virtual_mtas);
        let refused = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let subject = subject.map_err(refused)?;
        let key = match parcel.key {
            None => None,
            Some(ref key) => Some(self.claim(key).await?),
        };
        // The submission's own, which tells an unanswered attempt from the next one.
        let own = || {
            parcel
                .id
                .unwrap_or_else(|| Identity::now().id())
                .to_string()
        };
        let id = key.as_ref().map_or_else(own, ClaimedKey::message_id);
        let files = mem::take(&mut parcel.files);
        let put = self.put_as(&id, subject, files).await;
        let Some(key) = key else {
            return put.map(drop);
        };
        match put {
            Ok(is_duplicate) => {
                if key.done(&self.keys, is_duplicate).await {
                    Ok(())
                } else {
                    Err(Refused::Busy.into())
                }
            }
            Err(error) => {
                if !error.may_be_delivered {
                    key.release(&self.keys).await;
                }
                Err(error)
            }
        }
    }

    async fn put_as(
        &self,
        id: &str,
        subject: String,
        files: Vec<ParcelFile>,
    ) -> Result<bool, QueueError> {
        let (payload, large) = self.payload(files).await?;
        let published = self.publish(id, &subject, payload).await;
        // The object of a duplicate stays: its message may be an earlier attempt of this submission whose answer was
        // lost.
        let is_unused = matches!(&published, Err(error) if !error.may_be_delivered);
        if let Some(name) = large.filter(|_| is_unused) {
            let _ = self.large.delete(&name).await;
        }
        published
    }

    async fn claim(&self, key: &ParcelKey) -> Result<ClaimedKey, QueueError> {
        if key.record.len() + HEADERS > self.most() {
            let sentence = "its receipt is too large to be stored under an idempotency key";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, sentence).into());
        }
        let end = Instant::now() + LOOK;
        loop {
            let is_same = |record: &[u8]| key.is_same(record);
            match keys::claim(&self.keys, &key.hash, key.record.clone(), is_same).await {
                Ok(key) => return Ok(key),
                Err(Refused::Brokers(_)) if Instant::now() < end => sleep(PAUSE).await,
                Err(refused) => return Err(refused.into()),
            }
        }
    }

    /// The bytes of a message, and the name of the object with its files if they are too large for it.
    async fn payload(&self, files: Vec<ParcelFile>) -> Result<(Bytes, Option<String>), QueueError> {
        let bytes = parcel::write(&files);
        drop(files);
        if bytes.len() + HEADERS <= self.most() {
            return Ok((bytes.into(), None));
        }
        let size = bytes.len();
        // For this attempt alone: another one under the same key must not replace the object.
        let name = Identity::now().id().to_string();
        let put = timeout(PATIENCE, self.large.put(&name[..], &mut &bytes[..])).await;
        let put = put.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        put.map_err(io::Error::other)?;
        Ok((parcel::write_large(&name, size).into(), Some(name)))
    }

    /// The largest message that the brokers take, in bytes.
    fn most(&self) -> usize {
        self.client.server_info().max_payload
    }

    /// Publishes a message until it is acknowledged. Returns whether the stream already had one with this identifier,
    /// which may be that of an earlier attempt of this one.
    async fn publish(&self, id: &str, subject: &str, payload: Bytes) -> Result<bool, QueueError> {
        let end = Instant::now() + PATIENCE;
        let mut may_be_delivered = false;
        loop {
            let failed = if self.client.connection_state() == State::Connected {
                match timeout(
                    ACKNOWLEDGEMENT,
                    self.publish_once(id, subject, payload.clone()),
                )
                .await
                {
                    Ok(Ok(is_duplicate)) => return Ok(is_duplicate),
                    Ok(Err(error)) => {
                        let (error, may_be_there, is_final) = told(error);
                        may_be_delivered |= may_be_there;
                        if is_final {
                            return Err(QueueError {
                                source: error,
                                may_be_delivered,
                            });
                        }
                        error
                    }
                    Err(_) => {
                        may_be_delivered = true;
                        io::ErrorKind::TimedOut.into()
                    }
                }
            } else {
                // Without a connection the client would buffer the message, and send it long after this attempt has
                // failed.
                io::ErrorKind::NotConnected.into()
            };
            if Instant::now() > end {
                return Err(QueueError {
                    source: failed,
                    may_be_delivered,
                });
            }
            sleep(PAUSE).await;
        }
    }

    async fn publish_once(
        &self,
        id: &str,
        subject: &str,
        payload: Bytes,
    ) -> Result<bool, PublishError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id);
        headers.insert(header::NATS_EXPECTED_STREAM, self.routes.stream());
        let acknowledgement =
            self.context
                .publish_with_headers(subject.to_owned(), headers, payload);
        Ok(acknowledgement.await?.await?.duplicate)
    }
}

/// An error, whether the message may be in the stream, and whether retrying is pointless.
fn told(error: PublishError) -> (io::Error, bool, bool) {
    let answer = error
        .source()
        .and_then(|source| source.downcast_ref::<jetstream::Error>());
    let code = answer.map(jetstream::Error::error_code);
    if matches!(
        code,
        Some(ErrorCode::STREAM_STORE_FAILED | ErrorCode::INSUFFICIENT_RESOURCES)
    ) {
        let full = io::Error::new(io::ErrorKind::StorageFull, "the stream is full");
        return (full, false, true);
    }
    let may_be_there = match error.kind() {
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => true,
        PublishErrorKind::Other => code.is_none(),
        _ => false,
    };
    (io::Error::other(error), may_be_there, false)
}
