//! Messages that could not be submitted: listing them, and putting them back into the queue.

use crate::error::FleetError;
use crate::names::{self, dead};
use async_nats::jetstream;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::{Client, HeaderMap, header};
use serde::Serialize;

/// A message that could not be submitted.
#[derive(Debug, Serialize)]
pub struct DeadLetter {
    /// Its number in the stream of dead letters.
    pub sequence: u64,
    /// Why, as a word that never changes.
    pub problem: String,
    /// Its original subject.
    pub subject: String,
    /// Its bytes.
    pub bytes: usize,
}

/// Lists dead letters, at most this many, the oldest first.
///
/// # Errors
/// The brokers do not answer, or there is no such stream.
pub async fn dead_letters(
    client: &Client,
    name: &str,
    most: usize,
) -> Result<Vec<DeadLetter>, FleetError> {
    let mut letters = Vec::new();
    let keep = async |letter: &Letter| {
        letters.push(DeadLetter {
            sequence: letter.sequence,
            problem: letter.header(names::PROBLEM),
            subject: letter.header(names::SUBJECT),
            bytes: letter.payload.len(),
        });
        Ok(letters.len() < most)
    };
    each_letter(client, name, keep).await?;
    Ok(letters)
}

/// Puts dead letters back into the queue, once what was wrong has been fixed. Returns their number.
///
/// # Errors
/// The brokers do not answer, or refuse one: those before it are in the queue.
pub async fn replay(client: &Client, name: &str) -> Result<usize, FleetError> {
    let context = jetstream::new(client.clone());
    let letters = context.get_stream_no_info(dead(name)).await;
    let letters = letters.map_err(FleetError::of("find the dead letters"))?;
    let mut count = 0;
    let again = async |letter: &Letter| {
        let mut headers = HeaderMap::new();
        // If a letter is replayed twice because this was interrupted, the queue takes it once.
        headers.insert(
            header::NATS_MESSAGE_ID,
            format!("replay-{}-{}", letter.time, letter.sequence),
        );
        let subject = letter.header(names::SUBJECT);
        if subject.is_empty() {
            // A consumer did not write this letter.
            return Ok(true);
        }
        let published = context.publish_with_headers(subject, headers, letter.payload.clone());
        let published = published
            .await
            .map_err(FleetError::of("replay a dead letter"))?;
        published
            .await
            .map_err(FleetError::of("replay a dead letter"))?;
        let deleted = letters.delete_message(letter.sequence).await;
        deleted.map_err(FleetError::of("remove a dead letter that is replayed"))?;
        count += 1;
        Ok(true)
    };
    each_letter(client, name, again).await?;
    Ok(count)
}

struct Letter {
    sequence: u64,
    time: i128,
    headers: HeaderMap,
    payload: bytes::Bytes,
}

impl Letter {
    fn header(&self, name: &str) -> String {
        let value = self.headers.get(name);
        value
            .map(|value| value.as_str().to_owned())
            .unwrap_or_default()
    }
}

/// Calls a function with each dead letter, as long as it returns true.
async fn each_letter(
    client: &Client,
    name: &str,
    mut work: impl AsyncFnMut(&Letter) -> Result<bool, FleetError>,
) -> Result<(), FleetError> {
    let context = jetstream::new(client.clone());
    let letters = context.get_stream(dead(name)).await;
    let letters = letters.map_err(FleetError::of("find the dead letters"))?;
    let state = letters.cached_info().state.clone();
    let mut next = state.first_sequence;
    while next != 0 && next <= state.last_sequence {
        let found = letters
            .raw_message_builder()
            .sequence(next)
            .next_by_subject(dead(name))
            .send()
            .await;
        let message = match found {
            Ok(message) => message,
            // There is nothing after it.
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(()),
            Err(error) => return Err(FleetError::of("read a dead letter")(error)),
        };
        let letter = Letter {
            sequence: message.sequence,
            time: message.time.unix_timestamp_nanos(),
            headers: message.headers,
            payload: message.payload,
        };
        next = letter.sequence + 1;
        if !work(&letter).await? {
            return Ok(());
        }
    }
    Ok(())
}
