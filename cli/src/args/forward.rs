//! Where messages go in place of the pickup directory, and which of them.

use crate::units;
use clap::Args;
use clap::builder::PossibleValuesParser;
use pmtaemail_fleet::{Brokers, InvalidName, Priority, Route, Routes};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a daemon puts messages in place of the pickup directory.
#[derive(Debug, Args)]
#[command(next_help_heading = "Fleet")]
pub struct ForwardArgs {
    /// Put messages into NATS `JetStream` instead of the pickup directory, for the hosts that run `consume`:
    /// addresses such as nats://10.0.0.1:4222,nats://10.0.0.2:4222
    #[arg(
        long,
        value_name = "URLS",
        env = "PMTAEMAIL_FORWARD",
        hide_env_values = true
    )]
    forward: Option<String>,

    #[command(flatten)]
    route: RouteArgs,

    /// Priority of the messages in their pool, unless `--vmta-pool` sets another one
    #[arg(
        long,
        value_name = "PRIORITY",
        default_value = "normal",
        env = "PMTAEMAIL_PRIORITY"
    )]
    #[arg(value_parser = PossibleValuesParser::new(["high", "normal", "low"]))]
    priority: String,

    /// The pool for messages that name this virtual MTA, and their priority (high, normal, low), such as
    /// receipts=fast/high; in the configuration file a table: { receipts = "fast/high" }
    #[arg(
        long,
        value_name = "VMTA=POOL/PRIORITY",
        value_delimiter = ',',
        env = "PMTAEMAIL_VMTA_POOL"
    )]
    vmta_pool: Vec<VmtaPool>,

    /// Maximum memory for messages that are waiting for the brokers, in bytes or with a unit; further messages are answered 503
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "256MiB",
        env = "PMTAEMAIL_FORWARD_MEMORY"
    )]
    #[arg(value_parser = units::bytes)]
    forward_memory: usize,
}

impl ForwardArgs {
    /// The brokers, and the hosts that messages go to, if they are forwarded.
    pub fn forward(&self) -> Option<Result<(Brokers, Routes), String>> {
        let brokers = brokers(self.forward.as_deref()?, self.route.credentials());
        Some(brokers.and_then(|brokers| Ok((brokers, self.routes()?))))
    }

    fn routes(&self) -> Result<Routes, String> {
        let invalid = |error: InvalidName| error.to_string();
        let priority = self.priority.parse().map_err(invalid)?;
        let mut routes = Routes::new(self.route.route()?, priority);
        for row in &self.vmta_pool {
            let priority = row.priority.unwrap_or(priority);
            routes = (routes.with_virtual_mta(&row.vmta, &row.pool, priority)).map_err(invalid)?;
        }
        Ok(routes)
    }

    /// The memory that messages may take which wait for the brokers, in bytes.
    pub fn memory(&self) -> usize {
        self.forward_memory
    }
}

/// A row of the table of virtual MTAs: `VMTA=POOL`, or `VMTA=POOL/PRIORITY`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct VmtaPool {
    vmta: String,
    pool: String,
    /// `None`: that of the daemon.
    priority: Option<Priority>,
}

impl FromStr for VmtaPool {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "expected a virtual MTA and its pool, such as receipts=fast or receipts=fast/high";
        let (vmta, target) = text.split_once('=').ok_or(FORM)?;
        let (pool, priority) = match target.split_once('/') {
            Some((pool, priority)) => {
                let priority = priority.parse::<Priority>();
                let wrong = |_| "a priority must be high, normal or low";
                (pool, Some(priority.map_err(wrong)?))
            }
            None => (target, None),
        };
        if vmta.is_empty() || Route::new("x", "x", pool).is_err() {
            return Err(FORM);
        }
        Ok(Self {
            vmta: vmta.to_owned(),
            pool: pool.to_owned(),
            priority,
        })
    }
}

/// The brokers at these addresses. Addresses may contain passwords, which errors must not repeat.
pub fn brokers(addresses: &str, credentials: Option<PathBuf>) -> Result<Brokers, String> {
    let brokers = addresses.parse::<Brokers>();
    let brokers = brokers.map_err(|error| error.to_string())?;
    Ok(brokers.with_credentials(credentials))
}

/// Which messages.
#[derive(Debug, Args)]
pub struct RouteArgs {
    /// The stream that `fleet init` created
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table_are_read() {
        let row = |pool: &str, priority| VmtaPool {
            vmta: "receipts".to_owned(),
            pool: pool.to_owned(),
            priority,
        };
        assert_eq!("receipts=fast".parse(), Ok(row("fast", None)));
        let high = Some(Priority::High);
        assert_eq!("receipts=fast/high".parse(), Ok(row("fast", high)));
        for wrong in [
            "",
            "receipts",
            "=fast",
            "receipts=",
            "receipts=a.b",
            "receipts=fast/urgent",
            "receipts=fast/",
        ] {
            assert!(wrong.parse::<VmtaPool>().is_err(), "{wrong}");
        }
    }
}
