//! Mode and group of pickup files, if they are set.

use std::fs::File;
use std::io;
use std::str::FromStr;

/// The permissions of a pickup file, regardless of the umask, such as `0640`: three bits each for owner, group and
/// others.
///
/// ```
/// use pmtaemail::FileMode;
///
/// assert_eq!("0640".parse(), FileMode::new(0o640));
/// assert!(FileMode::new(0o2640).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileMode(u32);

impl FileMode {
    /// Permissions given as bits.
    ///
    /// # Errors
    /// There are bits beyond `0o777`.
    pub fn new(bits: u32) -> Result<Self, &'static str> {
        if bits > 0o777 {
            return Err(EXPECTED);
        }
        Ok(Self(bits))
    }

    /// The permissions as bits, at most `0o777`.
    ///
    /// ```
    /// assert_eq!("640".parse::<pmtaemail::FileMode>()?.bits(), 0o640);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn bits(self) -> u32 {
        self.0
    }
}

const EXPECTED: &str = "expected octal permissions such as 0640, up to 0777";

impl FromStr for FileMode {
    type Err = &'static str;

    /// Reads octal digits, as chmod(1) does.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let are_digits =
            (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let bits = are_digits.then(|| u32::from_str_radix(digits, 8));
        Self::new(bits.ok_or(EXPECTED)?.map_err(|_| EXPECTED)?)
    }
}

/// The group of a pickup file, by its name in `/etc/group` or by number.
///
/// ```
/// use pmtaemail::FileGroup;
///
/// assert_eq!("pmta".parse(), Ok(FileGroup::Name("pmta".into())));
/// assert_eq!("1001".parse(), Ok(FileGroup::Id(1001)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileGroup {
    /// Looked up when the pickup directory is opened.
    Name(String),
    /// For groups that are defined elsewhere, for example in LDAP.
    Id(u32),
}

impl FromStr for FileGroup {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.contains([':', '\n']) {
            return Err("expected the name of a group or its number");
        }
        // As for chgrp(1), a number is no name.
        Ok((text.parse()).map_or_else(|_| Self::Name(text.to_owned()), Self::Id))
    }
}

#[cfg(unix)]
impl FileGroup {
    /// Its number; a name is looked up in `/etc/group`.
    ///
    /// # Errors
    /// There is no such group, or the file cannot be read.
    pub fn id(&self) -> io::Result<u32> {
        match self {
            Self::Name(name) => group_id(name, &std::fs::read(GROUPS)?),
            Self::Id(id) => Ok(*id),
        }
    }
}

/// What each new file is given. The default costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FileAccess {
    mode: Option<FileMode>,
    group: Option<u32>,
}

/// Where group names are looked up.
pub(super) const GROUPS: &str = "/etc/group";

#[cfg(unix)]
impl FileAccess {
    /// Looks up the group.
    pub(super) fn new(mode: Option<FileMode>, group: Option<&FileGroup>) -> io::Result<Self> {
        let group = group.map(FileGroup::id).transpose()?;
        Ok(Self { mode, group })
    }

    /// Must be called before the data of the file is written, so that the sync of the data includes it.
    pub(super) fn give(self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{PermissionsExt, fchown};
        if self.group.is_some() {
            fchown(file, None, self.group)?;
        }
        match self.mode {
            Some(FileMode(bits)) => file.set_permissions(std::fs::Permissions::from_mode(bits)),
            None => Ok(()),
        }
    }
}

#[cfg(unix)]
fn group_id(name: &str, groups: &[u8]) -> io::Result<u32> {
    let groups = String::from_utf8_lossy(groups);
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines
        .find_map(|mut fields| (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no such group"))
}

#[cfg(not(unix))]
impl FileAccess {
    pub(super) fn new(mode: Option<FileMode>, group: Option<&FileGroup>) -> io::Result<Self> {
        if mode.is_some() || group.is_some() {
            let sentence = "files have no mode or group on this system";
            return Err(io::Error::new(io::ErrorKind::Unsupported, sentence));
        }
        Ok(Self::default())
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "the call has the form of that for Unix"
    )]
    pub(super) fn give(self, _file: &File) -> io::Result<()> {
        debug_assert!(
            self.mode.is_none() && self.group.is_none(),
            "`new` refuses them"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal() {
        for (text, bits) in [("640", 0o640), ("0640", 0o640), ("0o660", 0o660), ("0", 0)] {
            assert_eq!(text.parse(), Ok(FileMode(bits)));
        }
        for wrong in [
            "",
            "0o",
            "648",
            "-640",
            "+640",
            "rw-r-----",
            "1777",
            "0x1a0",
            "0000640 ",
        ] {
            assert!(wrong.parse::<FileMode>().is_err(), "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn groups_have_numbers() {
        let groups = b"root:x:0:\n\nbad\npmta:x:1001:ann,bo\nx:\xff:7:\n";
        assert_eq!(group_id("pmta", groups).unwrap(), 1001);
        assert_eq!(group_id("x", groups).unwrap(), 7);
        for missing in ["pmt", "ann", "bad", ""] {
            let error = group_id(missing, groups).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    }
}
