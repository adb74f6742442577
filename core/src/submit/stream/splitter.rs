//! Separates the message from its recipients as the bytes arrive.
//!
//! For a JSON object, this only follows strings and brackets; whether all of it is valid JSON is found out when the
//! pieces are parsed. The message gets an empty array in place of that of the recipients.
//!
//! ```text
//! {"from": "a@example.com", "recipients": [{"address": "b@…"}, {"address": "c@…"}], "text": "Hello"}
//! message   {"from": "a@example.com", "recipients": [], "text": "Hello"}
//! spool     {"address": "b@…"} RS {"address": "c@…"}                         RS: the byte 1E
//! ```

use super::StreamFormat;
use crate::message::StreamedRecipients;
use crate::spool::Spool;
use crate::text::same_name;

/// Separates recipients that are lines.
pub(super) const LINE: u8 = b'\n';
/// Separates recipients that were elements of an array: what no JSON text can hold (RFC 7464).
pub(super) const RECORD: u8 = 0x1e;

#[derive(Debug)]
pub(super) enum Splitter {
    Array(ArraySplitter),
    Lines {
        /// The first non-blank line has begun, or ended.
        has_begun: bool,
        has_ended: bool,
    },
    /// All bytes are recipients.
    #[cfg(feature = "csv")]
    Table,
}

impl Splitter {
    pub fn new(format: StreamFormat) -> Self {
        match format {
            StreamFormat::Json => Self::Array(ArraySplitter::default()),
            StreamFormat::Ndjson => Self::Lines {
                has_begun: false,
                has_ended: false,
            },
        }
    }

    /// The format of the recipients in the spool. `None` if there are only those in the message.
    pub fn recipients(&self) -> Option<StreamedRecipients> {
        match self {
            Self::Array(splitter) => (splitter.arrays > 0).then_some(StreamedRecipients::Array),
            Self::Lines { .. } => Some(StreamedRecipients::Lines),
            #[cfg(feature = "csv")]
            Self::Table => Some(StreamedRecipients::Table),
        }
    }

    /// Whether it cannot be JSON, whatever its pieces are.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Array(splitter) if splitter.is_broken)
    }

    pub fn feed(&mut self, bytes: &[u8], head: &mut Vec<u8>, spool: &mut Spool) {
        match self {
            Self::Array(splitter) => splitter.feed(bytes, head, spool),
            Self::Lines {
                has_begun,
                has_ended,
            } => {
                let mut rest = bytes;
                while !*has_ended && !rest.is_empty() {
                    let end = memchr::memchr(LINE, rest);
                    let (line, next) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
                    head.extend_from_slice(line);
                    *has_begun |= !line.iter().all(u8::is_ascii_whitespace);
                    *has_ended = *has_begun && end.is_some();
                    rest = next;
                }
                spool.push(rest);
            }
            #[cfg(feature = "csv")]
            Self::Table => spool.push(bytes),
        }
    }
}

/// Follows one JSON object.
#[derive(Debug, Default)]
pub(super) struct ArraySplitter {
    /// How many brackets are open.
    depth: usize,
    in_string: bool,
    /// The next byte is after a backslash.
    escaped: bool,
    /// The name of the current member of the outermost object, as written.
    name: Vec<u8>,
    phase: Phase,
    /// The number of arrays of recipients; a second one is a problem, and is not kept.
    arrays: usize,
    /// The depth of the array of recipients that the bytes belong to.
    array: Option<usize>,
    /// It contains the byte that separates recipients in the spool, which no JSON text can.
    is_broken: bool,
}

/// What is expected next in the outermost object.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    #[default]
    Name,
    InName,
    Value,
}

impl ArraySplitter {
    fn feed(&mut self, bytes: &[u8], head: &mut Vec<u8>, spool: &mut Spool) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let was_in_array = self.array.is_some();
            let (run, separates) = self.run(rest);
            let (run, next) = rest.split_at(run);
            rest = next;
            match (was_in_array, self.array.is_some()) {
                (false, _) => head.extend_from_slice(run),
                // The closing bracket is the message's.
                (true, false) => {
                    if let Some((bracket, before)) = run.split_last() {
                        self.keep(before, spool);
                        head.push(*bracket);
                    }
                }
                (true, true) => {
                    let before = run.strip_suffix(b",").filter(|_| separates);
                    self.keep(before.unwrap_or(run), spool);
                    if separates {
                        self.separate(spool);
                    }
                }
            }
        }
    }

    fn keep(&mut self, bytes: &[u8], spool: &mut Spool) {
        self.is_broken |= memchr::memchr(RECORD, bytes).is_some();
        if self.arrays == 1 {
            spool.push(bytes);
        }
    }

    fn separate(&self, spool: &mut Spool) {
        if self.arrays == 1 {
            spool.push(&[RECORD]);
        }
    }

    /// How many bytes belong together: up to the next start or end of an array of recipients, which is returned as
    /// well.
    fn run(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            if self.in_string {
                at += self.string(byte, &bytes[at..]);
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    if self.depth == 1 && self.phase == Phase::Name {
                        self.phase = Phase::InName;
                        self.name.clear();
                    }
                }
                b'[' | b'{' => {
                    let begins = byte == b'[' && self.depth == 1 && self.names_recipients();
                    self.depth += 1;
                    if begins {
                        self.array = Some(self.depth);
                        self.arrays += 1;
                        return (at, false);
                    }
                }
                b']' | b'}' => {
                    let ends = self.array == Some(self.depth);
                    self.depth = self.depth.saturating_sub(1);
                    if ends {
                        self.array = None;
                        return (at, false);
                    }
                }
                b':' if self.depth == 1 => self.phase = Phase::Value,
                b',' if self.depth == 1 => self.phase = Phase::Name,
                b',' if self.array == Some(self.depth) => return (at, true),
                _ => {}
            }
        }
        (at, false)
    }

    /// Takes a byte of a string; returns how many of the following bytes do not matter.
    fn string(&mut self, byte: u8, rest: &[u8]) -> usize {
        let is_name = self.phase == Phase::InName && self.depth == 1;
        if is_name && (byte != b'"' || self.escaped) && self.name.len() < LONGEST_NAME {
            self.name.push(byte);
        }
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
            return 0;
        }
        if is_name || self.escaped {
            return 0;
        }
        memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
    }

    fn names_recipients(&self) -> bool {
        if self.phase != Phase::Value {
            return false;
        }
        let quoted = [b"\"", self.name.as_slice(), b"\""].concat();
        serde_json::from_slice::<String>(&quoted).is_ok_and(|name| same_name(&name, "recipients"))
    }
}

