//! Several processes, and processes that die. The test program runs itself again as the other
//! process.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::threads::assert_all_whole;
use super::*;

pub(super) const DIRECTORY: &str = "PICKUP_TEST_DIRECTORY";
pub(super) const OPTIONS: &str = "PICKUP_TEST_OPTIONS";

/// Not a test but the other process: submits without end from eight threads, and writes each
/// name to its output afterwards.
#[test]
#[ignore = "run by the tests below"]
fn other_process() {
    let (Ok(path), Ok(options)) = (env::var(DIRECTORY), env::var(OPTIONS)) else {
        return;
    };
    let options = all_options().swap_remove(options.parse().unwrap());
    let directory = PickupDirectory::open(path, options).unwrap();
    let process = std::process::id();
    thread::scope(|scope| {
        for thread in 0..8 {
            let directory = &directory;
            scope.spawn(move || {
                for number in 0.. {
                    let name = format!("{process}-{thread}-{number}.eml");
                    submit(directory, &[&name]).unwrap();
                    // In one call, so that lines do not mix; not by println, which the test harness
                    // keeps to itself.
                    if io::stdout()
                        .write_all(format!("\n{name}\n").as_bytes())
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
}

/// Not a test but the other process: it has a large transaction in progress until it is killed.
#[test]
#[ignore = "run by the tests below"]
fn unfinished_process() {
    let (Ok(path), Ok(options)) = (env::var(DIRECTORY), env::var(OPTIONS)) else {
        return;
    };
    let options = all_options().swap_remove(options.parse().unwrap());
    let directory = PickupDirectory::open(path, options).unwrap();
    let mut transaction = directory.begin();
    for number in 0..100 {
        let name = format!("unfinished-{number}.eml");
        transaction.write(&name, &[&bytes_of(&name)]).unwrap();
    }
    io::stdout().write_all(b"\nunfinished.eml\n").unwrap();
    loop {
        thread::park();
    }
}

fn start(test: &str, place: &Place, options: usize) -> Child {
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            &format!("{module}::{test}"),
            "--ignored",
            "--nocapture",
        ])
        .env(DIRECTORY, place.path())
        .env(OPTIONS, options.to_string())
        .stdout(Stdio::piped());
    spawn(&mut command)
}

fn spawn(command: &mut Command) -> Child {
    let _nothing_is_opened = STARTING.write();
    command.spawn().unwrap()
}

/// Runs one test of this folder as another process, after what the shell is to do first.
pub(super) fn run_again(test: &str, place: &Place, options: usize, first: &str) {
    let (_, module) = module_path!().split_once("::").unwrap();
    let folder = module.strip_suffix("processes").unwrap();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{first} exec \"$0\" --exact \"$1\" --nocapture"))
        .arg(env::current_exe().unwrap())
        .arg(format!("{folder}{test}"))
        .env(DIRECTORY, place.path())
        .env(OPTIONS, options.to_string())
        .stdout(Stdio::null());
    assert!(spawn(&mut command).wait().unwrap().success());
}

/// Runs one test of this folder that is not for others to run as another process. Gives its exit code.
#[cfg(target_os = "linux")]
pub(super) fn run_until_it_dies(
    test: &str,
    place: &Place,
    options: usize,
    environment: &[(&str, &str)],
) -> Option<i32> {
    let (_, module) = module_path!().split_once("::").unwrap();
    let folder = module.strip_suffix("processes").unwrap();
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            &format!("{folder}{test}"),
            "--ignored",
            "--nocapture",
        ])
        .env(DIRECTORY, place.path())
        .env(OPTIONS, options.to_string())
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = spawn(&mut command).wait_with_output().unwrap();
    output.status.code()
}

