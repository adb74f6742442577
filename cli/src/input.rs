//! Where a command's message comes from.

use crate::exit::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads the whole message from a file, or from standard input where `path` is absent or `-`.
pub fn read(path: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match path {
        Some(path) if path != Path::new("-") => {
            let name = path.display().to_string();
            match File::open(path) {
                Ok(file) => read_to_end(name, file),
                Err(source) => Err(Failure::Open { name, source }),
            }
        }
        _ => read_to_end("standard input".to_owned(), io::stdin().lock()),
    }
}

fn read_to_end(name: String, mut from: impl Read) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    match from.read_to_end(&mut octets) {
        Ok(_) => Ok(octets),
        // A directory opens like a file and fails only now.
        Err(source) if source.kind() == io::ErrorKind::IsADirectory => {
            Err(Failure::Open { name, source })
        }
        Err(source) => Err(Failure::Read { name, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_cannot_be_opened_is_no_input() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing.json");
        assert_eq!(read(Some(&missing)).unwrap_err().exit(), Exit::NoInput);
        assert_eq!(read(Some(folder.path())).unwrap_err().exit(), Exit::NoInput);
    }

    #[test]
    fn a_file_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("message.json");
        std::fs::write(&path, b"{}").unwrap();
        assert_eq!(read(Some(&path)).unwrap(), b"{}");
    }
}
