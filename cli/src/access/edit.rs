//! The commands that add, list and remove keys. Everything else in the file is kept.

use super::clock::now;
use super::file::{AccessKey, KeyFile, KeyFileProblems, NAME, expiry, is_name};
use super::rate::Rate;
use super::secret::{KeyHash, new_key};
use crate::nearest::nearest;
use pmtaemail::SenderDomain;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use thiserror::Error;
use toml_edit::{Array, DocumentMut, Item, Table, value};

/// The rights of a new key.
#[derive(Debug, Default)]
pub struct NewKey {
    pub name: String,
    pub from: Vec<String>,
    pub rate: Option<Rate>,
    pub recipients_per_day: Option<u64>,
    pub preview: bool,
    pub expires: Option<String>,
}

/// Why a file of keys is not changed.
#[derive(Debug, Error)]
pub enum EditError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Problems(#[from] KeyFileProblems),
    #[error("{path}: cannot write the file: {source}")]
    Write { path: String, source: io::Error },
    #[error("the system has no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

/// Adds a key to the file, which is created if it does not exist, and returns the key.
pub fn add(path: &Path, new: &NewKey) -> Result<String, EditError> {
    if !is_name(&new.name) {
        return Err(EditError::Usage(NAME.to_owned()));
    }
    for domain in &new.from {
        let checked = domain.parse::<SenderDomain>();
        checked.map_err(|error| EditError::Usage(format!("--from: {error}")))?;
    }
    if let Some(expires) = &new.expires {
        expiry(expires).map_err(|reason| EditError::Usage(format!("--expires: {reason}")))?;
    }
    let key = new_key()?;
    change(path, true, |document, keys| {
        if keys.iter().any(|known| known.name == new.name) {
            let sentence = format!("there is a key {} already; remove it first", new.name);
            return Err(EditError::Usage(sentence));
        }
        let keys = document.entry("keys").or_insert_with(|| {
            let mut keys = Table::new();
            keys.set_implicit(true);
            Item::Table(keys)
        });
        let keys = keys.as_table_like_mut();
        let keys = keys.expect("a sound file has a table of keys or none");
        keys.insert(&new.name, table(new, &KeyHash::of(key.as_bytes())));
        Ok(())
    })?;
    Ok(key)
}

/// Removes a key from the file.
pub fn remove(path: &Path, name: &str) -> Result<(), EditError> {
    change(path, false, |document, keys| {
        let all = document.get_mut("keys").and_then(Item::as_table_like_mut);
        if all.and_then(|all| all.remove(name)).is_some() {
            return Ok(());
        }
        let nearest = nearest(name, keys.iter().map(|key| key.name.as_str()));
        let nearest = nearest.map(|known| format!("; did you mean {known}?"));
        let sentence = format!("there is no such key{}", nearest.unwrap_or_default());
        Err(EditError::Usage(sentence))
    })
}

/// The keys of the file as a table for people, the names in its first column.
pub fn list(path: &Path) -> Result<String, EditError> {
    let file = KeyFile::read(path)?;
    let now = now();
    let mut rows = vec![
        [
            "NAME",
            "FROM",
            "RATE",
            "RECIPIENTS/DAY",
            "PREVIEW",
            "EXPIRES",
        ]
        .map(str::to_owned),
    ];
    rows.extend(file.keys.iter().map(|key| {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let expires = key.expires.map(|time| {
            let mark = if key.has_expired(now) {
                " (expired)"
            } else {
                ""
            };
            format!("{time}{mark}")
        });
        [
            key.name.clone(),
            or_dash((!key.from.is_empty()).then(|| key.from.join(","))),
            or_dash(key.rate.map(|rate| rate.to_string())),
            or_dash(key.recipients_per_day.map(|count| count.to_string())),
            if key.preview { "yes" } else { "no" }.to_owned(),
            or_dash(expires),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned() + "\n"
    };
    Ok(rows.iter().map(line).collect())
}

fn table(new: &NewKey, hash: &KeyHash) -> Item {
    let mut table = Table::new();
    table["hash"] = value(hash.to_string());
    if !new.from.is_empty() {
        table["from"] = value(new.from.iter().collect::<Array>());
    }
    if let Some(rate) = new.rate {
        table["rate"] = value(rate.to_string());
    }
    if let Some(count) = new.recipients_per_day {
        table["recipients-per-day"] = value(i64::try_from(count).unwrap_or(i64::MAX));
    }
    if new.preview {
        table["preview"] = value(true);
    }
    if let Some(expires) = &new.expires {
        table["expires"] = value(expires);
    }
    Item::Table(table)
}

/// Changes the file while nobody else does, all at once.
fn change(
    path: &Path,
    may_be_new: bool,
    edit: impl FnOnce(&mut DocumentMut, &[AccessKey]) -> Result<(), EditError>,
) -> Result<(), EditError> {
    let failed = |source| EditError::Write {
        path: path.display().to_string(),
        source,
    };
    // If it is a link, the file it points to is meant.
    let target = match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        target => target.map_err(failed)?,
    };
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let lock = File::open(&folder).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let (text, file) = match fs::read_to_string(&target) {
        Ok(text) => {
            let file = KeyFile::parse(path, &text)?;
            (text, file)
        }
        Err(error) if may_be_new && error.kind() == ErrorKind::NotFound => Default::default(),
        Err(_) => (String::new(), KeyFile::read(path)?),
    };
    let document = text.parse::<DocumentMut>();
    let mut document = document.map_err(|error| EditError::Usage(error.to_string()))?;
    edit(&mut document, &file.keys)?;
    write(&target, &folder, &document.to_string()).map_err(failed)
}

/// Writes a file that only its owner may read. An existing file keeps its owner and mode.
fn write(path: &Path, folder: &Path, text: &str) -> io::Result<()> {
    // Such a file has the mode 0600.
    let mut file = tempfile::Builder::new()
        .prefix(".keys-")
        .tempfile_in(folder)?;
    if let Ok(earlier) = fs::metadata(path) {
        fchown(file.as_file(), Some(earlier.uid()), Some(earlier.gid()))?;
        let mode = fs::Permissions::from_mode(earlier.mode() & 0o777);
        file.as_file().set_permissions(mode)?;
    }
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> NewKey {
        NewKey {
            name: name.to_owned(),
            ..NewKey::default()
        }
    }

    #[test]
    fn everything_else_is_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let key = add(&path, &named("a.b")).unwrap();
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        assert_eq!(
            KeyFile::read(&path).unwrap().keys[0].hash,
            KeyHash::of(key.as_bytes())
        );
        assert!(!fs::read_to_string(&path).unwrap().contains(&key));
        let commented = format!(
            "# the shop's\n{}\n# the end\n",
            fs::read_to_string(&path).unwrap()
        );
        fs::write(&path, &commented).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let other = NewKey {
            from: vec!["*.example.com".to_owned()],
            rate: Some("5/m".parse().unwrap()),
            recipients_per_day: Some(7),
            preview: true,
            expires: Some("2027-01-31".to_owned()),
            ..named("other")
        };
        add(&path, &other).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("# the shop's\n") && text.contains("# the end\n"),
            "{text}"
        );
        assert_eq!(mode(), 0o640);
        let listed = list(&path).unwrap();
        let line = listed.lines().nth(2).unwrap();
        let cells: Vec<_> = line.split_whitespace().collect();
        let expected = [
            "other",
            "*.example.com",
            "5/m",
            "7",
            "yes",
            "2027-01-31T00:00:00Z",
        ];
        assert_eq!(cells, expected);
        remove(&path, "other").unwrap();
        remove(&path, "a.b").unwrap();
        assert!(KeyFile::read(&path).unwrap().keys.is_empty());
    }

    #[test]
    fn a_refused_edit_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        assert!(matches!(remove(&path, "a"), Err(EditError::Problems(_))));
        add(&path, &named("shop")).unwrap();
        let before = fs::read_to_string(&path).unwrap();
        for wrong in ["", "a b", "shop", "å"] {
            assert!(matches!(
                add(&path, &named(wrong)),
                Err(EditError::Usage(_))
            ));
        }
        for wrong in [
            NewKey {
                from: vec!["*".to_owned()],
                ..named("b")
            },
            NewKey {
                expires: Some("soon".to_owned()),
                ..named("b")
            },
        ] {
            assert!(matches!(add(&path, &wrong), Err(EditError::Usage(_))));
        }
        let error = remove(&path, "shpo").unwrap_err().to_string();
        assert_eq!(error, "there is no such key; did you mean shop?");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        fs::write(&path, "[keys.a]\n").unwrap();
        assert!(matches!(
            add(&path, &named("b")),
            Err(EditError::Problems(_))
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
