//! sendmail's command line, as sendmail(8) and Postfix's sendmail(1) read it.

use crate::args::OwnNames;
use pmtaemail::{AddrSpec, RecipientList, SenderDefaults, text_of_local_program};
use std::cell::LazyCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

pub const USAGE: &str = "\
Submit a finished message as sendmail does: from standard input to PowerMTA's pickup directory

Usage: sendmail [OPTIONS] [RECIPIENT]...

Options:
  -t             Also send to the recipients in the message's To, Cc and Bcc
  -i, -oi        Do not end the message at a line that is a single dot
  -f, -r SENDER  Envelope sender; an empty one or <> is the null reverse-path
  -F NAME        Full name to use in From if the message has none
  -N CONDITIONS  Delivery status notifications: never, or success,failure,delay
  -R RETURN      How much of the message to return with them: full or hdrs
  -V ENVID       Envelope id
  -B BODY        7BIT or 8BITMIME; has no effect
  -bm            Read a message from standard input (the default)
  -bs            Speak SMTP on standard input and standard output
  -o…, -O…, -A…, -C FILE, -c, -e…, -G, -h HOPS, -L TAG, -m, -n, -p PROTOCOL, -U, -v, -X FILE
                 Accepted and ignored
  --             Only recipients follow; they may begin with -

Options and recipients may come in any order. An invalid address does not affect the others.
A missing Date, Message-ID or From is added, addresses without a domain get one, and Bcc is
removed. From is LOGNAME, USER or the login name, at the name in /etc/mailname or of the host.

Environment: PMTAEMAIL_PICKUP (default /var/pickup), PMTAEMAIL_STAGING, PMTAEMAIL_DURABILITY,
PMTAEMAIL_NO_SYNCFS, as the daemon reads them. The caller must be allowed to write there.

Exit codes: 0 submitted, 64 invalid arguments, 65 a message with problems, or recipients that are
not addresses (the others get it), 73 and 75 the pickup directory does not accept it (75: it may
later), 74 reading failed, or it is unknown whether the message was submitted
";

/// The contents of standard input.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `-bm`: a message.
    #[default]
    Message,
    /// `-bs`: an SMTP dialogue.
    Smtp,
    /// Prints the usage.
    Help,
}

/// What the caller requests.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    pub mode: Mode,
    /// `-t`
    pub takes_header_recipients: bool,
    /// No `-i`
    pub dot_ends: bool,
    /// `-f`
    pub sender: Option<String>,
    /// `-F`
    pub name: Option<String>,
    recipients: Vec<String>,
    /// Further envelope fields by their names.
    fields: Vec<(&'static str, String)>,
}

impl Arguments {
    /// Reads the arguments after the program's name. The error is a sentence.
    pub fn parse(line: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = Self {
            dot_ends: true,
            ..Self::default()
        };
        let mut line = line.into_iter();
        let mut is_help = false;
        let own_names = LazyCell::new(OwnNames::get as fn() -> OwnNames);
        while let Some(argument) = line.next() {
            let argument = text(&argument);
            match argument.strip_prefix('-') {
                None => arguments.recipients.push(argument),
                Some("") => {
                    return Err(
                        "- is not a recipient; the message is read from standard input".to_owned(),
                    );
                }
                Some("-") => break,
                Some("-help") => is_help = true,
                Some(options) => {
                    refuse_own_name(options, &own_names)?;
                    arguments.options(options, &mut line)?;
                }
            }
        }
        for recipient in line {
            arguments.recipients.push(text(&recipient));
        }
        let has_recipients = arguments.takes_header_recipients || !arguments.recipients.is_empty();
        match arguments.mode {
            _ if is_help => arguments.mode = Mode::Help,
            Mode::Smtp if has_recipients => {
                return Err("-bs takes recipients only from the SMTP dialogue".to_owned());
            }
            Mode::Message if !has_recipients => {
                return Err("give recipients, or use -t to take those of the message".to_owned());
            }
            Mode::Smtp | Mode::Message | Mode::Help => {}
        }
        Ok(arguments)
    }

