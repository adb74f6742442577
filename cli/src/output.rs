//! What the commands print, on standard output and standard error.

use crate::access::EditError;
use crate::args::ConfigProblems;
use crate::exit::{Exit, Failure};
use crate::journal::{self, Severity};
use pmtaemail::{
    CommitReport, InvalidRecipient, Observer, Problem, Problems, Receipt, RejectedRecipients,
    RollForwardReport,
};
use serde::Serialize;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::path::Path;

/// Writes to standard output, and makes sure that it arrived.
///
/// A reader that closes the pipe early (`pmtaemailapi render | head -1`) is not an error.
pub fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    ignore_broken_pipe(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes a receipt, or its summary, as one line, which may be long: it is never whole in memory.
pub fn print_receipt(receipt: &impl Serialize) -> io::Result<()> {
    // Standard output by itself would search everything it is given for line ends.
    let mut stdout = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    ignore_broken_pipe(
        serde_json::to_writer(&mut stdout, receipt)
            .map_err(io::Error::from)
            .and_then(|()| stdout.write_all(b"\n"))
            .and_then(|()| stdout.flush()),
    )
}

/// Writes a receipt as lines: one for each recipient of a mail merge, and one for the rest.
pub fn print_lines_of(receipt: Receipt) -> io::Result<()> {
    let mut stdout = buffered();
    let mut lines = receipt.into_json_lines();
    lines.try_for_each(|piece| stdout.write(&piece?))?;
    stdout.finish()
}

/// Standard output for many lines of receipts.
///
/// A reader that closes the pipe early is an error: what was submitted is reported nowhere else.
pub fn buffered() -> Lines {
    Lines(BufWriter::with_capacity(64 << 10, io::stdout().lock()))
}

/// Lines for standard output.
pub struct Lines(BufWriter<StdoutLock<'static>>);

impl Lines {
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn ignore_broken_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Says on a terminal that all is well. Programs know that from the exit code and the lack of output.
pub fn print_ok() -> io::Result<()> {
    if io::stdout().is_terminal() {
        print(b"ok\n")
    } else {
        Ok(())
    }
}

/// Prints to standard error why a command failed.
pub fn print_failure(failure: &Failure) {
    print_error(&failure_lines(failure));
}

/// Prints to standard error why one of several messages failed, which is in the file `path` or comes
/// from standard input.
pub fn print_failure_of(path: Option<&Path>, failure: &Failure) {
    let name = path.map_or("-".into(), Path::to_string_lossy);
    let lines = failure_lines(failure);
    let lines = lines.lines().map(|line| format!("{name}: {line}\n"));
    print_error(&lines.collect::<String>());
}

fn failure_lines(failure: &Failure) -> String {
    match failure {
        Failure::Problems(problems) => problem_lines(problems),
        Failure::Keys(EditError::Problems(problems)) => format!("{problems}\n"),
        _ => format!("pmtaemailapi: {failure}\n"),
    }
}

/// Prints to standard error which recipients are not addresses. They are named, as by a mail server: the reader has
/// given them.
pub fn print_invalid_recipients(recipients: &[InvalidRecipient]) {
    for InvalidRecipient { text, reason } in recipients {
        let text = without_controls(text);
        print_error(&format!("pmtaemailapi: no recipient: {text}: {reason}\n"));
    }
}

/// Prints warnings to standard error.
pub fn print_warnings(sentences: impl IntoIterator<Item = String>) {
    for sentence in sentences {
        let sentence = sentence.lines().next().unwrap_or_default();
        print_lines(Severity::Warning, &format!("pmtaemailapi: {sentence}\n"));
    }
}

/// Reports on standard error submissions of earlier processes that cannot be finished yet.
#[derive(Debug)]
pub struct Unfinished;

impl Observer for Unfinished {
    fn committed(&self, _: &CommitReport) {}

    fn rolled_forward(&self, report: &RollForwardReport) {
        print_warnings(report.errors.iter().map(ToString::to_string));
    }
}

fn print_error(text: &str) {
    print_lines(Severity::Error, text);
}

fn print_lines(severity: Severity, text: &str) {
    let prefix = journal::prefix(severity);
    let lines: String = text
        .split_inclusive('\n')
        .flat_map(|line| [prefix, line])
        .collect();
    // If standard error is gone, there is nowhere left to report it.
    let _ = io::stderr().write_all(lines.as_bytes());
}

/// Prints to standard error what is wrong with the configuration file.
pub fn print_config_problems(problems: &ConfigProblems) -> Exit {
    let lines = problems.to_string();
    let lines = lines.lines().map(|line| format!("pmtaemailapi: {line}\n"));
    print_error(&lines.collect::<String>());
    Exit::Configuration
}

/// Prints clap's answer: help and version to standard output, the rest to standard error.
pub fn usage(answer: &clap::Error) -> Exit {
    match answer.print() {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Exit::InputOutput,
        _ if answer.use_stderr() => Exit::Usage,
        _ => Exit::Ok,
    }
}

/// One line for each problem: `POINTER: CODE: DETAIL`; and one that says if some are left out.
pub fn problem_lines(problems: &Problems) -> String {
    let cut = problems.cut().map(|cut| format!("pmtaemailapi: {cut}\n"));
    problems.iter().map(problem_line).chain(cut).collect()
}

/// That recipients are left out.
pub fn rejected_sentence(rejected: &RejectedRecipients) -> String {
    let count = rejected.len();
    let first = rejected.iter().next();
    let first = first.map_or_else(String::new, |first| {
        let pointer = without_controls(&first.pointer);
        format!(", first {pointer}: {}", first.code)
    });
    format!("invalid recipients skipped: {count}{first}")
}

fn problem_line(problem: &Problem) -> String {
    let mut line = String::new();
    if problem.pointer().is_empty() {
        line.push_str("(message)");
    }
    // The names in a pointer come from the caller.
    line.push_str(&without_controls(problem.pointer()));
    line + &format!(": {}: {}\n", problem.code(), problem.detail())
}

/// A caller's text made safe for display: no line break or escape sequence may reach the terminal.
fn without_controls(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line() {
        let message = br#"{"from": "ann@example.com", "to": "bo@example.org", "a\nb": 1}"#;
        let problems = pmtaemail::check(message).unwrap_err();
        let lines = problem_lines(&problems);
        assert!(lines.starts_with("/a\\nb: unknown_field: "), "{lines}");
        assert!(lines.ends_with('\n'));
    }

    #[test]
    fn the_whole_message_has_a_name() {
        let problems = pmtaemail::check(b"{").unwrap_err();
        assert!(problem_lines(&problems).starts_with("(message): not_json: "));
    }
}
