//! Where messages go in place of the pickup directory, and which of them.

use clap::Args;
use pmtaemail_fleet::{Brokers, Route};
use std::path::PathBuf;

/// Where a daemon puts messages in place of the pickup directory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fleet")]
pub struct ForwardArgs {
    /// Put messages into NATS `JetStream` in place of the pickup directory, from where the hosts that `consume` take
    /// them: addresses such as nats://10.0.0.1:4222,nats://10.0.0.2:4222
    #[arg(
        long,
        value_name = "URLS",
        env = "PMTAEMAIL_FORWARD",
        hide_env_values = true
    )]
    forward: Option<String>,

    #[command(flatten)]
    route: RouteArgs,
}

impl ForwardArgs {
    /// The brokers and the route, where messages are forwarded.
    pub fn forward(&self) -> Option<Result<(Brokers, Route), String>> {
        let brokers = brokers(self.forward.as_deref()?, self.route.credentials());
        Some(brokers.and_then(|brokers| Ok((brokers, self.route.route()?))))
    }
}

/// The brokers at these addresses. They may have passwords, which no sentence has.
pub fn brokers(addresses: &str, credentials: Option<PathBuf>) -> Result<Brokers, String> {
    let brokers = addresses.parse::<Brokers>();
    let brokers = brokers.map_err(|error| error.to_string())?;
    Ok(brokers.with_credentials(credentials))
}

/// Which messages.
#[derive(Debug, Args)]
pub struct RouteArgs {
    /// The stream that `fleet init` made
    #[arg(
        long,
        value_name = "NAME",
        default_value = "MAIL",
        env = "PMTAEMAIL_NATS_STREAM"
    )]
    nats_stream: String,

    /// The region whose hosts hand the messages over
    #[arg(
        long,
        value_name = "NAME",
        default_value = "local",
        env = "PMTAEMAIL_REGION"
    )]
    region: String,

    /// The pool of hosts that hand the messages over
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        env = "PMTAEMAIL_POOL"
    )]
    pool: String,

    /// A file of NATS credentials (.creds)
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_NATS_CREDENTIALS")]
    nats_credentials: Option<PathBuf>,
}

impl RouteArgs {
    pub fn credentials(&self) -> Option<PathBuf> {
        self.nats_credentials.clone()
    }

    pub fn route(&self) -> Result<Route, String> {
        let route = Route::new(&self.nats_stream, &self.region, &self.pool);
        route.map_err(|error| error.to_string())
    }
}