/// Reads acknowledgements, kills the process in the middle of its work, and reads the rest.
fn kill_after(child: &mut Child, count: usize) -> Vec<String> {
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter(|line| line.contains(".eml"));
    let mut names: Vec<String> = lines.by_ref().take(count).collect();
    assert_eq!(names.len(), count, "the other process ended early");
    child.kill().unwrap();
    names.extend(lines);
    child.wait().unwrap();
    names
}

#[test]
fn killed_processes_leave_whole_files_and_no_rubbish() {
    for (number, options) in all_options().iter().enumerate() {
        let place = Place::new();
        let mut acknowledged = BTreeSet::new();
        for round in 0..3 {
            let mut children: Vec<_> = (0..3)
                .map(|_| start("other_process", &place, number))
                .collect();
            thread::scope(|scope| {
                let readers: Vec<_> = children
                    .iter_mut()
                    .map(|child| scope.spawn(move || kill_after(child, 20 + round * 7)))
                    .collect();
                assert_all_whole(&place.path());
                for reader in readers {
                    acknowledged.extend(reader.join().unwrap());
                }
            });
        }
        assert_all_whole(&place.path());
        let names = place.names();
        assert!(
            acknowledged.is_subset(&names),
            "{:?}",
            acknowledged.difference(&names)
        );
        place.open(options);
        assert!(
            is_empty_or_missing(&place.staging()),
            "{:?}",
            names_in(&place.staging())
        );
    }
}

/// Of two other processes one is working and one has a transaction in progress.
#[test]
fn opening_the_directory_leaves_files_of_living_processes_alone() {
    for (number, options) in all_options().iter().enumerate() {
        let place = Place::new();
        let mut unfinished = start("unfinished_process", &place, number);
        let ready = BufReader::new(unfinished.stdout.take().unwrap())
            .lines()
            .any(|line| line.unwrap().contains("unfinished.eml"));
        assert!(ready, "the other process ended early");
        let mut working = start("other_process", &place, number);
        let lines = BufReader::new(working.stdout.take().unwrap()).lines();
        let acknowledged: BTreeSet<String> = lines
            .map(Result::unwrap)
            .filter(|line| line.contains(".eml"))
            .inspect(|_| drop(place.open(options)))
            .take(40)
            .collect();
        assert_eq!(acknowledged.len(), 40, "the other process ended early");
        working.kill().unwrap();
        working.wait().unwrap();
        place.open(options);
        let folders: Vec<_> = names_in(&place.staging()).into_iter().collect();
        let owner = format!("pmtaemail-{}-", unfinished.id());
        assert!(
            folders.len() == 1 && folders[0].starts_with(&owner),
            "{folders:?}"
        );
        unfinished.kill().unwrap();
        unfinished.wait().unwrap();
        place.open(options);
        assert!(is_empty_or_missing(&place.staging()));
        assert_all_whole(&place.path());
        assert!(acknowledged.is_subset(&place.names()));
        assert!(
            !place
                .names()
                .iter()
                .any(|name| name.starts_with("unfinished"))
        );
    }
}

/// The other process opens the directory when it has no descriptors to spare for 100 files.
#[cfg(target_os = "linux")]
#[test]
fn no_descriptors_left() {
    if let Ok(path) = env::var(DIRECTORY) {
        let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
        let mut transaction = directory.begin();
        let error = (0..100)
            .find_map(|number| transaction.write(&format!("{number}.eml"), &[b"x"]).err())
            .unwrap();
        assert_eq!(error.kind(), PickupErrorKind::TooManyOpenFiles);
        assert!(error.to_string().contains("LimitNOFILE"), "{error}");
        // There is none to open the directory with either; then there is again.
        assert_eq!(
            transaction.commit().unwrap_err().kind(),
            PickupErrorKind::TooManyOpenFiles
        );
        submit(&directory, &["1.eml"]).unwrap();
        return;
    }
    let place = Place::new();
    run_again("processes::no_descriptors_left", &place, 0, "ulimit -n 40;");
    assert_eq!(place.names().len(), 1);
}
