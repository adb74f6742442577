//! The examples run.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs an example, which cargo builds with this test, in an empty pickup directory. Gives what it says and wrote.
fn run(name: &str) -> (String, Vec<String>) {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let program = folder.join("examples").join(name);
    let pickup = tempfile::tempdir().unwrap();
    let done = Command::new(&program).arg(pickup.path()).output();
    let done = done.expect("cargo builds the examples where it is not told which targets to build");
    let said = String::from_utf8(done.stdout).unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    (said, files(pickup.path()))
}

fn files(pickup: &Path) -> Vec<String> {
    let entries = fs::read_dir(pickup).unwrap();
    let texts = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap());
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

#[test]
fn newsletter() {
    let (said, files) = run("newsletter");
    assert_eq!(said, format!("2 recipients in {} files\n", files.len()));
    let text = files.concat();
    assert!(text.contains("RCPT TO:<ann@example.org>"), "{text}");
    assert!(text.contains("Bergen"), "{text}");
    assert!(text.contains("List-Unsubscribe"), "{text}");
}

#[test]
fn invoice() {
    let (_, files) = run("invoice");
    let [file] = &files[..] else {
        panic!("{files:?}")
    };
    for part in [
        "multipart/mixed",
        "multipart/related",
        "Content-ID: <logo",
        "invoice.pdf",
    ] {
        assert!(file.contains(part), "{part} is missing in {file}");
    }
}
