//! The command `config`.

use super::{ConfigProblems, ServeArgs};
use clap::error::ErrorKind;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// What `config` is asked for.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print what is wrong with a configuration file, one problem per line; exit code 78 if there is any
    Check(ConfigCheckArgs),
    /// Print the options in effect as a configuration file, and where each comes from: the command line, the
    /// environment, the file or its default
    Show(ServeArgs),
}

/// What `config check` takes.
#[derive(Debug, Args)]
pub struct ConfigCheckArgs {
    /// The configuration file, as well as with --config
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten)]
    serve: ServeArgs,
}

impl ConfigCommand {
    /// The options of the daemon.
    pub fn serve_args(&self) -> &ServeArgs {
        match self {
            Self::Check(args) => &args.serve,
            Self::Show(args) => args,
        }
    }

    /// The configuration file that is named, if one is.
    pub fn config_file(&self, command: &mut clap::Command) -> Result<Option<&Path>, clap::Error> {
        match self {
            Self::Show(args) => Ok(args.config.path()),
            Self::Check(args) => match (&args.file, args.serve.config.path()) {
                (Some(file), Some(other)) if file != other => Err(command.error(
                    ErrorKind::ArgumentConflict,
                    "two configuration files are given: FILE, and that of --config or PMTAEMAIL_CONFIG",
                )),
                (Some(file), _) => Ok(Some(file)),
                (None, config) => Ok(config),
            },
        }
    }
}

/// What there is to be done for `config`, when all was read.
#[derive(Debug)]
pub enum ConfigAction {
    /// Tell what is wrong with the file, if anything is.
    Check(Option<ConfigProblems>),
    /// Print the options that hold.
    Show(String),
}
