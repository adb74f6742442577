//! Takes batches from the stream, submits them, and acknowledges them once they are durable.
//!
//! ```text
//! take …       batch 1      batch 2        batch 3
//! submit           [1 ────]     [2 ────]       [3 ────]
//! acknowledge              [1 ──────]   [2 ─────]      [3 …      each confirmed; until then the journal has it
//! ```
//!
//! Each file imports from those below it only:
//!
//! ```text
//! settling                what is done about a batch, depending on its outcome
//! recovery    batch       earlier batches; from messages to a batch that is submitted
//! acknowledging           tells the brokers what happened to messages
//! host        levels      what everything works with; which messages are taken next
//! event                   what is reported
//! ```

mod acknowledging;
mod batch;
mod event;
mod host;
mod levels;
mod recovery;
mod settling;

pub use event::Event;

use crate::error::FleetError;
use crate::journal::Journal;
use crate::names::{self, Priority, Route};
use crate::seen::Seen;
use async_nats::Client;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::{self, Message, stream::Stream};
use batch::MOST_BYTES;
use host::Host;
use levels::Levels;
use pmtaemail::PickupDirectory;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The pause before something is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// How many batches may wait for their acknowledgements while others are submitted.
const WAITING: usize = 4;

/// A batch that has waited longer than this for its acknowledgements no longer counts as one of these.
const PROMPT: Duration = Duration::from_secs(5);

/// How many batches may wait for their acknowledgements in total.
const UNCONFIRMED: usize = 64;

/// How long acknowledgements may take when the consumer ends. The journal keeps what is not confirmed.
const END: Duration = Duration::from_secs(10);

/// How many messages may be in progress on all hosts together.
const MOST_PENDING: i64 = 20_000;

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// The messages that it takes.
    pub route: Route,
    /// Maximum number of messages that are submitted together.
    pub batch: usize,
    /// Messages that are not acknowledged for this long go to another host.
    pub ack_wait: Duration,
    /// A separate folder, outside of the pickup directory.
    pub journal: PathBuf,
}

/// Takes messages from the stream into a pickup directory.
pub struct Consumer {
    host: Arc<Host>,
    levels: Levels,
    /// How many messages are requested next.
    next: usize,
}

impl Consumer {
    /// A consumer for a pickup directory, which must keep its own idempotency keys.
    ///
    /// # Errors
    /// The stream does not exist, or another process uses the journal.
    pub async fn start(
        client: Client,
        directory: Arc<PickupDirectory>,
        options: ConsumerOptions,
        tell: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, FleetError> {
        const FIND: &str = "find the stream, which `pmtaemailapi fleet init` creates";
        let journal = Journal::open(&options.journal)?;
        let context = jetstream::new(client.clone());
        let route = &options.route;
        let stream = context.get_stream(route.stream()).await;
        let stream = stream.map_err(FleetError::of(FIND))?;
        let large = context.get_object_store(names::large(route.stream())).await;
        let [high, normal, low] = Priority::ALL;
        let levels = Levels::new([
            level(&stream, &options, high).await?,
            level(&stream, &options, normal).await?,
            level(&stream, &options, low).await?,
        ]);
        let info = stream.cached_info();
        let host = Host {
            stream: format!("{} of {}", info.config.name, info.created),
            client,
            context,
            large: large.map_err(FleetError::of(FIND))?,
            directory,
            journal,
            seen: Seen::new(options.ack_wait),
            tell: Box::new(tell),
            options,
        };
        Ok(Self {
            next: host.options.batch,
            host: Arc::new(host),
            levels,
        })
    }

    /// Works until `stop` is true. `may_take` says whether the pickup directory currently has room.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn run(
        mut self,
        may_take: impl Fn() -> bool,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), FleetError> {
        let left = self.host.journal.entries();
        for entry in left.map_err(FleetError::of_file("read the journal"))? {
            tokio::select! {
                () = self.host.recover(entry) => {}
                _ = stop.changed() => return Ok(()),
            }
        }
        let waiting = Arc::new(Semaphore::new(WAITING));
        let unconfirmed = Arc::new(Semaphore::new(UNCONFIRMED));
        let mut acknowledging = JoinSet::new();
        while !*stop.borrow() {
            while acknowledging.try_join_next().is_some() {}
            let room = async {
                let place = Arc::clone(&unconfirmed).acquire_owned().await;
                (place, Arc::clone(&waiting).acquire_owned().await)
            };
            let (place, permit) = tokio::select! {
                (Ok(place), Ok(permit)) = room => (place, permit),
                _ = stop.changed() => break,
            };
            if !may_take() {
                drop(permit);
                self.let_go().await;
                pause(&mut stop).await;
                continue;
            }
            let round = self.levels.take(self.next).await;
            for error in &round.errors {
                self.host.tell_of_brokers(error);
            }
            if round.messages.is_empty() {
                if !round.errors.is_empty() {
                    pause(&mut stop).await;
                }
                continue;
            }
            self.fit(&round.messages);
            let attempt = self.host.hand_over(round.messages).await;
            let has_failed = attempt.has_failed();
            let host = Arc::clone(&self.host);
            acknowledging.spawn(async move {
                let mut settling = pin!(host.settle(attempt));
                // A lost leader of one priority must not block the others.
                if timeout(PROMPT, &mut settling).await.is_err() {
                    drop(permit);
                    settling.await;
                }
                drop(place);
            });
            if has_failed {
                pause(&mut stop).await;
            }
        }
        let _ = timeout(END, self.let_go()).await;
        // Whatever is not confirmed by then is settled from the journal at the next start.
        let _ = timeout(END, async {
            while acknowledging.join_next().await.is_some() {}
        })
        .await;
        Ok(())
    }

    /// Adapts the number of messages to their size: if a request limits the bytes, a broker may end it without any
    /// message.
    fn fit(&mut self, messages: &[(Message, Instant)]) {
        let bytes: usize = (messages.iter())
            .map(|(message, _)| message.payload.len())
            .sum();
        let next = if bytes > MOST_BYTES {
            self.next / 2
        } else {
            self.next * 2
        };
        self.next = next.clamp(1, self.host.options.batch);
    }

    /// Gives back what was requested and not submitted.
    async fn let_go(&mut self) {
        let round = self.levels.let_go().await;
        self.host.give_back_unread(&round.messages).await;
    }
}

/// The consumer of one priority, created if it does not exist.
async fn level(
    stream: &Stream,
    options: &ConsumerOptions,
    priority: Priority,
) -> Result<PullConsumer, FleetError> {
    let name = options.route.consumer(priority);
    let found = stream.get_consumer::<pull::Config>(&name).await;
    let consumer = if let Ok(consumer) = found {
        consumer
    } else {
        // If it exists but cannot be read, creating it returns the error.
        let config = pull::Config {
            durable_name: Some(name.clone()),
            filter_subject: options.route.subject(priority),
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
    if is == options.ack_wait {
        return Ok(consumer);
    }
    Err(FleetError::Settings {
        stream: format!("consumer {name}"),
        setting: "ack_wait",
        found: format!("{is:?}"),
        wanted: format!("{:?}", options.ack_wait),
        advice: "give all hosts of a pool the same --ack-wait, or change it with `nats consumer edit`",
    })
}

async fn pause(stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(PAUSE) => {}
        _ = stop.changed() => {}
    }
}
