//! What is reported about commits.

use std::sync::{Arc, Mutex};
use std::thread;

use super::*;

#[derive(Debug, Default)]
struct Reports(Mutex<Vec<CommitReport>>);

impl Observer for Reports {
    fn committed(&self, report: &CommitReport) {
        self.0.lock().unwrap().push(report.clone());
    }
}

impl Reports {
    fn take(&self) -> Vec<CommitReport> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn observed(place: &Place, options: PickupOptions) -> (PickupDirectory, Arc<Reports>) {
    let reports = Arc::new(Reports::default());
    let directory = place.open(&options.with_observer(reports.clone()));
    (directory, reports)
}

#[test]
fn a_commit_is_reported_with_its_size_and_its_syncs() {
    for options in all_options() {
        let place = Place::new();
        let (directory, reports) = observed(&place, options.clone());
        submit(&directory, &["1.eml", "2.eml"]).unwrap();
        let [report] = &reports.take()[..] else {
            panic!("one report");
        };
        let size = bytes_of("1.eml").len() + bytes_of("2.eml").len();
        assert_eq!((report.transactions, report.files), (1, 2));
        assert_eq!(report.bytes, size as u64);
        assert!(report.errors.is_empty());
        assert_eq!(report.data_sync.is_some(), options.is_durable());
        assert_eq!(report.directory_sync.is_some(), options.is_durable());
    }
}

#[test]
fn failed_transactions_are_reported_with_their_errors() {
    for options in all_options() {
        let place = Place::new();
        let (directory, reports) = observed(&place, options);
        let mut good = directory.begin();
        good.write("1.eml", &[b"four"]).unwrap();
        let mut bad = directory.begin();
        bad.write("1.eml", &[b"x"]).unwrap();
        let results: Vec<Result<&str, PickupError>> =
            directory.commit_all(vec![Ok(("good", good)), Ok(("bad", bad))]);
        assert_eq!(results[0].as_ref().unwrap(), &"good");
        fs::remove_dir_all(place.path()).unwrap();
        let mut lost = directory.begin();
        assert!(lost.write("2.eml", &[b"x"]).is_err() || lost.commit().is_err());
        let reports = reports.take();
        assert_eq!(
            (reports[0].transactions, reports[0].files, reports[0].bytes),
            (2, 1, 4)
        );
        let [error] = &reports[0].errors[..] else {
            panic!("one error");
        };
        assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
        // A file that cannot be written is never committed.
        for report in &reports[1..] {
            assert_eq!((report.transactions, report.files), (1, 0));
            assert_eq!(report.errors[0].kind(), PickupErrorKind::NotFound);
        }
    }
}

#[test]
fn each_transaction_of_many_threads_is_reported_once() {
    let place = Place::new();
    let (directory, reports) = observed(&place, PickupOptions::default());
    thread::scope(|scope| {
        for thread in 0..32 {
            let directory = &directory;
            scope.spawn(move || {
                for number in 0..10 {
                    submit(directory, &[&format!("{thread}-{number}.eml")]).unwrap();
                }
            });
        }
    });
    let reports = reports.take();
    let transactions: usize = reports.iter().map(|report| report.transactions).sum();
    let files: usize = reports.iter().map(|report| report.files).sum();
    assert_eq!((transactions, files), (320, 320));
}
