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

    /// Maximum time to receive the head of a request; idle connections are closed after it too
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        env = "PMTAEMAIL_HEADER_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub header_timeout: Duration,

    /// Maximum time to receive the body of a request, or each MiB of JSON; also how long a client may leave a
    /// response unread
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_BODY_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub body_timeout: Duration,

    /// Maximum number of messages processed at once, and of bodies being received; further messages are answered 503,
    /// and the body that has stalled for longest gives way to a new one. One client may use at most three quarters of
    /// the places for messages
    #[arg(
        long,
        value_name = "N",
        default_value = "1024",
        env = "PMTAEMAIL_MAX_IN_FLIGHT"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_in_flight: u32,

    /// Maximum size of all bodies in memory at once, in bytes or with a unit, at least that of the largest body
    /// allowed; further ones are answered 503. Recipients of a large mail merge do not count
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "256MiB",
        env = "PMTAEMAIL_MAX_BYTES_IN_FLIGHT",
        alias = "max-octets-in-flight"
    )]
    #[arg(value_parser = units::bytes)]
    pub max_bytes_in_flight: usize,

    /// Maximum memory of the daemon, in bytes or with a unit; messages for which there is no memory left are answered
    /// 503, or 413 if they need more than there can ever be. By default three quarters of the limit of the process's
    /// control group (cgroup); without such a limit only --max-bytes-in-flight applies
    #[arg(long, value_name = "SIZE", env = "PMTAEMAIL_MEMORY")]
    #[arg(value_parser = units::memory)]
    pub memory: Option<usize>,

    /// Maximum number of connections at once, fewer if the limit on open files is low; further ones have to wait
    #[arg(
        long,
        value_name = "N",
        default_value = "1536",
        env = "PMTAEMAIL_MAX_CONNECTIONS"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Maximum number of connections of one client at once (an IPv4 address, a /64 of IPv6), by default three
    /// quarters of all, and unlimited for this host (127.0.0.1, `::1`), such as a proxy; requests on further ones are
    /// answered 429. Clients of Unix sockets have no such limit
    #[arg(long, value_name = "N", env = "PMTAEMAIL_MAX_CONNECTIONS_PER_CLIENT")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections_per_client: Option<u32>,

    /// Maximum time to finish requests after SIGTERM or SIGINT; a second signal ends the daemon at once
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
