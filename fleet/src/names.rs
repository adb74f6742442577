//! What streams, subjects and consumers are called.

use std::str::FromStr;

/// Which messages: of a stream, those of one region and one pool of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    stream: Token,
    region: Token,
    pool: Token,
}

/// A part of a subject: letters, digits, `-` and `_`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token(String);

impl FromStr for Token {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

/// A text is no name of a stream, a region or a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name of a stream, region or pool has 1 to 64 letters, digits, - and _")]
pub struct InvalidName;

impl Route {
    /// Messages of this stream, region and pool.
    ///
    /// # Errors
    /// One of them is no name.
    ///
    /// ```
    /// use pmtaemail_fleet::Route;
    /// assert!(Route::new("MAIL", "local", "default").is_ok());
    /// assert!(Route::new("MAIL", "local", "*").is_err());
    /// ```
    pub fn new(stream: &str, region: &str, pool: &str) -> Result<Self, InvalidName> {
        Ok(Self {
            stream: stream.parse()?,
            region: region.parse()?,
            pool: pool.parse()?,
        })
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.stream.0
    }

    /// The subject that a message is published to. The last part is its priority, of which there is one.
    pub(crate) fn subject(&self) -> String {
        format!("{}.{}.{}.normal", self.stream.0, self.region.0, self.pool.0)
    }

    /// The subjects of its messages.
    pub(crate) fn filter(&self) -> String {
        format!("{}.{}.{}.>", self.stream.0, self.region.0, self.pool.0)
    }

    /// The consumer that all its hosts share.
    pub(crate) fn consumer(&self) -> String {
        // No name has this sign, so no two routes have one consumer.
        format!("{}={}", self.region.0, self.pool.0)
    }
}

/// All subjects of a stream.
pub fn subjects(stream: &str) -> String {
    format!("{stream}.>")
}

/// The stream of what cannot be handed over.
pub fn dead(stream: &str) -> String {
    format!("{stream}_DEAD")
}

/// The bucket of idempotency keys.
pub fn keys(stream: &str) -> String {
    format!("{stream}_KEYS")
}

/// The object store of what is too large for a message.
pub fn large(stream: &str) -> String {
    format!("{stream}_LARGE")
}

/// The header field that says why a dead letter is one.
pub const PROBLEM: &str = "Pmtaemail-Problem";

/// The header field with the subject that a dead letter came from.
pub const SUBJECT: &str = "Pmtaemail-Subject";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parts_of_subjects() {
        let route = Route::new("MAIL", "eu-1", "bulk").unwrap();
        assert_eq!(route.subject(), "MAIL.eu-1.bulk.normal");
        assert_eq!(route.filter(), "MAIL.eu-1.bulk.>");
        assert_eq!(route.consumer(), "eu-1=bulk");
        for wrong in ["", "a.b", "*", ">", "a b", "ä", &"a".repeat(65)] {
            assert!(Route::new("MAIL", wrong, "a").is_err(), "{wrong}");
        }
    }
}
