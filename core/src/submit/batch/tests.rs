use super::*;
use crate::submit::SubmitError;
use crate::{PickupOptions, Problems};
use std::fs;
use tempfile::TempDir;

fn directory() -> (TempDir, PickupDirectory) {
    let temporary = tempfile::tempdir().unwrap();
    let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
    (temporary, directory)
}

fn names(temporary: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(temporary.path()).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

const PLAIN: &str = r#"{"from": "shop@example.com", "to": "ann@example.org"}"#;

/// As many recipients, a file each, with `text`.
fn merge(recipients: usize, text: &str) -> String {
    let recipients = vec![r#""ann@example.org""#; recipients].join(",");
    format!(
        r#"{{"from": "shop@example.com", "text": "{text}", "merge": "expanded",
             "recipients": [{recipients}]}}"#
    )
}

fn push(batch: &mut Batch<'_, SubmitError>, json: &str) {
    match Message::from_json(json.as_bytes()) {
        Ok(message) => batch.push(&message),
        Err(problems) => batch.push_error(problems.into()),
    }
}

#[test]
fn results_come_in_the_order_of_the_messages() {
    let (temporary, directory) = directory();
    let large = merge(20, &"x".repeat(100_000));
    let mut batch = Batch::new(&directory);
    for json in [
        PLAIN,
        "{",
        &large,
        &merge(3, "x"),
        PLAIN,
        r#"{"to": 1}"#,
        &large,
    ] {
        push(&mut batch, json);
    }
    assert!(names(&temporary).is_empty());
    let results = batch.commit();
    let files: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().map(|receipt| receipt.files.len()).ok())
        .collect();
    let expected = [Some(1), None, Some(20), Some(3), Some(1), None, Some(20)];
    assert_eq!(files, expected);
    let mut all: Vec<_> = results
        .iter()
        .flatten()
        .flat_map(|receipt| receipt.files.clone())
        .collect();
    all.sort_unstable();
    assert_eq!(names(&temporary), all);
    for receipt in results.iter().flatten() {
        let size = |name: &String| fs::metadata(directory.path().join(name)).unwrap().len();
        assert_eq!(receipt.files.iter().map(size).sum::<u64>(), receipt.size);
        let ids = receipt.envelope_ids.as_ref().map(crate::EnvelopeIds::len);
        assert_eq!(ids.unwrap_or(1), receipt.recipients);
    }
    assert!(batch.commit().is_empty());
}

#[test]
fn one_that_fails_is_the_only_one() {
    let (temporary, directory) = directory();
    let mut submissions: Vec<_> = (0..600)
        .map(|_| Submission::from_json(PLAIN.as_bytes()).unwrap())
        .collect();
    // A name that is taken.
    submissions[300] = submissions[7].clone();
    let ids: Vec<_> = submissions.iter().map(|each| *each.id()).collect();
    let results = directory.submit_many(submissions);
    assert_eq!(results.len(), 600);
    for (index, (id, result)) in ids.iter().zip(&results).enumerate() {
        match result {
            Ok(receipt) => assert_eq!(receipt.id, *id),
            Err(_) => assert_eq!(index, 300),
        }
    }
    assert_eq!(names(&temporary).len(), 599);
    assert!(directory.submit_many([]).is_empty());
}

#[test]
fn a_group_is_bounded() {
    let (_temporary, directory) = directory();
    let count_until_full = |json: &str| {
        let mut batch = Batch::new(&directory);
        let mut count = 0;
        while !batch.is_full() {
            push(&mut batch, json);
            count += 1;
        }
        batch.commit();
        assert!(!batch.is_full());
        count
    };
    assert_eq!(count_until_full(PLAIN), 256);
    assert_eq!(count_until_full("{"), 256);
    assert_eq!(count_until_full(&merge(100, "x")), 3);
    let text = "x".repeat(9 << 20);
    let large = PLAIN.replace('}', &format!(r#", "text": "{text}"}}"#));
    assert_eq!(count_until_full(&large), 4);
}

#[test]
fn a_merge_is_in_memory_up_to_a_limit() {
    let (_temporary, directory) = directory();
    let size = |text: &str| {
        let json = merge(30, text);
        let message = Message::from_json(json.as_bytes()).unwrap();
        let mut batch = Batch::<PickupError>::new(&directory);
        batch.push(&message);
        let [Ok((_, files))] = &batch.group[..] else {
            panic!("no files")
        };
        let in_memory = files.in_memory.len() == 30;
        assert!(in_memory || files.in_memory.is_empty());
        let [Ok(receipt)] = &batch.commit()[..] else {
            panic!("no receipt")
        };
        assert_eq!(in_memory, receipt.size <= MERGE_SIZE);
        receipt.size
    };
    assert!(size(&"x".repeat(30_000)) < MERGE_SIZE);
    assert!(size(&"x".repeat(40_000)) > MERGE_SIZE);
}

#[test]
fn uncommitted_files_leave_nothing_behind() {
    let (temporary, directory) = directory();
    let mut batch = Batch::<SubmitError>::new(&directory);
    push(&mut batch, PLAIN);
    assert!(batch.commit()[0].is_ok());
    push(&mut batch, PLAIN);
    push(&mut batch, &merge(100, &"x".repeat(20_000)));
    drop(batch);
    assert_eq!(names(&temporary).len(), 1);
}

#[test]
fn a_directory_that_fails_fails_each() {
    let (temporary, directory) = directory();
    let path = temporary.path().join("gone");
    fs::create_dir(&path).unwrap();
    let inner = PickupDirectory::open(&path, PickupOptions::default()).unwrap();
    drop(directory);
    fs::remove_dir(&path).unwrap();
    let mut batch = Batch::new(&inner);
    let problems: Problems = Message::from_json(b"{").unwrap_err();
    push(&mut batch, &merge(20, &"x".repeat(100_000)));
    batch.push_error(SubmitError::Problems(problems));
    push(&mut batch, PLAIN);
    let results = batch.commit();
    assert!(matches!(
        results[..],
        [
            Err(SubmitError::Pickup(_)),
            Err(SubmitError::Problems(_)),
            Err(SubmitError::Pickup(_))
        ]
    ));
}
