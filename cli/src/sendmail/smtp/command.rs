//! Commands of the dialogue (RFC 5321 section 4.1.1).
//!
//! The text between the angle brackets of an address is passed on as it is, and read by the same rules as every other
//! address. (The crate smtp-proto strips quotes and reads `<postmaster>` as `<>`.)

/// A command with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub enum Command<'l> {
    Ehlo,
    Helo,
    Mail(Path<'l>),
    Rcpt(Path<'l>),
    Data,
    Rset,
    Noop,
    Quit,
    Vrfy,
    /// Defined in RFC 5321 or its extensions, but not supported.
    NotImplemented,
}

/// A path and the parameters after it (RFC 5321 section 4.1.2).
#[derive(Debug, PartialEq, Eq)]
pub struct Path<'l> {
    /// Without its angle brackets.
    pub address: &'l str,
    parameters: &'l str,
}

/// Why a line is not a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    Unknown,
    /// A known command in a wrong form; this is the right form.
    Syntax(&'static str),
}

impl<'l> Command<'l> {
    /// Reads a line without its end.
    pub fn read(line: &'l str) -> Result<Self, Unreadable> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim();
        let alone = |command: Self, form| {
            let is_alone = argument.is_empty();
            is_alone.then_some(command).ok_or(Unreadable::Syntax(form))
        };
        let path = |prefix: &str, form| {
            let (before, path) = argument.split_at_checked(prefix.len()).unwrap_or_default();
            let path = before.eq_ignore_ascii_case(prefix).then_some(path);
            path.and_then(Path::read).ok_or(Unreadable::Syntax(form))
        };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" if !argument.is_empty() => Ok(Self::Ehlo),
            "HELO" if !argument.is_empty() => Ok(Self::Helo),
            "EHLO" | "HELO" => Err(Unreadable::Syntax("EHLO or HELO and a name")),
            "MAIL" => path("FROM:", "MAIL FROM:<address>").map(Self::Mail),
            "RCPT" => path("TO:", "RCPT TO:<address>").map(Self::Rcpt),
            "DATA" => alone(Self::Data, "DATA"),
            "RSET" => alone(Self::Rset, "RSET"),
            "QUIT" => alone(Self::Quit, "QUIT"),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Vrfy),
            "AUTH" | "BDAT" | "ETRN" | "EXPN" | "HELP" | "STARTTLS" | "TURN" => {
                Ok(Self::NotImplemented)
            }
            _ => Err(Unreadable::Unknown),
        }
    }
}

impl<'l> Path<'l> {
    /// A client that omits the brackets is understood.
    fn read(text: &'l str) -> Option<Self> {
        let text = text.trim_start();
        let (address, parameters) = match text.strip_prefix('<') {
            Some(text) => {
                let end = closing_bracket(text)?;
                (&text[..end], &text[end + 1..])
            }
            None => text.split_once(' ').unwrap_or((text, "")),
        };
        let is_apart = parameters.is_empty() || parameters.starts_with(' ');
        let is_path = text.starts_with('<') || !address.is_empty();
        (is_path && (is_apart || !text.starts_with('<'))).then_some(Self {
            address,
            parameters,
        })
    }

    /// The names and values of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = (&'l str, Option<&'l str>)> {
        let words = self.parameters.split_ascii_whitespace();
        words.map(|word| match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        })
    }
}

/// The position of the bracket outside quotes.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => drop(bytes.next()),
            b'>' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parsed<'l> = (&'l str, Vec<(&'l str, Option<&'l str>)>);

    fn mail(line: &str) -> Option<Parsed<'_>> {
        match Command::read(line) {
            Ok(Command::Mail(path)) => Some((path.address, path.parameters().collect())),
            _ => None,
        }
    }

    #[test]
    fn addresses_come_as_they_are_written() {
        for (line, address, parameters) in [
            ("MAIL FROM:<a@b.c>", "a@b.c", &[] as &[_]),
            (
                "mail from: <> SIZE=5 smtputf8",
                "",
                &[("SIZE", Some("5")), ("smtputf8", None)],
            ),
            (
                "MAIL FROM:<\"a>\\\"> b\"@c.d> X=",
                "\"a>\\\"> b\"@c.d",
                &[("X", Some(""))],
            ),
            ("MAIL FROM:<root>", "root", &[]),
            ("MAIL FROM:<postmaster>", "postmaster", &[]),
            ("MAIL FROM:a@b.c SIZE=5", "a@b.c", &[("SIZE", Some("5"))]),
            ("Mail  From:<é@b>", "é@b", &[]),
        ] {
            assert_eq!(mail(line), Some((address, parameters.to_vec())), "{line}");
        }
        for line in [
            "MAIL",
            "MAIL FROM",
            "MAIL FROM:",
            "MAIL TO:<a@b>",
            "MAIL FROM:<a@b",
            "MAIL FROM:<a>b",
            "MAIL FROM:<\"a>",
            "MAIL FROMé",
            "MAILFROM:<a@b>",
        ] {
            assert_eq!(mail(line), None, "{line}");
        }
    }

    #[test]
    fn verbs_are_read_in_any_case() {
        for (line, command) in [
            ("ehlo localhost", Command::Ehlo),
            ("HELO [127.0.0.1]", Command::Helo),
            ("data", Command::Data),
            ("DATA ", Command::Data),
            ("RSET", Command::Rset),
            ("NOOP anything", Command::Noop),
            ("Quit", Command::Quit),
            ("VRFY ann", Command::Vrfy),
            ("STARTTLS", Command::NotImplemented),
        ] {
            assert_eq!(Command::read(line), Ok(command), "{line}");
        }
        for line in ["EHLO", "HELO ", "DATA x", "RSET x", "QUIT x"] {
            assert!(
                matches!(Command::read(line), Err(Unreadable::Syntax(_))),
                "{line}"
            );
        }
        for line in ["", " ", "XYZ", "DAT", "é", " QUIT"] {
            assert_eq!(Command::read(line), Err(Unreadable::Unknown), "{line}");
        }
    }
}
