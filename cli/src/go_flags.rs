//! Flags with one dash, as in Go programs: `-listen :8000` is `--listen :8000`.

use clap::{Arg, Command};
use std::collections::HashSet;
use std::ffi::OsString;

/// Adds a second dash to every argument with one dash that names a long flag of `command` or of one of its subcommands,
/// and to words that do not begin with a short flag, so that unknown flags are reported as if they had two dashes.
/// Short flags are kept, and so is everything after `--`.
pub fn with_two_dashes(
    command: &mut Command,
    args: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let known = long_flags(command);
    let short = short_flags(command);
    let mut flags_end = false;
    args.into_iter()
        .map(|arg| {
            flags_end |= arg == "--";
            if flags_end || !(is_long_flag(&known, &arg) || is_word(&short, &arg)) {
                return arg;
            }
            let mut with_two = OsString::from("-");
            with_two.push(arg);
            with_two
        })
        .collect()
}

/// The long flags of a command and of all its subcommands.
pub fn long_flags(command: &mut Command) -> HashSet<String> {
    // Building adds `--help` and `--version`.
    command.build();
    arguments(command)
        .into_iter()
        .flat_map(|arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long().into_iter().chain(aliases)
        })
        .map(str::to_owned)
        .collect()
}

/// The letters of the short flags.
fn short_flags(command: &Command) -> HashSet<char> {
    (arguments(command).into_iter())
        .filter_map(Arg::get_short)
        .collect()
}

/// The arguments of a command and of all its subcommands.
pub fn arguments(command: &Command) -> Vec<&Arg> {
    let beneath = command.get_subcommands().flat_map(arguments);
    command.get_arguments().chain(beneath).collect()
}

/// Whether an argument with one dash is a word that cannot be short flags in a row.
fn is_word(short: &HashSet<char>, arg: &OsString) -> bool {
    arg.to_string_lossy().strip_prefix('-').is_some_and(|word| {
        let mut letters = word.chars();
        let first = letters.next();
        first.is_some_and(|first| first.is_ascii_alphabetic() && !short.contains(&first))
            && letters
                .next()
                .is_some_and(|second| second.is_ascii_alphabetic())
    })
}

fn is_long_flag(known: &HashSet<String>, arg: &OsString) -> bool {
    arg.to_string_lossy()
        .strip_prefix('-')
        .and_then(|rest| rest.split('=').next())
        .is_some_and(|name| known.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ArgAction;

    fn rewritten(line: &str) -> String {
        let mut command = Command::new("program")
            .version("1")
            .arg(Arg::new("listen").long("listen").short('l'))
            .subcommand(
                Command::new("check").arg(Arg::new("json").long("json").action(ArgAction::SetTrue)),
            );
        let args = line.split(' ').map(OsString::from);
        let args = with_two_dashes(&mut command, args);
        args.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn long_flags_gain_a_dash() {
        assert_eq!(rewritten("program -listen :8000"), "program --listen :8000");
        assert_eq!(rewritten("program -listen=:8000"), "program --listen=:8000");
        assert_eq!(rewritten("program check -json"), "program check --json");
        assert_eq!(
            rewritten("program -help -version"),
            "program --help --version"
        );
    }

    #[test]
    fn unknown_words_gain_a_dash() {
        assert_eq!(rewritten("program -pikcup x"), "program --pikcup x");
        assert_eq!(rewritten("program check -jsno"), "program check --jsno");
    }

    #[test]
    fn everything_else_stays() {
        for line in [
            "program --listen :8000",
            "program -l :8000",
            "program -h",
            "program check -",
            "program -lh",
            "program -listening",
            "program -8000",
            "program check -- -listen -unknown",
        ] {
            assert_eq!(rewritten(line), line);
        }
    }
}
