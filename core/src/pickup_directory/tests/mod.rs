//! Tests of the whole module, by way of unnamed files and by way of the staging folder.

mod commit_threads;
#[cfg(target_os = "linux")]
pub(super) mod crash;
mod errors;
#[cfg(all(target_os = "linux", feature = "idempotency"))]
mod keyed;
mod many_files;
#[cfg(feature = "outbox")]
mod memory;
mod observer;
mod processes;
mod scratch;
mod threads;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{RwLock, mpsc};

use super::*;

/// A process that starts has the locks of the process that starts it until it is another program. What is opened in between
/// would find that somebody is alive who is not, where tests are threads of one process.
static STARTING: RwLock<()> = RwLock::new(());

/// A pickup directory beside which nothing stands.
struct Place {
    parent: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        fs::create_dir(parent.path().join("pickup")).unwrap();
        Self { parent }
    }

    fn path(&self) -> PathBuf {
        self.parent.path().join("pickup")
    }

    fn staging(&self) -> PathBuf {
        self.parent.path().join("pickup.staging")
    }

    fn open(&self, options: &PickupOptions) -> PickupDirectory {
        let _no_process_starts = STARTING.read();
        PickupDirectory::open(self.path(), options.clone()).unwrap()
    }

    fn names(&self) -> BTreeSet<String> {
        names_in(&self.path())
    }
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn is_empty_or_missing(folder: &Path) -> bool {
    !folder.exists() || names_in(folder).is_empty()
}

/// The way with and without unnamed files, durable and not, with and without `syncfs`.
fn all_options() -> Vec<PickupOptions> {
    let durable = PickupOptions::default();
    vec![
        durable.clone(),
        durable.clone().with_syncfs(false),
        durable.clone().with_durability(Durability::NotDurable),
        durable.clone().without_unnamed_files(),
        durable
            .without_unnamed_files()
            .with_durability(Durability::NotDurable),
    ]
}

/// Bytes that tell from the name of their file whether they are all there.
fn bytes_of(name: &str) -> Vec<u8> {
    let length = 1_000
        + name
            .bytes()
            .fold(0_usize, |sum, byte| (sum * 31 + usize::from(byte)) % 9_000);
    name.bytes().cycle().take(length).collect()
}

fn submit(directory: &PickupDirectory, names: &[&str]) -> Result<(), PickupError> {
    written(directory, names)?.commit()
}

fn written<'d>(
    directory: &'d PickupDirectory,
    names: &[&str],
) -> Result<Transaction<'d>, PickupError> {
    let mut transaction = directory.begin();
    for name in names {
        let bytes = bytes_of(name);
        let (first, second) = bytes.split_at(bytes.len() / 3);
        transaction.write(name, &[first, second])?;
    }
    Ok(transaction)
}

/// Commits by a commit thread, and waits for it.
fn commit_by_thread(transaction: Transaction<'_>) -> Result<(), PickupError> {
    let (sender, result) = mpsc::channel();
    transaction.commit_with(move |result| sender.send(result).unwrap());
    result.recv().unwrap()
}

#[test]
fn files_become_visible_together_and_whole() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let mut transaction = directory.begin();
        transaction
            .write("1.eml", &[b"one, ", b"", b"two"])
            .unwrap();
        transaction.write("2.eml", &[]).unwrap();
        assert!(place.names().is_empty(), "visible before its commit");
        transaction.commit().unwrap();
        assert_eq!(fs::read(place.path().join("1.eml")).unwrap(), b"one, two");
        assert_eq!(fs::read(place.path().join("2.eml")).unwrap(), b"");
        assert!(is_empty_or_missing(&place.staging()));
        directory.begin().commit().unwrap();
    }
}

#[test]
fn uncommitted_files_leave_nothing_behind() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let mut transaction = directory.begin();
        transaction.write("1.eml", &[b"never sent"]).unwrap();
        drop(transaction);
        assert!(place.names().is_empty());
        assert!(is_empty_or_missing(&place.staging()));
    }
}

