//! A submission as the bytes of one message in the queue.
//!
//! ```text
//! {"version":1,"files":[["0k…a.eml",1043],["0k…b.eml",998]]} LF     the files, one after the other
//! {"version":1,"large":"0k…","size":12345678} LF                    they are in the object store, under this name
//! ```

use pmtaemail::ParcelFile;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::ops::Range;

const VERSION: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<(String, usize)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    large: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
}

/// The content of a message in the queue.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// The names of files, and the ranges of their bytes in the message.
    Files(Vec<(String, Range<usize>)>),
    /// The name of an object that is such a message.
    Large(String),
}

/// Why a message in the queue cannot be submitted, by this host or any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotParcel {
    /// It does not start with a line of this form.
    #[error("it is not a submission of pmtaemail")]
    Head,
    /// A later program wrote it.
    #[error("a later version of pmtaemail wrote it: update this host, then replay it")]
    Version,
    /// The sizes of its files differ from what it says.
    #[error("its files are truncated, or longer than it says")]
    Size,
    /// A name is not that of a pickup file.
    #[error("one of its files does not have the name of a pickup file")]
    Name,
    /// The object that it refers to does not exist.
    #[error("its object is not in the object store")]
    NoObject,
}

impl NotParcel {
    /// A word for programs, which never changes.
    pub fn code(self) -> &'static str {
        match self {
            Self::Head => "no-parcel",
            Self::Version => "later-version",
            Self::Size => "wrong-size",
            Self::Name => "bad-name",
            Self::NoObject => "no-object",
        }
    }
}

/// Writes files.
pub fn write(files: &[ParcelFile]) -> Vec<u8> {
    let head = Head {
        version: VERSION,
        files: (files
            .iter()
            .map(|file| (file.name.clone(), file.bytes.len())))
        .collect(),
        ..Head::default()
    };
    let mut bytes = head_line(&head);
    for file in files {
        bytes.extend(&file.bytes);
    }
    bytes
}

/// Writes a reference to an object.
pub fn write_large(name: &str, size: usize) -> Vec<u8> {
    head_line(&Head {
        version: VERSION,
        large: Some(name.to_owned()),
        size: Some(size),
        ..Head::default()
    })
}

fn head_line(head: &Head) -> Vec<u8> {
    let mut line = serde_json::to_vec(head).expect("names and numbers are JSON");
    line.push(b'\n');
    line
}

/// Reads a message of the queue.
pub fn read(bytes: &[u8]) -> Result<Content, NotParcel> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let end = bytes
        .iter()
        .position(|&byte| byte == b'\n')
        .ok_or(NotParcel::Head)?;
    let line = &bytes[..end];
    let Version { version } = serde_json::from_slice(line).map_err(|_| NotParcel::Head)?;
    if version != VERSION {
        return Err(NotParcel::Version);
    }
    let head: Head = serde_json::from_slice(line).map_err(|_| NotParcel::Head)?;
    let mut start = end + 1;
    if let Some(name) = head.large {
        return Ok(Content::Large(name));
    }
    if head.files.is_empty() {
        return Err(NotParcel::Head);
    }
    let mut files = Vec::with_capacity(head.files.len());
    let mut names = HashSet::new();
    for (name, size) in head.files {
        if !is_name(&name) || !names.insert(name.clone()) {
            return Err(NotParcel::Name);
        }
        let place = start..start.checked_add(size).ok_or(NotParcel::Size)?;
        start = place.end;
        files.push((name, place));
    }
    if start != bytes.len() {
        return Err(NotParcel::Size);
    }
    Ok(Content::Files(files))
}

/// Whether a pickup file may have this name: all that the library makes do.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=128).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_read_as_it_was_written() {
        let bytes = b"{\"version\":1,\"files\":[[\"a.eml\",2],[\"b.eml\",0],[\"c\",1]]}\nABC";
        let Content::Files(files) = read(bytes).unwrap() else {
            panic!("no files")
        };
        let read: Vec<_> = files
            .iter()
            .map(|(name, place)| (&name[..], &bytes[place.clone()]))
            .collect();
        assert_eq!(read, [("a.eml", &b"AB"[..]), ("b.eml", b""), ("c", b"C")]);
        assert_eq!(read_large(), Ok(Content::Large("x".to_owned())));
    }

    fn read_large() -> Result<Content, NotParcel> {
        read(&write_large("x", 7))
    }

    #[test]
    fn invalid_parcels_are_reported() {
        for (bytes, why) in [
            (&b""[..], NotParcel::Head),
            (b"hello\n", NotParcel::Head),
            (b"{\"version\":1}\n", NotParcel::Head),
            (
                b"{\"version\":1,\"files\":[[\"a\",1]],\"more\":1}\nA",
                NotParcel::Head,
            ),
            (b"{\"version\":2,\"more\":1}\n", NotParcel::Version),
            (b"{\"version\":1,\"files\":[[\"a\",2]]}\nA", NotParcel::Size),
            (
                b"{\"version\":1,\"files\":[[\"a\",1]]}\nAB",
                NotParcel::Size,
            ),
            (
                b"{\"version\":1,\"files\":[[\"a\",18446744073709551615]]}\nAB",
                NotParcel::Size,
            ),
            (
                b"{\"version\":1,\"files\":[[\"a\",1],[\"a\",1]]}\nAB",
                NotParcel::Name,
            ),
            (
                b"{\"version\":1,\"files\":[[\"../a\",1]]}\nA",
                NotParcel::Name,
            ),
            (
                b"{\"version\":1,\"files\":[[\".a\",1]]}\nA",
                NotParcel::Name,
            ),
            (b"{\"version\":1,\"files\":[[\"\",1]]}\nA", NotParcel::Name),
        ] {
            assert_eq!(read(bytes), Err(why), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
