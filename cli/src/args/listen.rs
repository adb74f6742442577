//! The address to listen on.

use std::fmt;
use std::str::FromStr;

/// `HOST:PORT`, as Go reads it: `127.0.0.1:8000`, `localhost:8000`, `[::1]:8000`, and `:8000` for
/// every address of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// Without brackets; empty for every address.
    pub host: String,
    pub port: u16,
}

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("expected HOST:PORT, such as 127.0.0.1:8000")?;
        let port = port
            .parse()
            .map_err(|_| "the port must be a number from 0 to 65535")?;
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if bare.is_none() && host.contains(':') {
            return Err("an IPv6 address needs brackets, such as [::1]:8000");
        }
        Ok(Self {
            host: bare.unwrap_or(host).to_owned(),
            port,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_go_does() {
        for (text, host, port) in [
            ("127.0.0.1:8000", "127.0.0.1", 8000),
            ("localhost:0", "localhost", 0),
            ("[::1]:8000", "::1", 8000),
            (":8000", "", 8000),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.to_string(), text);
        }
        for wrong in [
            "8000",
            "localhost",
            "localhost:",
            "localhost:65536",
            "::1:8000",
        ] {
            assert!(wrong.parse::<ListenAddress>().is_err(), "{wrong}");
        }
    }
}