/// No spelling of `recipients` is longer.
const LONGEST_NAME: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::SpoolReader;
    use proptest::prelude::*;
    use std::io::Read;

    fn split(text: &str, format: StreamFormat, chunk: usize) -> (String, String, bool) {
        let mut splitter = Splitter::new(format);
        let (mut head, mut spool) = (Vec::new(), Spool::default());
        for bytes in text.as_bytes().chunks(chunk) {
            splitter.feed(bytes, &mut head, &mut spool);
        }
        let mut recipients = String::new();
        SpoolReader::new(&spool)
            .read_to_string(&mut recipients)
            .unwrap();
        let recipients = recipients.replace('\u{1e}', "|");
        let has = splitter.recipients().is_some();
        (String::from_utf8(head).unwrap(), recipients, has)
    }

    #[test]
    fn the_array_of_recipients_is_taken_out() {
        for (text, head, recipients) in [
            (r#"{"a":1}"#, r#"{"a":1}"#, None),
            (r#"{"recipients":[]}"#, r#"{"recipients":[]}"#, Some("")),
            (
                r#"{"a":[1,"recipients"], "Recipi\u0065nts" : [ "x, ]\"y", {"b":[1,2]} ] ,"c":"d"}"#,
                r#"{"a":[1,"recipients"], "Recipi\u0065nts" : [] ,"c":"d"}"#,
                Some(r#" "x, ]\"y"| {"b":[1,2]} "#),
            ),
            (
                r#"{"recipients":[1],"recipients":[2,3]}"#,
                r#"{"recipients":[],"recipients":[]}"#,
                Some("1"),
            ),
            (
                r#"{"x":{"recipients":[1]}}"#,
                r#"{"x":{"recipients":[1]}}"#,
                None,
            ),
            (
                r#"{"recipients":{"a":[1]}}"#,
                r#"{"recipients":{"a":[1]}}"#,
                None,
            ),
            (r#"["recipients",[1]]"#, r#"["recipients",[1]]"#, None),
            (
                r#"{"a":"recipients","b":[1]}"#,
                r#"{"a":"recipients","b":[1]}"#,
                None,
            ),
            (
                r#"{"recipients":[1,,2,]}"#,
                r#"{"recipients":[]}"#,
                Some("1||2|"),
            ),
            (r#"{"recipients":[1"#, r#"{"recipients":["#, Some("1")),
            (r#"{"\"recipients":[1]}"#, r#"{"\"recipients":[1]}"#, None),
            ("]]}", "]]}", None),
        ] {
            for chunk in 1..text.len() {
                let (kept, taken, has) = split(text, StreamFormat::Json, chunk);
                assert_eq!((kept.as_str(), has), (head, recipients.is_some()), "{text}");
                assert_eq!(taken, recipients.unwrap_or_default(), "{text}");
            }
        }
    }

    #[test]
    fn the_first_line_is_the_message() {
        for chunk in 1..20 {
            let (head, recipients, _) = split(
                "\n \r\n{\"a\":1}\r\n\"b\"\n\n\"c\"",
                StreamFormat::Ndjson,
                chunk,
            );
            assert_eq!(head, "\n \r\n{\"a\":1}\r\n");
            assert_eq!(recipients, "\"b\"\n\n\"c\"");
        }
    }

    proptest! {
        /// Whatever comes, in whatever pieces: nothing is lost and nothing is added.
        #[test]
        fn pieces_do_not_matter(text in r#"(\{|\}|\[|\]|:|,|"recipients":|"|\\|a| ){0,40}"#, chunk in 1_usize..7) {
            let whole = split(&text, StreamFormat::Json, text.len().max(1));
            prop_assert_eq!(&split(&text, StreamFormat::Json, chunk), &whole);
            if !whole.2 {
                prop_assert_eq!(whole.0, text);
            }
        }
    }
}
