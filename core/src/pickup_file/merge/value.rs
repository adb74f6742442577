//! A value as it lands in a quoted-printable body, cut into pieces that fit a line.

use super::definitions::Definitions;
use super::names::{Name, numbers};
use crate::mime::quoted_printable::{LINE, escape};
use crate::template::entity;

/// The longest that a value may be, in lines.
pub(super) const MOST_PIECES: usize = 256;

/// Encodes values in quoted-printable, one after the other, so that memory is asked for once.
#[derive(Debug, Default)]
pub(super) struct ValueEncoder {
    bytes: Vec<u8>,
    /// Where each piece but the last ends.
    cuts: Vec<usize>,
}

/// A value in quoted-printable: one piece at least, and [`MOST_PIECES`] at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct EncodedValue<'e> {
    bytes: &'e [u8],
    cuts: &'e [usize],
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Style {
    /// Characters that mean something in HTML are escaped.
    pub escaped: bool,
    /// It ends its body, behind which a line ends in any case: not twice then.
    pub is_tail: bool,
}

impl ValueEncoder {
    /// Encodes a value. Wherever it lands, its pieces stay what they are: blanks at its end and a dot
    /// at the start of a line are encoded, and so is what means something to PowerMTA. `None` if
    /// there would be too many pieces.
    pub fn encode(&mut self, value: &str, style: Style) -> Option<EncodedValue<'_>> {
        self.bytes.clear();
        self.cuts.clear();
        let value = if style.is_tail {
            let line = value.strip_suffix('\n').unwrap_or(value);
            line.strip_suffix('\r').unwrap_or(line)
        } else {
            value
        };
        let classes = if style.escaped { &ESCAPED } else { &PLAIN };
        let is_plain = |byte: &u8| classes[usize::from(*byte)];
        let bytes = value.as_bytes();
        if bytes.len() <= LINE
            && bytes.iter().all(is_plain)
            && !bytes.starts_with(b".")
            && !bytes.ends_with(b" ")
        {
            self.bytes.extend_from_slice(bytes);
        } else if !self.encode_characters(value, style.escaped, classes) {
            return None;
        }
        Some(EncodedValue {
            bytes: &self.bytes,
            cuts: &self.cuts,
        })
    }

    fn encode_characters(&mut self, value: &str, escaped: bool, plain: &[bool; 256]) -> bool {
        let mut characters = value.chars().peekable();
        let mut unit = Vec::with_capacity(16);
        while let Some(character) = characters.next() {
            unit.clear();
            let is_last = characters.peek().is_none();
            match character {
                '\r' | '\n' => {
                    if character == '\r' && characters.peek() == Some(&'\n') {
                        characters.next();
                    }
                    unit.extend_from_slice(b"=0D=0A");
                }
                ' ' if !is_last => unit.push(b' '),
                '.' if self.at_line_start() => push_escapes(&mut unit, character),
                c if c.is_ascii() && c != ' ' && plain[c as usize & 0x7f] => unit.push(c as u8),
                c => match u8::try_from(c).ok().filter(|_| escaped).and_then(entity) {
                    Some(entity) => unit.extend_from_slice(entity.as_bytes()),
                    None => push_escapes(&mut unit, c),
                },
            }
            if !self.push(&unit) {
                return false;
            }
        }
        true
    }

    fn line_start(&self) -> usize {
        self.cuts.last().copied().unwrap_or(0)
    }

    fn at_line_start(&self) -> bool {
        self.bytes.len() - self.line_start() == 0 || self.bytes.len() - self.line_start() == LINE
    }

    /// Appends what may not be parted.
    fn push(&mut self, unit: &[u8]) -> bool {
        if self.bytes.len() - self.line_start() + unit.len() > LINE {
            self.cuts.push(self.bytes.len());
        }
        self.bytes.extend_from_slice(unit);
        self.cuts.len() < MOST_PIECES
    }
}

