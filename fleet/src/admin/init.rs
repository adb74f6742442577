//! Creates the streams of a fleet, or checks those that exist.

use crate::error::FleetError;
use crate::names::{self, dead};
use async_nats::Client;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, ErrorCode, kv, object_store};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long the stream remembers what was published, so that it takes each message once.
const DUPLICATE_WINDOW: Duration = Duration::from_hours(1);

/// How long idempotency keys are remembered.
const KEYS: Duration = Duration::from_hours(24);

/// The age at which what nobody takes is removed.
const FOR_EVER: Duration = Duration::ZERO;

/// What to do about a setting that a stream cannot change.
const ANEW: &str = "let hosts take everything that is waiting, then delete it and create it again";

/// What to do about a setting that a stream may change.
const CHANGE: &str = "change it with `nats stream edit`";

/// For how long creating the streams is attempted.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// How the streams of a fleet are created.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the stream; the names of the others begin with it.
    pub stream: String,
    /// The number of brokers that keep each message.
    pub replicas: usize,
    /// Maximum number of bytes that wait in the stream; more is refused. `None`: as much as the brokers have room for.
    pub max_bytes: Option<i64>,
}

/// Creates the streams of a fleet, or checks those that exist.
///
/// # Errors
/// One exists with settings that can lose or duplicate mail; or the brokers refuse.
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
    let keys = kv::Config {
        bucket: names::keys(name),
        history: 1,
        max_age: KEYS,
        storage: StorageType::File,
        num_replicas: settings.replicas,
        ..kv::Config::default()
    };
    if find(&context, &names::keys_stream(name)).await?.is_none() {
        let made = context.create_key_value(keys).await;
        made.map_err(FleetError::of("make the bucket of keys"))?;
    }
    let large = object_store::Config {
        bucket: names::large(name),
        storage: StorageType::File,
        num_replicas: settings.replicas,
        ..object_store::Config::default()
    };
    if find(&context, &names::large_stream(name)).await?.is_none() {
        let made = context.create_object_store(large).await;
        made.map_err(FleetError::of("make the store of large submissions"))?;
    }
    for (stream, age) in [
        (names::keys_stream(name), KEYS),
        (names::large_stream(name), FOR_EVER),
    ] {
        let found = find(&context, &stream).await?;
        check_bucket(&found.ok_or_else(missing)?, age, settings.replicas)?;
    }
    Ok(())
}

/// A stream that was just created is not visible yet: try again.
fn missing() -> FleetError {
    let error = io::Error::from(io::ErrorKind::NotFound);
    FleetError::of::<io::Error>("find what was made")(error)
}

/// The settings of a stream, if it exists.
async fn find(context: &Context, name: &str) -> Result<Option<stream::Config>, FleetError> {
    match context.get_stream(name).await {
        Ok(found) => Ok(Some(found.cached_info().config.clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(answer)
                if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            _ => Err(FleetError::of("look at the stream")(error)),
        },
    }
}

async fn make(context: &Context, wanted: stream::Config) -> Result<(), FleetError> {
    let found = if let Some(found) = find(context, &wanted.name).await? {
        found
    } else {
        let made = context.create_stream(wanted.clone()).await;
        let made = made.map_err(FleetError::of("make the stream"))?;
        made.cached_info().config.clone()
    };
    check(&found, &wanted)
}

/// Checks that these settings lose and duplicate nothing.
fn check(found: &stream::Config, wanted: &stream::Config) -> Result<(), FleetError> {
    let settings = [
        (
            found.subjects == wanted.subjects,
            "subjects",
            found.subjects.join(", "),
            wanted.subjects.join(", "),
            CHANGE,
        ),
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
        (
            // Without a limit of its own, any is accepted.
            wanted.max_bytes <= 0 || found.max_bytes == wanted.max_bytes,
            "max_bytes",
            found.max_bytes.to_string(),
            wanted.max_bytes.to_string(),
            CHANGE,
        ),
    ];
    check_all(&found.name, settings)?;
    check_replicas(found, wanted.num_replicas)
}

/// Checks that a bucket keeps its entries for this long.
fn check_bucket(found: &stream::Config, age: Duration, replicas: usize) -> Result<(), FleetError> {
    let keeps = found.max_age == FOR_EVER || (age != FOR_EVER && found.max_age >= age);
    let settings = [
        (
            found.storage == StorageType::File,
            "storage",
            format!("{:?}", found.storage),
            "File".to_owned(),
            ANEW,
        ),
        (
            keeps,
            "max_age",
            format!("{:?}", found.max_age),
            format!("{age:?}"),
            CHANGE,
        ),
    ];
    check_all(&found.name, settings)?;
    check_replicas(found, replicas)
}

/// A setting: whether it is right, its name, its value, the required value, and what to do.
type Checked = (bool, &'static str, String, String, &'static str);

fn check_all(stream: &str, settings: impl IntoIterator<Item = Checked>) -> Result<(), FleetError> {
    for (is_right, setting, found, wanted, advice) in settings {
        if !is_right {
            return Err(FleetError::Settings {
                stream: stream.to_owned(),
                setting,
                found,
                wanted,
                advice,
            });
        }
    }
    Ok(())
}

/// Checks that a stream is on as many brokers as it should be.
fn check_replicas(found: &stream::Config, wanted: usize) -> Result<(), FleetError> {
    let replicas = (
        found.num_replicas >= wanted,
        "number of replicas",
        found.num_replicas.to_string(),
        wanted.to_string(),
        CHANGE,
    );
    check_all(&found.name, [replicas])
}
