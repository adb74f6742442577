//! What is remembered, and for how long.

use super::*;
use crate::identity::Identity;
use std::cell::Cell;
use std::io;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

thread_local! {
    /// By how many milliseconds the wall clock is wrong.
    pub(super) static CLOCK_IS_AHEAD: Cell<i64> = const { Cell::new(0) };
}

const HOUR: i64 = 3_600_000;

fn open(folder: &Path, limit: u64) -> Arc<KeyStore> {
    let store = KeyStore::new(StoreSettings {
        place: StorePlace::Folder(folder.join("state")),
        limit,
        durable: true,
    });
    store.open().unwrap();
    Arc::new(store)
}

fn claim(store: &Arc<KeyStore>, key: &str, body: &str) -> Result<Found, ClaimRefused> {
    let fingerprint = Fingerprinter::new(&[]).with(body.as_bytes()).finish();
    store.claim(key.parse().unwrap(), fingerprint)
}

/// Remembers a receipt of this size; false if the key is known already.
fn remember(store: &Arc<KeyStore>, key: &str, size: usize) -> bool {
    let Found::Nothing(mut claim) = claim(store, key, "body").unwrap() else {
        return false;
    };
    claim.set_record(NewRecord {
        id: Identity::now().id(),
        receipt: Box::new(Cursor::new(vec![b'x'; size])),
        size: size as u64,
    });
    store.commit([&mut claim]).unwrap();
    true
}

fn receipt(store: &Arc<KeyStore>, key: &str) -> Option<Vec<u8>> {
    match claim(store, key, "body").unwrap() {
        Found::Receipt { pieces, .. } => Some(pieces.concat()),
        Found::Nothing(_) => None,
    }
}

#[test]
fn receipts_of_every_size_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = [0, 1, 2_048, 2_049, 32_768, 32_769, 1_000_000];
    let store = open(folder.path(), u64::MAX);
    for size in sizes {
        assert!(remember(&store, &size.to_string(), size));
    }
    drop(store);
    let store = open(folder.path(), u64::MAX);
    for size in sizes {
        assert_eq!(receipt(&store, &size.to_string()), Some(vec![b'x'; size]));
    }
}

#[test]
fn claiming_at_once_succeeds_only_for_keys_known_to_be_new() {
    let folder = tempfile::tempdir().unwrap();
    let fingerprint = Fingerprinter::new(&[]).with(b"body").finish();
    let at_once = |store: &Arc<KeyStore>, key: &str| {
        let claim = store.claim_at_once(key.parse().unwrap(), fingerprint);
        claim.map(|claim| (claim, Arc::clone(store)))
    };
    let settings = StoreSettings {
        place: StorePlace::Folder(folder.path().join("state")),
        limit: 100_000,
        durable: true,
    };
    let store = Arc::new(KeyStore::new(settings));
    assert!(at_once(&store, "new").is_none(), "it is not open");
    store.open().unwrap();
    let first = at_once(&store, "new").expect("nobody has it");
    assert!(at_once(&store, "new").is_none(), "it is at work");
    assert!(matches!(
        claim(&store, "new", "body"),
        Err(ClaimRefused::InWork)
    ));
    drop(first);
    assert!(remember(&store, "new", 1));
    assert!(at_once(&store, "new").is_none(), "it is remembered");
    // That it was asked for so changes nothing.
    assert!(receipt(&store, "new").is_some());
    assert!(remember(&store, "large", 100_000));
    assert!(at_once(&store, "other").is_none(), "it may be full");
}

#[test]
fn a_key_is_remembered_for_24_hours() {
    let folder = tempfile::tempdir().unwrap();
    assert!(remember(&open(folder.path(), u64::MAX), "k", 5_000));
    for (ahead, is_known) in [
        (0, true),
        (24 * HOUR - 60_000, true),
        (24 * HOUR + 60_000, false),
    ] {
        CLOCK_IS_AHEAD.set(ahead);
        let store = open(folder.path(), u64::MAX);
        assert_eq!(receipt(&store, "k").is_some(), is_known, "{ahead}");
    }
    // It begins again with the next submission under it.
    let store = open(folder.path(), u64::MAX);
    assert!(remember(&store, "k", 7));
    assert_eq!(receipt(&store, "k").unwrap().len(), 7);
    CLOCK_IS_AHEAD.set(47 * HOUR);
    drop(store);
    assert!(receipt(&open(folder.path(), u64::MAX), "k").is_some());
}

#[test]
fn a_clock_that_is_set_back_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(remember(&open(folder.path(), u64::MAX), "first", 1));
    CLOCK_IS_AHEAD.set(-1_000 * HOUR);
    assert!(remember(&open(folder.path(), u64::MAX), "second", 1));
    CLOCK_IS_AHEAD.set(23 * HOUR);
    let store = open(folder.path(), u64::MAX);
    assert!(receipt(&store, "first").is_some() && receipt(&store, "second").is_some());
}