impl<'e> EncodedValue<'e> {
    /// The pieces in order.
    pub fn pieces(self) -> impl Iterator<Item = &'e [u8]> {
        let ends = self.cuts.iter().copied().chain([self.bytes.len()]);
        ends.scan(0, move |start, end| {
            let piece = &self.bytes[*start..end];
            *start = end;
            Some(piece)
        })
    }

    /// How many pieces there are beyond the first.
    pub fn more(self) -> u8 {
        u8::try_from(self.cuts.len()).expect("256 pieces at most")
    }

    /// How long the longest piece is.
    pub fn width(self) -> usize {
        self.pieces().fold(0, |width, piece| width.max(piece.len()))
    }

    /// Defines the variables that hold it.
    pub fn define(self, name: &Name, out: &mut Definitions<'_>) {
        for (piece, number) in self.pieces().zip(numbers(self.more())) {
            out.define(&name.numbered(number), piece);
        }
    }
}

fn push_escapes(out: &mut Vec<u8>, character: char) {
    let mut bytes = [0; 4];
    for byte in character.encode_utf8(&mut bytes).bytes() {
        out.extend_from_slice(&escape(byte)[..3]);
    }
}

/// The bytes that stand for themselves in a value: printable ASCII, without what means something to
/// quoted-printable or to PowerMTA.
const PLAIN: [bool; 256] = table(b"=\"\\[]");
/// The same without what means something in HTML.
const ESCAPED: [bool; 256] = table(b"=\"\\[]&<>'");

const fn table(without: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        table[byte as usize] = true;
        byte += 1;
    }
    let mut index = 0;
    while index < without.len() {
        table[without[index] as usize] = false;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: Style = Style {
        escaped: false,
        is_tail: false,
    };
    const HTML: Style = Style {
        escaped: true,
        is_tail: false,
    };

    fn pieces(value: &str, style: Style) -> Option<Vec<String>> {
        let mut values = ValueEncoder::default();
        let text = |piece: &[u8]| String::from_utf8(piece.to_vec()).unwrap();
        let encoded = values.encode(value, style);
        encoded.map(|encoded| encoded.pieces().map(text).collect())
    }

    #[test]
    fn values_are_written_for_where_they_land() {
        for (value, text, html) in [
            ("", "", ""),
            ("Ann Lee", "Ann Lee", "Ann Lee"),
            (
                "é\"\\[]=",
                "=C3=A9=22=5C=5B=5D=3D",
                "=C3=A9&quot;=5C=5B=5D=3D",
            ),
            ("<a & 'b'>", "<a & 'b'>", "&lt;a &amp; &#39;b&#39;&gt;"),
            (".a", "=2Ea", "=2Ea"),
            ("a \t", "a =09", "a =09"),
            ("a ", "a=20", "a=20"),
            (" ", "=20", "=20"),
            (
                "a\nb\rc\r\nd\n",
                "a=0D=0Ab=0D=0Ac=0D=0Ad=0D=0A",
                "a=0D=0Ab=0D=0Ac=0D=0Ad=0D=0A",
            ),
        ] {
            assert_eq!(
                pieces(value, TEXT),
                Some(vec![text.to_owned()]),
                "{value:?}"
            );
            assert_eq!(
                pieces(value, HTML),
                Some(vec![html.to_owned()]),
                "{value:?}"
            );
        }
        let tail = Style {
            is_tail: true,
            ..TEXT
        };
        assert_eq!(pieces("a\n\n", tail), Some(vec!["a=0D=0A".to_owned()]));
        assert_eq!(pieces("a\r\n", tail), Some(vec!["a".to_owned()]));
    }

    #[test]
    fn what_is_too_long_does_not_fit() {
        assert_eq!(pieces(&"x".repeat(75 * 256 + 1), TEXT), None);
        assert_eq!(pieces(&"x".repeat(75 * 256), TEXT).unwrap().len(), 256);
    }

    proptest! {
        /// Each piece fits a line and is whole; together they are the value.
        #[test]
        fn pieces_are_the_value(value in "([ -~]|\\PC|[\r\n\t =.\"\\\\\0]){0,300}") {
            if let Some(pieces) = pieces(&value, TEXT) {
                for piece in &pieces {
                    prop_assert!(piece.len() <= 75 && !piece.starts_with('.'));
                    prop_assert!(!piece.contains(['"', '\\', '[', ']', '\r', '\n']));
                    let decoded = encodify::qp::BODY.strict().decode(piece.as_bytes()).unwrap();
                    prop_assert!(std::str::from_utf8(&decoded).is_ok());
                }
                let lines = pieces.join("=\r\n");
                let decoded = encodify::qp::BODY.decode(lines.as_bytes()).unwrap();
                let expected = value.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
                prop_assert_eq!(decoded, expected.as_bytes());
            }
        }
    }
}
