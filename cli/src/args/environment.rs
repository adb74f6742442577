//! Environment variables that are options.

use crate::go_flags;
use crate::nearest::nearest;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use std::env;

/// Their common prefix.
const PREFIX: &str = "PMTAEMAIL_";

/// An old name that still works.
const OLD: &str = "PMTAEMAIL_MAX_OCTETS_IN_FLIGHT";

/// Reads an option from an environment variable's old name if only that is set.
pub fn with_old_names(command: Command, is_set: impl Fn(&str) -> bool) -> Command {
    if is_set("PMTAEMAIL_MAX_BYTES_IN_FLIGHT") || !is_set(OLD) {
        return command;
    }
    with_old_name(command)
}

fn with_old_name(command: Command) -> Command {
    command
        .mut_args(|arg| {
            if arg.get_id() == "max_bytes_in_flight" {
                arg.env(OLD)
            } else {
                arg
            }
        })
        .mut_subcommands(with_old_name)
}

/// Refuses variables that look like options but are not: somebody relies on them.
pub fn check(command: &mut Command) -> Result<(), clap::Error> {
    match unknown(command, names()).first() {
        Some(sentence) => Err(command.error(ErrorKind::UnknownArgument, sentence)),
        None => Ok(()),
    }
}

/// A sentence for each variable that looks like an option of `command` but is not.
pub fn unknown(command: &Command, names: impl Iterator<Item = String>) -> Vec<String> {
    let known: Vec<&str> = (go_flags::arguments(command).into_iter())
        .filter_map(Arg::get_env)
        .filter_map(|name| name.to_str())
        .chain([OLD])
        .collect();
    names
        .filter(|name| name.starts_with(PREFIX) && !known.contains(&name.as_str()))
        .map(|name| {
            let nearest = nearest(&name, known.iter().copied()).expect("there are options");
            format!("the environment variable {name} is not an option; did you mean {nearest}?")
        })
        .collect()
}

/// The names of the variables that are set.
pub fn names() -> impl Iterator<Item = String> {
    env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_reported_with_the_most_similar_known_one() {
        let arg = |name| Arg::new(name).long(name);
        let command = Command::new("program")
            .arg(arg("pickup").env("PMTAEMAIL_PICKUP"))
            .subcommand(Command::new("serve").arg(arg("listen").env("PMTAEMAIL_LISTEN")));
        let set = [
            "PATH",
            "PMTAEMAIL",
            "PMTAEMAIL_PICKUP",
            "PMTAEMAIL_LISTEN",
            OLD,
            "PMTAEMAIL_LISEN",
        ];
        let told = unknown(&command, set.map(str::to_owned).into_iter());
        assert_eq!(
            told,
            [
                "the environment variable PMTAEMAIL_LISEN is not an option; did you mean PMTAEMAIL_LISTEN?"
            ]
        );
    }
}
