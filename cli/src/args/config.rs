//! The configuration file's option.

use clap::Args;
use std::env;
use std::path::{Path, PathBuf};

/// Where the configuration file is.
#[derive(Debug, Args)]
pub struct ConfigArg {
    /// Also read options from this TOML file, under the same names; see `config check` and `config show`
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    pub fn path(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The file that the environment names, for a program that takes no such flag.
    pub fn from_environment() -> Option<PathBuf> {
        env::var_os("PMTAEMAIL_CONFIG").map(PathBuf::from)
    }
}
