//! A process that dies at any of its steps, by a kill or by a power failure: all files of a transaction, or
//! none. The test program runs itself again as the process that dies.
//!
//! A kill leaves what all calls have done. Of a power failure only this is assumed: of each directory there
//! are the names that it had when it was synced last, or those that it has now, however it is with the
//! other one; and a file that was renamed is in one of the two. File systems with a journal leave fewer
//! states than that.

use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::processes::{DIRECTORY, OPTIONS, run_until_it_dies};
use super::*;

pub(super) const DIES_AT: &str = "PICKUP_TEST_DIES_AT";
pub(super) const BY_THREAD: &str = "PICKUP_TEST_BY_THREAD";
pub(super) const TAKES_A_NAME: &str = "PICKUP_TEST_TAKES_A_NAME";
const TEST: &str = "crash::the_process_that_dies";
const NAMES: [&str; 3] = ["1.eml", "2.eml", "3.eml"];

/// What the process does next to a directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Step {
    Change,
    Decide,
}

/// Ends the process here if it was begun to end at this step: nothing is dropped.
pub(in super::super) fn step(step: Step) {
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    let Ok(last) = env::var(DIES_AT) else { return };
    if STEPS.fetch_add(1, Ordering::SeqCst) == last.parse::<usize>().unwrap() {
        std::process::exit(9);
    }
    if step == Step::Decide && env::var(TAKES_A_NAME).is_ok() {
        let pickup = PathBuf::from(env::var(DIRECTORY).unwrap());
        fs::write(pickup.join(NAMES[1]), "another's").unwrap();
    }
}

/// Keeps the names that a directory has now: they are durable.
pub(in super::super) fn synced(directory: &File) {
    use std::os::fd::AsRawFd;
    if env::var(DIES_AT).is_err() {
        return;
    }
    let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
    let path = fs::read_link(link).unwrap();
    let pickup = PathBuf::from(env::var(DIRECTORY).unwrap());
    // The parent of both is not looked at: the staging folder is there or not.
    if path.starts_with(&pickup) || path.parent().unwrap().ends_with("pickup.staging") {
        copy(&path, &synced_of(pickup.parent().unwrap(), &path));
        if path != pickup {
            fs::write(pickup.with_file_name("folder.path"), path.to_str().unwrap()).unwrap();
        }
    } else if path.ends_with("pickup.staging") {
        fs::write(pickup.with_file_name("staging is synced"), "").unwrap();
    }
}

fn synced_of(parent: &Path, directory: &Path) -> PathBuf {
    let is_pickup = directory.ends_with("pickup");
    parent.join(if is_pickup {
        "pickup.synced"
    } else {
        "folder.synced"
    })
}

