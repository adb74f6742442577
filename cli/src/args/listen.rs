//! Where to listen, and how.

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Arg, Args, Command};
use pmtaemail::{FileGroup, FileMode};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, fmt, process};

/// Where to listen, and how.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Address and port to listen on, `:8000` for every address, port 0 for any free port, or `unix:PATH` for a Unix
    /// socket; may be given several times. With --tls-cert an address speaks TLS unless it begins with `http://`.
    /// Sockets passed by systemd replace the default
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000")]
    #[arg(env = "PMTAEMAIL_LISTEN", value_delimiter = ',')]
    pub listen: Vec<ListenAddress>,

    /// Permissions of Unix sockets in octal, regardless of the umask, 0660 by default: whoever may write may connect
    #[arg(long, value_name = "MODE", env = "PMTAEMAIL_SOCKET_MODE")]
    pub socket_mode: Option<FileMode>,

    /// Group of Unix sockets, by name or number: the user must be a member of it
    #[arg(long, value_name = "GROUP", env = "PMTAEMAIL_SOCKET_GROUP")]
    pub socket_group: Option<FileGroup>,

    /// Serve TLS with this certificate, followed by those of its issuers, in PEM. SIGHUP reloads it
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_TLS_CERT", value_parser = tls_file())]
    tls_cert: Option<PathBuf>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE", env = "PMTAEMAIL_TLS_KEY", value_parser = tls_file())]
    tls_key: Option<PathBuf>,
}

/// What TLS needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl ListenArgs {
    /// The problems of their combination, if systemd passes `inherited` sockets.
    pub fn check(&self, inherited: usize) -> Result<(), &'static str> {
        let any = |is: fn(&ListenAddress) -> bool| self.listen.iter().any(is);
        let has_certificate = self.tls_cert.is_some();
        if has_certificate != self.tls_key.is_some() {
            return Err("tls-cert and tls-key must be given together: one of them is missing");
        }
        if self.listen.is_empty() && inherited == 0 {
            return Err("there is no address to listen on: name one with listen");
        }
        if !has_certificate && any(|address| address.scheme() == Some(Scheme::Https)) {
            return Err("an address that starts with https:// needs tls-cert and tls-key");
        }
        let may_speak_tls = |address: &ListenAddress| match address {
            ListenAddress::Tcp(address) => address.scheme != Some(Scheme::Http),
            ListenAddress::Unix(_) => false,
        };
        if has_certificate && inherited == 0 && !any(may_speak_tls) {
            return Err(
                "there is a tls-cert, but no address that speaks TLS: Unix sockets and http:// never do",
            );
        }
        let is_unix = |address: &ListenAddress| matches!(address, ListenAddress::Unix(_));
        if (self.socket_mode.is_some() || self.socket_group.is_some()) && !any(is_unix) {
            return Err(
                "socket-mode and socket-group apply to Unix sockets, but listen names none (sockets passed by systemd have \
                 SocketMode= and SocketGroup= in their unit)",
            );
        }
        Ok(())
    }

    /// The files for TLS, if it is wanted.
    pub fn tls(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
        })
    }

    /// The names of this host, as far as its addresses reveal them.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.listen.iter().filter_map(|address| match address {
            ListenAddress::Tcp(address) => Some(address.host.as_str()),
            ListenAddress::Unix(_) => None,
        })
    }
}

/// Takes the path of a file where TLS is built in.
fn tls_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if cfg!(feature = "tls") {
            Ok(path)
        } else {
            Err("this program was built without TLS (the cargo feature `tls`)")
        }
    })
}

/// How many sockets systemd passes (`sd_listen_fds`(3)). They are only counted: marked as close-on-exec they would not
/// outlive the daemon's second start, see `daemon/allocator.rs`.
pub fn inherited_sockets() -> usize {
    let number = |name| env::var(name).ok()?.parse::<u32>().ok();
    match number("LISTEN_PID") {
        Some(process) if process == process::id() => number("LISTEN_FDS").unwrap_or(0) as usize,
        _ => 0,
    }
}

/// The command without the default of `listen`: the passed sockets replace it.
pub fn without_default(command: Command) -> Command {
    let no_values = <[&str; 0]>::default();
    command
        .mut_args(|arg: Arg| {
            if arg.get_id() == "listen" {
                arg.default_values(no_values)
            } else {
                arg
            }
        })
        .mut_subcommands(without_default)
}

