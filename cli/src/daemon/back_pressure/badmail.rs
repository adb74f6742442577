//! The folder into which PowerMTA moves files that it cannot read.

use super::measure::each_file;
use pmtaemail::Id;
use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A folder that changed more recently than this may change again without a new modification time.
const CLOCK_TICK: Duration = Duration::from_secs(2);

/// The folder, and what is known about it.
#[derive(Debug)]
pub struct BadMail {
    folder: PathBuf,
    keys: RandomState,
    /// The names of the files, of which nothing else is kept.
    names: HashSet<u64>,
    /// When the folder had changed, as the last look found it, if nothing can have been missed since.
    unchanged_since: Option<SystemTime>,
}

/// What a look at the folder found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Files of submissions, by their names, that were not there at the last look; in the order of their ids.
    pub submitted: Vec<(Id, String)>,
    /// How many other files are new.
    pub others: u64,
}

impl Arrivals {
    pub fn count(&self) -> u64 {
        self.submitted.len() as u64 + self.others
    }
}

impl BadMail {
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            keys: RandomState::new(),
            names: HashSet::new(),
            unchanged_since: None,
        }
    }

    /// How many files there were at the last look.
    pub fn count(&self) -> u64 {
        self.names.len() as u64
    }

    /// Looks for new files. At the first look all files are new.
    pub fn look(&mut self, now: SystemTime) -> io::Result<Arrivals> {
        let changed = fs::metadata(&self.folder)?.modified()?;
        if self.unchanged_since == Some(changed) {
            return Ok(Arrivals::default());
        }
        let mut arrivals = Arrivals::default();
        let mut names = HashSet::with_capacity(self.names.len());
        each_file(&self.folder, |entry| {
            let name = entry.file_name();
            let key = self.keys.hash_one(&name);
            names.insert(key);
            if !self.names.contains(&key) {
                match name.to_str().and_then(submitted) {
                    Some(file) => arrivals.submitted.push(file),
                    None => arrivals.others += 1,
                }
            }
            Ok(())
        })?;
        self.names = names;
        self.unchanged_since = (changed + CLOCK_TICK < now).then_some(changed);
        arrivals.submitted.sort();
        Ok(arrivals)
    }
}

/// The submission that a file belongs to. PowerMTA may add to a name, but a name that says more than that is
/// somebody else's.
fn submitted(name: &str) -> Option<(Id, String)> {
    const LONGEST: usize = 100;

    let (id, rest) = name.split_once(['.', '-'])?;
    let is_ours = rest
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c));
    let id = id.parse().ok()?;
    (is_ours && name.len() <= LONGEST).then(|| (id, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    const FIRST: &str = "1ng7qwf4c52q7bj9v8dsqnkxqv.eml";
    const SECOND: &str = "1ng7qwf4c52q7bj9v8dsqnkxqw-12.eml";

    fn names(arrivals: Arrivals) -> (Vec<String>, u64) {
        let names = arrivals.submitted.into_iter();
        (names.map(|(_, name)| name).collect(), arrivals.others)
    }

    #[test]
    fn each_file_is_new_once() {
        let folder = tempfile::tempdir().unwrap();
        let add = |name: &str| drop(File::create(folder.path().join(name)).unwrap());
        let opened = File::open(folder.path()).unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        let second = Duration::from_secs(1);
        let changed_at = |time| opened.set_modified(time).unwrap();

        let mut badmail = BadMail::new(folder.path().to_owned());
        add(SECOND);
        add("order of Ann.eml");
        add(FIRST);
        changed_at(start);
        let found = names(badmail.look(start).unwrap());
        assert_eq!(found, (vec![FIRST.to_owned(), SECOND.to_owned()], 1));
        assert_eq!(badmail.count(), 3);
        // In the same tick of the clock.
        add("third.eml");
        changed_at(start);
        let found = names(badmail.look(start + second * 3).unwrap());
        assert_eq!(found, (vec![], 1));
        // Nothing changed, by the folder's time.
        add("fourth.eml");
        changed_at(start);
        assert_eq!(badmail.look(start + second * 4).unwrap().count(), 0);
        fs::remove_file(folder.path().join(FIRST)).unwrap();
        changed_at(start + second);
        assert_eq!(badmail.look(start + second * 9).unwrap().count(), 1);
        assert_eq!(badmail.count(), 4);
        // Moved back into the pickup directory, and refused again.
        add(FIRST);
        let found = names(badmail.look(start + second * 9).unwrap());
        assert_eq!(found, (vec![FIRST.to_owned()], 0));
    }

    #[test]
    fn a_submission_is_known_by_the_name_of_its_file() {
        for (name, is_ours) in [
            (FIRST, true),
            (SECOND, true),
            ("1ng7qwf4c52q7bj9v8dsqnkxqv.eml.1", true),
            ("1ng7qwf4c52q7bj9v8dsqnkxqv", false),
            ("1ng7qwf4c52q7bj9v8dsqnkxqv1.eml", false),
            ("1ng7qwf4c52q7bj9v8dsqnkxqv.for Ann.eml", false),
            (".eml", false),
            ("message.eml", false),
        ] {
            assert_eq!(submitted(name).is_some(), is_ours, "{name}");
        }
    }
}
