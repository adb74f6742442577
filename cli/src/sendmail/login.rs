//! The calling user and host: the sender of a message that does not name one.

use pmtaemail::AddrSpec;
use rustix::process::getuid;
use rustix::system::uname;
use std::iter::once_with;
use std::{env, fs};

/// Debian's file with the domain for mail addresses without one.
const MAILNAME: &str = "/etc/mailname";

const PASSWD: &str = "/etc/passwd";

/// The domain if neither [`MAILNAME`] nor the host has one: mail from such a host is sent anyway.
const NO_DOMAIN: &str = "localhost.localdomain";

/// The caller. It is always a valid envelope address, whatever the names of host and user: mail is not lost because of
/// names that nobody chose for mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    pub address: AddrSpec<'static>,
    /// The domain for addresses without one.
    pub domain: String,
}

impl Login {
    /// The name is from `LOGNAME` or `USER`, else from `/etc/passwd`, else the user's number; the domain is that of
    /// `/etc/mailname`, else the host's own name if that is a domain.
    pub fn find() -> Self {
        let user = getuid().as_raw();
        let names = ["LOGNAME", "USER"]
            .into_iter()
            .filter_map(|name| env::var(name).ok());
        let names = names.chain(once_with(|| name_of(user, &read(PASSWD))).flatten());
        let domains = once_with(|| first_line(&read(MAILNAME))).chain(once_with(|| {
            uname().nodename().to_string_lossy().into_owned()
        }));
        Self::new(names, user, domains)
    }

    /// A known login.
    #[cfg(fuzzing)]
    pub fn named(name: &str, domain: &str) -> Self {
        Self::new(
            [name.to_owned()].into_iter(),
            1000,
            [domain.to_owned()].into_iter(),
        )
    }

    /// Takes the first name and the first domain that can form an address.
    fn new(
        names: impl Iterator<Item = String>,
        user: u32,
        mut domains: impl Iterator<Item = String>,
    ) -> Self {
        let domain = domains.find_map(|name| domain(&name));
        let domain = domain.unwrap_or_else(|| NO_DOMAIN.to_owned());
        let address = names
            .chain([user.to_string()])
            .find_map(|name| address(name, &domain))
            .expect("a number is a local part, and the domain has room for any");
        Self { address, domain }
    }
}

/// The address of a user. Active Directory's names may be addresses themselves.
fn address(name: String, domain: &str) -> Option<AddrSpec<'static>> {
    let made = AddrSpec::from_parts(&name, domain);
    AddrSpec::parse(name).or(made).ok()
}

/// The name as a domain, if it is one. A dot at its end only marks it as complete.
fn domain(name: &str) -> Option<String> {
    const LONGEST_LOCAL_PART: usize = 64;
    let name = name.strip_suffix('.').unwrap_or(name);
    // Short enough to leave room for the name.
    let longest = AddrSpec::from_parts(&"x".repeat(LONGEST_LOCAL_PART), name).ok()?;
    Some(longest.domain().to_owned())
}

/// The text of a file. One that cannot be read says nothing: the mail is worth more than the name that
/// it would have.
fn read(path: &str) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
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

    fn login(names: &[&str], domains: &[&str]) -> (String, String) {
        let owned =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(ToString::to_string).collect() };
        let login = Login::new(owned(names).into_iter(), 1000, owned(domains).into_iter());
        (login.address.to_string(), login.domain)
    }

    #[test]
    fn any_login_name_makes_an_address() {
        let long = "a".repeat(65);
        for (names, address) in [
            (&["ann", "ben"] as &[&str], "ann@h.example"),
            (&["jdoe@corp.example.com"], "jdoe@corp.example.com"),
            (&["jdoe@my_corp"], "\"jdoe@my_corp\"@h.example"),
            (&["CORP\\jdoe"], "\"CORP\\\\jdoe\"@h.example"),
            (&["john doe"], "\"john doe\"@h.example"),
            (&["\"ann\"@b"], "\"ann\"@b"),
            (&["", "ben"], "ben@h.example"),
            (&["a\nBcc: b@c.example", &long], "1000@h.example"),
            (&[], "1000@h.example"),
        ] {
            assert_eq!(login(names, &["h.example"]).0, address, "{names:?}");
        }
    }

    #[test]
    fn any_host_name_makes_a_domain() {
        let long = "ab.".repeat(70) + "example";
        for (domains, domain) in [
            (&["mail.example", "host"] as &[&str], "mail.example"),
            (&["", "host"], "host"),
            (&["my_mail", "host.example."], "host.example"),
            (&["", "my_host"], NO_DOMAIN),
            (&["", "my--host"], NO_DOMAIN),
            (&["", "-host"], NO_DOMAIN),
            (&["a b", "(none)"], NO_DOMAIN),
            (&["", ".", "ho\u{fffd}st"], NO_DOMAIN),
            (&[&long, "host"], "host"),
            (&["bücher.example"], "xn--bcher-kva.example"),
            (&[], NO_DOMAIN),
        ] {
            let login = login(&["ann"], domains);
            assert_eq!(
                login,
                (format!("ann@{domain}"), domain.to_owned()),
                "{domains:?}"
            );
        }
    }

    #[test]
    fn a_user_has_a_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nann:x:1000:100::/:\n";
        assert_eq!(name_of(0, passwd).as_deref(), Some("root"));
        assert_eq!(name_of(1000, passwd).as_deref(), Some("ann"));
        assert_eq!(name_of(100, passwd), None);
    }
}
