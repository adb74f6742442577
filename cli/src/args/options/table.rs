//! The table of options.

use crate::nearest::nearest;
use clap::{Arg, ArgAction, Command};
use std::any::TypeId;
use std::time::Duration;

/// The option that names the configuration file, and cannot be set in it.
pub const CONFIG: &str = "config";

/// All options of the daemon, in the order of its help.
#[derive(Debug)]
pub struct Options {
    /// Takes them all.
    command: Command,
    rows: Vec<Row>,
}

impl Options {
    /// The options of a command line: all that have a name in the environment.
    pub fn of(command: &Command) -> Self {
        let rows = command.get_arguments().filter_map(Row::of).collect();
        // The result must not depend on the environment.
        let command = (command.clone()).mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
        Self { command, rows }
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The option with this key in the configuration file.
    pub fn find(&self, key: &str) -> Option<&Row> {
        self.in_file().find(|row| row.name == key)
    }

    /// The key that is most similar to an unknown word.
    pub fn nearest(&self, word: &str) -> &str {
        let names = self.in_file().map(|row| row.name.as_str());
        nearest(word, names).expect("the daemon has options")
    }

    /// Those that may be set in the configuration file.
    pub fn in_file(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.id != CONFIG)
    }

    /// The problem of a value, in a sentence without the value.
    pub fn check(&self, row: &Row, value: &str) -> Result<(), String> {
        use clap::error::{ContextKind, ContextValue, ErrorKind};
        let line = [
            self.command.get_name().to_owned(),
            format!("--{}={value}", row.name),
        ];
        let Err(error) = self.command.clone().try_get_matches_from(line) else {
            return Ok(());
        };
        match (error.kind(), error.get(ContextKind::ValidValue)) {
            (ErrorKind::ValueValidation, _) => {
                let reason = std::error::Error::source(&error).map(ToString::to_string);
                Err(reason.unwrap_or_else(|| error.kind().to_string()))
            }
            (ErrorKind::InvalidValue, Some(ContextValue::Strings(values)))
                if !values.is_empty() =>
            {
                Err(format!("expected one of: {}", values.join(", ")))
            }
            (ErrorKind::InvalidValue, _) => Err("expected a value".to_owned()),
            // Its requirements on other options are checked for the whole command line.
            _ => Ok(()),
        }
    }
}

/// One option.
#[derive(Debug)]
pub struct Row {
    /// Its ID in clap.
    pub id: String,
    /// Of the flag without its dashes, and the key in the configuration file.
    pub name: String,
    pub environment: String,
    pub kind: Kind,
    /// May be given several times; a list in the configuration file.
    pub is_list: bool,
    /// A list of `KEY=VALUE`, which may be a table in the configuration file.
    pub is_table: bool,
    /// Its value is never shown.
    pub is_secret: bool,
    /// Where it has one.
    pub default: Option<String>,
    /// The possible values, if it is a choice.
    pub choice: Vec<String>,
    /// The word for its value: `SIZE`, `DIR`.
    pub value_name: String,
    pub heading: Option<String>,
    pub help: String,
}

impl Row {
    fn of(arg: &Arg) -> Option<Self> {
        let environment = arg.get_env()?.to_str()?.to_owned();
        let name = arg.get_long()?.to_owned();
        let default: Vec<_> = (arg.get_default_values().iter())
            .map(|value| value.to_string_lossy())
            .collect();
        let value_name = arg.get_value_names().and_then(|names| names.first());
        let kind = Kind::of(arg);
        // clap has `true` and `false` as possible values of a boolean.
        let choice = match kind {
            Kind::Boolean => Vec::new(),
            _ => (arg.get_possible_values().iter())
                .map(|value| value.get_name().to_owned())
                .collect(),
        };
        Some(Self {
            id: arg.get_id().to_string(),
            name,
            environment,
            kind,
            is_table: value_name.is_some_and(|name| name.contains('=')),
            is_list: matches!(arg.get_action(), ArgAction::Append),
            is_secret: arg.is_hide_env_values_set(),
            default: (!default.is_empty()).then(|| default.join(",")),
            choice,
            value_name: value_name.map(ToString::to_string).unwrap_or_default(),
            heading: arg.get_help_heading().map(str::to_owned),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        })
    }
}

/// The type of a value in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    /// A whole number.
    Integer,
    /// A number of bytes, or a text with a unit.
    Size,
    /// A number of seconds, or a text with a unit.
    Duration,
    Text,
}

impl Kind {
    fn of(arg: &Arg) -> Self {
        let value = arg.get_value_parser().type_id();
        let integers = [
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
        ];
        let is_size = (arg.get_value_names()).is_some_and(|names| names == ["SIZE"]);
        if value == TypeId::of::<bool>() {
            Self::Boolean
        } else if value == TypeId::of::<Duration>() {
            Self::Duration
        } else if is_size {
            Self::Size
        } else if integers.into_iter().any(|integer| value == integer) {
            Self::Integer
        } else {
            Self::Text
        }
    }

    /// The type that the configuration file must have, in the words of an error.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Size => "a number of bytes, or a string with a unit, such as \"32MiB\"",
            Self::Duration => "a number of seconds, or a string with a unit, such as \"30s\"",
            Self::Text => "a string in quotation marks",
        }
    }
}
