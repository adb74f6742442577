//! All arguments of the program.

mod back_pressure;
mod compat;
mod config;
mod config_command;
mod environment;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(feature = "fleet")]
mod forward;
mod keys_command;
mod limits;
mod listen;
mod message;
mod options;
mod origin;
mod own_names;
mod pickup;
#[cfg(feature = "preview")]
mod preview;
mod serve;
mod state;

pub use back_pressure::{BackPressureArgs, PressureLimit};
pub use compat::{CompatArgs, SparkPostOption};
pub use config::ConfigArg;
pub use config_command::ConfigAction;
#[cfg(feature = "fleet")]
pub use fleet::{ConsumeArgs, FleetArgs, FleetCommand, FleetInitArgs};
#[cfg(feature = "fleet")]
pub use forward::ForwardArgs;
pub use keys_command::KeysCommand;
pub use limits::LimitArgs;
pub use listen::{
    ListenAddress, ListenArgs, Scheme, TcpAddress, TlsFiles, inherited_sockets, write_unix,
};
pub use message::{BatchArgs, CheckArgs, MessageArgs, RenderArgs, SubmitArgs};
pub use options::{ConfigFile, ConfigProblems, Options};
pub use origin::{Origin, name_of};
pub use own_names::OwnNames;
pub use pickup::PickupArgs;
#[cfg(feature = "preview")]
pub use preview::PreviewArgs;
pub use serve::{LogArgs, LogFormat, ServeArgs};
pub use state::StateArgs;

use crate::go_flags;
use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use config_command::ConfigCommand;
use std::env;
use std::ffi::OsString;
use std::path::Path;

const AFTER_HELP: &str = "\
Examples:
  pmtaemailapi -listen 127.0.0.1:8000 -pickup /var/pickup
  curl http://127.0.0.1:8000/messages \\
    -d '{\"from\":\"shop@example.com\",\"to\":\"ann@example.org\",\"subject\":\"Hello\",\"text\":\"Hi\"}'
  pmtaemailapi check message.json
  pmtaemailapi render < message.json
  pmtaemailapi preview --open message.json
  pmtaemailapi submit -pickup /var/pickup message.json
  pmtaemailapi submit -pickup /var/pickup -receipt sent.ndjson newsletter.ndjson
  pmtaemailapi submit -pickup /var/pickup -batch messages.ndjson
  pmtaemailapi submit -pickup /var/pickup -message newsletter.json -csv readers.csv
  pmtaemailapi sendmail -t -i < message.eml

Without a subcommand, the daemon is started. Long options may be written with one dash or two.
Each option of the daemon can also be set in the environment, under the name shown with it, or
in a TOML file given with --config, under the option's name (max-in-flight = 64). The command
line overrides the environment, which overrides the file.

Exit codes:
   0  success; the daemon was asked to stop
  64  the arguments are invalid
  65  the message has problems
  66  the message cannot be opened
  71  the operating system refused something, such as the address to listen on
  73  the pickup directory, or the file for receipts, is not writable
  74  reading the message or writing the output failed, or the message may have been handed over
      despite an error: the error gives the id to look for
  75  the hand-over failed; trying again later may succeed
  78  the configuration file, or the certificate, has problems
 130, 143  a second SIGINT or SIGTERM ended the daemon at once";

/// What the program is asked to do.
#[derive(Debug)]
pub enum Action {
    Serve(Box<ServeArgs>),
    Check(CheckArgs),
    Render(RenderArgs),
    Submit(SubmitArgs),
    Config(ConfigAction),
    Keys(KeysCommand),
    #[cfg(feature = "fleet")]
    Consume(Box<ConsumeArgs>),
    #[cfg(feature = "fleet")]
    Fleet(FleetCommand),
    #[cfg(feature = "preview")]
    Preview(PreviewArgs),
    Schema,
    OpenApi,
    Version,
    /// sendmail's own command line, not read yet.
    Sendmail(Vec<OsString>),
}

/// Why the arguments are not obeyed.
#[derive(Debug)]
pub enum Refusal {
    /// What clap has to say, which may also be help or the version.
    Answer(clap::Error),
    /// The configuration file is not right.
    Config(ConfigProblems),
}

impl From<clap::Error> for Refusal {
    fn from(answer: clap::Error) -> Self {
        Self::Answer(answer)
    }
}

