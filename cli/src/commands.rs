//! The commands that take one message (`check`, `render`, `submit`), and those that print a document.

use crate::access;
use crate::args::{CheckArgs, ConfigAction, KeysCommand, MessageArgs, RenderArgs, SubmitArgs};
use crate::exit::{Exit, Exits, Failure};
use crate::progress::ProgressDisplay;
use crate::receipts::Receipts;
use crate::{batch, input, output};
use pmtaemail::{PickupDirectory, PickupOptions, Problems, StreamedMessage, SubmitError, Warning};
use std::cell::LazyCell;
use std::sync::Arc;

/// Prints what is wrong with the message.
pub fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let received = receive(&args.message)?;
    let warnings = received.warnings();
    let problems = match received.check() {
        Ok(rejected) => {
            if let Some(rejected) = rejected.filter(|rejected| !rejected.is_empty()) {
                output::print_warnings([output::rejected_sentence(&rejected)]);
            }
            let warnings = warnings?;
            if !args.strict {
                output::print_warnings(warnings.iter().map(ToString::to_string));
            }
            let Some(problems) = Warning::into_problems(warnings).filter(|_| args.strict) else {
                output::print_ok().map_err(Failure::Write)?;
                return Ok(Exit::Ok);
            };
            problems
        }
        Err(SubmitError::Problems(problems)) => problems,
        Err(error) => return Err(error.into()),
    };
    let text = if args.json {
        // Each line of standard output is a problem, so this goes elsewhere.
        output::print_warnings(problems.cut());
        json_lines(&problems)
    } else {
        output::problem_lines(&problems)
    };
    output::print(text.as_bytes()).map_err(Failure::Write)?;
    Ok(Exit::Data)
}

/// Prints the message as it would be sent, or the pickup file that would be made.
pub fn render(args: &RenderArgs) -> Result<Exit, Failure> {
    let bytes = if args.pickup_file || args.file.is_some() {
        pickup_file(args)?
    } else {
        let received = receive(&args.message)?;
        received.with_selection(args.selection()).render()?
    };
    output::print(&bytes).map_err(Failure::Write)?;
    Ok(Exit::Ok)
}

/// Submits each message and prints its receipt. A failure does not stop the others.
pub fn submit(args: &SubmitArgs) -> Result<Exit, Failure> {
    let pickup = args.pickup.open(Arc::new(output::Unfinished))?;
    if let Some(batch) = args.batch() {
        return batch::submit(&batch, &pickup);
    }
    let messages = args.messages();
    let mut receipts = Receipts::open(args.receipt.as_deref(), &messages, &pickup)?;
    let mut exits = Exits::default();
    for message in &messages {
        match submit_one(message, args, &pickup, &mut receipts) {
            Ok(()) => exits.handed_over(),
            Err(failure) => {
                match messages.len() {
                    1 => output::print_failure(&failure),
                    _ => output::print_failure_of(message.path(), &failure),
                }
                exits.failed(failure.exit());
            }
        }
    }
    // Whatever failed, the file has the only receipts of what was submitted.
    if let Err(failure) = receipts.finish() {
        output::print_failure(&failure);
        exits.failed(failure.exit());
    }
    Ok(exits.exit())
}

fn submit_one(
    message: &MessageArgs,
    args: &SubmitArgs,
    pickup: &PickupDirectory,
    receipts: &mut Receipts,
) -> Result<(), Failure> {
    receipts.check()?;
    let progress = ProgressDisplay::start();
    let received = input::receive(message, || Some(pickup), &progress)?;
    let warnings = args.warnings.then(|| received.warnings()).transpose()?;
    let mut receipt = received.with_selection(args.selection()).submit(pickup)?;
    receipt.warnings = warnings;
    drop(progress);
    receipts.add(receipt)
}

/// Prints what is wrong with the configuration file, or the effective options.
pub fn config(action: &ConfigAction) -> Result<Exit, Failure> {
    match action {
        ConfigAction::Check(None) => output::print_ok().map_err(Failure::Write)?,
        ConfigAction::Check(Some(problems)) => {
            output::print(problems.to_string().as_bytes()).map_err(Failure::Write)?;
            return Ok(Exit::Configuration);
        }
        ConfigAction::Show(text) => output::print(text.as_bytes()).map_err(Failure::Write)?,
    }
    Ok(Exit::Ok)
}

/// Adds, lists or removes access keys.
pub fn keys(command: &KeysCommand) -> Result<Exit, Failure> {
    let Some(path) = command.file().keys.as_deref() else {
        let sentence = "the file of keys is missing: give --keys FILE, PMTAEMAIL_KEYS, or a configuration file with `keys`";
        return Err(Failure::Usage(sentence.to_owned()));
    };
    match command {
        KeysCommand::Add(args) => {
            let key = access::add(path, &args.new_key())?;
            // Scripts read standard output.
            output::print(format!("{key}\n").as_bytes()).map_err(Failure::Write)?;
        }
        KeysCommand::List(_) => {
            let list = access::list(path)?;
            output::print(list.as_bytes()).map_err(Failure::Write)?;
        }
        KeysCommand::Remove(args) => access::remove(path, &args.name)?,
    }
    Ok(Exit::Ok)
}

/// Prints a document, such as the JSON Schema of a message.
pub fn print_json(document: &serde_json::Value) -> Result<Exit, Failure> {
    let document = format!("{document:#}\n");
    output::print(document.as_bytes()).map_err(Failure::Write)?;
    Ok(Exit::Ok)
}

/// Prints what `--version` does.
pub fn version() -> Result<Exit, Failure> {
    let version = format!("pmtaemailapi {}\n", pmtaemail::VERSION);
    output::print(version.as_bytes()).map_err(Failure::Write)?;
    Ok(Exit::Ok)
}

/// Reads a message without a pickup directory. Many recipients are kept in the folder for temporary files, or in memory
/// if that fails.
fn receive(message: &MessageArgs) -> Result<StreamedMessage, Failure> {
    let scratch = LazyCell::new(|| {
        PickupDirectory::open(std::env::temp_dir(), PickupOptions::default()).ok()
    });
    let progress = ProgressDisplay::start();
    input::receive(message, || scratch.as_ref(), &progress)
}

/// The bytes of the requested pickup file, counted from 1; if there is only one, no number is needed. Several files in
/// a row could not be told apart again.
fn pickup_file(args: &RenderArgs) -> Result<Vec<u8>, Failure> {
    let received = receive(&args.message)?;
    match (received.pickup_file(args.file.unwrap_or(1))?, args.file) {
        ((Some(file), _), Some(_)) | ((Some(file), 1), None) => Ok(file.chunks().concat()),
        ((_, count), _) => Err(Failure::ChooseFile(count)),
    }
}

fn json_lines(problems: &Problems) -> String {
    problems
        .iter()
        .map(|problem| serde_json::to_string(problem).expect("texts are JSON") + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_become_json_lines() {
        let message = br#"{"from": "ann@example.com", "to": "bo@example.org", "too": 1}"#;
        let problems = pmtaemail::check(message).unwrap_err();
        let lines = json_lines(&problems);
        assert!(lines.starts_with(r#"{"code":"unknown_field","pointer":"/too","detail":"#));
    }
}
