//! The effective values, as `config show` prints them.

use super::file::ConfigFile;
use super::table::{CONFIG, Kind, Options, Row};
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::ffi::OsStr;

/// The effective values as a configuration file, each followed by where it comes from.
pub fn show(options: &Options, matches: &ArgMatches, file: &ConfigFile) -> String {
    let line = |row: &Row| {
        let raw = matches.get_raw(&row.id);
        let Some(values) = raw.filter(|values| values.len() > 0) else {
            return format!("# {} is not set\n", row.name);
        };
        let source = match matches.value_source(&row.id) {
            Some(ValueSource::CommandLine) => format!("--{}", row.name),
            Some(ValueSource::EnvVariable) => row.environment.clone(),
            _ => (file.place_of(row)).unwrap_or_else(|| "default".to_owned()),
        };
        if row.id == CONFIG {
            // It cannot be set in the file.
            let path = values.map(OsStr::to_string_lossy).collect::<String>();
            return format!("# {} = {}  # {source}\n", row.name, quoted(&path));
        }
        if row.is_secret {
            return format!("# {} is set but not shown  # {source}\n", row.name);
        }
        let written: Option<Vec<_>> = values.map(|value| literal(row, value.to_str()?)).collect();
        match written {
            Some(values) if row.is_list => {
                format!("{} = [{}]  # {source}\n", row.name, values.join(", "))
            }
            Some(values) => format!("{} = {}  # {source}\n", row.name, values.concat()),
            // A path, which TOML cannot write.
            None => format!("# {} is not UTF-8  # {source}\n", row.name),
        }
    };
    options.rows().iter().map(line).collect()
}

/// A value as TOML writes it.
pub fn literal(row: &Row, text: &str) -> Option<String> {
    match row.kind {
        Kind::Boolean => crate::units::boolean(text)
            .ok()
            .map(|value| value.to_string()),
        Kind::Integer => text.parse::<u64>().ok().map(|number| number.to_string()),
        Kind::Size | Kind::Duration | Kind::Text => Some(quoted(text)),
    }
}

/// A basic string of TOML: like JSON's, except for DEL.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).expect("texts are JSON");
    json.replace('\u{7f}', "\\u007F")
}
