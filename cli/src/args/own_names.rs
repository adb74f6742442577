//! The names of this program's options and of a message's fields.

use super::command;
use crate::go_flags;
use std::collections::HashSet;

/// What this program's other commands take by name.
pub struct OwnNames {
    options: HashSet<String>,
    /// Of the message, in plain form.
    fields: HashSet<String>,
}

impl OwnNames {
    /// The long options of all commands, and the fields of a message.
    pub fn get() -> Self {
        let schema = pmtaemail::schema();
        let fields = schema["properties"].as_object();
        let fields = fields.expect("a message is an object with properties");
        Self {
            options: go_flags::long_flags(&mut command()),
            fields: fields.keys().map(|name| plain(name)).collect(),
        }
    }

    /// Whether a word is one of them.
    pub fn contains(&self, word: &str) -> bool {
        self.options.contains(word) || self.fields.contains(&plain(word))
    }
}

/// Names of fields are compared without letter case, `_` and `-`.
fn plain(name: &str) -> String {
    name.replace(['-', '_'], "").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_those_of_options_and_fields() {
        let own_names = OwnNames::get();
        for word in [
            "pickup",
            "no-syncfs",
            "ndjson",
            "help",
            "envid",
            "reply-to",
            "vmta",
            "To",
        ] {
            assert!(own_names.contains(word), "{word}");
        }
        for word in ["oi", "bs", "fann@example.com", "f", "Pickup", ""] {
            assert!(!own_names.contains(word), "{word}");
        }
    }
}
