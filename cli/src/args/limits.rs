//! Limits of the daemon.

use crate::units;
use clap::Args;
use std::time::Duration;

/// The bounds that keep the daemon alive.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Largest body of a request, in octets or with a unit; of JSON, largest message without its
    /// `recipients`
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "32MiB",
        env = "PMTAEMAIL_BODY_LIMIT"
    )]
    #[arg(value_parser = units::octets)]
    pub body_limit: usize,

    /// Largest body of a mail merge, recipients and all, in octets or with a unit; recipients wait on
    /// the file system of the pickup directory and not in memory
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "1GiB",
        env = "PMTAEMAIL_MERGE_LIMIT"
    )]
    #[arg(value_parser = units::octets)]
    pub merge_limit: usize,

    /// Longest time for the head of a request; an idle connection is closed after it, too
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        env = "PMTAEMAIL_HEADER_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub header_timeout: Duration,

    /// Longest time for the body of a request, and for each MiB begun of JSON; an answer that is not
    /// taken is given up after it, too
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_BODY_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub body_timeout: Duration,

    /// Most messages at work at once; more are answered 503
    #[arg(
        long,
        value_name = "N",
        default_value = "1024",
        env = "PMTAEMAIL_MAX_IN_FLIGHT"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_in_flight: u32,

    /// Most octets of bodies at work at once, in octets or with a unit, at least one body of the
    /// largest size; more are answered 503. Recipients of a large mail merge do not count
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "256MiB",
        env = "PMTAEMAIL_MAX_OCTETS_IN_FLIGHT"
    )]
    #[arg(value_parser = units::octets)]
    pub max_octets_in_flight: usize,

    /// Most connections at once, fewer where the limit on open files asks for it; more have to
    /// wait
    #[arg(
        long,
        value_name = "N",
        default_value = "8192",
        env = "PMTAEMAIL_MAX_CONNECTIONS"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Longest time to finish what was begun, after SIGTERM or SIGINT; a second signal ends at
    /// once
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_DRAIN"
    )]
    #[arg(value_parser = units::duration)]
    pub drain: Duration,
}