/// Reads the command line, the environment and the configuration file.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Action, Refusal> {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(line) = sendmail_line(&args) {
        return Ok(Action::Sendmail(line.to_vec()));
    }
    let is_set = |name: &str| env::var_os(name).is_some();
    let mut command = environment::with_old_names(CommandLine::command(), is_set);
    let inherited = inherited_sockets();
    if inherited > 0 {
        command = listen::without_default(command);
    }
    let args = go_flags::with_two_dashes(&mut command, args);
    let mut matches = command.try_get_matches_from_mut(args.clone())?;
    let mut line = CommandLine::from_arg_matches(&matches)?;
    environment::check(&mut command)?;
    let mut file = ConfigFile::default();
    if let Some(path) = line.config_file(&mut command)? {
        match ConfigFile::read(path, &Options::of(&command)).sound() {
            Ok(sound) => file = sound,
            // They are what was asked for.
            Err(problems) if line.is_config_check() => {
                return Ok(Action::Config(ConfigAction::Check(Some(problems))));
            }
            Err(problems) => return Err(Refusal::Config(problems)),
        }
        // Once more, with the file's values in place of defaults.
        command = file.apply(command);
        matches = command.try_get_matches_from_mut(args)?;
        line = CommandLine::from_arg_matches(&matches)?;
    }
    if let Some(Err(sentence)) = line.serve_args().map(|args| args.listen.check(inherited)) {
        if line.is_config_check() {
            let problems = ConfigProblems::together(sentence);
            return Ok(Action::Config(ConfigAction::Check(Some(problems))));
        }
        return Err(command.error(ErrorKind::ArgumentConflict, sentence).into());
    }
    Ok(match line.command {
        None => Action::Serve(Box::new(line.serve)),
        Some(Command::Serve(args)) => Action::Serve(Box::new(args)),
        Some(Command::Check(args)) => Action::Check(args),
        Some(Command::Render(args)) => Action::Render(args),
        Some(Command::Submit(args)) => Action::Submit(args),
        Some(Command::Config(ConfigCommand::Check(_))) => Action::Config(ConfigAction::Check(None)),
        Some(Command::Config(ConfigCommand::Show(_))) => {
            let options = Options::of(&command);
            let shown = options::show(&options, innermost(&matches), &file);
            Action::Config(ConfigAction::Show(shown))
        }
        Some(Command::Keys(command)) => Action::Keys(command),
        #[cfg(feature = "fleet")]
        Some(Command::Consume(args)) => Action::Consume(args),
        #[cfg(feature = "fleet")]
        Some(Command::Fleet(command)) => Action::Fleet(command),
        #[cfg(feature = "preview")]
        Some(Command::Preview(args)) => Action::Preview(args),
        Some(Command::Schema) => Action::Schema,
        Some(Command::Openapi) => Action::OpenApi,
        Some(Command::Version) => Action::Version,
        Some(Command::Sendmail { line }) => Action::Sendmail(line),
    })
}

/// The command line, for what is made from it.
pub fn command() -> clap::Command {
    CommandLine::command()
}

/// The table of the daemon's options as docs/options.md has it.
pub fn options_table() -> String {
    options::markdown(&Options::of(&CommandLine::command()))
}

/// A configuration file in which each option is a comment with its default.
pub fn sample_configuration() -> String {
    options::sample(&Options::of(&CommandLine::command()))
}

/// What was matched of the last subcommand.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    (matches.subcommand()).map_or(matches, |(_, matches)| innermost(matches))
}

/// What is wrong with the environment, where that must not stop anything.
pub fn environment_warnings() -> Vec<String> {
    environment::unknown(&CommandLine::command(), environment::names())
}

/// The arguments after `sendmail`, which is the first argument or the program's own name. Its options are not
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
/// Without --keys whoever reaches its address may send: listen on private addresses or Unix sockets only then.
#[derive(Debug, Parser)]
#[command(name = "pmtaemailapi", version = pmtaemail::VERSION, after_help = AFTER_HELP)]
#[command(args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

impl CommandLine {
    /// The configuration file that is named, if one is.
    fn config_file(&self, command: &mut clap::Command) -> Result<Option<&Path>, clap::Error> {
        match &self.command {
            None => Ok(self.serve.config.path()),
            Some(Command::Serve(args)) => Ok(args.config.path()),
            Some(Command::Submit(args)) => Ok(args.config.path()),
            Some(Command::Config(config)) => config.config_file(command),
            Some(Command::Keys(keys)) => Ok(keys.config_file()),
            #[cfg(feature = "fleet")]
            Some(Command::Consume(args)) => Ok(args.config.path()),
            Some(_) => Ok(None),
        }
    }

    /// The options of the daemon, where they are asked for.
    fn serve_args(&self) -> Option<&ServeArgs> {
        match &self.command {
            None => Some(&self.serve),
            Some(Command::Serve(args)) => Some(args),
            Some(Command::Config(config)) => Some(config.serve_args()),
            Some(_) => None,
        }
    }