    /// The recipients named in the arguments.
    pub fn recipients(&self, defaults: &SenderDefaults<'_>) -> RecipientList {
        let mut list = RecipientList::default();
        for recipients in &self.recipients {
            list.append(defaults.recipients(recipients));
        }
        list
    }

    /// The envelope by the names of its fields.
    pub fn envelope<'e>(
        &'e self,
        sender: &'e str,
        recipients: &'e [AddrSpec<'_>],
    ) -> Vec<(&'static str, &'e str)> {
        let recipients = recipients.iter().map(|address| ("to", address.as_str()));
        let fields = self
            .fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        [("sender", sender)]
            .into_iter()
            .chain(recipients)
            .chain(fields)
            .collect()
    }

    /// Reads options that are in one argument, and the value that may be the next.
    fn options(
        &mut self,
        options: &str,
        line: &mut impl Iterator<Item = OsString>,
    ) -> Result<(), String> {
        for (index, option) in options.char_indices() {
            let (_, joined) = options.split_at(index + option.len_utf8());
            match option {
                't' => self.takes_header_recipients = true,
                'i' => self.dot_ends = false,
                'c' | 'G' | 'm' | 'n' | 'U' | 'v' => {}
                // Their value is never an argument of its own.
                'A' | 'e' => return Ok(()),
                'I' => return Err("-I: there is no table of aliases here".to_owned()),
                'q' => return Err("-q: PowerMTA runs its queues by itself".to_owned()),
                'B' | 'C' | 'F' | 'L' | 'N' | 'O' | 'R' | 'V' | 'X' | 'b' | 'f' | 'h' | 'o'
                | 'p' | 'r' => {
                    let value = if joined.is_empty() {
                        let next = line.next();
                        text(&next.ok_or_else(|| format!("-{option} needs a value"))?)
                    } else {
                        joined.to_owned()
                    };
                    return self.option(option, value);
                }
                _ => return Err("unknown option; see sendmail --help".to_owned()),
            }
        }
        Ok(())
    }

    /// Takes an option with its value.
    fn option(&mut self, option: char, value: String) -> Result<(), String> {
        match option {
            'f' | 'r' => self.sender = Some(value),
            'F' => self.name = Some(value),
            'V' => self.fields.push(("envid", value)),
            'N' => {
                let conditions = value.split(',').map(|word| word.trim().to_owned());
                self.fields
                    .extend(conditions.map(|condition| ("dsn.notify", condition)));
            }
            'R' => {
                let is_headers = value.eq_ignore_ascii_case("hdrs");
                let value = if is_headers {
                    "headers".to_owned()
                } else {
                    value
                };
                self.fields.push(("dsn.ret", value));
            }
            'B' if !["7BIT", "8BITMIME"].contains(&value.to_ascii_uppercase().as_str()) => {
                return Err("-B is 7BIT or 8BITMIME".to_owned());
            }
            'b' => self.mode = mode(&value)?,
            'o' if value == "i" => self.dot_ends = false,
            'O' if value.eq_ignore_ascii_case("IgnoreDots=true") => self.dot_ends = false,
            _ => {}
        }
        Ok(())
    }
}

/// sendmail would read `-pickup a` as `-p ickup` and mail to `a`.
fn refuse_own_name(
    options: &str,
    own_names: &LazyCell<OwnNames, fn() -> OwnNames>,
) -> Result<(), String> {
    let name = options.split('=').next().unwrap_or_default();
    // One-letter options belong to sendmail.
    if name.len() > 1 && own_names.contains(name) {
        return Err(format!(
            "-{name} is not an option of sendmail; see sendmail --help"
        ));
    }
    Ok(())
}

/// `-b`
fn mode(mode: &str) -> Result<Mode, String> {
    let reason = match mode {
        "m" => return Ok(Mode::Message),
        "s" => return Ok(Mode::Smtp),
        "p" => "there is no queue here; PowerMTA has it",
        "i" => "there is no table of aliases here",
        "d" | "D" | "l" => "this is not an SMTP server; PowerMTA is",
        "t" | "v" => "addresses cannot be tried out here",
        "h" | "H" => "there is no list of hosts here",
        _ => "there is no such mode",
    };
    Err(format!("-b{}: {reason}", mode.escape_debug()))
}

