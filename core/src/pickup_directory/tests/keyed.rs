//! Submissions under a key, whose process dies at any of its steps: by a kill or by a power failure. The test program
//! runs itself again as the process that dies; see `crash`.

use std::env;
use std::io::{Cursor, Read};

use super::crash::{BY_THREAD, DIES_AT, Disk, TAKES_A_NAME};
use super::processes::{DIRECTORY, OPTIONS, run_until_it_dies};
use super::*;
use crate::idempotency::{Fingerprinter, Found, IdempotencyKey, NewRecord};
use crate::identity::{Id, Identity};
use crate::pickup_directory::ClaimError;

const NAMES: [&str; 3] = ["1.eml", "2.eml", "3.eml"];
const COUNT: &str = "PICKUP_TEST_COUNT";
const TEST: &str = "keyed::the_keyed_process_that_dies";
const RECEIPT: &[u8] = b"a receipt";

fn key() -> IdempotencyKey {
    "a key".parse().unwrap()
}

fn find(directory: &PickupDirectory, body: &[u8]) -> Result<Found, ClaimError> {
    directory.claim_key(key(), Fingerprinter::new(&[]).with(body).finish())
}

/// Submits so many files under the key, unless that was done before: the number of those that it submitted.
fn submit_once(directory: &PickupDirectory, count: usize) -> Result<usize, PickupError> {
    let claim = match find(directory, b"body") {
        Ok(Found::Nothing(claim)) => claim,
        Ok(Found::Receipt { pieces, .. }) => {
            assert_eq!(pieces.concat(), RECEIPT);
            return Ok(0);
        }
        Err(ClaimError::Pickup(error)) => return Err(error),
        Err(other) => panic!("{other:?}"),
    };
    let id = id();
    let mut transaction = directory.begin_claimed(id, Some(claim));
    for name in &NAMES[..count] {
        transaction.write(name, &[&bytes_of(name)])?;
    }
    let claim = transaction.claim_mut().unwrap();
    claim.set_record(NewRecord {
        id,
        receipt: Box::new(Cursor::new(RECEIPT)),
        size: RECEIPT.len() as u64,
    });
    if env::var(BY_THREAD).is_ok() {
        directory.start_commit_threads().unwrap();
        commit_by_thread(transaction)?;
    } else {
        transaction.commit()?;
    }
    Ok(count)
}

fn id() -> Id {
    Identity::now().id()
}

fn with_state(place: &Path, options: PickupOptions) -> PickupOptions {
    options.with_state(place.with_file_name("state"))
}

fn options_of(place: &Place, number: usize) -> PickupOptions {
    with_state(&place.path(), all_options().swap_remove(number))
}

/// Not a test but the process that dies.
#[test]
#[ignore = "run by the tests below"]
fn the_keyed_process_that_dies() {
    let (Ok(path), Ok(options), Ok(count)) =
        (env::var(DIRECTORY), env::var(OPTIONS), env::var(COUNT))
    else {
        return;
    };
    let path = PathBuf::from(path);
    let options = with_state(&path, all_options().swap_remove(options.parse().unwrap()));
    let directory = PickupDirectory::open(path, options).unwrap();
    let submitted = submit_once(&directory, count.parse().unwrap());
    assert_eq!(submitted.is_err(), env::var(TAKES_A_NAME).is_ok());
}

/// Runs the process up to a step. Returns `false` if it came to its end before.
fn die_at(step: usize, place: &Place, options: usize, count: usize, settings: &[&str]) -> bool {
    let (step, count) = (step.to_string(), count.to_string());
    let mut environment = vec![(DIES_AT, step.as_str()), (COUNT, count.as_str())];
    environment.extend(settings.iter().map(|setting| (*setting, "1")));
    match run_until_it_dies(TEST, place, options, &environment) {
        Some(9) => true,
        Some(0) => false,
        other => panic!("it ended with {other:?}"),
    }
}

/// Takes the files away, as PowerMTA does; they are whole.
fn take(place: &Place) -> BTreeSet<String> {
    let names = place.names();
    for name in &names {
        let path = place.path().join(name);
        assert_eq!(fs::read(&path).unwrap(), bytes_of(name));
        fs::remove_file(path).unwrap();
    }
    names
}

/// The next process opens the directory, and the client tries again, and again. PowerMTA takes what it sees: each
/// file comes once. Gives how many files came by the retry.
fn assert_once(place: &Place, options: &PickupOptions, count: usize, mut taken: BTreeSet<String>) {
    let mut add = |names: BTreeSet<String>| {
        for name in names {
            assert!(taken.insert(name), "a file came twice");
        }
    };
    let directory = place.open(options);
    add(take(place));
    let submitted = submit_once(&directory, count).unwrap();
    add(take(place));
    assert_eq!(submit_once(&directory, count).unwrap(), 0);
    assert!(matches!(
        find(&directory, b"other"),
        Err(ClaimError::Conflict)
    ));
    drop(directory);
    let directory = place.open(options);
    assert_eq!(submit_once(&directory, count).unwrap(), 0);
    add(take(place));
    assert_eq!(taken.len(), count, "{submitted} by the retry");
    drop(directory);
    assert!(is_empty_or_missing(&place.staging()));
}

#[test]
fn a_kill_at_any_step_and_a_retry_are_one_submission() {
    for (number, settings) in [(0, &[][..]), (2, &[]), (3, &[]), (0, &[BY_THREAD])] {
        for count in [1, 3] {
            for step in 0.. {
                let place = Place::new();
                let dies = die_at(step, &place, number, count, settings);
                let taken = take(&place);
                assert_once(&place, &options_of(&place, number), count, taken);
                if !dies {
                    assert!(step > 5, "{step}");
                    break;
                }
            }
        }
    }
}

