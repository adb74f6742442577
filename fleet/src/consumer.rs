//! Takes batches from the stream, hands them over, and acknowledges them once they are durable.
//!
//! ```text
//! take …       batch 1      batch 2        batch 3
//! hand over        [1 ────]     [2 ────]       [3 ────]
//! acknowledge              [1 ──────]   [2 ─────]      [3 …      confirmed each; until then the journal has it
//! ```

use crate::clock::{milliseconds, now};
use crate::error::FleetError;
use crate::hand_over::{Item, Outcome, Taken, hand_over, key_of};
use crate::journal::{Delivered, Entry, Journal};
use crate::names::{self, Route};
use crate::parcel::{self, Content, NotParcel};
use crate::seen::Seen;
use async_nats::jetstream::consumer::pull::{self, Batch};
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::object_store::{GetErrorKind, ObjectStore};
use async_nats::jetstream::{self, Context, Message};
use async_nats::{Client, HeaderMap, header};
use bytes::Bytes;
use futures_util::StreamExt;
use pmtaemail::PickupDirectory;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

/// How long a consumer waits for the first message of a batch; it hears of its end that late.
const WAIT: Duration = Duration::from_secs(1);

/// How long a broker may say nothing where it should answer at once.
const SILENCE: Duration = Duration::from_secs(2);

/// How long until something is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// How many batches may wait for their acknowledgements while others are handed over.
const WAITING: usize = 4;

/// How long acknowledgements may take when the consumer ends. What is not confirmed stays in the journal.
const END: Duration = Duration::from_secs(10);

/// How many messages all hosts together may have on their way.
const MOST_PENDING: i64 = 20_000;

/// Most bytes that are handed over together, about: all of them are in memory.
const MOST_BYTES: usize = 64 << 20;

/// So many times the time in which messages are given to another host, an object that is not found may be on its way to
/// the broker that was asked.
const MAY_COME: u32 = 5;

/// Most bytes of a message that is no submission which are kept in a dead letter: with the header fields of that it
/// must not be larger than a message may be.
const MOST_DEAD: usize = 256 << 10;

/// After so many times the time in which messages are given to another host, acknowledging them is left to the next
/// start: nobody knows them any more.
const HOPELESS: u32 = 20;

const ACKNOWLEDGE: &[u8] = b"+ACK";
const GIVE_BACK: &[u8] = b"-NAK";
const END_OF_IT: &[u8] = b"+TERM";

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// Which messages it takes.
    pub route: Route,
    /// Most messages that are handed over together.
    pub batch: usize,
    /// Messages that are not acknowledged for this long are given to another host.
    pub ack_wait: Duration,
    /// A folder of its own, outside of the pickup directory.
    pub journal: PathBuf,
}

/// What a consumer tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// What was on its way when this host died.
    Recovered {
        /// Messages that had been handed over, and are acknowledged now.
        acknowledged: usize,
        /// Messages that had not, and are given back.
        given_back: usize,
    },
    /// Messages are in the pickup directory.
    HandedOver {
        /// How many.
        messages: usize,
        /// How many of them had been delivered before, to a host that did not acknowledge them in time: most that may be
        /// there twice.
        redelivered: usize,
    },
    /// Messages are confirmed to be acknowledged.
    Acknowledged {
        /// How many.
        messages: usize,
    },
    /// A message cannot be handed over by anybody, and is a dead letter now.
    Dead {
        /// Its number in the stream.
        sequence: u64,
        /// Why, as a frozen word.
        code: &'static str,
    },
    /// Messages were held for too long, and are given back.
    Late {
        /// How many.
        messages: usize,
    },
    /// Messages were not handed over, and are given back.
    Failed {
        /// How many.
        messages: usize,
        /// Why.
        error: String,
    },
    /// The brokers do not do what is asked for. It is tried again.
    Brokers {
        /// What they, or the client, say.
        error: String,
    },
}

/// Takes messages from the stream into a pickup directory.
#[derive(Clone)]
pub struct Consumer(Arc<Shared>);

struct Shared {
    client: Client,
    context: Context,
    consumer: PullConsumer,
    large: ObjectStore,
    directory: Arc<PickupDirectory>,
    journal: Journal,
    options: ConsumerOptions,
    tell: Box<dyn Fn(Event) + Send + Sync>,
    seen: Seen,
    /// The stream, and when it was made.
    stream: String,
    /// How many messages are asked for next.
    next: AtomicUsize,
}