    fn is_config_check(&self) -> bool {
        matches!(self.command, Some(Command::Config(ConfigCommand::Check(_))))
    }
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
    /// Check the daemon's options, or show those that hold
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Add, list or remove access keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Take messages from the queue of a fleet into the pickup directory of this host
    #[cfg(feature = "fleet")]
    Consume(Box<ConsumeArgs>),
    /// Make the queue of a fleet, and tell how it is
    #[cfg(feature = "fleet")]
    #[command(subcommand)]
    Fleet(FleetCommand),
    /// Show a message in a browser as its readers will see it, and print the address of the page
    #[cfg(feature = "preview")]
    Preview(PreviewArgs),
    /// Print the JSON Schema of a message
    Schema,
    /// Print the OpenAPI document of the daemon, which it has at /openapi.json
    Openapi,
    /// Print the version
    Version,
    /// Submit a finished message as sendmail does; also when the program is called `sendmail`
    Sendmail {
        /// sendmail's own options and recipients; see sendmail --help
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<OsString>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::StreamFormat;

    fn parsed(line: &str) -> Result<Action, clap::Error> {
        parse(line.split(' ').map(OsString::from)).map_err(|refusal| match refusal {
            Refusal::Answer(answer) => answer,
            Refusal::Config(problems) => panic!("{problems}"),
        })
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
            let listen: Vec<_> = args.listen.listen.iter().map(ToString::to_string).collect();
            assert_eq!(listen, ["localhost:0"]);
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
    fn a_message_and_a_table_of_recipients_are_named() {
        let Action::Check(args) = parsed("pmtaemailapi check -message - -csv a.csv").unwrap()
        else {
            panic!("no check")
        };
        assert_eq!(args.message.path(), Some(Path::new("-")));
        assert_eq!(args.message.table(), Some(Path::new("a.csv")));
        let line = "pmtaemailapi submit --message=a.json --csv -";
        let Action::Submit(args) = parsed(line).unwrap() else {
            panic!("no submit")
        };
        let [message] = &args.messages()[..] else {
            panic!("not one message")
        };
        assert_eq!(message.path(), Some(Path::new("a.json")));
        assert_eq!(message.table(), Some(Path::new("-")));
    }

    #[test]
    fn lines_of_json_are_named() {
        for (line, format) in [
            ("pmtaemailapi submit", StreamFormat::Json),
            ("pmtaemailapi submit a.json", StreamFormat::Json),
            ("pmtaemailapi submit ndjson", StreamFormat::Json),
            ("pmtaemailapi submit -ndjson", StreamFormat::Ndjson),
            ("pmtaemailapi submit a.ndjson", StreamFormat::Ndjson),
            ("pmtaemailapi submit a.b.JSONL", StreamFormat::Ndjson),
        ] {
            let Action::Submit(args) = parsed(line).unwrap() else {
                panic!("{line}")
            };
            assert_eq!(args.messages()[0].format(), format, "{line}");
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
    fn an_old_name_still_works() {
        const NEW: &str = "PMTAEMAIL_MAX_BYTES_IN_FLIGHT";
        const OLD: &str = "PMTAEMAIL_MAX_OCTETS_IN_FLIGHT";
        for name in ["max-bytes-in-flight", "max-octets-in-flight"] {
            for dashes in ["-", "--"] {
                let line = format!("pmtaemailapi {dashes}{name} 64MiB");
                let Action::Serve(args) = parsed(&line).unwrap() else {
                    panic!("{line}")
                };
                assert_eq!(args.limits.max_bytes_in_flight, 64 << 20);
            }
        }
        for (set, read) in [
            (&[][..], NEW),
            (&[NEW], NEW),
            (&[OLD], OLD),
            (&[OLD, NEW], NEW),
        ] {
            let command =
                environment::with_old_names(CommandLine::command(), |name| set.contains(&name));
            for command in [&command, command.find_subcommand("serve").unwrap()] {
                let option = |arg: &&clap::Arg| arg.get_id() == "max_bytes_in_flight";
                let option = command.get_arguments().find(option).unwrap();
                assert_eq!(option.get_env().unwrap(), read);
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "pmtaemailapi -nonsense",
            "pmtaemailapi nonsense",
            "pmtaemailapi -listen nonsense",
            "pmtaemailapi -socket-mode 600",
            "pmtaemailapi -tls-cert a.pem",
            "pmtaemailapi -body-limit 3parsecs",
            "pmtaemailapi -max-in-flight 0",
            "pmtaemailapi -max-depth 0",
            "pmtaemailapi -max-age 0",
            "pmtaemailapi -pickup /tmp check",
            "pmtaemailapi render -recipient 0",
            "pmtaemailapi render -recipient 1 -file 1",
            "pmtaemailapi render -recipient 1 -pickup-file",
            "pmtaemailapi check -csv a.csv",
            "pmtaemailapi check -csv a.csv a.json",
            "pmtaemailapi submit -csv a.csv a.json",
            "pmtaemailapi submit -csv a.csv -message a.json b.json",
            "pmtaemailapi submit -message a.json b.json",
            "pmtaemailapi check -csv a.csv -message a.json -ndjson",
        ] {
            assert!(parsed(line).unwrap_err().use_stderr(), "{line}");
        }
        let help = parsed("pmtaemailapi -help").unwrap_err();
        assert_eq!(help.kind(), ErrorKind::DisplayHelp);
    }
}
