//! The brokers of a fleet.

use crate::error::FleetError;
use async_nats::{Client, ConnectOptions, ServerAddr};
use std::fmt;
use std::fs;
use std::future::ready;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// How often the client pings its broker. It leaves a frozen broker after two unanswered pings.
const PING: Duration = Duration::from_secs(2);

/// How long the client waits before it tries another broker.
const RECONNECT: Duration = Duration::from_millis(250);

/// The addresses of brokers: one, or several separated by commas.
#[derive(Clone)]
pub struct Brokers {
    addresses: Vec<ServerAddr>,
    credentials: Option<PathBuf>,
}

/// The string does not name brokers.
#[derive(Debug, thiserror::Error)]
#[error(
    "give addresses such as nats://10.0.0.1:4222,nats://10.0.0.2:4222, or tls:// where the brokers have TLS"
)]
pub struct InvalidBrokers;

impl FromStr for Brokers {
    type Err = InvalidBrokers;

    fn from_str(text: &str) -> Result<Self, InvalidBrokers> {
        let addresses = text.split(',').map(|address| address.trim().parse());
        let addresses: Result<Vec<ServerAddr>, _> = addresses.collect();
        Ok(Self {
            addresses: addresses.map_err(|_| InvalidBrokers)?,
            credentials: None,
        })
    }
}

impl fmt::Debug for Brokers {
    /// Addresses may contain passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Brokers(…)")
    }
}

impl Brokers {
    /// Uses a file of credentials, as `nsc` and NATS' own services give them.
    #[must_use]
    pub fn with_credentials(self, path: Option<PathBuf>) -> Self {
        Self {
            credentials: path,
            ..self
        }
    }
}

/// Connects to one of the brokers. A lost connection is replaced by one to any broker that is available.
///
/// # Errors
/// None of them answers, or the credentials cannot be read or are refused.
///
/// `tell` is called with whether there is a connection, each time that changes.
pub async fn connect(
    brokers: &Brokers,
    tell: impl Fn(bool) + Send + Sync + 'static,
) -> Result<Client, FleetError> {
    let tell = move |event| {
        match event {
            async_nats::Event::Connected => tell(true),
            async_nats::Event::Disconnected => tell(false),
            _ => {}
        }
        ready(())
    };
    let mut options = ConnectOptions::new()
        .name("pmtaemailapi")
        .ping_interval(PING)
        .connection_timeout(Duration::from_secs(2))
        .request_timeout(Some(Duration::from_secs(5)))
        .reconnect_delay_callback(|_| RECONNECT)
        .max_reconnects(None)
        .event_callback(tell);
    if let Some(path) = &brokers.credentials {
        let failed = FleetError::of_file("read the file of NATS credentials");
        let text = fs::read_to_string(path).map_err(failed)?;
        options = (options.credentials(&text))
            .map_err(FleetError::of_file("use the file of NATS credentials"))?;
    }
    (options.connect(&brokers.addresses[..]).await)
        .map_err(FleetError::of("connect to the brokers"))
}
