//! All arguments of the program.

use crate::daemon::ListenAddress;
use crate::{go_flags, units};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use pmtaemail::{Durability, PickupDirectory, PickupError, PickupOptions};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tracing_subscriber::filter::LevelFilter;

const AFTER_HELP: &str = "\
Examples:
  pmtaemailapi -listen 127.0.0.1:8000 -pickup /var/pickup
  curl http://127.0.0.1:8000/messages \\
    -d '{\"from\":\"shop@example.com\",\"to\":\"ann@example.org\",\"subject\":\"Hello\",\"text\":\"Hi\"}'
  pmtaemailapi check message.json
  pmtaemailapi render < message.json
  pmtaemailapi submit -pickup /var/pickup message.json
  pmtaemailapi sendmail -t -i < message.eml

Without a subcommand it serves. Long options may be written with one dash or two.
Each option of the daemon may stand in the environment instead, under the name that is given
with it; the command line wins.

Exit codes:
   0  all went well; the daemon was asked to stop
  64  the arguments make no sense
  65  the message has problems
  66  the message cannot be opened
  71  the operating system refuses something, such as the listening address
  73  the pickup directory cannot be written to
  74  reading the message or writing the answer failed
  75  the hand-over failed, but may go well another time
 130, 143  a second SIGINT or SIGTERM ended the daemon at once";

/// What the program is asked to do.
#[derive(Debug)]
pub enum Action {
    Serve(ServeArgs),
    Check(CheckArgs),
    Render(RenderArgs),
    Submit(SubmitArgs),
    Schema,
    /// sendmail's own command line, not read yet.
    Sendmail(Vec<OsString>),
}

/// Reads the command line. What clap has to say instead may also be help or the version.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Action, clap::Error> {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(line) = sendmail_line(&args) {
        return Ok(Action::Sendmail(line.to_vec()));
    }
    let args = go_flags::with_two_dashes(&mut CommandLine::command(), args);
    let matches = CommandLine::command().try_get_matches_from(args)?;
    let line = CommandLine::from_arg_matches(&matches)?;
    Ok(match line.command {
        None => Action::Serve(line.serve),
        Some(Command::Serve(args)) => Action::Serve(args),
        Some(Command::Check(args)) => Action::Check(args),
        Some(Command::Render(args)) => Action::Render(args),
        Some(Command::Submit(args)) => Action::Submit(args),
        Some(Command::Schema) => Action::Schema,
        Some(Command::Sendmail { line }) => Action::Sendmail(line),
    })
}

/// What stands behind `sendmail`, the first argument or the program's own name. Its options are not
/// written like others, so nothing else reads them.
fn sendmail_line(args: &[OsString]) -> Option<&[OsString]> {
    let program = args.first().and_then(|name| Path::new(name).file_name());
    if program.is_some_and(|name| name == "sendmail") {
        args.get(1..)
    } else if args.get(1).is_some_and(|command| command == "sendmail") {
        args.get(2..)
    } else {
        None
    }
}

/// Submit mail to PowerMTA with HTTP and JSON instead of SMTP and MIME.
///
/// Takes messages as JSON, renders them to MIME and puts them into PowerMTA's pickup directory.
/// There is no access control: listen on private addresses only.
#[derive(Debug, Parser)]
#[command(name = "pmtaemailapi", version = pmtaemail::VERSION, after_help = AFTER_HELP)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP (also without any subcommand)
    Serve(ServeArgs),
    /// Print what is wrong with a message, a line each; exit code 65 where there is something
    Check(CheckArgs),
    /// Print the message as it would be sent
    Render(RenderArgs),
    /// Put a message into the pickup directory and print its receipt
    Submit(SubmitArgs),
    /// Print the JSON Schema of a message
    Schema,
    /// Hand on a finished message as sendmail does; also when the program is called `sendmail`
    Sendmail {
        /// sendmail's own options and recipients; see sendmail --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<OsString>,
    },
}

/// Options of the daemon.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port to listen on; `:8000` is every address, port 0 any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    #[arg(env = "PMTAEMAIL_LISTEN")]
    pub listen: ListenAddress,

    #[command(flatten)]
    pub pickup: PickupArgs,

    #[command(flatten)]
    pub limits: LimitArgs,

    #[command(flatten)]
    pub log: LogArgs,
}

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
    pickup: PathBuf,

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
    #[arg(long, env = "PMTAEMAIL_NO_SYNCFS", value_parser = clap::builder::FalseyValueParser::new())]
    no_syncfs: bool,
}

