//! The command `keys`.

use super::ConfigArg;
use crate::access::{NewKey, Rate};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What `keys` is asked for.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Add a key and print it; only its hash is stored
    Add(AddKeyArgs),
    /// List the keys and what they allow
    List(KeyFileArgs),
    /// Remove a key
    Remove(RemoveKeyArgs),
}

impl KeysCommand {
    /// The named configuration file, if any.
    pub fn config_file(&self) -> Option<&Path> {
        self.file().config.path()
    }

    /// The file of keys.
    pub fn file(&self) -> &KeyFileArgs {
        match self {
            Self::Add(args) => &args.file,
            Self::List(args) => args,
            Self::Remove(args) => &args.file,
        }
    }
}

/// Which file of keys.
#[derive(Debug, Args)]
pub struct KeyFileArgs {
    #[command(flatten)]
    config: ConfigArg,

    /// The file of keys, as given to the daemon
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_KEYS")]
    pub keys: Option<PathBuf>,
}

/// What `keys add` takes.
#[derive(Debug, Args)]
pub struct AddKeyArgs {
    /// Its name, which appears in the log
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    file: KeyFileArgs,

    /// Let it send only from this domain, such as example.com, or *.example.com for all subdomains; may be given
    /// several times. By default all domains
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    from: Vec<String>,

    /// Maximum number of messages per second or minute, such as 100/s or 6000/m
    #[arg(long, value_name = "N/s|N/m")]
    rate: Option<Rate>,

    /// Maximum number of recipients per day (UTC)
    #[arg(long, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    recipients_per_day: Option<u64>,

    /// Let it preview messages
    #[arg(long)]
    preview: bool,

    /// The day or time from which it is refused, such as 2027-01-31 (UTC)
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

impl AddKeyArgs {
    /// The key to add.
    pub fn new_key(&self) -> NewKey {
        NewKey {
            name: self.name.clone(),
            from: self.from.clone(),
            rate: self.rate,
            recipients_per_day: self.recipients_per_day,
            preview: self.preview,
            expires: self.expires.clone(),
        }
    }
}

/// What `keys remove` takes.
#[derive(Debug, Args)]
pub struct RemoveKeyArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    #[command(flatten)]
    file: KeyFileArgs,
}
