//! The domains that somebody may send from.

use super::AddrSpec;
use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

/// The domains that somebody may send from. They apply to the addresses in From and Sender, and to the envelope sender.
/// The default is all domains.
///
/// ```
/// use pmtaemail::{Message, SenderDomains};
///
/// let domains: SenderDomains = ["example.com".parse()?, "*.example.net".parse()?].into_iter().collect();
/// let json = br#"{"from": "ann@example.org", "to": "bo@example.org"}"#;
/// let problems = Message::from_form_within(json, &[], &domains).unwrap_err();
/// assert_eq!(problems.iter().next().unwrap().pointer(), "/from");
/// # Ok::<(), pmtaemail::InvalidSenderDomain>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderDomains(Option<Arc<[SenderDomain]>>);

/// `example.com` means that domain only; `*.example.com` means all domains below it, but not `example.com` itself.
///
/// ```
/// use pmtaemail::{SenderDomain, SenderDomains};
///
/// let below: SenderDomain = "*.example.com".parse()?;
/// let domains: SenderDomains = [below].into_iter().collect();
/// let message = |from| pmtaemail::Message::builder().from(from).to("ann@example.org").text("Hello");
/// assert!(message("news@mail.example.com").build_within(&domains).is_ok());
/// assert!(message("news@example.com").build_within(&domains).is_err());
/// # Ok::<(), pmtaemail::InvalidSenderDomain>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderDomain {
    /// In A-labels and lower case.
    name: String,
    is_wildcard: bool,
}

/// The string is not a [`SenderDomain`].
///
/// ```
/// use pmtaemail::SenderDomain;
///
/// assert!("mail.*.example.com".parse::<SenderDomain>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a domain such as example.com, or *.example.com for all its subdomains")]
pub struct InvalidSenderDomain;

impl FromStr for SenderDomain {
    type Err = InvalidSenderDomain;

    fn from_str(text: &str) -> Result<Self, InvalidSenderDomain> {
        let (is_wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        // What an address may have after its @ is known there.
        let address = AddrSpec::read(Cow::Owned(format!("a@{name}")));
        let address = address.map_err(|_| InvalidSenderDomain)?;
        if is_wildcard && name.starts_with('[') {
            return Err(InvalidSenderDomain);
        }
        Ok(Self {
            name: address.domain().to_ascii_lowercase(),
            is_wildcard,
        })
    }
}

impl SenderDomain {
    fn allows(&self, domain: &str) -> bool {
        if !self.is_wildcard {
            return domain.eq_ignore_ascii_case(&self.name);
        }
        let Some(at) = domain.len().checked_sub(self.name.len()) else {
            return false;
        };
        at >= 2
            && domain.as_bytes()[at - 1] == b'.'
            && domain.as_bytes()[at..].eq_ignore_ascii_case(self.name.as_bytes())
    }
}

impl FromIterator<SenderDomain> for SenderDomains {
    /// Exactly these domains. An empty iterator allows none.
    fn from_iter<I: IntoIterator<Item = SenderDomain>>(domains: I) -> Self {
        Self(Some(domains.into_iter().collect()))
    }
}

impl SenderDomains {
    /// All domains.
    ///
    /// ```
    /// use pmtaemail::SenderDomains;
    ///
    /// assert!(SenderDomains::ALL.are_all());
    /// assert!(!SenderDomains::from_iter(["example.com".parse()?]).are_all());
    /// # Ok::<(), pmtaemail::InvalidSenderDomain>(())
    /// ```
    pub const ALL: Self = Self(None);

    /// Whether all domains are allowed.
    pub fn are_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether an address in this domain is allowed.
    pub(crate) fn allow(&self, address: &AddrSpec<'_>) -> bool {
        let Some(domains) = &self.0 else {
            return true;
        };
        domains.iter().any(|known| known.allows(address.domain()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_all_domains_below_it_but_not_itself() {
        for (pattern, domain, expected) in [
            ("example.com", "example.com", true),
            ("Example.COM", "eXample.com", true),
            ("example.com", "mail.example.com", false),
            ("example.com", "badexample.com", false),
            ("example.com", "example.com.evil.org", false),
            ("*.example.com", "mail.example.com", true),
            ("*.example.com", "a.b.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.example.com", "com", false),
            ("bücher.example", "xn--bcher-kva.example", true),
            ("xn--bcher-kva.example", "bücher.example", true),
            ("*.bücher.example", "www.bücher.example", true),
            ("[192.0.2.1]", "[192.0.2.1]", true),
            ("[192.0.2.1]", "[192.0.2.2]", false),
        ] {
            let domains: SenderDomains = [pattern.parse().unwrap()].into_iter().collect();
            let address = AddrSpec::read(Cow::Owned(format!("a@{domain}"))).unwrap();
            assert_eq!(domains.allow(&address), expected, "{pattern} {domain}");
            assert!(SenderDomains::ALL.allow(&address));
            assert!(!SenderDomains::from_iter([]).allow(&address));
        }
        for wrong in [
            "",
            "*",
            "*.",
            "**.example.com",
            "*.*.com",
            "a@example.com",
            "a b",
            "*.[192.0.2.1]",
        ] {
            assert!(wrong.parse::<SenderDomain>().is_err(), "{wrong}");
        }
    }
}
