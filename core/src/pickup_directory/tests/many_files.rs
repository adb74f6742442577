//! Hand-overs of more files than are kept open.

use std::env;

use super::processes::{DIRECTORY, OPTIONS, run_again};
use super::threads::assert_all_whole;
use super::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number}.eml")).collect()
}

fn begin<'a>(directory: &'a PickupDirectory, names: &[String]) -> Transaction<'a> {
    let mut transaction = directory.begin();
    for name in names {
        transaction.write(name, &[&bytes_of(name)]).unwrap();
    }
    transaction
}

fn folders(place: &Place) -> usize {
    names_in(&place.staging())
        .iter()
        .filter(|name| name.ends_with(".private"))
        .count()
}

/// The files in the folders of processes, with their folders.
fn staged(place: &Place) -> BTreeSet<PathBuf> {
    names_in(&place.staging())
        .iter()
        .flat_map(|folder| {
            let folder = place.staging().join(folder);
            names_in(&folder)
                .into_iter()
                .map(move |name| folder.join(name))
        })
        .filter(|path| !path.ends_with("lock"))
        .collect()
}

#[test]
fn open_and_closed_files_of_all_transactions_are_in_one_folder() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let unnamed = directory
            .disk()
            .unwrap()
            .staging
            .create_unnamed()
            .unwrap()
            .is_some();
        let large = begin(&directory, &names(100));
        let more: Vec<String> = (100..200).map(|number| format!("{number}.eml")).collect();
        let other = begin(&directory, &more);
        // Files without a name are not there: 36 of each transaction are open.
        let expected = if unnamed { 64 } else { 100 };
        assert_eq!((folders(&place), staged(&place).len()), (1, 2 * expected));
        other.commit().unwrap();
        assert_eq!((folders(&place), staged(&place).len()), (1, expected));
        assert_eq!(place.names(), more.into_iter().collect());
        drop(large);
        assert!(is_empty_or_missing(&place.staging()));
        assert_eq!(place.names().len(), 100);
    }
}

#[test]
fn many_files_become_visible_together_and_whole() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let names = names(300);
        let transaction = begin(&directory, &names);
        assert!(place.names().is_empty(), "visible before its commit");
        assert_eq!(folders(&place), 1);
        transaction.commit().unwrap();
        assert_all_whole(&place.path());
        assert_eq!(place.names(), names.into_iter().collect());
        assert!(is_empty_or_missing(&place.staging()));
    }
}

/// Once for all, and not each before it is closed.
#[test]
fn closed_files_are_synced_with_their_file_system_where_that_can_be_done() {
    let place = Place::new();
    let opened = system::OpenDirectory::open(&place.path()).unwrap();
    let can_be = opened.suits_syncfs() && system::syncfs_reports_errors();
    let options = PickupOptions::default();
    for (options, expected) in [
        (options.clone(), can_be),
        (options.clone().with_syncfs(false), false),
        (options.with_durability(Durability::NotDurable), false),
    ] {
        let place = Place::new();
        let directory = place.open(&options);
        let names = names(200);
        let mut transaction = begin(&directory, &names[..64]);
        assert!(
            transaction.files().witness().is_none(),
            "none is closed yet"
        );
        for name in &names[64..] {
            transaction.write(name, &[&bytes_of(name)]).unwrap();
        }
        assert_eq!(transaction.files().witness().is_some(), expected);
        transaction.commit().unwrap();
        assert_all_whole(&place.path());
        assert_eq!(place.names(), names.into_iter().collect());
    }
}

#[test]
fn a_single_file_without_a_name_makes_no_staging_folder() {
    let place = Place::new();
    let directory = place.open(&PickupOptions::default());
    if directory
        .disk()
        .unwrap()
        .staging
        .create_unnamed()
        .unwrap()
        .is_none()
    {
        return;
    }
    begin(&directory, &names(1)).commit().unwrap();
    assert!(!place.staging().exists());
}

#[test]
fn several_large_transactions_share_a_commit() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let names = names(1_500);
        let (first, rest) = names.split_at(1_200);
        let transactions =
            [first, rest, &rest[..1]].map(|names| Ok(((), begin(&directory, names))));
        let results: Vec<Result<(), PickupError>> = directory.commit_all(transactions.into());
        assert!(results[0].is_ok() && results[1].is_ok() && results[2].is_err());
        assert_all_whole(&place.path());
        assert_eq!(place.names(), names.into_iter().collect());
        assert!(is_empty_or_missing(&place.staging()));
    }
}

#[test]
fn a_name_that_is_taken_leaves_nothing() {
    // The 200th file is closed by then, the 290th open.
    for taken in ["199.eml", "289.eml"] {
        for options in all_options() {
            let place = Place::new();
            let directory = place.open(&options);
            fs::write(place.path().join(taken), "the first").unwrap();
            let error = begin(&directory, &names(300)).commit().unwrap_err();
            assert_eq!(error.kind(), PickupErrorKind::AlreadyExists, "{error}");
            assert_eq!(error.path(), place.path().join(taken));
            assert_eq!(place.names(), [taken.to_owned()].into());
            assert_eq!(fs::read(place.path().join(taken)).unwrap(), b"the first");
            assert!(is_empty_or_missing(&place.staging()));
        }
    }
}

#[test]
fn uncommitted_files_leave_nothing_behind() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        drop(begin(&directory, &names(300)));
        assert!(place.names().is_empty());
        assert!(is_empty_or_missing(&place.staging()));
    }
}

