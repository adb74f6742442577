//! Transactions that no thread waits for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use super::threads::assert_all_whole;
use super::*;

fn with_threads(place: &Place, options: &PickupOptions) -> PickupDirectory {
    let directory = place.open(options);
    directory.start_commit_threads().unwrap();
    directory
}

#[test]
fn they_are_committed_beside_those_that_threads_wait_for() {
    const THREADS: usize = 16;
    const EACH: usize = 20;
    for options in all_options() {
        let place = Place::new();
        let directory = with_threads(&place, &options);
        let (sender, results) = mpsc::channel();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (directory, sender) = (&directory, sender.clone());
                scope.spawn(move || {
                    for number in 0..EACH {
                        let name = |part| format!("{thread}-{number}-{part}.eml");
                        let [single, first, second] = ["single", "first", "second"].map(name);
                        for names in [&[&*single][..], &[&first, &second]] {
                            let transaction = written(directory, names).unwrap();
                            let sender = sender.clone();
                            transaction.commit_with(move |result| sender.send(result).unwrap());
                        }
                        submit(directory, &[&name("waited-for")]).unwrap();
                    }
                });
            }
        });
        drop(sender);
        let results: Vec<_> = results.iter().collect();
        assert!(results.len() == 2 * THREADS * EACH && results.iter().all(Result::is_ok));
        assert_all_whole(&place.path());
        assert_eq!(place.names().len(), 4 * THREADS * EACH);
        assert!(is_empty_or_missing(&place.staging()));
    }
}

#[test]
fn a_single_file_waits_for_no_others() {
    let place = Place::new();
    let directory = with_threads(&place, &PickupOptions::default());
    for number in 0..20 {
        let name = format!("{number}.eml");
        commit_by_thread(written(&directory, &[&name]).unwrap()).unwrap();
        assert!(place.names().contains(&name), "it is told too early");
    }
}

#[test]
fn each_gets_its_own_failure() {
    for options in all_options() {
        let place = Place::new();
        let directory = with_threads(&place, &options);
        let taken = written(&directory, &["1.eml"]).unwrap();
        submit(&directory, &["1.eml"]).unwrap();
        let error = commit_by_thread(taken).unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
        commit_by_thread(written(&directory, &["2.eml"]).unwrap()).unwrap();
        commit_by_thread(directory.begin()).unwrap();
        let lost = written(&directory, &["3.eml"]).unwrap();
        fs::remove_dir_all(place.path()).unwrap();
        let error = commit_by_thread(lost).unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::NotFound);
    }
}

#[test]
fn without_commit_threads_the_caller_does_it() {
    let place = Place::new();
    let directory = place.open(&PickupOptions::default());
    let caller = thread::current().id();
    let (sender, result) = mpsc::channel();
    let transaction = written(&directory, &["1.eml"]).unwrap();
    transaction.commit_with(move |result| sender.send((result, thread::current().id())).unwrap());
    let (result, thread) = result.try_recv().unwrap();
    result.unwrap();
    assert_eq!(thread, caller);
}

#[test]
fn commits_in_progress_finish_when_the_directory_is_dropped() {
    let place = Place::new();
    let directory = with_threads(&place, &PickupOptions::default());
    let (sender, results) = mpsc::channel();
    for number in 0..100 {
        let transaction = written(&directory, &[&format!("{number}.eml")]).unwrap();
        let sender = sender.clone();
        transaction.commit_with(move |result| sender.send(result).unwrap());
    }
    drop((directory, sender));
    assert_eq!(results.iter().flatten().count(), 100);
    assert_eq!(place.names().len(), 100);
}

#[test]
fn a_callback_may_drop_the_directory() {
    let place = Place::new();
    let directory = Arc::new(with_threads(&place, &PickupOptions::default()));
    let last = Arc::clone(&directory);
    let (sender, told) = mpsc::channel();
    let transaction = written(&directory, &["1.eml"]).unwrap();
    let others_have_let_go = Arc::new(Barrier::new(2));
    let barrier = Arc::clone(&others_have_let_go);
    transaction.commit_with(move |result| {
        barrier.wait();
        drop(last);
        sender.send(result).unwrap();
    });
    drop(directory);
    others_have_let_go.wait();
    told.recv().unwrap().unwrap();
}

#[derive(Debug, Default)]
struct Panics {
    commits: AtomicUsize,
}

impl Observer for Panics {
    fn committed(&self, _: &CommitReport) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn a_panic_does_not_end_a_commit_thread() {
    let place = Place::new();
    let observer = Arc::new(Panics::default());
    let options = PickupOptions::default().with_observer(observer.clone());
    let directory = with_threads(&place, &options);
    for number in 0..10 {
        commit_by_thread(written(&directory, &[&format!("{number}.eml")]).unwrap()).unwrap();
    }
    assert!(observer.commits.load(Ordering::Relaxed) >= 9);
    let told = Arc::new(Mutex::new(0));
    let (sender, results) = mpsc::channel();
    for number in 10..20 {
        let transaction = written(&directory, &[&format!("{number}.eml")]).unwrap();
        let (told, sender) = (Arc::clone(&told), sender.clone());
        transaction.commit_with(move |result| {
            *told.lock().unwrap() += 1;
            sender.send(result).unwrap();
            std::panic::resume_unwind(Box::new(()));
        });
    }
    drop(sender);
    assert_eq!(results.iter().flatten().count(), 10);
    assert_eq!(*told.lock().unwrap(), 10);
}
