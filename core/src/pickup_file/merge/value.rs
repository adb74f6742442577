//! A value for a quoted-printable body, split into pieces that fit in a line.

use super::definitions::{Definitions, size};
use super::names::Name;
use crate::mime::quoted_printable::{LINE, escape};
use crate::template::entity;

/// The maximum length of a value, in lines.
pub(super) const MOST_PIECES: usize = 255;

/// Encodes values in quoted-printable, one after the other, reusing its buffers.
#[derive(Debug, Default)]
pub(super) struct ValueEncoder {
    bytes: Vec<u8>,
    /// The end of each piece except the last.
    cuts: Vec<usize>,
}

/// A value in quoted-printable: at least one piece, and at most [`MOST_PIECES`].
#[derive(Debug, Clone, Copy)]
pub(super) struct EncodedValue<'e> {
    bytes: &'e [u8],
    cuts: &'e [usize],
}

/// How much room a value takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub pieces: u8,
    /// The width of the last piece, in columns.
    pub last: u8,
    /// The size of its definitions, in bytes.
    pub size: usize,
}

impl ValueEncoder {
    /// Encodes a value; if it is `escaped`, so that HTML displays it as it is. Its pieces survive wherever they are
    /// inserted: characters special to PowerMTA are encoded, and so are a dot at the start of a piece and blanks at its
    /// ends. `None` if there would be too many pieces.
    pub fn encode(&mut self, value: &str, escaped: bool) -> Option<EncodedValue<'_>> {
        self.bytes.clear();
        self.cuts.clear();
        let classes = if escaped { &ESCAPED } else { &PLAIN };
        let is_plain = |byte: &u8| classes[usize::from(*byte)];
        let bytes = value.as_bytes();
        if bytes.len() <= LINE
            && bytes.iter().all(is_plain)
            && !matches!(bytes.first(), Some(b'.' | b' '))
            && !bytes.ends_with(b" ")
        {
            self.bytes.extend_from_slice(bytes);
        } else if !self.encode_characters(value, escaped, classes) {
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
                '\n' => unit.extend_from_slice(b"=0D=0A"),
                // One at the end of a piece is encoded, so there is only one.
                ' ' if !is_last && !self.at_line_start() && !self.bytes.ends_with(b" ") => {
                    unit.push(b' ');
                }
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
        let column = self.bytes.len() - self.line_start();
        column == 0 || column == LINE
    }

    /// Appends what must not be split.
    fn push(&mut self, unit: &[u8]) -> bool {
        if self.bytes.len() - self.line_start() + unit.len() > LINE {
            let has_blank = self.bytes.pop_if(|byte| *byte == b' ').is_some();
            self.cuts.push(self.bytes.len());
            if has_blank {
                self.bytes.extend_from_slice(b"=20");
            }
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

    /// The pieces with their names. They are numbered from the end, so that recipients with fewer pieces than others
    /// lack those at the beginning: the last piece is empty only if the whole value is.
    fn named(self, name: &Name) -> impl Iterator<Item = (std::borrow::Cow<'_, [u8]>, &'e [u8])> {
        let numbers = (1..=self.cuts.len() + 1).rev();
        numbers
            .map(|number| name.numbered(number))
            .zip(self.pieces())
    }

    /// How much room it takes in variables with this name.
    pub fn extent(self, name: &Name) -> Extent {
        let start = self.cuts.last().copied().unwrap_or(0);
        let narrow =
            |number: usize| u8::try_from(number).expect("a line has 75 columns, a value 255");
        Extent {
            pieces: narrow(self.cuts.len() + 1),
            last: narrow(self.bytes.len() - start),
            size: self
                .named(name)
                .map(|(name, piece)| size(&name, piece.len()))
                .sum(),
        }
    }

    /// Defines the variables that contain it.
    pub fn define(self, name: &Name, out: &mut Definitions<'_>) {
        for (name, piece) in self.named(name) {
            out.define(&name, piece);
        }
    }
}

fn push_escapes(out: &mut Vec<u8>, character: char) {
    let mut bytes = [0; 4];
    for byte in character.encode_utf8(&mut bytes).bytes() {
        out.extend_from_slice(&escape(byte)[..3]);
    }
}

/// The bytes that represent themselves in a value: printable ASCII without characters special to quoted-printable or to
/// PowerMTA.
const PLAIN: [bool; 256] = table(b"=\"\\[]");
/// The same without characters special to HTML.
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

    const TEXT: bool = false;
    const HTML: bool = true;

    fn pieces(value: &str, escaped: bool) -> Option<Vec<String>> {
        let mut values = ValueEncoder::default();
        let text = |piece: &[u8]| String::from_utf8(piece.to_vec()).unwrap();
        let encoded = values.encode(value, escaped);
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
            (" a  b", "=20a =20b", "=20a =20b"),
            ("a\nb\n", "a=0D=0Ab=0D=0A", "a=0D=0Ab=0D=0A"),
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
    }

    #[test]
    fn pieces_are_counted_from_the_end() {
        let mut names = super::super::names::Names::default();
        let name = names.next();
        let mut values = ValueEncoder::default();
        let value = "x".repeat(160);
        let encoded = values.encode(&value, TEXT).unwrap();
        let mut out = Vec::new();
        let mut definitions = Definitions::new(&mut out);
        encoded.define(&name, &mut definitions);
        definitions.end();
        let line = "x".repeat(75);
        let expected = format!("XDFN a3=\"{line}\" a2=\"{line}\" a=\"xxxxxxxxxx\"\r\n");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let size = expected.len() - "XDFN\r\n".len();
        let (pieces, last) = (3, 10);
        assert_eq!(encoded.extent(&name), Extent { pieces, last, size });
    }

    #[test]
    fn no_piece_starts_or_ends_with_a_blank() {
        for before in 70..76 {
            let value = "x".repeat(before) + " " + &"y".repeat(74);
            let pieces = pieces(&value, TEXT).unwrap();
            assert!(
                pieces.iter().all(|piece| piece.trim() == piece),
                "{pieces:?}"
            );
        }
    }

    #[test]
    fn too_long_values_do_not_fit() {
        assert_eq!(pieces(&"x".repeat(75 * 255 + 1), TEXT), None);
        assert_eq!(pieces(&"x".repeat(75 * 255), TEXT).unwrap().len(), 255);
    }

    proptest! {
        /// Each piece fits a line and is whole; together they are the value.
        #[test]
        fn pieces_are_the_value(value in "([ -~]|\\PC|[\n\t =.\"\\\\\0]){0,300}") {
            if let Some(pieces) = pieces(&value, TEXT) {
                for piece in &pieces {
                    prop_assert!(piece.len() <= 75 && !piece.starts_with('.'));
                    prop_assert_eq!(piece.trim(), piece);
                    prop_assert!(!piece.contains(['"', '\\', '[', ']', '\r', '\n']));
                    let decoded = encodify::qp::BODY.strict().decode(piece.as_bytes()).unwrap();
                    prop_assert!(std::str::from_utf8(&decoded).is_ok());
                }
                let lines = pieces.join("=\r\n");
                let decoded = encodify::qp::BODY.decode(lines.as_bytes()).unwrap();
                let expected = value.replace('\n', "\r\n");
                prop_assert_eq!(decoded, expected.as_bytes());
            }
        }
    }
}
