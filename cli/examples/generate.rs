//! Prints or writes what is made from the definition of the command line. Not in the program itself, which stays
//! small.
//!
//! ```sh
//! cargo run --package pmtaemailapi --example generate -- options          # the table in docs/options.md
//! cargo run --package pmtaemailapi --example generate -- configuration    # a file with all options as comments
//! cargo run --package pmtaemailapi --example generate -- man DIR          # manual pages
//! cargo run --package pmtaemailapi --example generate -- completions DIR  # for bash, fish and zsh
//! ```
#![forbid(unsafe_code)]

use clap_complete::Shell;
use std::io::{self, Write};
use std::path::Path;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["options"] => print(&pmtaemailapi::options_table()),
        ["configuration"] => print(&pmtaemailapi::sample_configuration()),
        ["man", folder] => clap_mangen::generate_to(pmtaemailapi::command(), folder),
        ["completions", folder] => completions(Path::new(folder)),
        _ => Err(io::Error::other(
            "expected options, configuration, man DIR or completions DIR",
        )),
    }
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

fn completions(folder: &Path) -> io::Result<()> {
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let mut command = pmtaemailapi::command();
        clap_complete::generate_to(shell, &mut command, "pmtaemailapi", folder)?;
    }
    Ok(())
}
