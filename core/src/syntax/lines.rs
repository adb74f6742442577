//! Where lines end, and which of them belong together.

use std::borrow::Cow;
use std::ops::Range;

/// The bytes that end a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// CR, LF and CRLF: text from anywhere.
    Any,
    /// LF and CRLF: what a local program writes. Any other CR is text.
    Lf,
    /// Only CRLF: a message (RFC 5322 section 2.1).
    Crlf,
}

/// The position of the first line end in `bytes`.
#[inline]
pub(crate) fn line_end(bytes: &[u8], ends: LineEnds) -> Option<Range<usize>> {
    match ends {
        LineEnds::Any => memchr::memchr2(b'\r', b'\n', bytes).map(|at| {
            let is_pair = bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
            at..at + 1 + usize::from(is_pair)
        }),
        LineEnds::Lf => memchr::memchr(b'\n', bytes).map(|at| {
            let has_cr = at > 0 && bytes[at - 1] == b'\r';
            at - usize::from(has_cr)..at + 1
        }),
        LineEnds::Crlf => memchr::memchr_iter(b'\n', bytes)
            .find(|at| *at > 0 && bytes[at - 1] == b'\r')
            .map(|at| at - 1..at + 1),
    }
}

/// The first line without its end, and what follows that; `None` if no line ends.
#[inline]
pub(crate) fn split_line(bytes: &[u8], ends: LineEnds) -> Option<(&[u8], &[u8])> {
    line_end(bytes, ends).map(|end| (&bytes[..end.start], &bytes[end.end..]))
}

/// All lines without their ends. The last one is empty if the text ends with a line end.
pub(crate) fn lines(bytes: &[u8], ends: LineEnds) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (line, next) = match split_line(bytes, ends) {
            Some((line, next)) => (line, Some(next)),
            None => (bytes, None),
        };
        rest = next;
        Some(line)
    })
}

/// Whether any CR is not part of a CRLF.
pub(crate) fn holds_bare_cr(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).any(|at| bytes.get(at + 1) != Some(&b'\n'))
}

/// The same with CRLF at the end of every line; unchanged if that is already so. The last line is not given an end.
pub(crate) fn to_crlf(bytes: Cow<'_, [u8]>, ends: LineEnds) -> Cow<'_, [u8]> {
    let mut kept = 0;
    loop {
        match line_end(&bytes[kept..], ends) {
            None => return bytes,
            Some(end) if end.len() == 2 => kept += end.end,
            Some(_) => break,
        }
    }
    let mut lines = Vec::with_capacity(bytes.len() + bytes.len() / 32 + 2);
    let (crlf, mut rest) = bytes.split_at(kept);
    lines.extend_from_slice(crlf);
    while let Some((line, next)) = split_line(rest, ends) {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"\r\n");
        rest = next;
    }
    lines.extend_from_slice(rest);
    Cow::Owned(lines)
}

/// The text with LF at the end of every line; unchanged if that is already so.
pub(crate) fn to_lf(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text;
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// The lines of `bytes`, each with its end and with the following ones that begin with a blank: folded header fields
/// (RFC 5322 section 2.2.3), iCalendar properties (RFC 5545 section 3.1).
///
/// ```text
/// Subject: a long⏎   ┐ one
/// ␣text⏎             ┘
/// To: b@c.example⏎     another
/// ```
pub(crate) fn folded_lines(
    bytes: &[u8],
    ends: LineEnds,
) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start == bytes.len() {
            return None;
        }
        let line = start;
        while let Some(end) = line_end(&bytes[start..], ends) {
            start += end.end;
            if !matches!(bytes.get(start), Some(b' ' | b'\t')) {
                return Some(line..start);
            }
        }
        start = bytes.len();
        Some(line..start)
    })
}

/// The part of a fold that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Only the line end (RFC 5322 section 2.2.3).
    LineEnd,
    /// The line end and the blank after it (RFC 5545 section 3.1).
    WithBlank,
}

/// Folded lines as one, without line ends.
pub(crate) fn unfolded(folded: &str, ends: LineEnds, fold: Fold) -> Cow<'_, str> {
    let (mut text, mut rest) = match line_end(folded.as_bytes(), ends) {
        None => return Cow::Borrowed(folded),
        Some(end) if end.end == folded.len() => return Cow::Borrowed(&folded[..end.start]),
        Some(_) => (String::with_capacity(folded.len()), folded),
    };
    while let Some(end) = line_end(rest.as_bytes(), ends) {
        text.push_str(&rest[..end.start]);
        rest = &rest[end.end..];
        if fold == Fold::WithBlank {
            rest = rest.strip_prefix([' ', '\t']).unwrap_or(rest);
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_become_crlf() {
        let mended = to_crlf(Cow::Borrowed(b"a\r\nb\nc\rd\r\r"), LineEnds::Any);
        assert_eq!(*mended, *b"a\r\nb\r\nc\r\nd\r\n\r\n");
        let mended = to_crlf(Cow::Borrowed(b"\na\r\nb\nc\rd\r\r\n\r"), LineEnds::Lf);
        assert_eq!(*mended, *b"\r\na\r\nb\r\nc\rd\r\r\n\r");
        for untouched in [&b""[..], b"a", b"a\r\n\r\nb", b"a\r\n"] {
            let same = to_crlf(Cow::Borrowed(untouched), LineEnds::Any);
            assert!(matches!(same, Cow::Borrowed(bytes) if bytes == untouched));
        }
    }

    #[test]
    fn folded_lines_are_one() {
        let lines = |text: &'static str, ends| -> Vec<&str> {
            folded_lines(text.as_bytes(), ends)
                .map(|range| &text[range])
                .collect()
        };
        assert_eq!(
            lines("a\r\n b\r\n\tc\r\nd\r\n\r\n", LineEnds::Crlf),
            ["a\r\n b\r\n\tc\r\n", "d\r\n", "\r\n"]
        );
        assert_eq!(
            lines(" a\rb\n\r\n c", LineEnds::Any),
            [" a\r", "b\n", "\r\n c"]
        );
        assert_eq!(lines("a\rb\n c", LineEnds::Crlf), ["a\rb\n c"]);
        assert!(lines("", LineEnds::Any).is_empty());
    }

    #[test]
    fn a_fold_is_a_line_end_or_its_blank_too() {
        for (folded, header, calendar) in [
            ("a\r\n", "a", "a"),
            ("a\r\n b\r\n\t c\r\n", "a b\t c", "ab c"),
            ("a", "a", "a"),
            ("a\r\n ", "a ", "a"),
        ] {
            assert_eq!(unfolded(folded, LineEnds::Crlf, Fold::LineEnd), header);
            assert_eq!(unfolded(folded, LineEnds::Any, Fold::WithBlank), calendar);
        }
    }

    proptest! {
        /// Nothing gets lost, and what has become CRLF stays as it is.
        #[test]
        fn lines_are_whole(text in "[ab \t\r\n]{0,40}") {
            let bytes = text.as_bytes();
            for ends in [LineEnds::Any, LineEnds::Lf, LineEnds::Crlf] {
                let lines: Vec<u8> = folded_lines(bytes, ends)
                    .flat_map(|range| bytes[range].to_vec())
                    .collect();
                prop_assert_eq!(lines, bytes);
            }
            let expected = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            let mended = to_crlf(Cow::Borrowed(bytes), LineEnds::Any);
            prop_assert_eq!(&*mended, expected.as_bytes());
            prop_assert!(matches!(to_crlf(Cow::Borrowed(&mended), LineEnds::Any), Cow::Borrowed(_)));
        }
    }
}