/// Makes `to` a directory with the files that `from` has.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for name in names_in(from) {
        fs::hard_link(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Not a test but the process that dies.
#[test]
#[ignore = "run by the tests below"]
fn the_process_that_dies() {
    let (Ok(path), Ok(options)) = (env::var(DIRECTORY), env::var(OPTIONS)) else {
        return;
    };
    let options = all_options().swap_remove(options.parse().unwrap());
    let directory = PickupDirectory::open(path, options).unwrap();
    let transaction = written(&directory, &NAMES).unwrap();
    let committed = if env::var(BY_THREAD).is_ok() {
        directory.start_commit_threads().unwrap();
        commit_by_thread(transaction)
    } else {
        transaction.commit()
    };
    assert_eq!(committed.is_err(), env::var(TAKES_A_NAME).is_ok());
}

/// Runs the process up to a step. Returns `false` if it came to its end before.
fn die_at(step: usize, place: &Place, options: usize, settings: &[&str]) -> bool {
    let step = step.to_string();
    let mut environment = vec![(DIES_AT, step.as_str())];
    environment.extend(settings.iter().map(|setting| (*setting, "1")));
    match run_until_it_dies(TEST, place, options, &environment) {
        Some(9) => true,
        Some(0) => false,
        other => panic!("it ended with {other:?}"),
    }
}

/// The folder of the process that died.
fn left(place: &Place) -> Option<PathBuf> {
    let staging = place.staging();
    let names = staging.is_dir().then(|| names_in(&staging))?;
    names.into_iter().next().map(|name| staging.join(name))
}

/// How many files of the transaction are there, the process that opens the directory having done its part.
fn after_recovery(place: &Place, options: &PickupOptions, takes_a_name: bool) -> usize {
    place.open(options);
    if takes_a_name && left(place).is_some() {
        // The other's file was in the way; PowerMTA takes it, and the next one goes on.
        fs::remove_file(place.path().join(NAMES[1])).unwrap();
        place.open(options);
    }
    assert_eq!(left(place), None);
    let theirs =
        |name: &&&str| fs::read(place.path().join(name)).is_ok_and(|bytes| bytes == bytes_of(name));
    NAMES.iter().filter(theirs).count()
}

/// Those whose steps differ: each step is a process.
fn some_options() -> impl Iterator<Item = (usize, PickupOptions)> {
    let different = |(number, _): &(usize, PickupOptions)| [0, 2, 3].contains(number);
    all_options().into_iter().enumerate().filter(different)
}

#[test]
fn a_kill_at_any_step_leaves_all_files_or_none() {
    for (number, options) in some_options() {
        for settings in [&[][..], &[TAKES_A_NAME]] {
            assert_all_or_none(number, &options, settings);
        }
    }
}

/// The step is one of a commit thread, but the process dies.
#[test]
fn a_kill_at_any_step_of_a_commit_thread_leaves_all_files_or_none() {
    let options = &all_options()[0];
    for settings in [&[BY_THREAD][..], &[BY_THREAD, TAKES_A_NAME]] {
        assert_all_or_none(0, options, settings);
    }
}

fn assert_all_or_none(number: usize, options: &PickupOptions, settings: &[&str]) {
    let takes_a_name = settings.contains(&TAKES_A_NAME);
    let mut seen = BTreeSet::new();
    for step in 0.. {
        let place = Place::new();
        let dies = die_at(step, &place, number, settings);
        let visible = place.names();
        let count = after_recovery(&place, options, takes_a_name);
        assert!(
            [0, NAMES.len()].contains(&count),
            "{count} files after step {step}, {visible:?} before"
        );
        seen.insert(count);
        if !dies {
            assert_eq!(count == 0, takes_a_name, "what it said is so");
            break;
        }
    }
    assert_eq!(seen, [0, NAMES.len()].into());
}

/// A reader takes what it sees, at each instant. Nothing comes twice.
#[test]
fn files_taken_before_a_kill_do_not_reappear() {
    let options = &all_options()[0];
    for step in 0.. {
        let place = Place::new();
        let dies = die_at(step, &place, 0, &[]);
        let taken = place.names();
        for name in &taken {
            fs::remove_file(place.path().join(name)).unwrap();
        }
        let later = after_recovery(&place, options, false);
        assert!(place.names().is_disjoint(&taken), "step {step}");
        assert!(
            [0, NAMES.len()].contains(&(taken.len() + later)),
            "step {step}"
        );
        if !dies {
            break;
        }
    }
}

#[test]
fn a_power_failure_at_any_step_leaves_all_files_or_none() {
    for (number, options) in some_options() {
        if !options.is_durable() {
            continue;
        }
        for settings in [&[][..], &[TAKES_A_NAME], &[BY_THREAD]] {
            let takes_a_name = settings.contains(&TAKES_A_NAME);
            for step in 0.. {
                let place = Place::new();
                let dies = die_at(step, &place, number, settings);
                let disk = Disk::of(&place);
                for (pickup, folder) in disk.states() {
                    if !dies && !takes_a_name {
                        // PowerMTA has taken all of them since the answer.
                        disk.restore(&place, pickup.as_deref(), folder.as_deref());
                        for name in NAMES {
                            let _ = fs::remove_file(place.path().join(name));
                        }
                        assert_eq!(after_recovery(&place, &options, false), 0);
                    }
                    disk.restore(&place, pickup.as_deref(), folder.as_deref());
                    let count = after_recovery(&place, &options, takes_a_name);
                    let state =
                        format!("{count} files after step {step} from {pickup:?}, {folder:?}");
                    assert!([0, NAMES.len()].contains(&count), "{state}");
                    assert!(dies || (count == 0) == takes_a_name, "{state}");
                }
                if !dies {
                    break;
                }
            }
        }
    }
}

/// What is on the disk, and what is in memory alone.
pub(super) struct Disk {
    parent: PathBuf,
    /// Where the folder of the process was.
    folder: Option<PathBuf>,
}

impl Disk {
    pub(super) fn of(place: &Place) -> Self {
        let disk = Self {
            parent: place.parent.path().to_owned(),
            folder: fs::read_to_string(place.parent.path().join("folder.path"))
                .ok()
                .map(PathBuf::from)
                .or_else(|| left(place)),
        };
        copy(&place.path(), &disk.parent.join("pickup.now"));
        if let Some(folder) = left(place) {
            copy(&folder, &disk.parent.join("folder.now"));
        }
        disk
    }

    /// What may be found of the pickup directory and of the folder.
    pub(super) fn states(&self) -> Vec<(Option<PathBuf>, Option<PathBuf>)> {
        let there = |name: &str| Some(self.parent.join(name)).filter(|path| path.exists());
        let mut folders = vec![there("folder.now"), there("folder.synced")];
        if there("staging is synced").is_none() {
            folders.push(None);
        }
        let mut states = Vec::new();
        for pickup in ["pickup.now", "pickup.synced"] {
            states.extend(folders.iter().map(|folder| (there(pickup), folder.clone())));
        }
        states
    }

    /// The name of a file in the folder; under a key it has the key's token.
    fn staged_name(&self, name: &str) -> String {
        let folders = ["folder.synced", "folder.now"].map(|folder| self.parent.join(folder));
        let names = folders.iter().filter(|folder| folder.exists());
        let end = format!(".{name}");
        let staged = |staged: &String| staged.starts_with("0.") && staged.ends_with(&end);
        let mut found = names.flat_map(|folder| names_in(folder)).filter(staged);
        found.next().unwrap_or_else(|| format!("0.{name}"))
    }

    pub(super) fn restore(&self, place: &Place, pickup: Option<&Path>, folder: Option<&Path>) {
        let _ = fs::remove_dir_all(place.staging());
        let nothing = self.parent.join("nothing");
        let _ = fs::create_dir(&nothing);
        copy(pickup.unwrap_or(&nothing), &place.path());
        if let (Some(from), Some(to)) = (folder, &self.folder) {
            fs::create_dir(place.staging()).unwrap();
            copy(from, to);
            for name in NAMES {
                let (renamed, staged) = (
                    self.parent.join("pickup.now").join(name),
                    to.join(self.staged_name(name)),
                );
                let is_lost = !place.path().join(name).exists() && !staged.exists();
                if is_lost && renamed.exists() {
                    fs::hard_link(renamed, staged).unwrap();
                }
            }
        }
    }
}

/// Not a test but a process that opens the directory, and dies at that.
#[test]
#[ignore = "run by the tests below"]
fn the_process_that_opens() {
    if let Ok(path) = env::var(DIRECTORY) {
        PickupDirectory::open(path, PickupOptions::default()).unwrap();
    }
}

#[test]
fn a_recovery_may_be_killed_too() {
    let options = &all_options()[0];
    let mut recoveries = 0;
    for step in 0.. {
        let place = Place::new();
        if !die_at(step, &place, 0, &[]) {
            break;
        }
        let is_decided = left(&place).is_some_and(|folder| folder.join("decided-0").exists());
        for last in 0.. {
            let place = Place::new();
            if !is_decided {
                break;
            }
            die_at(step, &place, 0, &[]);
            let number = last.to_string();
            let opens = "crash::the_process_that_opens";
            let ended = run_until_it_dies(opens, &place, 0, &[(DIES_AT, &number)]);
            assert_eq!(after_recovery(&place, options, false), NAMES.len());
            recoveries += 1;
            if ended == Some(0) {
                break;
            }
        }
    }
    assert!(recoveries > 20, "{recoveries}");
}