/// A file that has the name is there at the last moment: the submission fails, and the key is free.
#[test]
fn a_failure_after_the_decision_frees_the_key_at_any_step() {
    for step in 0.. {
        let place = Place::new();
        let options = options_of(&place, 0);
        let dies = die_at(step, &place, 0, 3, &[TAKES_A_NAME]);
        let theirs = place.path().join(NAMES[1]);
        let is_theirs = fs::read(&theirs).is_ok_and(|bytes| bytes == b"another's");
        let mut directory = place.open(&options);
        if is_theirs {
            if !dies {
                assert_eq!(place.names().len(), 1, "nothing was published");
                assert_eq!(submit_once(&directory, 1).unwrap(), 1, "the key is free");
                break;
            }
            // PowerMTA takes the other's file; what is decided goes on.
            fs::remove_file(&theirs).unwrap();
            drop(directory);
            directory = place.open(&options);
        }
        drop(directory);
        let taken = take(&place);
        assert!([0, 3].contains(&taken.len()), "{taken:?} after step {step}");
        assert_once(&place, &options, 3, taken);
    }
}

#[test]
fn a_power_failure_at_any_step_and_a_retry_are_one_submission() {
    for count in [1, 3] {
        for step in 0.. {
            let place = Place::new();
            let options = options_of(&place, 0);
            let dies = die_at(step, &place, 0, count, &[]);
            let disk = Disk::of(&place);
            let state = place.path().with_file_name("state");
            let kept = place.path().with_file_name("state.kept");
            if state.exists() {
                copy_files(&state, &kept);
            }
            for (pickup, folder) in disk.states() {
                disk.restore(&place, pickup.as_deref(), folder.as_deref());
                let _ = fs::remove_dir_all(&state);
                if kept.exists() {
                    copy_files(&kept, &state);
                }
                if !dies {
                    // PowerMTA has taken all of them since the answer.
                    for name in &NAMES[..count] {
                        let _ = fs::remove_file(place.path().join(name));
                    }
                    let taken = NAMES[..count].iter().map(ToString::to_string).collect();
                    assert_once(&place, &options, count, taken);
                    continue;
                }
                assert_once(&place, &options, count, BTreeSet::new());
            }
            if !dies {
                break;
            }
        }
    }
}

fn copy_files(from: &Path, to: &Path) {
    let _ = fs::create_dir(to);
    for name in names_in(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Without the store nobody can know what is decided.
#[test]
fn a_process_without_the_store_leaves_keyed_files_alone() {
    let place = Place::new();
    let directory = place.open(&options_of(&place, 0));
    submit_once(&directory, 1).unwrap();
    let Ok(folders) = fs::read_dir(place.staging()) else {
        panic!("there is a folder");
    };
    let folder = folders.last().unwrap().unwrap().path();
    let copy = folder.with_file_name(format!(
        "pmtaemail-1-1-{}",
        folder
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .splitn(4, '-')
            .last()
            .unwrap()
    ));
    fs::create_dir(&copy).unwrap();
    for name in ["lock", "0.x.eml"] {
        fs::write(copy.join(name), "").unwrap();
    }
    drop(directory);
    let options = PickupOptions::default().with_state(place.path().with_file_name("other"));
    let other = place.open(&options);
    submit_once(&other, 1).unwrap_err();
    take(&place);
    submit_once(&other, 1).unwrap();
    assert!(copy.join("0.x.eml").exists());
    drop(other);
    place.open(&options_of(&place, 0));
    assert!(!copy.exists());
}

/// A disk that fails: it is unknown whether the record is there, and what the store has decides.
#[test]
fn a_key_that_is_in_work_is_free_again_when_its_submission_fails() {
    let place = Place::new();
    let directory = place.open(&options_of(&place, 0));
    let found = find(&directory, b"body").unwrap();
    assert!(matches!(find(&directory, b"body"), Err(ClaimError::InWork)));
    assert!(matches!(
        find(&directory, b"other"),
        Err(ClaimError::InWork)
    ));
    drop(found);
    let mut transaction = match find(&directory, b"body") {
        Ok(Found::Nothing(claim)) => directory.begin_claimed(id(), Some(claim)),
        _ => panic!("it is free"),
    };
    transaction.write("1.eml", &[b"x"]).unwrap();
    drop(transaction);
    assert!(place.names().is_empty());
    assert_eq!(submit_once(&directory, 1).unwrap(), 1);
}

#[test]
fn many_keys_at_a_time_share_their_syncs() {
    let place = Place::new();
    let directory = place.open(&options_of(&place, 0));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let directory = &directory;
            scope.spawn(move || {
                for number in 0..20 {
                    let name = format!("{thread}-{number}.eml");
                    let key: IdempotencyKey = name.parse().unwrap();
                    let body = Fingerprinter::new(&[]).with(name.as_bytes()).finish();
                    let Ok(Found::Nothing(claim)) = directory.claim_key(key, body) else {
                        panic!("it is a new key");
                    };
                    let id = id();
                    let mut transaction = directory.begin_claimed(id, Some(claim));
                    transaction.write(&name, &[&bytes_of(&name)]).unwrap();
                    transaction.claim_mut().unwrap().set_record(NewRecord {
                        id,
                        receipt: Box::new(Cursor::new(name.clone().into_bytes())),
                        size: name.len() as u64,
                    });
                    transaction.commit().unwrap();
                    let Ok(Found::Receipt { pieces, .. }) = directory.claim_key(key, body) else {
                        panic!("it is known");
                    };
                    let mut read = String::new();
                    Cursor::new(pieces.concat())
                        .read_to_string(&mut read)
                        .unwrap();
                    assert_eq!(read, name);
                }
            });
        }
    });
    assert_eq!(take(&place).len(), 160);
}
