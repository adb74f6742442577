//! Lines and messages as a client writes them.

use std::io::{self, BufRead, Read};

/// How much of a message without line ends is read at once.
const PIECE: u64 = 64 << 10;

/// What ends a line. A client that ends its commands with CRLF ends its message with CRLF, dot, CRLF and
/// with nothing else: a line of its text that ends with LF alone must not end the message, or what
/// follows would be read as commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    Crlf,
    /// LF, or CRLF: a person or a script at a pipe.
    Lf,
}

impl LineEnds {
    fn of(line: &[u8]) -> Self {
        if line.ends_with(b"\r\n") {
            Self::Crlf
        } else {
            Self::Lf
        }
    }

    fn are_at_end_of(self, bytes: &[u8]) -> bool {
        match self {
            Self::Crlf => bytes.ends_with(b"\r\n"),
            Self::Lf => bytes.ends_with(b"\n"),
        }
    }
}

/// A command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// Without its end.
    Whole(Vec<u8>, LineEnds),
    TooLong,
    /// Nothing comes any more.
    End,
}

/// Reads a line of at most `limit` bytes, its end included.
pub fn read_line(input: &mut impl BufRead, limit: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    input.take(limit as u64).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(Line::End);
    }
    if line.len() == limit && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    let ends = LineEnds::of(&line);
    let text = line.strip_suffix(b"\n").unwrap_or(&line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    Ok(Line::Whole(text.to_vec(), ends))
}

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub enum Mail {
    Whole(Vec<u8>),
    TooLarge,
}

/// Reads a message up to its lone dot, and takes the dots away that were put before those at the start
/// of a line (RFC 5321 section 4.5.2). One of over `limit` bytes is read to its end and forgotten.
pub fn read_mail(input: &mut impl BufRead, ends: LineEnds, limit: usize) -> io::Result<Mail> {
    let mut mail = Vec::new();
    let mut is_too_large = false;
    loop {
        let start = mail.len();
        let is_line = start == 0 || ends.are_at_end_of(&mail);
        if input.take(PIECE).read_until(b'\n', &mut mail)? == 0 {
            let detail = "it ended in the middle of a message, which was not submitted";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, detail));
        }
        if is_line && mail[start] == b'.' {
            mail.remove(start);
            let rest = &mail[start..];
            if rest == b"\r\n" || (ends == LineEnds::Lf && rest == b"\n") {
                mail.truncate(start);
                return Ok(if is_too_large {
                    Mail::TooLarge
                } else {
                    Mail::Whole(mail)
                });
            }
        }
        if mail.len() > limit {
            is_too_large = true;
            // The last two bytes tell whether a line begins after them.
            mail.drain(..mail.len() - 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end_and_a_limit() {
        let mut input = &b"QUIT\r\nNOOP\n0123456789\r\n01234567\r\n\n\xff\rDATA"[..];
        let mut next = || read_line(&mut input, 10).unwrap();
        let whole = |text: &[u8], ends| Line::Whole(text.to_vec(), ends);
        assert_eq!(next(), whole(b"QUIT", LineEnds::Crlf));
        assert_eq!(next(), whole(b"NOOP", LineEnds::Lf));
        assert_eq!(next(), Line::TooLong);
        assert_eq!(next(), whole(b"01234567", LineEnds::Crlf));
        assert_eq!(next(), whole(b"", LineEnds::Lf));
        assert_eq!(next(), whole(b"\xff\rDATA", LineEnds::Lf));
        assert_eq!(next(), Line::End);
    }

    #[test]
    fn a_lone_dot_ends_the_message() {
        let long = "x".repeat(200_000);
        for (ends, text, mail) in [
            (
                LineEnds::Crlf,
                "a\r\n..\r\n.b\r\nc.\r\n.\r\n",
                "a\r\n.\r\nb\r\nc.\r\n",
            ),
            (LineEnds::Crlf, ".\r\n", ""),
            (
                LineEnds::Crlf,
                "a\n.\nb\n.\r\nc\r\n.\n\r\n.\r\n",
                "a\n.\nb\n.\r\nc\r\n\n\r\n",
            ),
            (LineEnds::Crlf, "a\r.\r\n\r\n.\r\n", "a\r.\r\n\r\n"),
            (LineEnds::Lf, "a\n..\n.b\r\n.\n", "a\n.\nb\r\n"),
            (LineEnds::Lf, "a\n.\r\n", "a\n"),
            (
                LineEnds::Crlf,
                &format!("{long}\r\n.\r\n"),
                &format!("{long}\r\n"),
            ),
        ] {
            let rest = "MAIL FROM:<a@b>\r\n";
            let input = format!("{text}{rest}");
            let mut input = input.as_bytes();
            let read = read_mail(&mut input, ends, 1 << 20).unwrap();
            assert_eq!(read, Mail::Whole(mail.as_bytes().to_vec()), "{text:.40}");
            assert_eq!(input, rest.as_bytes());
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_read_to_its_end() {
        let mut input = &b"0123456789\r\n.a\r\n\r\n.\r\nQUIT"[..];
        assert_eq!(
            read_mail(&mut input, LineEnds::Crlf, 11).unwrap(),
            Mail::TooLarge
        );
        assert_eq!(input, b"QUIT");
        let mut input = &b"0123456789\r\n.\r\n"[..];
        let whole = Mail::Whole(b"0123456789\r\n".to_vec());
        assert_eq!(read_mail(&mut input, LineEnds::Crlf, 12).unwrap(), whole);
    }

    #[test]
    fn a_message_without_its_end_is_an_error() {
        for text in ["", "a\r\n", "a\r\n.", "a\n.\n"] {
            let mut input = text.as_bytes();
            let error = read_mail(&mut input, LineEnds::Crlf, 100).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{text}");
        }
    }
}
