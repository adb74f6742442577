//! Who calls, and on which host: what a message that does not say it comes from.

use crate::exit::Failure;
use rustix::process::getuid;
use rustix::system::uname;
use std::{env, fs, io};

/// Debian's file with the domain of mail addresses that have none.
const MAILNAME: &str = "/etc/mailname";

const PASSWD: &str = "/etc/passwd";

/// The caller.
#[derive(Debug)]
pub struct Login {
    name: String,
    pub host: String,
}

impl Login {
    /// The name is from `LOGNAME` or `USER`, else from `/etc/passwd`; the host is what
    /// `/etc/mailname` says, else the host's own name.
    pub fn find() -> Result<Self, Failure> {
        let name = ["LOGNAME", "USER"]
            .into_iter()
            .filter_map(|name| env::var(name).ok())
            .find(|name| !name.is_empty());
        let user = getuid().as_raw();
        let name = match name {
            Some(name) => name,
            None => name_of(user, &read(PASSWD)?).unwrap_or_else(|| user.to_string()),
        };
        let mailname = read(MAILNAME)?;
        let host = match mailname.lines().next().map(str::trim) {
            Some(host) if !host.is_empty() => host.to_owned(),
            _ => uname().nodename().to_string_lossy().into_owned(),
        };
        Ok(Self { name, host })
    }

    /// The caller's mail address.
    pub fn address(&self) -> String {
        format!("{}@{}", self.name, self.host)
    }
}

/// The text of a file, which is empty if there is no file.
fn read(path: &str) -> Result<String, Failure> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(|source| Failure::Read {
            name: path.to_owned(),
            source,
        }),
    }
}

fn name_of(user: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(user)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nann:x:1000:100::/:\n";
        assert_eq!(name_of(0, passwd).as_deref(), Some("root"));
        assert_eq!(name_of(1000, passwd).as_deref(), Some("ann"));
        assert_eq!(name_of(100, passwd), None);
    }
}