impl Consumer {
    /// A consumer for a pickup directory, which must keep its own idempotency keys.
    ///
    /// # Errors
    /// The stream is not there, or another process has the journal.
    pub async fn start(
        client: Client,
        directory: Arc<PickupDirectory>,
        options: ConsumerOptions,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, FleetError> {
        const FIND: &str = "find the stream, which `pmtaemailapi fleet init` makes";
        let journal = Journal::open(&options.journal)?;
        let context = jetstream::new(client.clone());
        let route = &options.route;
        let stream = context.get_stream(route.stream()).await;
        let stream = stream.map_err(FleetError::of(FIND))?;
        let large = context.get_object_store(names::large(route.stream())).await;
        let name = route.consumer();
        let found = stream.get_consumer::<pull::Config>(&name).await;
        let consumer = if let Ok(consumer) = found {
            consumer
        } else {
            // Where it is there and cannot be looked at, making it tells.
            let config = pull::Config {
                durable_name: Some(name.clone()),
                filter_subject: route.filter(),
                ack_policy: AckPolicy::Explicit,
                ack_wait: options.ack_wait,
                max_deliver: -1,
                max_ack_pending: MOST_PENDING,
                ..pull::Config::default()
            };
            let made = stream.create_consumer(config).await;
            made.map_err(FleetError::of("make the consumer of the pool"))?
        };
        let is = consumer.cached_info().config.ack_wait;
        if is != options.ack_wait {
            return Err(FleetError::Settings {
                stream: format!("consumer {name}"),
                setting: "ack_wait",
                found: format!("{is:?}"),
                wanted: format!("{:?}", options.ack_wait),
                advice: "give all hosts of a pool the same --ack-wait, or change it with `nats consumer edit`",
            });
        }
        let info = stream.cached_info();
        Ok(Self(Arc::new(Shared {
            stream: format!("{} of {}", info.config.name, info.created),
            client,
            context,
            consumer,
            large: large.map_err(FleetError::of(FIND))?,
            directory,
            journal,
            seen: Seen::new(options.ack_wait),
            next: AtomicUsize::new(options.batch),
            options,
            tell: Box::new(tell),
        })))
    }

    /// Works until `stop` is true. `may_take` says whether the pickup directory has room at present.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn run(
        &self,
        may_take: impl Fn() -> bool,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), FleetError> {
        let shared = &self.0;
        let left = shared.journal.entries();
        for entry in left.map_err(FleetError::of_file("read the journal"))? {
            tokio::select! {
                () = shared.recover(entry) => {}
                _ = stop.changed() => return Ok(()),
            }
        }
        let waiting = Arc::new(Semaphore::new(WAITING));
        let mut acknowledging = JoinSet::new();
        while !*stop.borrow() {
            while acknowledging.try_join_next().is_some() {}
            let room = Arc::clone(&waiting);
            let permit = tokio::select! {
                Ok(permit) = room.acquire_owned() => permit,
                _ = stop.changed() => break,
            };
            if !may_take() {
                drop(permit);
                pause(&mut stop).await;
                continue;
            }
            let taken = Instant::now();
            let messages = match shared.take().await {
                Ok(messages) => messages,
                Err(error) => {
                    shared.brokers(&error);
                    pause(&mut stop).await;
                    continue;
                }
            };
            if messages.is_empty() {
                continue;
            }
            let (outcomes, redelivered) = shared.hand_over(messages, taken).await;
            // Where nothing became of it, the same may come again at once.
            let has_failed = outcomes.is_empty()
                || outcomes
                    .iter()
                    .any(|outcome| !matches!(outcome, Outcome::Done(_) | Outcome::Already(_)));
            let own = self.clone();
            acknowledging.spawn(async move {
                own.0.settle(outcomes, redelivered).await;
                drop(permit);
            });
            if has_failed {
                pause(&mut stop).await;
            }
        }
        // What is not confirmed by then is so by the journal, at the next start.
        let _ = timeout(END, async {
            while acknowledging.join_next().await.is_some() {}
        })
        .await;
        Ok(())
    }
}

