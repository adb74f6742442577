//! Every case of `tests/cases` through this library alone. `tests/test_cases.py` runs the same files
//! through the command, HTTP, Python and Node, and has other parsers read what comes out.
//!
//! A case is a folder with `message.json` and either `expected.pickup`, the exact bytes of the pickup
//! file, or `problems.json`, the exact list of problems. Its message gives what would otherwise be made
//! for it (Date, Message-ID, the envelope ids of a merge), and the envelope id that a file has where none
//! is given is always the same one in the expected file, so that there is only one right answer.

use pmtaemail::{Identity, Message, PickupFile, Submission};
use serde_json::Value;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs, io};

/// Schedules are written in the time zone of the host; the expected files are of this one.
const TIME_ZONE: &str = "Europe/Berlin";

/// The envelope id of the expected files whose message gives none.
const KNOWN_ID: &str = "1ng7qwf4c52q7bj9v8dsqnkxqv";

#[test]
fn every_case_has_its_outcome() {
    if env::var("TZ").as_deref() != Ok(TIME_ZONE) {
        run_again("every_case_has_its_outcome");
        return;
    }
    let cases = cases().unwrap();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let name = case.file_name().unwrap_or_default().display();
            Some(format!("{name}: {}", outcome(case).err()?))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

/// Runs a test in a process that has the time zone from its start: the environment of this one may
/// not be changed while it has threads.
fn run_again(test: &str) {
    let program = env::current_exe().expect("the test program has a path");
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env("TZ", TIME_ZONE)
        .output()
        .expect("the test program starts");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let passed = output.status.success() && stdout.contains("1 passed");
    assert!(passed, "{stdout}{stderr}");
}

fn cases() -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let mut cases = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    cases.sort();
    assert!(!cases.is_empty(), "there are no cases");
    Ok(cases)
}

/// An error says what is wrong with the case.
fn outcome(case: &Path) -> Result<(), Box<dyn Error>> {
    let message = fs::read(case.join("message.json"))?;
    let problems = case.join("problems.json");
    if problems.exists() {
        return refused(&message, &serde_json::from_slice(&fs::read(problems)?)?);
    }
    pmtaemail::check(&message)?;
    let identity = Identity::new(KNOWN_ID.parse()?, SystemTime::UNIX_EPOCH)?;
    let submission = Submission::with_identity(&Message::from_json(&message)?, identity);
    let chunks = submission.files().iter().flat_map(PickupFile::chunks);
    let file = chunks.collect::<Vec<_>>().concat();
    same(&fs::read(case.join("expected.pickup"))?, &file)?;
    let rendered = pmtaemail::render(&message)?;
    // The file of a merge holds its template; what each recipient gets of that is judged in Python.
    if submission.receipt().envelope_ids.is_none() && !ends_with_message(&file, &rendered) {
        return Err("the rendered message is not the one of the pickup file".into());
    }
    #[cfg(feature = "outbox")]
    read_back(&file, &submission, &rendered)?;
    Ok(())
}

/// What a recipient gets is the rendered message; that of a merge, where each has their own, is judged in Python.
#[cfg(feature = "outbox")]
fn read_back(file: &[u8], submission: &Submission, rendered: &[u8]) -> Result<(), Box<dyn Error>> {
    use pmtaemail::outbox::{Mail, OutboxFile};

    if submission.files().len() > 1 {
        return Ok(());
    }
    let read = OutboxFile::read(file)?;
    if read.recipients() != submission.recipients() + submission.receipt().seeds.unwrap_or(0) {
        return Err("it is read back with another number of recipients".into());
    }
    for recipient in 0..read.recipients() {
        let mail = read.mail(recipient, SystemTime::UNIX_EPOCH)?;
        if submission.receipt().envelope_ids.is_none() && mail != rendered {
            return Err("it is read back as another message".into());
        }
        Mail::read(&mail).ok_or("it is not decoded")?;
    }
    Ok(())
}

/// Whether a message is refused for these problems, whatever is to be done with it.
fn refused(message: &[u8], expected: &Value) -> Result<(), Box<dyn Error>> {
    for (verb, result) in [
        ("check", pmtaemail::check(message)),
        ("render", pmtaemail::render(message).map(drop)),
        ("submit", Submission::from_json(message).map(drop)),
    ] {
        let problems = result.err().ok_or_else(|| format!("{verb} takes it"))?;
        let problems = serde_json::to_vec_pretty(&serde_json::to_value(&problems)?)?;
        same(&serde_json::to_vec_pretty(expected)?, &problems)
            .map_err(|error| format!("what {verb} says: {error}"))?;
    }
    Ok(())
}

/// An error tells the first line that differs.
fn same(expected: &[u8], found: &[u8]) -> Result<(), Box<dyn Error>> {
    if expected == found {
        return Ok(());
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.map(|line| line.escape_ascii().to_string()).collect()
    };
    let (expected, found) = (lines(expected), lines(found));
    let alike = expected.iter().zip(&found).take_while(|(a, b)| a == b);
    let line = alike.count();
    let (number, found, expected) = (line + 1, found.get(line), expected.get(line));
    Err(format!("line {number} is {found:?}, not {expected:?}").into())
}

/// Whether a pickup file ends with a message. In batched SMTP a dot is put before each line that begins
/// with one, and a dot alone ends the message (RFC 5321 section 4.5.2).
fn ends_with_message(file: &[u8], message: &[u8]) -> bool {
    if file.starts_with(b"x-sender:") {
        return file.ends_with(&[b"\r\n", message].concat());
    }
    let mut data = b"\r\n".to_vec();
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            data.push(b'.');
        }
        data.extend_from_slice(line);
    }
    data.extend_from_slice(b".\r\n");
    file.ends_with(&data)
}
