//! Options of the commands that take one message.

use super::PickupArgs;
use clap::Args;
use std::path::{Path, PathBuf};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub message: MessageArg,

    /// Print each problem as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub message: MessageArg,

    /// Print the pickup file, which is envelope and message, instead of the message alone
    #[arg(long)]
    pub pickup_file: bool,

    /// Which pickup file, from 1, where a message has several because of its many recipients;
    /// implies --pickup-file
    #[arg(long, value_name = "N")]
    pub file: Option<usize>,
}

/// Options of `submit`.
#[derive(Debug, Args)]
pub struct SubmitArgs {
    #[command(flatten)]
    pub message: MessageArg,

    #[command(flatten)]
    pub pickup: PickupArgs,
}

/// The message that a command works on.
#[derive(Debug, Args)]
pub struct MessageArg {
    /// File with the message as JSON; standard input where absent or `-`
    #[arg(value_name = "FILE")]
    json_file: Option<PathBuf>,
}

impl MessageArg {
    /// The file that was named, if one was.
    pub fn path(&self) -> Option<&Path> {
        self.json_file.as_deref()
    }
}
