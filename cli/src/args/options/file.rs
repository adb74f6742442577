//! The configuration file: TOML, a key for each option.

use super::table::{Kind, Options, Row};
use crate::place::position;
use clap::Command;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The contents of a configuration file. Valid values are there even if others are invalid.
#[derive(Debug, Default)]
pub struct ConfigFile {
    path: PathBuf,
    /// By clap's name of the option.
    values: BTreeMap<String, FileValue>,
    problems: Vec<String>,
}

#[derive(Debug)]
struct FileValue {
    line: usize,
    /// In the form of the command line; several for a list.
    texts: Vec<String>,
}

/// The problems of a configuration file, one per line.
#[derive(Debug)]
pub struct ConfigProblems(Vec<String>);

impl ConfigProblems {
    /// Problems of options in combination.
    pub fn together(sentence: &str) -> Self {
        Self(vec![sentence.to_owned()])
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl ConfigFile {
    /// Reads a file with values for `options`.
    pub fn read(path: &Path, options: &Options) -> Self {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text, options),
            Err(error) => Self {
                path: path.to_owned(),
                problems: vec![format!("{}: cannot read the file: {error}", path.display())],
                ..Self::default()
            },
        }
    }

    fn parse(path: &Path, text: &str, options: &Options) -> Self {
        let mut file = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        match DeTable::parse(text) {
            Ok(table) => {
                for (key, value) in table.get_ref() {
                    if let Err((span, sentence)) = file.take(text, key, value, options) {
                        file.add_problem(text, span.start, &sentence);
                    }
                }
            }
            Err(error) => {
                let start = error.span().map_or(text.len(), |span| span.start);
                let sentence = error.message().replace('\n', " ");
                file.add_problem(text, start, &format!("this is not TOML: {sentence}"));
            }
        }
        file
    }

    fn take(
        &mut self,
        text: &str,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        options: &Options,
    ) -> Result<(), (Range<usize>, String)> {
        let name = key.get_ref();
        let Some(row) = options.find(name) else {
            let advice = if matches!(value.get_ref(), DeValue::Table(_)) {
                ": options must be at the top level, not in a table".to_owned()
            } else {
                format!("; did you mean {}?", options.nearest(name))
            };
            // A quoted name may contain line ends and escape sequences.
            let sentence = format!("{} is not an option{advice}", name.escape_debug());
            return Err((key.span(), sentence));
        };
        let wrong = |(span, reason)| (span, format!("{name}: {reason}"));
        let texts = texts(row, value, options).map_err(wrong)?;
        let line = position(text, key.span().start).0;
        let earlier = (self.values).insert(row.id.clone(), FileValue { line, texts });
        debug_assert!(earlier.is_none(), "TOML refuses a second value for a key");
        Ok(())
    }

    fn add_problem(&mut self, text: &str, at: usize, sentence: &str) {
        let (line, column) = position(text, at);
        let path = self.path.display();
        (self.problems).push(format!("{path}:{line}:{column}: {sentence}"));
    }

    /// The file, if it has no problems.
    pub fn sound(self) -> Result<Self, ConfigProblems> {
        if self.problems.is_empty() {
            Ok(self)
        } else {
            Err(ConfigProblems(self.problems))
        }
    }

    /// Its problems.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The command with the file's values as defaults, its subcommands too.
    pub fn apply(&self, command: Command) -> Command {
        command
            .mut_args(|arg| match self.values.get(arg.get_id().as_str()) {
                Some(value) => arg.default_values(value.texts.clone()),
                None => arg,
            })
            .mut_subcommands(|subcommand| self.apply(subcommand))
    }

    /// The position where the file sets an option.
    pub fn place_of(&self, row: &Row) -> Option<String> {
        let value = self.values.get(&row.id)?;
        Some(format!("{}:{}", self.path.display(), value.line))
    }
}

/// The value in the form of the command line.
fn texts(
    row: &Row,
    value: &Spanned<DeValue<'_>>,
    options: &Options,
) -> Result<Vec<String>, (Range<usize>, String)> {
    let values = match value.get_ref() {
        DeValue::Array(values) if row.is_list => values.iter().collect(),
        DeValue::Table(table) if row.is_table => return rows(row, table, options),
        _ => vec![value],
    };
    let text = |value: &&Spanned<DeValue<'_>>| {
        text_of(row, value.get_ref())
            .and_then(|text| options.check(row, &text).map(|()| text))
            .map_err(|reason| (value.span(), reason))
    };
    values.iter().map(text).collect()
}

/// The rows of a table in the form of the command line: `KEY=VALUE`.
fn rows(
    row: &Row,
    table: &DeTable<'_>,
    options: &Options,
) -> Result<Vec<String>, (Range<usize>, String)> {
    let text = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        text_of(row, value.get_ref())
            .map(|text| format!("{}={text}", key.get_ref()))
            .and_then(|text| options.check(row, &text).map(|()| text))
            .map_err(|reason| (value.span(), reason))
    };
    table.iter().map(text).collect()
}

fn text_of(row: &Row, value: &DeValue<'_>) -> Result<String, String> {
    match (row.kind, value) {
        (Kind::Boolean, DeValue::Boolean(value)) => Ok(value.to_string()),
        (Kind::Integer | Kind::Size | Kind::Duration, DeValue::Integer(integer)) => {
            match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(number @ 0..) => Ok(number.to_string()),
                Ok(_) => Err(format!("expected {}", row.kind.expected())),
                Err(_) => Err("the number is too large".to_owned()),
            }
        }
        (Kind::Size | Kind::Duration | Kind::Text, DeValue::String(text)) => Ok(text.to_string()),
        (kind, _) if row.is_list => Err(format!("expected a list of: {}", kind.expected())),
        (kind, _) => Err(format!("expected {}", kind.expected())),
    }
}