/// The messages of one request. A leader that is frozen or lost does not say that there are no more.
async fn received(mut batch: Batch, silence: Duration) -> Result<Vec<Message>, async_nats::Error> {
    let mut messages = Vec::new();
    loop {
        match timeout(silence, batch.next()).await {
            Ok(Some(Ok(message))) => messages.push(message),
            Ok(Some(Err(error))) if messages.is_empty() => return Err(error),
            // What has come is handed over.
            Ok(Some(Err(_)) | None) | Err(_) => return Ok(messages),
        }
    }
}

async fn pause(stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(PAUSE) => {}
        _ = stop.changed() => {}
    }
}

impl Shared {
    /// Takes what is there, or waits for a message.
    async fn take(&self) -> Result<Vec<Message>, async_nats::Error> {
        let count = self.next.load(Ordering::Relaxed);
        let there = self.consumer.fetch().max_messages(count);
        let messages = received(there.messages().await?, SILENCE).await?;
        // A broker told how many bytes there is room for may end a request with nothing at all, so the number is fitted.
        let bytes: usize = messages.iter().map(|message| message.payload.len()).sum();
        let next = if bytes > MOST_BYTES {
            count / 2
        } else {
            count * 2
        };
        self.next
            .store(next.clamp(1, self.options.batch), Ordering::Relaxed);
        if !messages.is_empty() {
            return Ok(messages);
        }
        let first = self.consumer.batch().max_messages(1).expires(WAIT);
        received(first.messages().await?, WAIT + SILENCE).await
    }

    /// What became of messages, and how many of them had been delivered before.
    async fn hand_over(
        self: &Arc<Self>,
        messages: Vec<Message>,
        taken: Instant,
    ) -> (Vec<Outcome>, usize) {
        let mut items = Vec::with_capacity(messages.len());
        let (mut already, mut later) = (Vec::new(), Vec::new());
        let (mut redelivered, mut bytes) = (0, 0);
        for message in messages {
            let (Ok(info), Some(reply)) = (message.info(), message.reply.as_ref()) else {
                // Not from a stream.
                continue;
            };
            let mut delivered = Delivered {
                sequence: info.stream_sequence,
                reply: reply.to_string(),
                large: None,
            };
            if self.seen.contains(delivered.sequence) {
                already.push(delivered);
                continue;
            }
            if bytes > MOST_BYTES || taken.elapsed() > self.options.ack_wait / 4 {
                later.push(delivered);
                continue;
            }
            let deliveries = info.delivered;
            match self.read(&message, &mut delivered).await {
                Ok((payload, files)) => {
                    redelivered += usize::from(deliveries > 1);
                    bytes += payload.len();
                    items.push(Item {
                        delivered,
                        payload,
                        files,
                    });
                }
                Err(Unreadable::Never(why)) => self.bury(&message, &delivered, why).await,
                // It is delivered again when it is not acknowledged.
                Err(Unreadable::Now(error)) => self.brokers(&error),
            }
        }
        self.give_back(&later).await;
        let mut outcomes = Vec::new();
        if !already.is_empty() {
            outcomes.push(Outcome::Already(already));
        }
        if items.is_empty() {
            return (outcomes, 0);
        }
        let taken = Taken {
            stream: self.stream.clone(),
            time: milliseconds(now().saturating_sub(taken.elapsed())),
            end: taken + self.options.ack_wait / 2,
        };
        // Whatever happens to the thread: they are not handed over once more by this one.
        let sequences: Vec<_> = items.iter().map(|item| item.delivered.sequence).collect();
        self.seen.add(sequences.iter().copied());
        let own = Arc::clone(self);
        let work = move || hand_over(&own.directory, &own.journal, &items, &taken);
        match spawn_blocking(work).await {
            Ok(more) => outcomes.extend(more),
            // The journal tells at the next start whether they were handed over.
            Err(error) => (self.tell)(Event::Failed {
                messages: sequences.len(),
                error: error.to_string(),
            }),
        }
        for outcome in &outcomes {
            if let Outcome::Failed(messages, _) | Outcome::Late(messages) = outcome {
                self.seen.remove(sequences_of(messages));
            }
        }
        (outcomes, redelivered)
    }

