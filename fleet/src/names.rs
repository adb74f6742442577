//! The names of streams, subjects and consumers.

use std::str::FromStr;

/// The messages of a pool that its hosts take first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Before all others: somebody is waiting for them.
    High,
    /// Most mail.
    #[default]
    Normal,
    /// While nothing else waits: newsletters.
    Low,
}

impl Priority {
    /// All of them, the first to be taken first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The last part of a subject.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

impl FromStr for Priority {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut all = Self::ALL.into_iter();
        all.find(|priority| priority.as_str() == text)
            .ok_or(InvalidName)
    }
}

/// A set of messages: of a stream, for one region and one pool of hosts.
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

/// The string is not a valid name of a stream, a region or a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a stream, region or pool must be 1 to 64 letters, digits, - and _")]
pub struct InvalidName;

impl Route {
    /// Messages of this stream, region and pool.
    ///
    /// # Errors
    /// One of the names is invalid.
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

    /// The same region of the same stream with another pool.
    ///
    /// # Errors
    /// The name is invalid.
    pub fn with_pool(&self, pool: &str) -> Result<Self, InvalidName> {
        Ok(Self {
            pool: pool.parse()?,
            ..self.clone()
        })
    }

    /// The subject of its messages of a priority.
    pub(crate) fn subject(&self, priority: Priority) -> String {
        format!(
            "{}.{}.{}.{}",
            self.stream.0,
            self.region.0,
            self.pool.0,
            priority.as_str()
        )
    }

    /// The consumer of a priority that all its hosts share.
    pub(crate) fn consumer(&self, priority: Priority) -> String {
        // No name contains this character, so no two routes share a consumer.
        format!("{}={}={}", self.region.0, self.pool.0, priority.as_str())
    }
}

/// All subjects of a stream.
pub fn subjects(stream: &str) -> String {
    format!("{stream}.>")
}

/// The stream of messages that cannot be submitted.
pub fn dead(stream: &str) -> String {
    format!("{stream}_DEAD")
}

/// The bucket of idempotency keys.
pub fn keys(stream: &str) -> String {
    format!("{stream}_KEYS")
}

/// The object store for what is too large for a message.
pub fn large(stream: &str) -> String {
    format!("{stream}_LARGE")
}

/// The streams behind that bucket and that store.
pub fn keys_stream(stream: &str) -> String {
    format!("KV_{}", keys(stream))
}

pub fn large_stream(stream: &str) -> String {
    format!("OBJ_{}", large(stream))
}

/// The header field that says why a message is a dead letter.
pub const PROBLEM: &str = "Pmtaemail-Problem";

/// The header field with the subject that a dead letter came from.
pub const SUBJECT: &str = "Pmtaemail-Subject";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parts_of_subjects() {
        let route = Route::new("MAIL", "eu-1", "bulk").unwrap();
        assert_eq!(route.subject(Priority::Normal), "MAIL.eu-1.bulk.normal");
        assert_eq!(route.consumer(Priority::High), "eu-1=bulk=high");
        let other = route.with_pool("fast").unwrap();
        assert_eq!(other.subject(Priority::Low), "MAIL.eu-1.fast.low");
        assert!(route.with_pool("fast.low").is_err());
        for wrong in ["", "a.b", "*", ">", "a b", "ä", &"a".repeat(65)] {
            assert!(Route::new("MAIL", wrong, "a").is_err(), "{wrong}");
        }
    }
}
