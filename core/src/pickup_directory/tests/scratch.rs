//! Files that are never submitted.

use std::io::{Read, Seek, Write};

use super::*;

#[test]
fn nobody_sees_a_scratch_file() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        let mut files: Vec<_> = (0..3).map(|_| directory.scratch_file().unwrap()).collect();
        for (number, file) in files.iter_mut().enumerate() {
            write!(file, "body {number}").unwrap();
            file.rewind().unwrap();
        }
        assert!(place.names().is_empty());
        assert!(is_empty_or_missing(&place.staging()));
        for (number, file) in files.iter_mut().enumerate() {
            let mut read = String::new();
            file.read_to_string(&mut read).unwrap();
            assert_eq!(read, format!("body {number}"));
            assert!(is_on_the_file_system_of(file, &place.path()));
        }
    }
}

#[cfg(unix)]
fn is_on_the_file_system_of(file: &File, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().unwrap().dev() == fs::metadata(folder).unwrap().dev()
}

#[cfg(not(unix))]
fn is_on_the_file_system_of(_file: &File, _folder: &Path) -> bool {
    true
}

#[test]
fn a_scratch_file_of_a_directory_that_is_missing() {
    for options in all_options() {
        let place = Place::new();
        let directory = place.open(&options);
        fs::remove_dir(place.path()).unwrap();
        let error = directory.scratch_file().unwrap_err();
        assert_eq!(error.kind(), PickupErrorKind::NotFound);
    }
}