/// One place to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    Tcp(TcpAddress),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// `HOST:PORT`, as Go reads it: `127.0.0.1:8000`, `localhost:8000`, `[::1]:8000`, and `:8000` for
/// every address of the host. `http://` or `https://` before it says whether it speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpAddress {
    pub scheme: Option<Scheme>,
    /// Without brackets; empty for every address.
    pub host: String,
    pub port: u16,
}

/// Whether an address speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }
}

impl ListenAddress {
    fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Tcp(address) => address.scheme,
            Self::Unix(_) => None,
        }
    }
}

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Blanks after the commas of a list.
        let text = text.trim();
        match text.strip_prefix("unix:") {
            Some(path) => unix_path(path).map(Self::Unix),
            None => text.parse().map(Self::Tcp),
        }
    }
}

fn unix_path(path: &str) -> Result<PathBuf, &'static str> {
    // `unix:///run/x`, as a URL has it.
    let path = match path.strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    if path.is_empty() || path.ends_with('/') {
        return Err("expected the path of a socket, such as unix:/run/pmtaemail/api.sock");
    }
    if path.starts_with('@') {
        return Err(
            "abstract sockets are not supported because they have no permissions: give a path",
        );
    }
    Ok(PathBuf::from(path))
}

impl FromStr for TcpAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, text) = [Scheme::Http, Scheme::Https]
            .into_iter()
            .find_map(|scheme| Some((Some(scheme), text.strip_prefix(scheme.prefix())?)))
            .unwrap_or((None, text));
        if scheme == Some(Scheme::Https) && !cfg!(feature = "tls") {
            return Err("this program was built without TLS (the cargo feature `tls`)");
        }
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("expected HOST:PORT, such as 127.0.0.1:8000, or unix:PATH")?;
        if text.contains(char::is_whitespace) {
            return Err("an address may not contain spaces; separate several with commas");
        }
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
            scheme,
            host: bare.unwrap_or(host).to_owned(),
            port,
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write_unix(f, path),
        }
    }
}

/// As an option has it.
pub fn write_unix(f: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    write!(f, "unix:{}", path.display())
}

impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.map_or("", Scheme::prefix))?;
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
    use clap::Parser;

    #[test]
    fn addresses_are_read_as_go_does() {
        for (text, host, port) in [
            ("127.0.0.1:8000", "127.0.0.1", 8000),
            ("localhost:0", "localhost", 0),
            ("[::1]:8000", "::1", 8000),
            (":8000", "", 8000),
            ("http://:8000", "", 8000),
        ] {
            let address: TcpAddress = text.parse().unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.to_string(), text);
        }
        for wrong in [
            "8000",
            "localhost",
            "localhost:",
            "localhost:65536",
            "::1:8000",
            "a:1 b:2",
            "ftp://a:1",
            "https://a",
        ] {
            assert!(wrong.parse::<ListenAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sockets_have_paths() {
        for (text, path) in [
            ("unix:/run/a.sock", "/run/a.sock"),
            (" unix:///run/a.sock", "/run/a.sock"),
            ("unix:a.sock", "a.sock"),
            ("unix:./@a", "./@a"),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address, ListenAddress::Unix(path.into()));
            assert_eq!(address.to_string(), format!("unix:{path}"));
        }
        for wrong in ["unix:", "unix:/run/", "unix:@a"] {
            assert!(wrong.parse::<ListenAddress>().is_err(), "{wrong}");
        }
    }

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        listen: ListenArgs,
    }

    #[test]
    #[cfg(feature = "tls")]
    fn options_fit_together() {
        const TLS: &str = "--tls-cert=c --tls-key=k";
        for (line, inherited, is_right) in [
            ("", 0, true),
            (
                "--listen=unix:a --socket-mode=600 --socket-group=1",
                0,
                true,
            ),
            ("--socket-mode=600", 0, false),
            ("--socket-group=1", 1, false),
            ("--tls-cert=c", 0, false),
            ("--tls-key=k", 0, false),
            (TLS, 0, true),
            (&format!("{TLS} --listen=unix:a,http://:1"), 0, false),
            (&format!("{TLS} --listen=unix:a,http://:1"), 1, true),
            (&format!("{TLS} --listen=:1,http://:2,https://:3"), 0, true),
            ("--listen=https://:1", 0, false),
        ] {
            let words = ["program"].into_iter().chain(line.split_whitespace());
            let args = Line::try_parse_from(words).unwrap().listen;
            assert_eq!(args.check(inherited).is_ok(), is_right, "{line}");
        }
    }
}
