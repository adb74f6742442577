//! Many threads of one process.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

const THREADS: usize = 48;
const EACH: usize = 15;

#[test]
fn a_reader_sees_whole_files_only_and_every_one_that_was_acknowledged() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let acknowledged = Mutex::new(BTreeSet::new());
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut looks = 0_u32;
                while !done.load(Ordering::Acquire) || looks == 0 {
                    assert_all_whole(&place.path());
                    looks += 1;
                }
            });
            thread::scope(|writers| {
                for thread in 0..THREADS {
                    let (directory, acknowledged) = (&directory, &acknowledged);
                    writers.spawn(move || {
                        for number in 0..EACH {
                            let names = [
                                format!("{thread}-{number}-a.eml"),
                                format!("{thread}-{number}-b.eml"),
                            ];
                            submit(directory, &[&names[0], &names[1]]).unwrap();
                            acknowledged.lock().unwrap().extend(names);
                        }
                    });
                }
            });
            done.store(true, Ordering::Release);
            reader.join().unwrap();
        });
        assert_all_whole(&place.path());
        assert_eq!(place.names(), acknowledged.into_inner().unwrap());
        assert_eq!(place.names().len(), THREADS * EACH * 2);
        assert!(is_empty_or_missing(&place.staging()));
    }
}

#[test]
fn the_first_of_each_name_wins_and_the_others_are_reported() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let won = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (directory, won) = (&directory, &won);
                scope.spawn(move || {
                    for number in 0..EACH {
                        // A file of its own first, which must be gone again if the second name is
                        // taken.
                        let own = format!("{number}-{thread}.eml");
                        let shared = format!("{number}.eml");
                        match submit(directory, &[&own, &shared]) {
                            Ok(()) => won.lock().unwrap().extend([own, shared]),
                            Err(error) => {
                                assert_eq!(error.kind(), PickupErrorKind::AlreadyExists, "{error}");
                            }
                        }
                    }
                });
            }
        });
        let won = won.into_inner().unwrap();
        assert_eq!(won.len(), EACH * 2);
        assert_eq!(place.names(), won.into_iter().collect());
    }
}

#[test]
fn a_directory_that_vanishes_fails_everybody_and_nobody_hangs() {
    let place = Place::new();
    let directory = place.open(&PickupOptions::default());
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let mut transaction = directory.begin();
            transaction
                .write(&format!("{thread}.eml"), &[b"x"])
                .unwrap();
            if thread == 0 {
                fs::remove_dir(place.path()).unwrap();
                fs::create_dir(place.path()).unwrap();
            }
            scope.spawn(move || transaction.commit());
        }
    });
    fs::remove_dir_all(place.path()).unwrap();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| scope.spawn(|| submit(&directory, &["1.eml"])))
            .collect();
        for thread in threads {
            assert_eq!(
                thread.join().unwrap().unwrap_err().kind(),
                PickupErrorKind::NotFound
            );
        }
    });
    fs::create_dir(place.path()).unwrap();
    submit(&directory, &["1.eml"]).unwrap();
}

pub(super) fn assert_all_whole(folder: &Path) {
    for name in names_in(folder) {
        let bytes = fs::read(folder.join(&name)).unwrap();
        assert!(bytes == bytes_of(&name), "{name} has {} bytes", bytes.len());
    }
}
