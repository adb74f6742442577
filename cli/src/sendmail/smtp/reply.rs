//! Replies of the dialogue (RFC 5321 section 4.2), with enhanced status codes (RFC 2034).

use crate::exit::Failure;
use pmtaemail::Problems;
use std::borrow::Cow;
use std::io::{self, Write};

/// More lines would help nobody.
const MOST_LINES: usize = 20;

/// A reply.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// Empty where a reply has none: greetings and intermediate replies.
    status: &'static str,
    lines: Vec<Cow<'static, str>>,
}

impl Reply {
    /// With an enhanced status code and one line of text.
    pub fn new(code: u16, status: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            status,
            lines: vec![text.into()],
        }
    }

    /// With several lines, and without an enhanced status code.
    pub fn of_lines(code: u16, lines: Vec<Cow<'static, str>>) -> Self {
        Self {
            code,
            status: "",
            lines,
        }
    }

    /// Why a message was not submitted. A client is asked to retry what may succeed later, but not what may already be
    /// delivered.
    pub fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Problems(problems) => Self::of_problems(problems),
            Failure::Pickup(error) if error.may_be_delivered() => {
                Self::new(554, "5.3.0", error.to_string())
            }
            failure => Self::new(451, "4.3.0", failure.to_string()),
        }
    }

    fn of_problems(problems: &Problems) -> Self {
        let line = |problem: &pmtaemail::Problem| problem.to_string().into();
        Self {
            code: 554,
            status: "5.6.0",
            lines: problems.iter().take(MOST_LINES).map(line).collect(),
        }
    }

    /// Writes it in lines of at most 512 bytes (RFC 5321 section 4.5.3.1.5), in ASCII only.
    pub fn write(&self, mut output: impl Write) -> io::Result<()> {
        const LONGEST: usize = 490;

        let Self {
            code,
            status,
            lines,
        } = self;
        let blank = if status.is_empty() { "" } else { " " };
        for (index, text) in lines.iter().enumerate() {
            let sign = if index + 1 < lines.len() { '-' } else { ' ' };
            let plain = |c: char| {
                if c == ' ' || c.is_ascii_graphic() {
                    c
                } else {
                    '?'
                }
            };
            let text: String = text.chars().take(LONGEST).map(plain).collect();
            write!(output, "{code}{sign}{status}{blank}{text}\r\n")?;
        }
        output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_the_codes() {
        let written = |reply: &Reply| {
            let mut output = Vec::new();
            reply.write(&mut output).unwrap();
            String::from_utf8(output).unwrap()
        };
        let problems =
            pmtaemail::check(br#"{"from": "a@example.com", "a": 1, "b": 2}"#).unwrap_err();
        let reply = Reply::of_failure(&Failure::Problems(problems));
        let lines = written(&reply);
        let starts: Vec<_> = lines.split("\r\n").map(|line| line.get(..10)).collect();
        assert_eq!(
            starts[..3],
            [Some("554-5.6.0 "), Some("554-5.6.0 "), Some("554 5.6.0 ")]
        );
        assert_eq!(
            written(&Reply::of_lines(250, vec!["a".into(), "b".into()])),
            "250-a\r\n250 b\r\n"
        );
        let odd = Reply::new(451, "4.3.0", "a\r\n\u{e9}".to_owned() + &"x".repeat(600));
        assert_eq!(
            written(&odd),
            format!("451 4.3.0 a???{}\r\n", "x".repeat(486))
        );
    }
}