impl PickupArgs {
    /// What the environment alone says.
    pub fn from_environment() -> Result<Self, clap::Error> {
        #[derive(Parser)]
        struct Environment {
            #[command(flatten)]
            pickup: PickupArgs,
        }
        Environment::try_parse_from(["pmtaemailapi"]).map(|environment| environment.pickup)
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

/// The bounds that keep the daemon alive.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Largest body of a request, in octets or with a unit
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "32MiB",
        env = "PMTAEMAIL_BODY_LIMIT"
    )]
    #[arg(value_parser = units::octets)]
    pub body_limit: usize,

    /// Longest time for the head of a request; an idle connection is closed after it, too
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        env = "PMTAEMAIL_HEADER_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub header_timeout: Duration,

    /// Longest time for the body of a request; an answer that is not taken is given up after it,
    /// too
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_BODY_TIMEOUT"
    )]
    #[arg(value_parser = units::duration)]
    pub body_timeout: Duration,

    /// Most messages at work at once; more are answered 503
    #[arg(
        long,
        value_name = "N",
        default_value = "1024",
        env = "PMTAEMAIL_MAX_IN_FLIGHT"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_in_flight: u32,

    /// Most octets of bodies at work at once, in octets or with a unit, at least one body of the
    /// largest size; more are answered 503
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "256MiB",
        env = "PMTAEMAIL_MAX_OCTETS_IN_FLIGHT"
    )]
    #[arg(value_parser = units::octets)]
    pub max_octets_in_flight: usize,

    /// Most connections at once, fewer where the limit on open files asks for it; more have to
    /// wait
    #[arg(
        long,
        value_name = "N",
        default_value = "8192",
        env = "PMTAEMAIL_MAX_CONNECTIONS"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Longest time to finish what was begun, after SIGTERM or SIGINT; a second signal ends at
    /// once
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        env = "PMTAEMAIL_DRAIN"
    )]
    #[arg(value_parser = units::duration)]
    pub drain: Duration,
}

/// The log, on standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// How log lines look; text on a terminal and json elsewhere where not given
    #[arg(long, value_name = "FORMAT", env = "PMTAEMAIL_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// The least that is logged: error, warn, info, debug, trace or off
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn parsed(line: &str) -> Result<Action, clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn no_subcommand_serves() {
        for line in [
            "pmtaemailapi -listen localhost:0 -pickup /tmp",
            "pmtaemailapi --listen=localhost:0 --pickup=/tmp",
            "pmtaemailapi serve -listen localhost:0 -pickup /tmp",
        ] {
            let Action::Serve(args) = parsed(line).unwrap() else {
                panic!("{line}")
            };
            assert_eq!(args.listen.to_string(), "localhost:0");
            assert_eq!(args.pickup.pickup, Path::new("/tmp"));
        }
    }

    #[test]
    fn commands_take_a_file_or_standard_input() {
        for (line, path) in [
            ("pmtaemailapi check", None),
            ("pmtaemailapi check -", Some("-")),
            ("pmtaemailapi check -json a.json", Some("a.json")),
        ] {
            let Action::Check(args) = parsed(line).unwrap() else {
                panic!("{line}")
            };
            assert_eq!(args.message.path(), path.map(Path::new));
        }
    }

    #[test]
    fn sendmail_reads_its_line_itself() {
        for (line, rest) in [
            ("pmtaemailapi sendmail -t -help", "-t -help"),
            ("/usr/sbin/sendmail check -- -listen", "check -- -listen"),
        ] {
            let Action::Sendmail(line) = parsed(line).unwrap() else {
                panic!("{line}")
            };
            assert_eq!(line.join(" ".as_ref()), rest);
        }
        assert!(matches!(parsed("sendmail/x check"), Ok(Action::Check(_))));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "pmtaemailapi -nonsense",
            "pmtaemailapi nonsense",
            "pmtaemailapi -listen nonsense",
            "pmtaemailapi -body-limit 3parsecs",
            "pmtaemailapi -max-in-flight 0",
            "pmtaemailapi -pickup /tmp check",
        ] {
            assert!(parsed(line).unwrap_err().use_stderr(), "{line}");
        }
        let help = parsed("pmtaemailapi -help").unwrap_err();
        assert_eq!(help.kind(), ErrorKind::DisplayHelp);
    }
}
