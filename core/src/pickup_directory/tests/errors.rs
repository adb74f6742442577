//! What is refused, and what it says.

use super::*;

#[test]
fn a_missing_directory() {
    for options in all_options() {
        let place = Place::new();
        let error = PickupDirectory::open(place.path().join("none"), options).unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::NotFound);
        assert_eq!(error.path(), place.path().join("none"));
        assert_eq!(error.operation(), "open the pickup directory");
        assert!(
            error.to_string().contains("create the directory"),
            "{error}"
        );
    }
}

#[test]
fn a_file_where_the_directory_should_be() {
    for options in all_options() {
        let place = Place::new();
        fs::write(place.path().join("file"), "").unwrap();
        let error = PickupDirectory::open(place.path().join("file"), options).unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::NotADirectory);
    }
}

#[test]
fn a_name_that_is_taken() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        fs::write(place.path().join("2.eml"), "the first").unwrap();
        let error = submit(&directory, &["1.eml", "2.eml", "3.eml"]).unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::AlreadyExists, "{error}");
        assert!(!error.may_be_delivered());
        assert_eq!(error.path(), place.path().join("2.eml"));
        assert_eq!(
            place.names(),
            [String::from("2.eml")].into(),
            "all files of a hand-over or none"
        );
        assert_eq!(fs::read(place.path().join("2.eml")).unwrap(), b"the first");
        assert!(is_empty_or_missing(&place.staging()));
        assert_eq!(
            submit(&directory, &["4.eml", "4.eml"]).unwrap_err().kind(),
            PickupErrorKind::AlreadyExists
        );
        assert_eq!(place.names().len(), 1);
    }
}

#[test]
fn names_that_lead_elsewhere() {
    let place = Place::new();
    let directory = place.open(&PickupOptions::default());
    for name in [
        "", ".", "..", "/1.eml", "../1.eml", "a/1.eml", "a/", "a/.", "./a", "a\0b",
    ] {
        let error = directory.begin().write(name, &[b"x"]).unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::Other, "{name:?}");
        assert!(
            error.to_string().contains("not a plain file name"),
            "{error}"
        );
    }
    assert!(submit(&directory, &[&"x".repeat(300)]).is_err());
    submit(&directory, &[".eml", "ä.eml", "a b", "a\\b"]).unwrap();
}

#[test]
fn a_file_that_fails_does_not_spoil_the_others() {
    let place = Place::new();
    let directory = place.open(&PickupOptions::default());
    let mut transaction = directory.begin();
    transaction.write("1.eml", &[b"x"]).unwrap();
    transaction.write("../2.eml", &[b"x"]).unwrap_err();
    transaction.commit().unwrap();
    assert_eq!(place.names().len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_staging_folder_on_another_file_system() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    if fs::metadata(elsewhere.path()).unwrap().dev() == fs::metadata(place.path()).unwrap().dev() {
        return;
    }
    let options = PickupOptions::default().with_staging(elsewhere.path());
    let error =
        PickupDirectory::open(place.path(), options.clone().without_unnamed_files()).unwrap_err();
    assert_eq!(error.path(), elsewhere.path());
    assert!(
        error
            .to_string()
            .contains("must be on the same file system and mount as the pickup directory"),
        "{error}"
    );
    // Where it is not needed, it does no harm.
    submit(&place.open(&options), &["1.eml"]).unwrap();
}

#[test]
fn a_staging_folder_inside_of_the_directory() {
    let place = Place::new();
    let options = PickupOptions::default().without_unnamed_files();
    for inside in [place.path(), place.path().join("staging")] {
        let error =
            PickupDirectory::open(place.path(), options.clone().with_staging(inside)).unwrap_err();
        assert!(error.to_string().contains("outside"), "{error}");
    }
    assert!(place.names().is_empty());
}

#[test]
fn a_staging_folder_that_vanished_is_made_again() {
    let place = Place::new();
    let directory = place.open(&PickupOptions::default().without_unnamed_files());
    fs::remove_dir(place.staging()).unwrap();
    submit(&directory, &["1.eml"]).unwrap();
    assert_eq!(place.names().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_probe_needs_what_a_submission_needs_and_leaves_nothing() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        directory.probe().unwrap();
        assert!(place.names().is_empty() && is_empty_or_missing(&place.staging()));
        fs::remove_dir(place.path()).unwrap();
        let missing = directory.probe().unwrap_err();
        assert_eq!(missing.kind(), PickupErrorKind::NotFound);
        fs::write(place.path(), "").unwrap();
        let file = directory.probe().unwrap_err();
        assert_eq!(file.kind(), PickupErrorKind::NotADirectory);
    }
}