/// Names as given by a host whose locale is Latin-1.
fn text(argument: &OsStr) -> String {
    text_of_local_program(argument.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_callers_that_matter_are_understood() {
        let cron = parsed("-i -FCronDaemon -B8BITMIME -oem root").unwrap();
        assert_eq!(cron.name.as_deref(), Some("CronDaemon"));
        assert_eq!(
            (cron.dot_ends, cron.recipients),
            (false, vec!["root".to_owned()])
        );
        let php = parsed("-t -i -fann@example.com").unwrap();
        assert!(php.takes_header_recipients && !php.dot_ends);
        assert_eq!(php.sender.as_deref(), Some("ann@example.com"));
        let git = parsed("-i -f ann@example.com b@example.org c@example.org").unwrap();
        assert_eq!(git.recipients.len(), 2);
        // PHP appends the parameters given to mail(), and Drupal its own options after those.
        let drupal = parsed("bo@example.org -t -f ann@example.com cy@example.org -i").unwrap();
        assert!(drupal.takes_header_recipients && !drupal.dot_ends);
        assert_eq!(drupal.recipients, ["bo@example.org", "cy@example.org"]);
        let mutt = parsed("-oem -oi -N delay,failure -R hdrs -- -b@example.org").unwrap();
        assert_eq!(mutt.recipients, ["-b@example.org"]);
        let notify = |word: &str| ("dsn.notify", word.to_owned());
        let ret = ("dsn.ret", "headers".to_owned());
        assert_eq!(mutt.fields, [notify("delay"), notify("failure"), ret]);
    }

    #[test]
    fn arguments_may_be_in_latin_1() {
        use std::os::unix::ffi::OsStringExt as _;
        let line = [&b"-FJ\xf6rg"[..], b"-F", b"J\xf6rg \x80", b"b@example.org"];
        let line = line.map(|argument| OsString::from_vec(argument.to_vec()));
        let arguments = Arguments::parse(line).unwrap();
        assert_eq!(arguments.name.as_deref(), Some("Jörg €"));
    }

    #[test]
    fn options_may_be_joined() {
        let joined = parsed("-tivfann@example.com -V e1 -O IgnoreDots=true -Am").unwrap();
        let apart = parsed("-t -i -v -f ann@example.com -Ve1 -Ac").unwrap();
        assert_eq!(joined, apart);
    }

    #[test]
    fn a_dot_ends_unless_told_otherwise() {
        assert!(parsed("-bm b@example.org").unwrap().dot_ends);
        for line in ["-i b", "-oi b", "-o i b", "-OIgnoreDots=True b"] {
            assert!(!parsed(line).unwrap().dot_ends, "{line}");
        }
    }

    #[test]
    fn unsupported_arguments_are_refused() {
        for line in [
            "",
            "-i",
            "-bs b",
            "-bs -t",
            "-bp",
            "-bi",
            "-bd",
            "-bx",
            "-q",
            "-q30m",
            "-I",
            "-f",
            "-z b",
            "-Bx b",
            "--listen b",
            "-listen b",
            "-pickup pickup a@example.org",
            "-pickup=pickup a@example.org",
            "a@example.org -no-syncfs",
            "-envid abc a@example.org",
            "-replyTo b a@example.org",
            "-from b a@example.org",
            "-json a@example.org",
            "-help",
            "- a@example.org",
            "a@example.org -",
            "a@example.org -z",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert_eq!(parsed("--help").unwrap().mode, Mode::Help);
        let alpine = parsed("-bs -odb -oem").unwrap();
        assert_eq!(alpine.mode, Mode::Smtp);
        let recipients = parsed("-i -- - -pickup -t").unwrap().recipients;
        assert_eq!(recipients, ["-", "-pickup", "-t"]);
    }
}
