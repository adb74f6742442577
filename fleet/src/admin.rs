//! Makes and checks the streams of a fleet, and tells what is in them.

use crate::error::FleetError;
use crate::names::{self, dead};
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{
    self, DiscardPolicy, LastRawMessageErrorKind, RetentionPolicy, StorageType,
};
use async_nats::jetstream::{self, Context, ErrorCode, kv, object_store};
use async_nats::{Client, HeaderMap, header};
use futures_util::TryStreamExt;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the stream knows what was published, so that it takes each message once.
const DUPLICATE_WINDOW: Duration = Duration::from_hours(1);

/// How long idempotency keys are remembered.
const KEYS: Duration = Duration::from_hours(24);

/// What to do about a setting that a stream may change.
const CHANGE: &str = "change it with `nats stream edit`";

/// How long it is tried to make the streams.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long until the next try.
const PAUSE: Duration = Duration::from_millis(500);

/// What the streams of a fleet are made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the stream, which those beside it have in theirs.
    pub stream: String,
    /// On how many brokers each message is.
    pub replicas: usize,
    /// Most bytes that wait in the stream; more is refused. `None`: as much as the brokers have room for.
    pub max_bytes: Option<i64>,
}

/// How a fleet is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The stream.
    pub stream: String,
    /// Messages that wait in it.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The most that it takes, in bytes; `None` without a limit of its own.
    pub max_bytes: Option<i64>,
    /// The broker that leads it; `None` while there is none.
    pub leader: Option<String>,
    /// On how many brokers it is.
    pub replicas: usize,
    /// How many of them have all of it.
    pub current: usize,
    /// Messages in the stream of dead letters.
    pub dead: u64,
    /// Bytes in the store of large submissions.
    pub large_bytes: u64,
    /// One for each region and pool.
    pub consumers: Vec<ConsumerStatus>,
}

/// How the hosts of a pool do.
#[derive(Debug, Serialize)]
pub struct ConsumerStatus {
    /// Its region and pool.
    pub name: String,
    /// Messages that no host has taken yet.
    pub waiting: u64,
    /// Messages that a host has taken and not acknowledged.
    pub on_their_way: usize,
    /// Those of them that were delivered more than once.
    pub redelivered: usize,
    /// Requests of hosts that wait for messages.
    pub hosts_waiting: usize,
}

/// A message that could not be handed over.
#[derive(Debug, Serialize)]
pub struct DeadLetter {
    /// Its number in the stream of dead letters.
    pub sequence: u64,
    /// Why, as a frozen word.
    pub problem: String,
    /// The subject that it came from.
    pub subject: String,
    /// Its bytes.
    pub bytes: usize,
}

/// Makes the streams of a fleet, or checks those that are there.
///
/// # Errors
/// One is there with settings with which mail may be lost or doubled; or the brokers do not do it.
pub async fn init(client: &Client, settings: &Settings) -> Result<(), FleetError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match try_init(client, settings).await {
            // Brokers that have just started may not know each other yet.
            Err(FleetError::Brokers { .. }) if Instant::now() < end => sleep(PAUSE).await,
            result => return result,
        }
    }
}

async fn try_init(client: &Client, settings: &Settings) -> Result<(), FleetError> {
    let context = jetstream::new(client.clone());
    let name = &settings.stream;
    let mail = stream::Config {
        name: name.clone(),
        subjects: vec![names::subjects(name)],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_bytes: settings.max_bytes.unwrap_or(-1),
        storage: StorageType::File,
        num_replicas: settings.replicas,
        duplicate_window: DUPLICATE_WINDOW,
        ..stream::Config::default()
    };
    make(&context, mail).await?;
    let dead = stream::Config {
        name: dead(name),
        subjects: vec![dead(name)],
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        ..stream::Config::default()
    };
    make(&context, dead).await?;
    if context.get_key_value(names::keys(name)).await.is_err() {
        let keys = kv::Config {
            bucket: names::keys(name),
            history: 1,
            max_age: KEYS,
            storage: StorageType::File,
            num_replicas: settings.replicas,
            ..kv::Config::default()
        };
        (context.create_key_value(keys).await)
            .map_err(FleetError::of("make the bucket of keys"))?;
    }
    if context.get_object_store(names::large(name)).await.is_err() {
        let large = object_store::Config {
            bucket: names::large(name),
            storage: StorageType::File,
            num_replicas: settings.replicas,
            ..object_store::Config::default()
        };
        (context.create_object_store(large).await)
            .map_err(FleetError::of("make the store of large submissions"))?;
    }
    for stream in [
        format!("KV_{}", names::keys(name)),
        format!("OBJ_{}", names::large(name)),
    ] {
        let found = context.get_stream(&stream).await;
        let found = found.map_err(FleetError::of("look at what was made"))?;
        check_replicas(&found.cached_info().config, settings.replicas)?;
    }
    Ok(())
}

async fn make(context: &Context, wanted: stream::Config) -> Result<(), FleetError> {
    let found = match context.get_stream(&wanted.name).await {
        Ok(found) => found.cached_info().config.clone(),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(answer)
                if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                let made = context.create_stream(wanted.clone()).await;
                let made = made.map_err(FleetError::of("make the stream"))?;
                made.cached_info().config.clone()
            }
            _ => return Err(FleetError::of("look at the stream")(error)),
        },
    };
    check(&found, &wanted)
}

