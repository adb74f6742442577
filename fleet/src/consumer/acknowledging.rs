//! Tells the brokers what became of messages.

use super::event::Event;
use super::host::{Host, sequences_of};
use crate::hand_over::key_of;
use crate::journal::{Delivered, Entry};
use async_nats::Request;
use async_nats::connection::State;
use bytes::Bytes;
use std::io;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// How long a broker may take to confirm an acknowledgement. A lost leader never does; if the next leader does not hear
/// of it in time either, the messages go to another host.
const ANSWER: Duration = Duration::from_secs(2);

/// How long until an acknowledgement is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// After this many times the ack wait, acknowledging messages is left to the next start: by then nobody waits for them.
const HOPELESS: u32 = 20;

const ACKNOWLEDGE: &[u8] = b"+ACK";
const GIVE_BACK: &[u8] = b"-NAK";
const END_OF_IT: &[u8] = b"+TERM";

impl Host {
    pub async fn acknowledge_entry(&self, entry: &Entry) {
        if !self.acknowledge(&entry.messages).await {
            return;
        }
        for name in (entry.messages.iter()).filter_map(|message| message.large.as_ref()) {
            // An entry that stays takes space and does no harm.
            if let Err(error) = self.large.delete(name).await {
                self.tell_of_brokers(&error.into());
            }
        }
        self.seen.confirmed(sequences_of(&entry.messages));
        self.forget(entry).await;
        (self.tell)(Event::Acknowledged {
            messages: entry.messages.len(),
        });
    }

    /// Removes an entry of the journal, and then what the store has of it.
    pub async fn forget(&self, entry: &Entry) {
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

    /// Acknowledges messages until all are confirmed. Returns false if that is not possible.
    pub async fn acknowledge(&self, messages: &[Delivered]) -> bool {
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
            self.tell_of_brokers(&error);
            if Instant::now() > end {
                return false;
            }
            sleep(PAUSE).await;
        }
    }

    /// Gives messages back at once. Where that fails they are delivered again later.
    pub async fn give_back(&self, messages: &[Delivered]) {
        let given = messages
            .iter()
            .map(|message| self.answer(message, GIVE_BACK));
        for answer in futures_util::future::join_all(given).await {
            if let Err(error) = answer {
                self.tell_of_brokers(&error);
            }
        }
    }

    /// Tells the brokers that nobody needs this message again.
    pub async fn end(&self, message: &Delivered) -> Result<(), async_nats::Error> {
        self.answer(message, END_OF_IT).await
    }

    /// Tells the broker what became of a message, and waits for its confirmation.
    async fn answer(
        &self,
        message: &Delivered,
        what: &'static [u8],
    ) -> Result<(), async_nats::Error> {
        // Without a connection the client would buffer this, and send it when another host already has the message.
        if self.client.connection_state() != State::Connected {
            return Err(io::Error::from(io::ErrorKind::NotConnected).into());
        }
        let request = Request::new()
            .payload(Bytes::from_static(what))
            .timeout(Some(ANSWER));
        let asked = self.client.send_request(message.reply.clone(), request);
        // The request's own timeout begins only when it is sent.
        timeout(2 * ANSWER, asked).await??;
        Ok(())
    }
}