#[test]
fn a_full_store_has_room_again_when_its_keys_are_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 100_000);
    let mut count = 0;
    let full = loop {
        match claim(&store, &count.to_string(), "body") {
            Ok(found) => drop(found),
            Err(refused) => break refused,
        }
        assert!(remember(&store, &count.to_string(), 100));
        count += 1;
    };
    assert!(matches!(full, ClaimRefused::Full) && store.is_full().unwrap());
    assert!((100..250).contains(&count), "{count}");
    assert!((0..count).all(|number| receipt(&store, &number.to_string()).is_some()));
    drop(store);
    CLOCK_IS_AHEAD.set(25 * HOUR);
    let store = open(folder.path(), 100_000);
    assert!(!store.is_full().unwrap());
    for number in 0..count {
        assert!(remember(&store, &number.to_string(), 100));
    }
    assert!(std::fs::metadata(store.path()).unwrap().len() < 4 << 20);
}

#[test]
fn a_record_that_is_replaced_gives_its_room_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), u64::MAX);
    // More than are forgotten at a time, so that the last is there when it is replaced.
    for number in 0..100 {
        assert!(remember(&store, &number.to_string(), 1));
    }
    CLOCK_IS_AHEAD.set(1_000);
    assert!(remember(&store, "large", 1_000_000));
    drop(store);
    CLOCK_IS_AHEAD.set(25 * HOUR);
    assert!(remember(&open(folder.path(), u64::MAX), "large", 1));
    assert!(!open(folder.path(), 100_000).is_full().unwrap());
}

#[test]
fn a_revoked_key_is_free_and_a_later_submission_under_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), u64::MAX);
    let token = |store: &Arc<KeyStore>| match claim(store, "k", "body").unwrap() {
        Found::Receipt { token, .. } => token,
        Found::Nothing(_) => panic!("it is known"),
    };
    assert!(remember(&store, "k", 5_000));
    let first = token(&store);
    assert!(store.has_decided(first).unwrap());
    store.revoke(first).unwrap();
    assert!(!store.has_decided(first).unwrap() && receipt(&store, "k").is_none());
    assert!(remember(&store, "k", 5_000));
    store.revoke(first).unwrap();
    assert!(!store.has_decided(first).unwrap() && receipt(&store, "k").is_some());
    let text = token(&store).as_text();
    assert_eq!(Token::parse(&text), Some(token(&store)));
    for wrong in [
        "",
        &text[1..],
        &format!("{text}0"),
        &text.replace(char::is_numeric, "g"),
    ] {
        assert_eq!(Token::parse(wrong), None);
    }
}

#[test]
fn leftover_drafts_are_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let [left, other] = ["keys.redb.draft-4711", "keys.redb.old"].map(|name| state.join(name));
    for path in [&left, &other] {
        std::fs::write(path, "half of it").unwrap();
    }
    assert!(remember(&open(folder.path(), u64::MAX), "1", 1));
    assert!(!left.exists() && other.exists());
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 2);
    // The same number again, of a store that is there.
    std::fs::write(&left, "half of it").unwrap();
    assert!(!remember(&open(folder.path(), u64::MAX), "1", 1));
    assert!(!left.exists());
}

#[test]
fn two_cannot_have_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), u64::MAX);
    let other = KeyStore::new(StoreSettings {
        place: StorePlace::Folder(folder.path().join("state")),
        limit: u64::MAX,
        durable: true,
    });
    assert_eq!(
        other.open().unwrap_err().kind(),
        io::ErrorKind::ResourceBusy
    );
    drop(store);
    assert!(other.open().unwrap());
}

#[cfg(unix)]
#[test]
fn a_commit_fails_if_the_file_of_the_store_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (state, aside) = (folder.path().join("state"), folder.path().join("aside"));
    let store = open(folder.path(), u64::MAX);
    assert!(remember(&store, "first", 10));
    std::fs::rename(&state, &aside).unwrap();
    let Found::Nothing(mut claimed) = claim(&store, "second", "body").unwrap() else {
        panic!("nothing is known under it");
    };
    claimed.set_record(NewRecord {
        id: Identity::now().id(),
        receipt: Box::new(Cursor::new(Vec::new())),
        size: 0,
    });
    let failed = store.commit([&mut claimed]).unwrap_err();
    assert_eq!(failed.error.kind(), io::ErrorKind::NotFound);
    assert!(!failed.is_in_doubt);
    drop(claimed);
    // The next one begins another.
    assert!(remember(&store, "second", 10));
    assert!(state.join("keys.redb").exists());
    drop(store);
    let store = open(folder.path(), u64::MAX);
    assert!(receipt(&store, "first").is_none());
    assert!(receipt(&store, "second").is_some());
}
