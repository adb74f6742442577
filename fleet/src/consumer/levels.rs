//! Which messages are taken next: those of a higher priority first, then whatever the others have.
//!
//! ```text
//! a round      fetch high │ fetch normal │ fetch low     until the batch is full; none of the three waits
//! nothing?     ask each of them for one message, and wait for whichever comes first
//! next round   answers to earlier requests may have arrived meanwhile: they belong to this batch
//! ```

use crate::names::Priority;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Batch;
use futures_util::StreamExt;
use std::time::{Duration, Instant};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

/// How long a host waits for the first message of a batch.
const WAIT: Duration = Duration::from_secs(1);

/// How long a broker may be silent where it should answer at once.
const SILENCE: Duration = Duration::from_secs(2);

/// The consumers of a pool, by priority.
pub struct Levels {
    levels: Vec<Level>,
    /// Requests for one message that are not answered yet.
    asked: JoinSet<Answer>,
}

struct Level {
    consumer: PullConsumer,
    /// Whether such a request is pending.
    is_asked: bool,
    /// Whether it did not answer the last time: its leader may be lost, and only such a request shows when it is back.
    is_silent: bool,
}

struct Answer {
    level: usize,
    /// When it was asked for.
    since: Instant,
    received: Received,
}

/// Messages, and whether the broker fell silent.
type Received = Result<(Vec<Message>, bool), async_nats::Error>;

/// Messages of a round.
pub struct Round {
    /// With the time before which each was not delivered.
    pub messages: Vec<(Message, Instant)>,
    /// Errors of levels that returned no messages.
    pub errors: Vec<async_nats::Error>,
}

impl Levels {
    /// Of consumers in the order of [`Priority::ALL`].
    pub fn new(consumers: [PullConsumer; Priority::ALL.len()]) -> Self {
        let level = |consumer| Level {
            consumer,
            is_asked: false,
            is_silent: false,
        };
        Self {
            levels: consumers.into_iter().map(level).collect(),
            asked: JoinSet::new(),
        }
    }

    /// Takes at most `count` of the available messages, or waits a while for one.
    pub async fn take(&mut self, count: usize) -> Round {
        let mut round = Round::new();
        while let Some(answered) = self.asked.try_join_next() {
            self.add(answered, &mut round);
        }
        for level in &mut self.levels {
            let room = count.saturating_sub(round.messages.len());
            if room == 0 {
                break;
            }
            // A level that does not answer must not block the others.
            if level.is_silent {
                continue;
            }
            let since = Instant::now();
            level.is_silent = round.add(fetch(&level.consumer, room).await, since);
        }
        self.ask(|level| level.is_silent);
        if round.messages.is_empty() {
            self.ask(|_| true);
            if let Some(answered) = self.asked.join_next().await {
                self.add(answered, &mut round);
            }
        }
        round
    }

    /// Waits until no request is pending, and returns the messages that arrived, which will not be submitted here.
    pub async fn let_go(&mut self) -> Round {
        let mut round = Round::new();
        while let Some(answered) = self.asked.join_next().await {
            self.add(answered, &mut round);
        }
        round
    }

    fn ask(&mut self, which: impl Fn(&Level) -> bool) {
        for (number, level) in self.levels.iter_mut().enumerate() {
            if level.is_asked || !which(level) {
                continue;
            }
            level.is_asked = true;
            let consumer = level.consumer.clone();
            self.asked.spawn(async move {
                Answer {
                    level: number,
                    since: Instant::now(),
                    received: wait_for_one(&consumer).await,
                }
            });
        }
    }

    fn add(&mut self, answered: Result<Answer, JoinError>, round: &mut Round) {
        match answered {
            Ok(answer) => {
                let level = &mut self.levels[answer.level];
                level.is_asked = false;
                level.is_silent = round.add(answer.received, answer.since);
            }
            // It is unknown which request failed. Those still in progress are sent twice, which does no harm.
            Err(error) => {
                for level in &mut self.levels {
                    level.is_asked = false;
                }
                round.errors.push(error.into());
            }
        }
    }
}

impl Round {
    fn new() -> Self {
        Self {
            messages: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Adds what was received. Returns whether the broker fell silent.
    fn add(&mut self, received: Received, since: Instant) -> bool {
        match received {
            Ok((messages, is_silent)) => {
                self.messages
                    .extend(messages.into_iter().map(|message| (message, since)));
                is_silent
            }
            Err(error) => {
                self.errors.push(error);
                false
            }
        }
    }
}

async fn fetch(consumer: &PullConsumer, count: usize) -> Received {
    let there = consumer.fetch().max_messages(count);
    // Without a connection, the client may wait for one before it sends the request.
    match timeout(SILENCE, there.messages()).await {
        Ok(batch) => received(batch?, SILENCE).await,
        Err(_) => Ok((Vec::new(), true)),
    }
}

async fn wait_for_one(consumer: &PullConsumer) -> Received {
    let first = consumer.batch().max_messages(1).expires(WAIT);
    match timeout(SILENCE, first.messages()).await {
        Ok(batch) => received(batch?, WAIT + SILENCE).await,
        Err(_) => Ok((Vec::new(), true)),
    }
}

/// The messages of one request. A frozen or lost leader does not say that there are no more.
async fn received(mut batch: Batch, silence: Duration) -> Received {
    let mut messages = Vec::new();
    loop {
        match timeout(silence, batch.next()).await {
            Ok(Some(Ok(message))) => messages.push(message),
            Ok(Some(Err(error))) if messages.is_empty() => return Err(error),
            // The messages that did arrive are submitted.
            Ok(Some(Err(_)) | None) => return Ok((messages, false)),
            Err(_) => return Ok((messages, true)),
        }
    }
}
