//! The commands that take one message (`check`, `render`, `submit`), and `schema`.

use crate::args::{CheckArgs, MessageArgs, RenderArgs, SubmitArgs};
use crate::exit::{Exit, Failure};
use crate::{input, output};
use pmtaemail::{
    IntakeError, IntakeFormat, PickupDirectory, PickupFile, PickupOptions, Problems, Received,
    Submission,
};
use std::cell::LazyCell;
use std::num::NonZeroUsize;

/// Prints what is wrong with the message.
pub fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let received = receive(&args.message)?;
    let problems = match received.check() {
        Ok(()) => return Ok(Exit::Ok),
        Err(IntakeError::Problems(problems)) => problems,
        Err(error) => return Err(error.into()),
    };
    let text = if args.json {
        json_lines(&problems)
    } else {
        output::problem_lines(&problems)
    };
    output::print(text.as_bytes()).map_err(Failure::Write)?;
    Ok(Exit::Data)
}

/// Prints the message as it would be sent, or the pickup file that would be made.
pub fn render(args: &RenderArgs) -> Result<Exit, Failure> {
    let octets = if args.pickup_file || args.file.is_some() {
        pickup_file(args)?
    } else {
        let received = receive(&args.message)?;
        let number = args.recipient.map_or(1, NonZeroUsize::get);
        received
            .render(number)?
            .ok_or(Failure::NoRecipient(number))?
    };
    output::print(&octets).map_err(Failure::Write)?;
    Ok(Exit::Ok)
}

/// Hands the message over and prints the receipt.
pub fn submit(args: &SubmitArgs) -> Result<Exit, Failure> {
    let pickup = args.pickup.open()?;
    let message = &args.message;
    let received = input::receive(message.path(), message.format(), || Some(&pickup))?;
    let receipt = received.submit(&pickup)?;
    output::print_receipt(&receipt).map_err(|source| Failure::Receipt {
        id: receipt.id.to_string(),
        source,
    })?;
    Ok(Exit::Ok)
}

/// Prints the JSON Schema of a message.
pub fn schema() -> Result<Exit, Failure> {
    let schema = format!("{:#}\n", pmtaemail::schema());
    output::print(schema.as_bytes()).map_err(Failure::Write)?;
    Ok(Exit::Ok)
}

/// Reads a message where no pickup directory is at hand. Many recipients wait on the file system of
/// the folder for temporary files, or in memory if that will not do.
fn receive(message: &MessageArgs) -> Result<Received, Failure> {
    let scratch = LazyCell::new(|| {
        PickupDirectory::open(std::env::temp_dir(), PickupOptions::default()).ok()
    });
    input::receive(message.path(), message.format(), || scratch.as_ref())
}

/// The octets of the pickup file asked for. All files are made in memory.
fn pickup_file(args: &RenderArgs) -> Result<Vec<u8>, Failure> {
    if args.message.format() == IntakeFormat::Ndjson {
        return Err(Failure::FilesOfLines);
    }
    let json = input::read(args.message.path())?;
    let submission = Submission::from_json(&json).map_err(Failure::Problems)?;
    Ok(chosen(submission.files(), args.file)?.chunks().concat())
}

/// The file asked for, counted from 1; where there is only one it need not be asked for. Several
/// files one after the other would be read by nobody: there is no border between them.
fn chosen(files: &[PickupFile], number: Option<usize>) -> Result<&PickupFile, Failure> {
    let file = match (number, files) {
        (None, [file]) => Some(file),
        (None, _) => None,
        (Some(number), _) => number.checked_sub(1).and_then(|index| files.get(index)),
    };
    file.ok_or(Failure::ChooseFile(files.len()))
}

fn json_lines(problems: &Problems) -> String {
    problems
        .iter()
        .filter_map(|problem| serde_json::to_string(problem).ok())
        .map(|line| line + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = br#"{"from": "ann@example.com", "to": "bo@example.org"}"#;

    #[test]
    fn the_only_file_need_not_be_chosen() {
        let submission = Submission::from_json(MESSAGE).unwrap();
        for number in [None, Some(1)] {
            let file = chosen(submission.files(), number).unwrap();
            assert_eq!(file.name(), submission.files()[0].name());
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_a_usage_error() {
        let submission = Submission::from_json(MESSAGE).unwrap();
        for number in [0, 2] {
            let failure = chosen(submission.files(), Some(number)).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
        }
    }

    #[test]
    fn problems_become_json_lines() {
        let message = br#"{"from": "ann@example.com", "to": "bo@example.org", "too": 1}"#;
        let problems = pmtaemail::check(message).unwrap_err();
        let lines = json_lines(&problems);
        assert!(lines.starts_with(r#"{"code":"unknown_field","pointer":"/too","detail":"#));
    }
}