#[test]
fn a_directory_that_was_moved_and_made_again_is_used_at_once() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let mut begun = directory.begin();
        begun.write("begun.eml", &[b"before the move"]).unwrap();
        fs::rename(place.path(), place.parent.path().join("old")).unwrap();
        assert_eq!(
            submit(&directory, &["missing.eml"]).unwrap_err().kind(),
            PickupErrorKind::NotFound
        );
        fs::create_dir(place.path()).unwrap();
        submit(&directory, &["next.eml"]).unwrap();
        begun.commit().unwrap();
        assert_eq!(
            place.names(),
            ["begun.eml", "next.eml"].map(String::from).into()
        );
    }
}

#[test]
fn a_transaction_may_have_many_files() {
    for options in all_options() {
        let place = Place::new();
        let names: Vec<String> = (0..100).map(|number| format!("{number}.eml")).collect();
        submit(
            &place.open(&options),
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .unwrap();
        assert_eq!(place.names(), names.into_iter().collect());
    }
}

/// Of every file, however it came into the directory.
#[cfg(unix)]
#[test]
fn files_get_the_requested_mode_and_group() {
    use std::os::unix::fs::MetadataExt;
    let own = fs::metadata(tempfile::tempdir().unwrap()).unwrap();
    // Who is not root may give files to his own groups alone.
    let group = if own.uid() == 0 { 4_711 } else { own.gid() };
    for (mode, group) in [(0o604, None), (0o666, Some(group)), (0o600, Some(group))] {
        for mut options in all_options() {
            options = options.with_file_mode(FileMode::new(mode).unwrap());
            if let Some(group) = group {
                options = options.with_file_group(FileGroup::Id(group));
            }
            let place = Place::new();
            let names: Vec<String> = (0..70).map(|number| format!("{number}.eml")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            submit(&place.open(&options), &names).unwrap();
            for name in names {
                let file = fs::metadata(place.path().join(name)).unwrap();
                assert_eq!(file.mode() & 0o7777, mode);
                assert_eq!(file.gid(), group.unwrap_or(own.gid()));
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_missing_group_is_reported_when_the_directory_is_opened() {
    let place = Place::new();
    let options = PickupOptions::default();
    let options = options.with_file_group(FileGroup::Name("no-such-group".to_owned()));
    let error = PickupDirectory::open(place.path(), options).unwrap_err();
    assert_eq!(error.kind(), PickupErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        "cannot find the group of pickup files in /etc/group: there is no such group; create the group, or give its number"
    );
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_message() {
    use std::os::unix::fs::MetadataExt;
    for options in all_options() {
        let place = Place::new();
        submit(&place.open(&options), &["1.eml"]).unwrap();
        let mode = fs::metadata(place.path().join("1.eml")).unwrap().mode();
        assert_eq!(mode & 0o117, 0, "{mode:o}");
        assert_eq!(mode & 0o600, 0o600, "{mode:o}");
    }
}

#[test]
fn the_portable_calls_publish_without_overwriting() {
    let place = Place::new();
    let staged = place.parent.path().join("staged");
    fs::write(&staged, "new").unwrap();
    let directory = portable::OpenDirectory::open(&place.path()).unwrap();
    directory.move_in(&staged, "1.eml").unwrap();
    directory.sync().unwrap();
    assert!(!staged.exists());
    fs::write(&staged, "newer").unwrap();
    assert_eq!(
        directory.move_in(&staged, "1.eml").unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
    let published = File::open(place.path().join("1.eml")).unwrap();
    assert_eq!(io::read_to_string(&published).unwrap(), "new");
    let newer = portable::FileId::of(&File::open(&staged).unwrap()).unwrap();
    assert!(!directory.holds(newer, "1.eml"), "it is another's");
    assert!(!directory.take_back(newer, "1.eml"));
    let id = portable::FileId::of(&published).unwrap();
    assert!(directory.holds(id, "1.eml"));
    assert!(directory.take_back(id, "1.eml"));
    assert!(place.names().is_empty());
    assert!(portable::OpenDirectory::open(&staged).is_err());
}
