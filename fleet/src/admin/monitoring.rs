//! What brokers report only at their monitoring port: how they sync, which no client can see.

use crate::error::FleetError;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::collections::HashSet;
use std::io;
use std::str::FromStr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Maximum size of an answer in bytes; usually it has a few thousand.
const MOST: usize = 1 << 20;

/// The first version that has everything a fleet needs.
const VERSION: (u32, u32) = (2, 10);

/// The monitoring port of a broker, as its setting `http` has it: `http://10.0.0.1:8222`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    authority: String,
}

/// The string is not the address of a monitoring port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give the monitoring ports of all brokers, such as http://10.0.0.1:8222")]
pub struct InvalidMonitoring;

impl FromStr for Monitoring {
    type Err = InvalidMonitoring;

    fn from_str(text: &str) -> Result<Self, InvalidMonitoring> {
        let authority = text.strip_prefix("http://").unwrap_or(text);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let port = authority.rsplit_once(':').map(|(_, port)| port);
        let has_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
        let is_plain = !authority.contains(['/', '@', '?', '#']) && !authority.contains("://");
        if has_port && is_plain {
            Ok(Self {
                authority: authority.to_owned(),
            })
        } else {
            Err(InvalidMonitoring)
        }
    }
}

/// The part of a broker's answer to `/varz` that is needed here.
#[derive(Deserialize)]
struct Varz {
    server_name: String,
    version: String,
    #[serde(default)]
    jetstream: JetStream,
}

#[derive(Deserialize, Default)]
struct JetStream {
    config: Option<JetStreamConfig>,
}

#[derive(Deserialize)]
struct JetStreamConfig {
    /// In nanoseconds.
    #[serde(default)]
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
}

/// Checks that each of these brokers syncs before it acknowledges, and that there are as many of them as replicas of a
/// message.
///
/// # Errors
/// One of them does not, is too old, or cannot be reached; or there are too few.
pub async fn check_brokers(brokers: &[Monitoring], replicas: usize) -> Result<(), FleetError> {
    let mut names = HashSet::new();
    for broker in brokers {
        let asked = timeout(PATIENCE, ask(broker)).await;
        let answer = asked.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        let varz = answer.map_err(FleetError::of("ask a broker at its monitoring port"))?;
        check(&varz)?;
        names.insert(varz.server_name);
    }
    if names.len() >= replicas {
        return Ok(());
    }
    Err(FleetError::Settings {
        stream: "the fleet".to_owned(),
        setting: "number of different brokers",
        found: names.len().to_string(),
        wanted: replicas.to_string(),
        advice: "give the monitoring port of each broker",
    })
}

fn check(varz: &Varz) -> Result<(), FleetError> {
    let wrong = |setting, found: String, wanted: &str, advice| {
        Err(FleetError::Settings {
            stream: format!("broker {}", varz.server_name),
            setting,
            found,
            wanted: wanted.to_owned(),
            advice,
        })
    };
    if version_of(&varz.version) < Some(VERSION) {
        return wrong(
            "version",
            varz.version.clone(),
            "2.10 or later",
            "update it",
        );
    }
    let Some(config) = &varz.jetstream.config else {
        return wrong(
            "JetStream",
            "off".to_owned(),
            "on, with a folder on disk",
            "add a `jetstream` block with `store_dir` and `sync_interval: always`",
        );
    };
    if config.sync_always {
        return Ok(());
    }
    wrong(
        "sync_interval",
        format!("{:?}", Duration::from_nanos(config.sync_interval)),
        "always",
        "without it, acknowledged mail is lost when hosts lose power: set it in the `jetstream` block, and restart the brokers one \
         after the other",
    )
}

/// The first two numbers of a version.
fn version_of(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

async fn ask(broker: &Monitoring) -> Result<Varz, async_nats::Error> {
    let stream = TcpStream::connect(&broker.authority).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/varz")
        .header(HOST, &broker.authority)
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(io::Error::other(format!("it answers {}", response.status())).into());
    }
    let body = Limited::new(response.into_body(), MOST).collect().await?;
    connection.abort();
    let varz = serde_json::from_slice(&body.to_bytes());
    Ok(varz.map_err(|_| io::Error::other("it is not a monitoring port of NATS"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(version: &str, jetstream: &str) -> String {
        let text = format!(
            r#"{{"server_name": "n1", "version": "{version}", "jetstream": {jetstream}, "more": 1}}"#
        );
        let varz = serde_json::from_str(&text).unwrap();
        check(&varz).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn brokers_that_lose_mail_are_refused() {
        let always = r#"{"config": {"sync_interval": 120000000000, "sync_always": true}}"#;
        let seldom = r#"{"config": {"sync_interval": 120000000000}}"#;
        assert_eq!(told("2.15.1", always), "");
        assert!(told("2.15.1", seldom).contains("is 120s but must be always"));
        assert!(told("2.15.1", "{}").contains("JetStream"));
        assert!(told("2.9.10", always).contains("version is 2.9.10"));
        assert_eq!(told("3.0.0", always), "");
    }

    #[test]
    fn monitoring_ports_are_read() {
        for right in ["http://10.0.0.1:8222", "http://n1:8222/", "[::1]:8222"] {
            assert!(right.parse::<Monitoring>().is_ok(), "{right}");
        }
        for wrong in [
            "",
            "n1",
            "https://n1:8222",
            "http://n1:8222/varz",
            "http://a@n1:8222",
            "n1:x",
        ] {
            assert!(wrong.parse::<Monitoring>().is_err(), "{wrong}");
        }
    }
}