/// As after a failed sync of the directory. Elsewhere only names tell files apart.
#[cfg(target_os = "linux")]
#[test]
fn taking_files_back_spares_those_that_others_put_in_their_place() {
    for options in all_options() {
        let place = Place::new();
        let pickup = place.open(&options);
        let mut files = begin(&pickup, &names(300)).into_files();
        let directory = system::OpenDirectory::open(&place.path()).unwrap();
        files.stage(&place.path());
        files.publish(&directory, &place.path());
        assert_eq!(place.names().len(), 300);
        // Made first, so that it cannot get the inode of the file that it replaces.
        let other = place.parent.path().join("other");
        fs::write(&other, "not ours").unwrap();
        fs::rename(&other, place.path().join("7.eml")).unwrap();
        fs::remove_file(place.path().join("8.eml")).unwrap();
        let error = PickupError::from_io(Operation::SyncDirectory, &place.path())(
            io::ErrorKind::Other.into(),
        );
        files.take_back(&directory, &error);
        assert!(files.into_result().is_err());
        assert_eq!(place.names(), ["7.eml".to_owned()].into());
    }
}

#[test]
fn files_that_are_lost_are_not_forgotten() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let mut transaction = begin(&directory, &names(100));
        fs::remove_dir_all(place.staging()).unwrap();
        let error = (100..200)
            .find_map(|number| transaction.write(&format!("{number}.eml"), &[b"x"]).err())
            .unwrap();
        let again = transaction.write("200.eml", &[b"x"]).unwrap_err();
        assert_eq!(again.to_string(), error.to_string());
        let transactions = [transaction, begin(&directory, &names(1))];
        let results: Vec<Result<(), PickupError>> =
            directory.commit_all(transactions.map(|each| Ok(((), each))).into());
        assert_eq!(
            results[0].as_ref().unwrap_err().to_string(),
            error.to_string()
        );
        assert_eq!(place.names(), names(1).into_iter().collect());
        assert!(is_empty_or_missing(&place.staging()));
    }
}

#[test]
fn without_a_place_for_the_staging_folder_a_transaction_has_one_file() {
    let place = Place::new();
    let inside = place.path().join("staging");
    let options = PickupOptions::default().with_staging(&inside);
    let Ok(directory) = PickupDirectory::open(place.path(), options) else {
        // The file system has no unnamed files.
        return;
    };
    let mut transaction = begin(&directory, &names(1));
    for _ in 0..2 {
        let error = transaction.write("1.eml", &[b"x"]).unwrap_err();
        assert_eq!(error.path(), inside);
        assert!(error.to_string().contains("outside"), "{error}");
    }
    transaction.commit().unwrap();
    assert_eq!(place.names(), names(1).into_iter().collect());
    directory.probe().unwrap();
    assert!(directory.probe_staging().is_err());
}

#[cfg(unix)]
#[test]
fn closed_files_have_the_mode_and_the_group_of_all_others() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    for options in all_options() {
        let place = Place::new();
        // Another group than our own, where we may.
        let _ = chown(place.path(), None, Some(4_711));
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o2770)).unwrap();
        begin(&place.open(&options), &names(100)).commit().unwrap();
        let expected = fs::metadata(place.path()).unwrap().gid();
        let attributes: BTreeSet<_> = names(100)
            .iter()
            .map(|name| fs::metadata(place.path().join(name)).unwrap())
            .map(|metadata| (metadata.mode() & 0o7117, metadata.gid()))
            .collect();
        assert_eq!(attributes, [(0, expected)].into());
    }
}

/// The other process ends in the middle of a large transaction.
#[test]
fn files_of_dead_processes_are_removed_and_those_of_living_ones_are_not() {
    if let Ok(path) = env::var(DIRECTORY) {
        let options = all_options().swap_remove(env::var(OPTIONS).unwrap().parse().unwrap());
        let directory = PickupDirectory::open(path, options).unwrap();
        let _transaction = begin(&directory, &names(100));
        std::process::exit(0);
    }
    for (number, options) in all_options().iter().enumerate() {
        let place = Place::new();
        let directory = place.open(options);
        let alive = begin(&directory, &names(100));
        let in_use = staged(&place);
        let test =
            "many_files::files_of_dead_processes_are_removed_and_those_of_living_ones_are_not";
        run_again(test, &place, number, "");
        assert_eq!(folders(&place), 2);
        assert_eq!(staged(&place).len(), 2 * in_use.len());
        place.open(options);
        assert_eq!(folders(&place), 1);
        assert_eq!(staged(&place), in_use);
        alive.commit().unwrap();
        assert_all_whole(&place.path());
        assert_eq!(place.names().len(), 100);
        assert!(is_empty_or_missing(&place.staging()));
    }
}

/// The other process may open far fewer files than it submits.
#[cfg(target_os = "linux")]
#[test]
fn few_descriptors_are_enough_for_many_files() {
    if let Ok(path) = env::var(DIRECTORY) {
        let options = all_options().swap_remove(env::var(OPTIONS).unwrap().parse().unwrap());
        let directory = PickupDirectory::open(path, options).unwrap();
        let count = || names_in(Path::new("/proc/self/fd")).len();
        let before = count();
        let mut transaction = directory.begin();
        for name in names(1_000) {
            transaction.write(&name, &[&bytes_of(&name)]).unwrap();
            // And the lock of the folder.
            assert!(count() <= before + 65, "{} files are open", count());
        }
        transaction.commit().unwrap();
        assert_eq!(count(), before);
        return;
    }
    for number in 0..all_options().len() {
        let place = Place::new();
        let test = "many_files::few_descriptors_are_enough_for_many_files";
        run_again(test, &place, number, "ulimit -n 80;");
        assert_eq!(place.names(), names(1_000).into_iter().collect());
        assert!(is_empty_or_missing(&place.staging()));
    }
}
