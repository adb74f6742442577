//! Options of a fleet: many hosts on one queue.

use super::forward::{RouteArgs, brokers};
use super::{BackPressureArgs, ConfigArg, LogArgs, PickupArgs, StateArgs};
use crate::units;
use clap::{Args, Subcommand};
use pmtaemail_fleet::{Brokers, Monitoring, Route};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Options of `consume`.
#[derive(Debug, Args)]
pub struct ConsumeArgs {
    #[command(flatten)]
    pub config: ConfigArg,

    /// The brokers: addresses such as nats://10.0.0.1:4222,nats://10.0.0.2:4222
    #[arg(
        long,
        value_name = "URLS",
        env = "PMTAEMAIL_NATS",
        hide_env_values = true
    )]
    nats: String,

    #[command(flatten)]
    route: RouteArgs,

    /// Maximum number of messages that are handed over together
    #[arg(long, value_name = "N", default_value = "256", env = "PMTAEMAIL_BATCH")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,

    /// Messages that are not acknowledged for this long are given to another host. All hosts of a pool must use the same value
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        env = "PMTAEMAIL_ACK_WAIT"
    )]
    #[arg(value_parser = units::positive_duration)]
    ack_wait: Duration,

    /// A folder of this process alone for what is on its way; beside the pickup directory by default
    #[arg(long, value_name = "DIR", env = "PMTAEMAIL_JOURNAL")]
    journal: Option<PathBuf>,

    /// Serve GET /metrics and GET /health at this address, such as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS:PORT", env = "PMTAEMAIL_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,

    #[command(flatten)]
    pub pickup: PickupArgs,

    #[command(flatten)]
    pub state: StateArgs,

    #[command(flatten)]
    pub back_pressure: BackPressureArgs,

    #[command(flatten)]
    pub log: LogArgs,
}

impl ConsumeArgs {
    /// The brokers.
    pub fn brokers(&self) -> Result<Brokers, String> {
        brokers(&self.nats, self.route.credentials())
    }

    /// How messages are taken.
    pub fn consumer(&self) -> Result<pmtaemail_fleet::ConsumerOptions, String> {
        Ok(pmtaemail_fleet::ConsumerOptions {
            route: self.route.route()?,
            batch: self.batch.into(),
            ack_wait: self.ack_wait,
            journal: self.journal(),
        })
    }

    fn journal(&self) -> PathBuf {
        self.journal.clone().unwrap_or_else(|| {
            let pickup = self.pickup.directory();
            let mut name = pickup.file_name().unwrap_or_default().to_owned();
            name.push(".journal");
            pickup.with_file_name(name)
        })
    }
}

/// What `fleet` is asked for.
#[derive(Debug, Subcommand)]
pub enum FleetCommand {
    /// Create the streams with settings that lose nothing, or check existing ones
    Init(FleetInitArgs),
    /// Show what is waiting, which broker leads, how far hosts are behind, and how many dead letters there are
    Status(FleetTellArgs),
    /// List messages that could not be handed over, and why
    Dead(FleetTellArgs),
    /// Put messages that could not be handed over into the queue again
    Replay(FleetArgs),
}

/// Which fleet.
#[derive(Debug, Args)]
pub struct FleetArgs {
    /// The brokers: addresses such as nats://10.0.0.1:4222,nats://10.0.0.2:4222
    #[arg(
        long,
        value_name = "URLS",
        env = "PMTAEMAIL_NATS",
        hide_env_values = true
    )]
    nats: String,

    /// The stream
    #[arg(
        long,
        visible_alias = "nats-stream",
        value_name = "NAME",
        default_value = "MAIL"
    )]
    #[arg(env = "PMTAEMAIL_NATS_STREAM")]
    stream: String,

    /// A file of NATS credentials (.creds)
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_NATS_CREDENTIALS")]
    nats_credentials: Option<PathBuf>,
}

/// What `fleet init` takes.
#[derive(Debug, Args)]
pub struct FleetInitArgs {
    #[command(flatten)]
    pub fleet: FleetArgs,

    /// Number of brokers that store each message. With fewer than 3, mail is lost when a disk is lost
    #[arg(long, value_name = "N", default_value = "3")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,

    /// The monitoring ports of all brokers, such as <http://10.0.0.1:8222,http://10.0.0.2:8222>: whether they sync all that
    /// they acknowledge is seen there alone
    #[arg(
        long,
        value_name = "URLS",
        value_delimiter = ',',
        env = "PMTAEMAIL_MONITORING"
    )]
    pub monitoring: Vec<Monitoring>,

    /// Maximum size of the messages waiting in the stream, in bytes or with a unit; further ones are answered with
    /// 503. By default as much as the brokers have room for
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub max_bytes: Option<usize>,
}

/// What the commands take that tell something.
#[derive(Debug, Args)]
pub struct FleetTellArgs {
    #[command(flatten)]
    pub fleet: FleetArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl FleetArgs {
    /// The brokers.
    pub fn brokers(&self) -> Result<Brokers, String> {
        brokers(&self.nats, self.nats_credentials.clone())
    }

    /// The stream.
    pub fn stream(&self) -> Result<&str, String> {
        let checked = Route::new(&self.stream, "x", "x");
        checked.map_err(|error| error.to_string())?;
        Ok(&self.stream)
    }
}