    async fn read(
        &self,
        message: &Message,
        delivered: &mut Delivered,
    ) -> Result<(Bytes, Vec<(String, std::ops::Range<usize>)>), Unreadable> {
        match parcel::read(&message.payload)? {
            Content::Files(files) => Ok((message.payload.clone(), files)),
            Content::Large(name) => {
                let time = self.options.ack_wait / 4;
                let read = timeout(time, self.read_object(&name, message)).await;
                let bytes =
                    read.map_err(|_| Unreadable::Now("an object takes too long".into()))??;
                delivered.large = Some(name);
                match parcel::read(&bytes)? {
                    Content::Files(files) => Ok((bytes.into(), files)),
                    Content::Large(_) => Err(NotParcel::Head.into()),
                }
            }
        }
    }

    /// Whether a message is so old that what it refers to must be everywhere.
    fn is_old(&self, message: &Message) -> bool {
        let published = message.info().map(|info| info.published.unix_timestamp());
        let published = published
            .ok()
            .and_then(|seconds| u64::try_from(seconds).ok());
        let most = self.options.ack_wait * MAY_COME;
        published.is_some_and(|seconds| now().saturating_sub(Duration::from_secs(seconds)) > most)
    }

    async fn read_object(&self, name: &str, message: &Message) -> Result<Vec<u8>, Unreadable> {
        let mut object = match self.large.get(name).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound && self.is_old(message) => {
                return Err(NotParcel::NoObject.into());
            }
            Err(error) => return Err(Unreadable::Now(error.into())),
        };
        let mut bytes = Vec::new();
        let read = object.read_to_end(&mut bytes).await;
        read.map_err(|error| Unreadable::Now(error.into()))?;
        Ok(bytes)
    }

    /// Acknowledges what is handed over, gives back what is not.
    async fn settle(&self, outcomes: Vec<Outcome>, redelivered: usize) {
        let mut redelivered = Some(redelivered);
        for outcome in outcomes {
            match outcome {
                Outcome::Done(entry) => {
                    (self.tell)(Event::HandedOver {
                        messages: entry.messages.len(),
                        redelivered: redelivered.take().unwrap_or_default(),
                    });
                    self.acknowledge_entry(&entry).await;
                }
                Outcome::Already(messages) => {
                    if self.acknowledge(&messages).await {
                        self.seen.confirmed(sequences_of(&messages));
                    }
                }
                Outcome::Late(messages) => {
                    // Another host may have them by now, so they are not given back: they come again by themselves.
                    (self.tell)(Event::Late {
                        messages: messages.len(),
                    });
                }
                Outcome::Failed(messages, failed) => {
                    (self.tell)(Event::Failed {
                        messages: messages.len(),
                        error: failed.to_string(),
                    });
                    self.give_back(&messages).await;
                }
                Outcome::Unknown(entry, error) => {
                    (self.tell)(Event::Failed {
                        messages: entry.messages.len(),
                        error: error.to_string(),
                    });
                    self.recover(entry).await;
                }
            }
        }
    }

    /// Acknowledges a batch of the journal if it was handed over, and gives it back if not.
    async fn recover(&self, entry: Entry) {
        if entry.stream != self.stream {
            // Its numbers are other messages now.
            self.forget(&entry).await;
            return;
        }
        let key = key_of(&entry.batch);
        let is_committed = loop {
            let directory = Arc::clone(&self.directory);
            let error = match spawn_blocking(move || directory.was_committed(key)).await {
                Ok(Ok(is_committed)) => break is_committed,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            (self.tell)(Event::Failed {
                messages: entry.messages.len(),
                error,
            });
            sleep(PAUSE).await;
        };
        let count = entry.messages.len();
        if is_committed {
            self.seen.add(sequences_of(&entry.messages));
            self.acknowledge_entry(&entry).await;
        } else {
            self.forget(&entry).await;
            self.seen.remove(sequences_of(&entry.messages));
            // Later another host may have them.
            if milliseconds(now()).saturating_sub(entry.taken)
                < milliseconds(self.options.ack_wait) / 2
            {
                self.give_back(&entry.messages).await;
            }
        }
        (self.tell)(Event::Recovered {
            acknowledged: if is_committed { count } else { 0 },
            given_back: if is_committed { 0 } else { count },
        });
    }

    async fn acknowledge_entry(&self, entry: &Entry) {
        if !self.acknowledge(&entry.messages).await {
            return;
        }
        for name in (entry.messages.iter()).filter_map(|message| message.large.as_ref()) {
            // One that stays takes room and does no harm.
            if let Err(error) = self.large.delete(name).await {
                self.brokers(&error.into());
            }
        }
        self.seen.confirmed(sequences_of(&entry.messages));
        self.forget(entry).await;
        (self.tell)(Event::Acknowledged {
            messages: entry.messages.len(),
        });
    }

    /// Removes an entry of the journal, and then what the store has of it.
    async fn forget(&self, entry: &Entry) {
        let (own, batch) = (self.directory.clone(), entry.batch.clone());
        let removed = self.journal.remove(&batch);
        let forgotten = spawn_blocking(move || own.forget_once(key_of(&batch))).await;
        let failed = match (removed, forgotten) {
            (Ok(()), Ok(Ok(()))) => return,
            (Err(error), _) => error.to_string(),
            (_, Ok(Err(error))) => error.to_string(),
            (_, Err(error)) => error.to_string(),
        };
        (self.tell)(Event::Failed {
            messages: 0,
            error: format!("cannot forget a batch that is done: {failed}"),
        });
    }

    /// Acknowledges messages until all are confirmed. False: they cannot be.
    async fn acknowledge(&self, messages: &[Delivered]) -> bool {
        let end = Instant::now() + self.options.ack_wait * HOPELESS;
        let mut left: Vec<&Delivered> = messages.iter().collect();
        loop {
            let asked = left.iter().map(|message| self.answer(message, ACKNOWLEDGE));
            let answers = futures_util::future::join_all(asked).await;
            let mut failed = None;
            left = left
                .into_iter()
                .zip(answers)
                .filter_map(|(message, answer)| {
                    failed = Some(answer.err()?);
                    Some(message)
                })
                .collect();
            let Some(error) = failed else {
                return true;
            };
            self.brokers(&error);
            if Instant::now() > end {
                return false;
            }
            sleep(PAUSE).await;
        }
    }

    /// Gives messages back at once. Where that fails they are delivered again later.
    async fn give_back(&self, messages: &[Delivered]) {
        let given = messages
            .iter()
            .map(|message| self.answer(message, GIVE_BACK));
        for answer in futures_util::future::join_all(given).await {
            if let Err(error) = answer {
                self.brokers(&error);
            }
        }
    }

    /// Says what became of a message, and waits until the broker confirms that it knows.
    async fn answer(
        &self,
        message: &Delivered,
        what: &'static [u8],
    ) -> Result<(), async_nats::Error> {
        let asked = self
            .client
            .request(message.reply.clone(), Bytes::from_static(what));
        asked.await?;
        Ok(())
    }

    /// Makes a message a dead letter, which the stream of these has before the queue forgets it.
    async fn bury(&self, message: &Message, delivered: &Delivered, why: NotParcel) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::NATS_MESSAGE_ID,
            format!("dead-{}", delivered.sequence),
        );
        headers.insert(names::PROBLEM, why.code());
        headers.insert(names::SUBJECT, message.subject.as_str());
        let subject = names::dead(self.options.route.stream());
        let payload = message
            .payload
            .slice(..message.payload.len().min(MOST_DEAD));
        let kept = async {
            let published = self.context.publish_with_headers(subject, headers, payload);
            published.await?.await?;
            self.answer(delivered, END_OF_IT).await
        };
        match kept.await {
            Ok(()) => (self.tell)(Event::Dead {
                sequence: delivered.sequence,
                code: why.code(),
            }),
            // It is delivered again.
            Err(error) => self.brokers(&error),
        }
    }

    fn brokers(&self, error: &async_nats::Error) {
        (self.tell)(Event::Brokers {
            error: error.to_string(),
        });
    }
}

fn sequences_of(messages: &[Delivered]) -> impl Iterator<Item = u64> {
    messages.iter().map(|message| message.sequence)
}

/// Why a message cannot be read.
enum Unreadable {
    /// Nobody will ever do.
    Never(NotParcel),
    /// The brokers do not answer.
    Now(async_nats::Error),
}

impl From<NotParcel> for Unreadable {
    fn from(why: NotParcel) -> Self {
        Self::Never(why)
    }
}
