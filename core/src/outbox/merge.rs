//! The template of a merge file, and how PowerMTA fills it in.

use super::lines::Lines;
use super::recipient::{Recipient, is_name};
use super::unreadable::UnreadableFile;
use std::borrow::Cow;

/// The parts of a template, with the line on which each begins.
#[derive(Debug)]
pub(super) struct Template<'a>(Vec<(usize, Cow<'a, [u8]>)>);

/// PowerMTA's own variables that a template may contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnVariables<'a> {
    /// `*from`
    pub from: &'a str,
    /// `*date`: when the file was received (RFC 5322 section 3.3).
    pub date: &'a str,
}

impl<'a> Template<'a> {
    /// Reads `XPRT 1` up to `XPRT N LAST`, each with its data.
    pub fn read(lines: &mut Lines<'a>) -> Result<Self, UnreadableFile> {
        let mut parts = Vec::new();
        loop {
            let Some(words) = lines.take_if("XPRT ")? else {
                return Err(lines.error_ahead("expected RCPT or XPRT"));
            };
            let (number, is_last) = match words.strip_suffix(" LAST") {
                Some(number) => (number, true),
                None => (words, false),
            };
            if number.parse() != Ok(parts.len() + 1) {
                return Err(lines.error("the parts are not numbered 1, 2, 3 and so on"));
            }
            let start = lines.taken() + 1;
            parts.push((start, lines.data()?));
            if is_last {
                return Ok(Self(parts));
            }
        }
    }

    /// What a recipient gets.
    pub fn fill(
        &self,
        recipient: &Recipient<'_>,
        own: OwnVariables<'_>,
    ) -> Result<Vec<u8>, UnreadableFile> {
        let mut out = Vec::new();
        match recipient.variable("*parts") {
            Some(numbers) => {
                for number in numbers.split(',') {
                    for number in self.range(number)? {
                        self.fill_part(number, recipient, own, &mut out)?;
                    }
                }
            }
            None => {
                for number in 0..self.0.len() {
                    self.fill_part(number, recipient, own, &mut out)?;
                }
            }
        }
        Ok(out)
    }

    /// `3` or `1-3`, as indexes.
    fn range(&self, text: &str) -> Result<std::ops::Range<usize>, UnreadableFile> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) if (1..=last).contains(&first) && last <= self.0.len() => {
                Ok(first - 1..last)
            }
            _ => {
                let line = self.0.first().map_or(1, |(line, _)| *line);
                Err(UnreadableFile::new(
                    line,
                    "*parts names a part that does not exist",
                ))
            }
        }
    }

    fn fill_part(
        &self,
        index: usize,
        recipient: &Recipient<'_>,
        own: OwnVariables<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), UnreadableFile> {
        let (line, part) = &self.0[index];
        let error = |at: usize, why| {
            let before = memchr::memchr_iter(b'\n', &part[..at]).count();
            UnreadableFile::new(line + before, why)
        };
        let mut copied = 0;
        while let Some(found) = memchr::memchr(b'[', &part[copied..]) {
            let at = copied + found;
            out.extend_from_slice(&part[copied..at]);
            let behind = &part[at + 1..];
            if behind.starts_with(b"[") {
                out.push(b'[');
                copied = at + 2;
                continue;
            }
            let end = memchr::memchr(b']', behind);
            let end = end.ok_or_else(|| error(at, "[ is neither doubled nor before a variable"))?;
            let name = str::from_utf8(&behind[..end]).unwrap_or_default();
            let value = value(name, recipient, own);
            out.extend_from_slice(value.map_err(|why| error(at, why))?.as_bytes());
            copied = at + 1 + end + 1;
        }
        out.extend_from_slice(&part[copied..]);
        Ok(())
    }
}

/// What replaces `[name]`. A variable that is not defined is empty (section 3.3.1.29).
fn value<'r>(
    name: &str,
    recipient: &'r Recipient<'_>,
    own: OwnVariables<'r>,
) -> Result<&'r str, &'static str> {
    match name.strip_prefix('*') {
        Some(reserved) if reserved.eq_ignore_ascii_case("to") => Ok(recipient.address),
        Some(reserved) if reserved.eq_ignore_ascii_case("from") => Ok(own.from),
        Some(reserved) if reserved.eq_ignore_ascii_case("date") => Ok(own.date),
        Some(reserved) if reserved.eq_ignore_ascii_case("jobid") => {
            Ok(recipient.variable("*jobid").unwrap_or_default())
        }
        None if is_name(name.as_bytes()) => Ok(recipient.variable(name).unwrap_or_default()),
        _ => Err("[ is followed by something that is not a known variable"),
    }
}
