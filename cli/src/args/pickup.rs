//! Options of the pickup directory.

use super::{ConfigArg, ConfigFile, Options, StateArgs};
use crate::units;
use clap::builder::Resettable;
use clap::{ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use pmtaemail::{
    Durability, FileGroup, FileMode, Observer, PickupDirectory, PickupError, PickupOptions,
};
#[cfg(any(feature = "fleet", feature = "preview"))]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

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

    /// Where the files of a submission that has several wait until all of them enter the pickup directory; must be on
    /// the same file system. By default next to the pickup directory
    #[arg(long, value_name = "DIR", env = "PMTAEMAIL_STAGING")]
    staging: Option<PathBuf>,

    /// What a response promises: with `durable` messages survive a power cut, with `none` nothing is synced
    #[arg(
        long,
        value_name = "HOW",
        default_value = "durable",
        env = "PMTAEMAIL_DURABILITY"
    )]
    durability: DurabilityArg,

    /// Never sync the whole file system, which also writes out the data of other programs
    #[arg(long, value_name = "BOOL", env = "PMTAEMAIL_NO_SYNCFS", value_parser = units::boolean)]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    no_syncfs: bool,

    /// Permissions of pickup files in octal, such as 0640, regardless of the umask; by default 0660 minus the umask
    #[arg(long, value_name = "MODE", env = "PMTAEMAIL_FILE_MODE")]
    file_mode: Option<FileMode>,

    /// Group of pickup files, such as pmta, by name or number: the user must be a member of it; by default
    /// the user's, or the directory's where that has the set-group-ID bit
    #[arg(long, value_name = "GROUP", env = "PMTAEMAIL_FILE_GROUP")]
    file_group: Option<FileGroup>,
}

impl PickupArgs {
    /// What the environment and the file that it names say, and what is wrong with them. A value that is none is
    /// replaced by what is safe: a local program's mail is lost if it is not sent.
    pub fn from_environment() -> Result<(Self, Vec<String>), clap::Error> {
        #[derive(Parser)]
        struct Environment {
            #[command(flatten)]
            config: ConfigArg,
            #[command(flatten)]
            pickup: PickupArgs,
        }
        const NAME: &str = "sendmail";
        let path = ConfigArg::from_environment();
        let file = path.map(|path| ConfigFile::read(&path, &Options::of(&super::command())));
        let file = file.unwrap_or_default();
        let mut warnings = file.problems().to_vec();
        let command = file.apply(Environment::command());
        let parse = |command: Command, line: &[&str]| {
            let mut matches = command.try_get_matches_from(line)?;
            Environment::from_arg_matches_mut(&mut matches).map(|environment| environment.pickup)
        };
        let args = parse(command.clone(), &[NAME]).or_else(|error| {
            warnings.push(error.to_string());
            // These two have no value that is safe everywhere but none.
            let command = ["file_mode", "file_group"]
                .into_iter()
                .fold(command, |command, name| {
                    command.mut_arg(name, |arg| arg.env(Resettable::Reset))
                });
            parse(command, &[NAME, "--durability=durable", "--no-syncfs"])
        })?;
        Ok((args, warnings))
    }

    /// The pickup directory.
    #[cfg(any(feature = "fleet", feature = "preview"))]
    pub fn directory(&self) -> &Path {
        &self.pickup
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

    /// Opens the pickup directory. The observer is told what becomes of submissions whose process died.
    pub fn open(&self, observer: Arc<dyn Observer>) -> Result<PickupDirectory, PickupError> {
        PickupDirectory::open(&self.pickup, self.options(observer))
    }

    /// The same with a store of idempotency keys.
    pub fn open_with_state(
        &self,
        state: &StateArgs,
        observer: Arc<dyn Observer>,
    ) -> Result<PickupDirectory, PickupError> {
        PickupDirectory::open(&self.pickup, state.apply(self.options(observer)))
    }

    fn options(&self, observer: Arc<dyn Observer>) -> PickupOptions {
        let mut options = PickupOptions::default()
            .with_durability(match self.durability {
                DurabilityArg::Durable => Durability::Durable,
                DurabilityArg::None => Durability::NotDurable,
            })
            .with_syncfs(!self.no_syncfs)
            .with_observer(observer);
        if let Some(staging) = &self.staging {
            options = options.with_staging(staging.clone());
        }
        if let Some(mode) = self.file_mode {
            options = options.with_file_mode(mode);
        }
        if let Some(group) = &self.file_group {
            options = options.with_file_group(group.clone());
        }
        options
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DurabilityArg {
    /// The message is on the disk before it is acknowledged
    Durable,
    /// A power cut may lose acknowledged messages
    None,
}
