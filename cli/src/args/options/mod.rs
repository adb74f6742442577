//! The options of the daemon: one table of them, made from the definition of the command line.
//!
//! Each field of [`ServeArgs`](super::ServeArgs) and of what it flattens is an option with one name in three
//! places: the flag `--max-in-flight`, the environment variable `PMTAEMAIL_MAX_IN_FLIGHT`, and the key
//! `max-in-flight` of the configuration file. So a new field needs nothing but its attributes, and is read from
//! all three, checked, shown by `config show` and written into docs/options.md. An option that holds a secret
//! says so with `hide_env_values = true`.
//!
//! Values of the file replace defaults. clap does not count defaults as given: what an option requires of another
//! (`requires`) has to be checked where the values are used.
//!
//! ```text
//! file        the configuration file: its values and what is wrong with them
//! show        the effective values, and where each comes from
//! document    the table for docs/options.md, and a configuration file to begin with
//! table       the table
//! ```

mod document;
mod file;
mod show;
mod table;

pub use document::{markdown, sample};
pub use file::{ConfigFile, ConfigProblems};
pub use show::show;
pub use table::Options;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::command;
    use table::Kind;

    /// What the table needs of every field.
    #[test]
    fn every_option_has_one_name_in_three_places() {
        let command = command();
        let options = Options::of(&command);
        for arg in command.get_arguments() {
            let name = arg
                .get_long()
                .expect("options of the daemon are long flags");
            if ["help", "version"].contains(&name) {
                continue;
            }
            let row = options.rows().iter().find(|row| row.name == name);
            let row = row.unwrap_or_else(|| panic!("--{name} has no name in the environment"));
            let environment = name.replace('-', "_").to_uppercase();
            assert_eq!(row.environment, format!("PMTAEMAIL_{environment}"));
            assert!(!row.help.is_empty(), "--{name} has no help");
            // The file could turn a switch on, and nothing could turn it off.
            assert!(arg.get_action().takes_values(), "--{name} takes no value");
            assert!(
                row.kind == Kind::Boolean || arg.get_num_args().is_none_or(|n| n.min_values() > 0)
            );
        }
        assert_eq!(options.rows().len(), options.in_file().count() + 1);
    }

    #[test]
    fn secrets_are_not_shown() {
        let arg = |name: &'static str| clap::Arg::new(name).long(name);
        let key = arg("key").env("PMTAEMAIL_KEY").hide_env_values(true);
        let command = clap::Command::new("program").arg(key);
        let command = command.arg(arg("name").env("PMTAEMAIL_NAME"));
        let options = Options::of(&command);
        let line = ["program", "--key=hunter2", "--name=hunter"];
        let matches = command.try_get_matches_from(line).unwrap();
        assert_eq!(
            show(&options, &matches, &ConfigFile::default()),
            "# key is set but not shown  # --key\nname = \"hunter\"  # --name\n"
        );
    }

    #[test]
    fn the_file_to_begin_with_says_what_holds_without_it() {
        let command = command();
        let options = Options::of(&command);
        let sample = sample(&options);
        let has_default = |line: &&str| {
            let key = line.split(' ').next().unwrap_or_default();
            options.find(key).is_some_and(|row| row.default.is_some())
        };
        let lines = sample.lines().filter_map(|line| line.strip_prefix('#'));
        let text: String = lines
            .filter(has_default)
            .flat_map(|line| [line, "\n"])
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.toml");
        std::fs::write(&path, &text).unwrap();
        let file = ConfigFile::read(&path, &options);
        assert_eq!(file.problems(), <[String; 0]>::default(), "{text}");
        assert!(text.contains("max-in-flight = 1024\n"), "{text}");
        for row in options.in_file() {
            assert!(
                sample.contains(&format!("\n#{} = ", row.name)),
                "{}",
                row.name
            );
        }
    }
}
