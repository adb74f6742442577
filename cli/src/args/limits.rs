//! Limits of the daemon.

use crate::units;
use clap::Args;
use std::time::Duration;

/// The bounds that keep the daemon alive.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Largest body of a request, in bytes or with a unit; for JSON, the largest message without its
    /// `recipients`
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "32MiB",
        env = "PMTAEMAIL_BODY_LIMIT"
    )]
    #[arg(value_parser = units::bytes)]
    pub body_limit: usize,

    /// Largest body of a mail merge including its recipients, in bytes or with a unit; recipients are
    /// spooled to the file system of the pickup directory, not kept in memory
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "1GiB",
        env = "PMTAEMAIL_MERGE_LIMIT"
    )]
    #[arg(value_parser = units::bytes)]
    pub merge_limit: usize,

    /// Longest time for the head of a request; idle connections are closed after it as well
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        env = "PMTAEMAIL_HEADER_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub header_timeout: Duration,

    /// Longest time for the body of a request, or for each MiB of JSON; also how long a client may
    /// leave a response unread
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_BODY_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub body_timeout: Duration,

    /// Most messages at work at once, whose bodies are all there, and most bodies that may come; further
    /// messages are answered 503, and of bodies the one that has not come for longest gives way. One
    /// client has three quarters of the places for messages at most
    #[arg(
        long,
        value_name = "N",
        default_value = "1024",
        env = "PMTAEMAIL_MAX_IN_FLIGHT"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_in_flight: u32,

    /// Most bytes of bodies in memory at once, in bytes or with a unit, at least one body of the
    /// largest size; further ones are answered 503. Recipients of a large mail merge do not count
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "256MiB",
        env = "PMTAEMAIL_MAX_BYTES_IN_FLIGHT",
        alias = "max-octets-in-flight"
    )]
    #[arg(value_parser = units::bytes)]
    pub max_bytes_in_flight: usize,

    /// Most memory that the daemon may take, in bytes or with a unit; messages for which there is none are answered
    /// 503, or 413 where they need more than there can be. By default three quarters of what the control group
    /// (cgroup) of the process allows, and without such a limit nothing but --max-bytes-in-flight
    #[arg(long, value_name = "SIZE", env = "PMTAEMAIL_MEMORY")]
    #[arg(value_parser = units::memory)]
    pub memory: Option<usize>,

    /// Most connections at once, fewer if the limit on open files is low; further ones have to wait
    #[arg(
        long,
        value_name = "N",
        default_value = "1536",
        env = "PMTAEMAIL_MAX_CONNECTIONS"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Most connections of one client at once (an IPv4 address, a /64 of IPv6), by default three quarters of all, and no limit
    /// for those of this host (127.0.0.1, `::1`), such as a proxy; requests on further ones are answered 429. Clients of Unix sockets
    /// have no such limit
    #[arg(long, value_name = "N", env = "PMTAEMAIL_MAX_CONNECTIONS_PER_CLIENT")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_client: Option<u32>,

    /// Longest time to finish requests after SIGTERM or SIGINT; a second signal ends the daemon at once
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_DRAIN"
    )]
    #[arg(value_parser = units::duration)]
    pub drain: Duration,

    /// Bytes of memory that views of the preview may take
    #[arg(skip)]
    pub views: usize,
}
