//! The command `preview`.

use super::ServeArgs;
use clap::builder::Resettable;
use clap::{Args, Command, FromArgMatches};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Options of `preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// File with the message to begin with, as JSON or a finished message (RFC 5322); `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Start the browser
    #[arg(long)]
    pub open: bool,

    /// Show the files of this pickup directory as well
    #[arg(long, value_name = "DIR")]
    pub pickup: Option<PathBuf>,
}

impl PreviewArgs {
    /// The options of the daemon that shows it: the defaults, ignoring the environment and files, on a free port of
    /// this host only. `pickup` is its pickup directory.
    pub fn serve_args(pickup: &Path) -> ServeArgs {
        let command = ServeArgs::augment_args(Command::new("preview"));
        let command = command.mut_args(|arg| arg.env(Resettable::Reset));
        let line = [
            "preview",
            "--listen=127.0.0.1:0",
            "--preview",
            "--durability=none",
            "--log-level=warn",
            "--drain=1s",
        ];
        let mut directory = OsString::from("--pickup=");
        directory.push(pickup);
        let line = line.into_iter().map(OsString::from).chain([directory]);
        let matches = command.try_get_matches_from(line);
        let args = matches.and_then(|matches| ServeArgs::from_arg_matches(&matches));
        args.expect("these are options of the daemon, each with a valid value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "preview")]
    fn it_listens_on_this_host_alone() {
        let args = PreviewArgs::serve_args(Path::new("-a b"));
        let listen: Vec<_> = args.listen.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["127.0.0.1:0"]);
        assert!(args.preview && args.keys.is_none());
        assert_eq!(args.pickup.directory(), Path::new("-a b"));
    }
}
