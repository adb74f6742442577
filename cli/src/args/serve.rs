//! Options of the daemon.

use super::{
    BackPressureArgs, CompatArgs, ConfigArg, LimitArgs, ListenArgs, Origin, PickupArgs, StateArgs,
};
use crate::units;
use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;
use tracing_subscriber::filter::LevelFilter;

/// Options of the daemon.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub config: ConfigArg,

    #[command(flatten)]
    pub listen: ListenArgs,

    /// Let web pages of this origin, such as <https://app.example.com>, use the daemon and read its responses (CORS);
    /// may be given several times. Requests that browsers send from pages of other sites are refused
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    #[arg(env = "PMTAEMAIL_ALLOW_ORIGIN")]
    pub allow_origin: Vec<Origin>,

    /// Accept only requests that carry a key from this TOML file, which `keys add` writes; reloaded on SIGHUP.
    /// /health, /openapi.json and /docs need no key
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_KEYS")]
    pub keys: Option<PathBuf>,

    /// Show messages in a browser at /preview, before they are sent and in the pickup directory; with --keys, only to
    /// keys that have `preview = true`
    #[arg(long, value_name = "BOOL", env = "PMTAEMAIL_PREVIEW", value_parser = preview)]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    pub preview: bool,

    #[command(flatten)]
    pub compat: CompatArgs,

    #[command(flatten)]
    pub pickup: PickupArgs,

    #[cfg(feature = "fleet")]
    #[command(flatten)]
    pub forward: super::ForwardArgs,

    #[command(flatten)]
    pub state: StateArgs,

    #[command(flatten)]
    pub limits: LimitArgs,

    #[command(flatten)]
    pub back_pressure: BackPressureArgs,

    #[command(flatten)]
    pub log: LogArgs,
}

/// Whether there is a preview, where it is built in.
fn preview(text: &str) -> Result<bool, String> {
    let is_wanted = units::boolean(text)?;
    if is_wanted && !cfg!(feature = "preview") {
        return Err(
            "this program was built without the preview (the cargo feature `preview`)".to_owned(),
        );
    }
    Ok(is_wanted)
}

/// The log, on standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Format of log lines; by default text on a terminal and json otherwise
    #[arg(long, value_name = "FORMAT", env = "PMTAEMAIL_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Minimum level to log: error, warn, info, debug, trace or off
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        env = "PMTAEMAIL_LOG_LEVEL"
    )]
    pub log_level: LevelFilter,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line
    Json,
    /// For people
    Text,
}
