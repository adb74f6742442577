//! Options by which the daemon refuses messages while PowerMTA or the disk cannot keep up.

use crate::units;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// As many inodes stay free where bytes have to, and nothing else is said.
const MIN_FREE_INODES: u64 = 1_000;

/// When messages are refused, and where PowerMTA puts files that it cannot read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Back-pressure")]
pub struct BackPressureArgs {
    /// Answer submissions with 503 when the pickup directory contains more files than this, until it is down to 80 %
    /// of that: PowerMTA is down or slow
    #[arg(long, value_name = "N", env = "PMTAEMAIL_MAX_DEPTH")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    max_depth: Option<u64>,

    /// Answer submissions with 503 when the oldest file in the pickup directory, by modification time, is older than
    /// this, until the oldest is down to 80 % of that age
    #[arg(long, value_name = "TIME", env = "PMTAEMAIL_MAX_AGE")]
    #[arg(value_parser = units::positive_duration)]
    max_age: Option<Duration>,

    /// Answer submissions with 503 when the file system of the pickup directory has less free space than this, in
    /// bytes or with a unit, until 125 % of this is free. Inodes are watched too
    #[arg(long, value_name = "SIZE", env = "PMTAEMAIL_MIN_FREE")]
    #[arg(value_parser = units::bytes)]
    min_free: Option<usize>,

    /// The same for inodes, if the file system counts them; 1000 by default when --min-free is given
    #[arg(long, value_name = "N", env = "PMTAEMAIL_MIN_FREE_INODES")]
    min_free_inodes: Option<u64>,

    /// PowerMTA's folder for bad mail, the second one in its `pickup` directive: files that appear there are counted
    /// and logged with the id of their submission
    #[arg(long, value_name = "DIR", env = "PMTAEMAIL_BADMAIL")]
    pub badmail: Option<PathBuf>,
}

impl BackPressureArgs {
    /// The limits that are given, each in its unit.
    pub fn limits(&self) -> impl Iterator<Item = (PressureLimit, u64)> {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let inodes = (self.min_free_inodes).or(self.min_free.map(|_| MIN_FREE_INODES));
        [
            (PressureLimit::MaxDepth, self.max_depth),
            (PressureLimit::MaxAge, self.max_age.map(milliseconds)),
            (
                PressureLimit::MinFree,
                self.min_free.map(|bytes| bytes as u64),
            ),
            (PressureLimit::MinFreeInodes, inodes),
        ]
        .into_iter()
        .filter_map(|(limit, bound)| Some((limit, bound?)))
    }
}

/// What is limited, by the name of its option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PressureLimit {
    /// Files in the pickup directory.
    MaxDepth,
    /// Age of the oldest of them.
    MaxAge,
    /// Free bytes of its file system.
    MinFree,
    /// Free inodes of its file system.
    MinFreeInodes,
}

impl PressureLimit {
    pub const ALL: [Self; 4] = [
        Self::MaxDepth,
        Self::MaxAge,
        Self::MinFree,
        Self::MinFreeInodes,
    ];

    /// Its frozen name.
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxDepth => "max-depth",
            Self::MaxAge => "max-age",
            Self::MinFree => "min-free",
            Self::MinFreeInodes => "min-free-inodes",
        }
    }

    /// What its values are counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::MaxDepth => "files",
            Self::MaxAge => "ms",
            Self::MinFree => "bytes",
            Self::MinFreeInodes => "inodes",
        }
    }

    /// Whether values must not be below it; else they must not be above.
    pub fn is_least(self) -> bool {
        matches!(self, Self::MinFree | Self::MinFreeInodes)
    }
}
