//! Work that ends early leaves nothing behind, wherever it is stopped.

use pmtaemail::{Batch, Interruption, Message, PickupDirectory, PickupError, PickupOptions};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

const RECIPIENTS: u32 = 50;

fn json() -> String {
    let recipients = vec![r#""ann@example.org""#; 50].join(",");
    format!(
        r#"{{"from": "shop@example.com", "text": "Hello", "merge": "expanded", "recipients": [{recipients}]}}"#
    )
}

/// Says yes after so many calls.
fn after(calls: &AtomicU32) -> impl Fn() -> bool + Sync + '_ {
    || {
        let left = calls.load(Ordering::Relaxed);
        calls.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0
    }
}

#[test]
fn a_reading_may_be_stopped_at_each_recipient() {
    let json = json();
    // They are read, and then understood.
    for (count, is_whole) in [
        (0, false),
        (1, false),
        (60, false),
        (99, false),
        (100, true),
    ] {
        let calls = AtomicU32::new(count);
        let is_wanted = after(&calls);
        let interruption = Interruption::new(&is_wanted);
        let message = Message::from_json_unless(json.as_bytes(), interruption).unwrap();
        assert_eq!(message.is_some(), is_whole, "{count}");
    }
    let calls = AtomicU32::new(0);
    let is_wanted = after(&calls);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let message = Message::from_deserializer_unless(&value, Interruption::new(&is_wanted)).unwrap();
    assert!(message.unwrap().is_none());
}

#[test]
fn problems_of_a_message_are_reported_unless_the_reading_is_interrupted() {
    let json = json().replace("ann@example.org", "ann");
    let calls = AtomicU32::new(200);
    let is_wanted = after(&calls);
    assert!(Message::from_json_unless(json.as_bytes(), Interruption::new(&is_wanted)).is_err());
}

#[test]
fn a_submission_that_is_stopped_leaves_no_file() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("pickup");
    fs::create_dir(&path).unwrap();
    let directory = PickupDirectory::open(&path, PickupOptions::default()).unwrap();
    let json = json();
    let message = Message::from_json(json.as_bytes()).unwrap();
    for count in [0, 1, RECIPIENTS - 1, RECIPIENTS] {
        let is_whole = count == RECIPIENTS;
        let calls = AtomicU32::new(count);
        let is_wanted = after(&calls);
        let interruption = Interruption::new(&is_wanted);
        let receipt = directory
            .submit_message_unless(&message, interruption)
            .unwrap();
        assert_eq!(receipt.is_some(), is_whole);
        assert_eq!(fs::read_dir(&path).unwrap().count() == 0, !is_whole);
        for file in receipt.iter().flat_map(|receipt| &receipt.files) {
            fs::remove_file(path.join(file)).unwrap();
        }
        let mut batch = Batch::<PickupError>::new(&directory);
        let calls = AtomicU32::new(count);
        let is_wanted = after(&calls);
        let is_pushed = batch.push_unless(&message, Interruption::new(&is_wanted));
        assert_eq!(is_pushed, is_whole);
        assert_eq!(batch.commit().len(), usize::from(is_whole));
        for entry in fs::read_dir(&path).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
}