/// Whether nothing is lost or doubled with these settings.
fn check(found: &stream::Config, wanted: &stream::Config) -> Result<(), FleetError> {
    const ANEW: &str = "let hosts take all that waits, delete it, and make it anew";
    let settings = [
        (
            found.retention == wanted.retention,
            "retention",
            format!("{:?}", found.retention),
            format!("{:?}", wanted.retention),
            ANEW,
        ),
        (
            found.storage == StorageType::File,
            "storage",
            format!("{:?}", found.storage),
            "File".to_owned(),
            ANEW,
        ),
        (
            found.discard == DiscardPolicy::New,
            "discard",
            format!("{:?}", found.discard),
            "New".to_owned(),
            CHANGE,
        ),
        (
            found.max_age == Duration::ZERO,
            "max_age",
            format!("{:?}", found.max_age),
            "0".to_owned(),
            CHANGE,
        ),
        (
            found.max_messages_per_subject <= 0,
            "max_msgs_per_subject",
            found.max_messages_per_subject.to_string(),
            "-1".to_owned(),
            CHANGE,
        ),
        (
            !found.no_ack,
            "no_ack",
            "true".to_owned(),
            "false".to_owned(),
            CHANGE,
        ),
        (
            wanted.retention != RetentionPolicy::WorkQueue
                || found.duplicate_window >= DUPLICATE_WINDOW,
            "duplicate_window",
            format!("{:?}", found.duplicate_window),
            format!("{DUPLICATE_WINDOW:?} at least"),
            CHANGE,
        ),
    ];
    for (is_right, setting, is, must, advice) in settings {
        if !is_right {
            return Err(FleetError::Settings {
                stream: found.name.clone(),
                setting,
                found: is,
                wanted: must,
                advice,
            });
        }
    }
    check_replicas(found, wanted.num_replicas)
}

/// Whether a stream is on as many brokers as it should be.
fn check_replicas(found: &stream::Config, wanted: usize) -> Result<(), FleetError> {
    if found.num_replicas >= wanted {
        return Ok(());
    }
    Err(FleetError::Settings {
        stream: found.name.clone(),
        setting: "number of replicas",
        found: found.num_replicas.to_string(),
        wanted: wanted.to_string(),
        advice: CHANGE,
    })
}

/// Tells how a fleet is.
///
/// # Errors
/// The brokers do not answer, or its streams are not there.
pub async fn status(client: &Client, name: &str) -> Result<Status, FleetError> {
    const LOOK: &str = "look at the streams, which `pmtaemailapi fleet init` makes";
    let context = jetstream::new(client.clone());
    let stream = context
        .get_stream(name)
        .await
        .map_err(FleetError::of(LOOK))?;
    let info = stream.get_info().await.map_err(FleetError::of(LOOK))?;
    let mut consumers: Vec<_> = (stream.consumers())
        .map_ok(|consumer| ConsumerStatus {
            name: consumer.name,
            waiting: consumer.num_pending,
            on_their_way: consumer.num_ack_pending,
            redelivered: consumer.num_redelivered,
            hosts_waiting: consumer.num_waiting,
        })
        .try_collect()
        .await
        .map_err(FleetError::of("look at the consumers"))?;
    consumers.sort_by(|one, other| one.name.cmp(&other.name));
    let state_of = async |name: String| {
        let stream = context
            .get_stream(name)
            .await
            .map_err(FleetError::of(LOOK))?;
        Ok::<_, FleetError>(stream.cached_info().state.clone())
    };
    let (copies, leader) = info.cluster.as_ref().map_or((1, None), |cluster| {
        let current = cluster
            .replicas
            .iter()
            .filter(|peer| peer.current && !peer.offline);
        (
            usize::from(cluster.leader.is_some()) + current.count(),
            cluster.leader.clone(),
        )
    });
    Ok(Status {
        stream: name.to_owned(),
        messages: info.state.messages,
        bytes: info.state.bytes,
        max_bytes: Some(info.config.max_bytes).filter(|&most| most > 0),
        leader,
        replicas: info.config.num_replicas,
        current: copies,
        dead: state_of(dead(name)).await?.messages,
        large_bytes: state_of(format!("OBJ_{}", names::large(name))).await?.bytes,
        consumers,
    })
}

/// Tells the dead letters, at most so many, the oldest first.
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

/// Puts dead letters into the queue again, after what was wrong was put right. Gives their number.
///
/// # Errors
/// The brokers do not answer, or do not take one: those before it are in the queue.
pub async fn replay(client: &Client, name: &str) -> Result<usize, FleetError> {
    let context = jetstream::new(client.clone());
    let letters = context.get_stream_no_info(dead(name)).await;
    let letters = letters.map_err(FleetError::of("find the dead letters"))?;
    let mut count = 0;
    let again = async |letter: &Letter| {
        let mut headers = HeaderMap::new();
        // Of a letter that is replayed twice, since this was interrupted, one is taken.
        headers.insert(
            header::NATS_MESSAGE_ID,
            format!("replay-{}-{}", letter.time, letter.sequence),
        );
        let subject = letter.header(names::SUBJECT);
        if subject.is_empty() {
            // It is no letter of a consumer's.
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

/// Does something with each dead letter, as long as it gives true.
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
            // Nothing is behind it.
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
