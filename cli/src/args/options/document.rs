//! Documents for people, made from the table of options.

use super::show::literal;
use super::table::{Kind, Options, Row};
use std::fmt::Write;

/// The table of options as docs/options.md has it.
pub fn markdown(options: &Options) -> String {
    let mut text = String::from(INTRODUCTION);
    let mut heading = None;
    for row in options.rows() {
        let title = row.heading.as_deref().unwrap_or("Daemon");
        if heading != Some(title) {
            heading = Some(title);
            let _ = write!(
                text,
                "\n## {title}\n\n| flag and key | environment | value | default | |\n|---|---|---|---|---|\n"
            );
        }
        let default = (row.default.as_ref()).map_or(String::new(), |text| format!("`{text}`"));
        let _ = writeln!(
            text,
            "| `{}` | `{}` | {} | {default} | {} |",
            row.name,
            row.environment,
            value(row),
            // The help may contain a URL in Markdown's form; a bar would end the cell.
            row.help.replace('|', "\\|")
        );
    }
    text
}

const INTRODUCTION: &str = "\
# Options of the daemon

<!-- Made from cli/src/args by `make generate`. -->

Each option has the same name in three places: the flag `--max-in-flight 64` (one dash works too), the environment variable
`PMTAEMAIL_MAX_IN_FLIGHT=64`, and the key `max-in-flight = 64` in a TOML file given with `--config FILE`. Flags take precedence over
the environment, the environment over the file, and the file over the default. Without `--config` no file is read. Unknown options
and invalid values are errors in all three places; for an unknown option the error suggests the nearest name.
`pmtaemailapi config check FILE` checks a file, and `pmtaemailapi config show` prints the options in effect and where each comes from.

Sizes are bytes or have a unit: `64k`, `32MiB`, `1GB`; times are seconds or have a unit: `500ms`, `30s`, `5m`, `1h`. If an option may be given
several times, separate its values with commas in the environment, and write a list in the file: `[\"a\", \"b\"]`.
";

fn value(row: &Row) -> String {
    let one = match row.kind {
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Integer => "number".to_owned(),
        Kind::Size => "size".to_owned(),
        Kind::Duration => "time".to_owned(),
        Kind::Text if row.choice.is_empty() => format!("`{}`", row.value_name),
        Kind::Text => format!("`{}`", row.choice.join("`, `")),
    };
    if row.is_list {
        format!("list of {one}")
    } else {
        one
    }
}

/// A configuration file with the defaults: each option is commented out.
pub fn sample(options: &Options) -> String {
    let mut text = String::from(
        "# Options of pmtaemailapi, each with its default. The environment and the command line override this file.\n\
         # To check it: pmtaemailapi config check FILE\n",
    );
    let mut heading = None;
    for row in options.in_file() {
        if heading != row.heading.as_deref() {
            heading = row.heading.as_deref();
            let _ = write!(text, "\n#### {}\n", heading.unwrap_or("Daemon"));
        }
        let words = format!("{} ({})", row.help, value(row).replace('`', ""));
        let _ = write!(text, "\n{}", comment(&words));
        let written = (row.default.as_deref()).and_then(|text| literal(row, text));
        let example = row.choice.first().unwrap_or(&row.value_name);
        let written = written.unwrap_or_else(|| {
            if row.is_list {
                "[]".to_owned()
            } else if row.kind == Kind::Integer {
                example.clone()
            } else {
                format!("\"{example}\"")
            }
        });
        let _ = writeln!(text, "#{} = {written}", row.name);
    }
    text
}

/// Words as lines of a comment.
fn comment(words: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > 100 {
            lines += &line;
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}
