//! The commands that take one message (`check`, `render`, `submit`), and `schema`.

use crate::args::{CheckArgs, RenderArgs, SubmitArgs};
use crate::exit::{Exit, Failure};
use crate::{input, output};
use pmtaemail::{PickupFile, Problems, Submission};

/// Prints what is wrong with the message.
pub fn check(args: &CheckArgs) -> Result<Exit, Failure> {
    let json = input::read(args.message.path())?;
    let Err(problems) = pmtaemail::check(&json) else {
        return Ok(Exit::Ok);
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
    let json = input::read(args.message.path())?;
    let octets = if args.pickup_file || args.file.is_some() {
        let submission = Submission::from_json(&json).map_err(Failure::Problems)?;
        chosen(submission.files(), args.file)?.chunks().concat()
    } else {
        pmtaemail::render(&json).map_err(Failure::Problems)?
    };
    output::print(&octets).map_err(Failure::Write)?;
    Ok(Exit::Ok)
}

/// Hands the message over and prints the receipt.
pub fn submit(args: &SubmitArgs) -> Result<Exit, Failure> {
    let json = input::read(args.message.path())?;
    let submission = Submission::from_json(&json).map_err(Failure::Problems)?;
    let receipt = args.pickup.open()?.submit(&submission)?;
    json_line(&receipt)
        .and_then(|line| output::print(&line))
        .map_err(|source| Failure::Receipt {
            id: submission.id().to_string(),
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

fn json_line(value: &impl serde::Serialize) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
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
