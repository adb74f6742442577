//! Options of the pickup directory.

use crate::units;
use clap::{Args, Parser, ValueEnum};
use pmtaemail::{Durability, PickupDirectory, PickupError, PickupOptions};
use std::path::PathBuf;

/// The pickup directory and how messages get there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pickup directory")]
pub struct PickupArgs {
    /// PowerMTA's pickup directory
    #[arg(
        long,
        value_name = "DIR",
        default_value = "/var/pickup",
        env = "PMTAEMAIL_PICKUP"
    )]
    pub(super) pickup: PathBuf,

    /// Make files here before they enter the pickup directory; must be on its file system
    #[arg(long, value_name = "DIR", env = "PMTAEMAIL_STAGING")]
    staging: Option<PathBuf>,

    /// What an answer promises: `durable` messages survive a power cut, with `none` nothing is
    /// synced
    #[arg(
        long,
        value_name = "HOW",
        default_value = "durable",
        env = "PMTAEMAIL_DURABILITY"
    )]
    durability: DurabilityArg,

    /// Never sync the whole file system, which also writes out what other programs left there
    #[arg(long, env = "PMTAEMAIL_NO_SYNCFS", value_parser = units::boolean)]
    no_syncfs: bool,
}

impl PickupArgs {
    /// What the environment alone says, and what is wrong with it. A value that is none is replaced by what
    /// is safe: a local program's mail is lost if it is not sent.
    pub fn from_environment() -> Result<(Self, Option<clap::Error>), clap::Error> {
        #[derive(Parser)]
        struct Environment {
            #[command(flatten)]
            pickup: PickupArgs,
        }
        let parse =
            |line: &[&str]| Environment::try_parse_from(line).map(|environment| environment.pickup);
        match parse(&["sendmail"]) {
            Ok(args) => Ok((args, None)),
            Err(error) => {
                let safe = ["sendmail", "--durability=durable", "--no-syncfs"];
                parse(&safe).map(|args| (args, Some(error)))
            }
        }
    }

    /// What an answer promises, in a word.
    pub fn durability(&self) -> &'static str {
        match self.durability {
            DurabilityArg::Durable => "durable",
            DurabilityArg::None => "none",
        }
    }

    /// Whether the whole file system may be synced.
    pub fn syncfs(&self) -> bool {
        !self.no_syncfs
    }

    /// Opens the pickup directory.
    pub fn open(&self) -> Result<PickupDirectory, PickupError> {
        let mut options = PickupOptions::default()
            .with_durability(match self.durability {
                DurabilityArg::Durable => Durability::Durable,
                DurabilityArg::None => Durability::NotDurable,
            })
            .with_syncfs(!self.no_syncfs);
        if let Some(staging) = &self.staging {
            options = options.with_staging(staging.clone());
        }
        PickupDirectory::open(&self.pickup, options)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DurabilityArg {
    /// The message is on the disk before it is acknowledged
    Durable,
    /// A power cut may lose acknowledged messages
    None,
}
