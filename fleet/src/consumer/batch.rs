//! From the messages of a round to a batch that is submitted.

use super::event::Event;
use super::host::{Host, sequences_of};
use crate::clock::{milliseconds, now};
use crate::hand_over::{Item, Outcome, Taken, hand_over};
use crate::journal::{Delivered, Entry};
use crate::names;
use crate::parcel::{self, Content, NotParcel};
use crate::seen::Known;
use async_nats::jetstream::Message;
use async_nats::jetstream::object_store::GetErrorKind;
use async_nats::{HeaderMap, header};
use bytes::Bytes;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// About the maximum number of bytes that are submitted together: all of them are in memory.
pub const MOST_BYTES: usize = 64 << 20;

/// For this many times the ack wait, an object that is not found may still be on its way to the broker that was asked.
const MAY_COME: u32 = 5;

/// Maximum number of bytes of an unreadable message that a dead letter keeps: with its header fields, it must not
/// exceed the size limit of a message.
const MOST_DEAD: usize = 256 << 10;

/// What became of an attempt to submit messages together.
pub struct Attempt {
    pub outcomes: Vec<Outcome>,
    /// How many of the messages had been delivered before.
    pub redelivered: usize,
    /// The time before which none of those that were to be submitted was delivered.
    pub taken: Instant,
}

impl Attempt {
    /// Whether some were not submitted: the same ones may come again at once.
    pub fn has_failed(&self) -> bool {
        let is_submitted =
            |outcome: &Outcome| matches!(outcome, Outcome::Done(_) | Outcome::Already(_));
        self.outcomes.is_empty() || !self.outcomes.iter().all(is_submitted)
    }
}

impl Host {
    /// Submits messages, each with the time before which it was not delivered.
    pub async fn hand_over(self: &Arc<Self>, messages: Vec<(Message, Instant)>) -> Attempt {
        let mut items = Vec::with_capacity(messages.len());
        let mut already = Vec::new();
        let (mut redelivered, mut bytes) = (0, 0);
        let mut taken = Instant::now();
        for (message, since) in messages {
            let Some((mut delivered, deliveries)) = delivered(&message) else {
                continue;
            };
            match self.seen.find(delivered.sequence) {
                Known::No => {}
                // It comes again, unless it is acknowledged until then.
                Known::InHand => continue,
                Known::HandedOver => {
                    already.push(delivered);
                    continue;
                }
            }
            if bytes > MOST_BYTES || since.elapsed() > self.options.ack_wait / 4 {
                self.give_back_taken(&[delivered], since).await;
                continue;
            }
            match self.read(&message, &mut delivered).await {
                Ok((payload, files)) => {
                    redelivered += usize::from(deliveries > 1);
                    bytes += payload.len();
                    taken = taken.min(since);
                    items.push(Item {
                        delivered,
                        payload,
                        files,
                    });
                }
                Err(Unreadable::Never(why)) => self.bury(&message, &delivered, why).await,
                // It is delivered again when it is not acknowledged.
                Err(Unreadable::Now(error)) => self.tell_of_brokers(&error),
            }
        }
        let mut outcomes = Vec::new();
        if !already.is_empty() {
            outcomes.push(Outcome::Already(already));
        }
        if !items.is_empty() {
            outcomes.extend(self.hand_over_items(items, taken).await);
        }
        Attempt {
            outcomes,
            redelivered,
            taken,
        }
    }

    async fn hand_over_items(self: &Arc<Self>, items: Vec<Item>, since: Instant) -> Vec<Outcome> {
        let taken = Taken {
            stream: self.stream.clone(),
            time: milliseconds(now().saturating_sub(since.elapsed())),
            end: since + self.own_time(),
        };
        // Whatever happens to the thread, this host does not submit them a second time.
        let sequences: Vec<_> = items.iter().map(|item| item.delivered.sequence).collect();
        self.seen.in_hand(sequences.iter().copied());
        let own = Arc::clone(self);
        let work = move || hand_over(&own.directory, &own.journal, &items, &taken);
        let outcomes = match spawn_blocking(work).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                (self.tell)(Event::Failed {
                    messages: sequences.len(),
                    error: error.to_string(),
                });
                self.recover_all(&sequences).await;
                return Vec::new();
            }
        };
        for outcome in &outcomes {
            match outcome {
                Outcome::Done(entry) => self.seen.handed_over(sequences_of(&entry.messages)),
                Outcome::Already(messages) => self.seen.handed_over(sequences_of(messages)),
                Outcome::Failed(messages, _) | Outcome::Late(messages) => {
                    self.seen.remove(sequences_of(messages));
                }
                // They stay in hand until it is known.
                Outcome::Unknown(..) => {}
            }
        }
        outcomes
    }

    /// After a panic, the journal says which messages may have been submitted. The others were not.
    async fn recover_all(&self, sequences: &[u64]) {
        let entries = match self.journal.entries() {
            Ok(entries) => entries,
            // This host does not know what it did, so another one gets them.
            Err(error) => {
                return (self.tell)(Event::Failed {
                    messages: sequences.len(),
                    error: error.to_string(),
                });
            }
        };
        let is_one =
            |entry: &Entry| sequences_of(&entry.messages).any(|one| sequences.contains(&one));
        let mut left: HashSet<u64> = sequences.iter().copied().collect();
        for entry in entries.into_iter().filter(is_one) {
            for sequence in sequences_of(&entry.messages) {
                left.remove(&sequence);
            }
            self.recover(entry).await;
        }
        self.seen.remove(left.into_iter());
    }

    /// Gives back messages that were requested and will not be submitted here.
    pub async fn give_back_unread(&self, messages: &[(Message, Instant)]) {
        for (message, since) in messages {
            let Some((delivered, _)) = delivered(message) else {
                continue;
            };
            match self.seen.find(delivered.sequence) {
                Known::No => self.give_back_taken(&[delivered], *since).await,
                // It shares the fate of its other copy.
                Known::InHand | Known::HandedOver => {}
            }
        }
    }

    /// Gives messages back, unless another host may have them by now: then the brokers deliver them again anyway.
    pub async fn give_back_taken(&self, messages: &[Delivered], taken: Instant) {
        if taken.elapsed() < self.own_time() {
            self.give_back(messages).await;
        }
    }

    async fn read(
        &self,
        message: &Message,
        delivered: &mut Delivered,
    ) -> Result<(Bytes, Vec<(String, Range<usize>)>), Unreadable> {
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

    /// Whether a message is so old that every broker must have the object it refers to.
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

    /// Turns a message into a dead letter. The stream of dead letters has it before the queue forgets it.
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
            self.end(delivered).await
        };
        match kept.await {
            Ok(()) => (self.tell)(Event::Dead {
                sequence: delivered.sequence,
                code: why.code(),
            }),
            // It is delivered again.
            Err(error) => self.tell_of_brokers(&error),
        }
    }
}

/// How to acknowledge a message, and how many times it has been delivered. `None` if it is not from a stream.
fn delivered(message: &Message) -> Option<(Delivered, i64)> {
    let info = message.info().ok()?;
    let delivered = Delivered {
        sequence: info.stream_sequence,
        reply: message.reply.as_ref()?.to_string(),
        large: None,
    };
    Some((delivered, info.delivered))
}

/// Why a message cannot be read.
enum Unreadable {
    /// Nobody ever can.
    Never(NotParcel),
    /// Not now: the brokers do not answer.
    Now(async_nats::Error),
}

impl From<NotParcel> for Unreadable {
    fn from(why: NotParcel) -> Self {
        Self::Never(why)
    }
}
