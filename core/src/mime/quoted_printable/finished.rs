//! Bodies of finished messages.

use super::{EMPTY, LINE, cut, encode_line, escape};
use crate::syntax::{LineEnds, lines};

/// Appends a finished body of arbitrary bytes, encoded; only CRLF ends a line in it. No soft line break creates a line
/// that begins with two hyphens: a reader could take it for the delimiter of a surrounding multipart.
pub(in crate::mime) fn encode_body(body: &[u8], out: &mut Vec<u8>) {
    let mut scratch = EMPTY;
    for (index, line) in lines(body, LineEnds::Crlf).enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\r\n");
        }
        let start = out.len();
        encode_line(line, &mut scratch, out);
        if memchr::memmem::find(&out[start..], b"\r\n--").is_some() {
            out.truncate(start);
            let mut column = 0;
            for byte in line {
                cut(&escape(*byte)[..3], &mut column, out);
            }
        }
    }
}

/// Appends a body that is already quoted-printable, with soft line breaks in its lines over 76 bytes and NUL encoded; a
/// bare CR ends a line, since it cannot be text there. As in [`encode_body`], no new line begins with two hyphens.
pub(in crate::mime) fn mend(body: &[u8], out: &mut Vec<u8>) {
    for (index, line) in lines(body, LineEnds::Crlf).enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\r\n");
        }
        let mut is_first = true;
        for line in lines(line, LineEnds::Any) {
            if !is_first {
                out.extend_from_slice(b"\r\n");
            }
            mend_line(line, is_first, out);
            is_first = false;
        }
    }
}

/// `was_line`: whether this was already the start of a line.
fn mend_line(line: &[u8], was_line: bool, out: &mut Vec<u8>) {
    let mut column = 0;
    let mut starts_line = !was_line;
    let mut rest = line;
    while let Some(byte) = rest.first() {
        let length = if *byte == b'=' { rest.len().min(3) } else { 1 };
        let (piece, next) = rest.split_at(length);
        let is_soft_break = piece == b"=";
        let is_too_long = line.len() > LINE + 1 && column + length > LINE;
        if is_too_long && !is_soft_break {
            out.extend_from_slice(b"=\r\n");
            column = 0;
            starts_line = true;
        }
        let start = out.len();
        if piece == b"\0" || (starts_line && piece == b"-") {
            out.extend_from_slice(&escape(*byte)[..3]);
        } else {
            out.extend_from_slice(piece);
        }
        column += out.len() - start;
        starts_line = false;
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_soft_line_break_makes_a_delimiter() {
        for length in 60..90 {
            let line = [
                "--".repeat(length),
                "--a".repeat(length),
                "x".repeat(length) + "--b",
            ];
            for line in line {
                let mut out = Vec::new();
                encode_body(line.as_bytes(), &mut out);
                let encoded = String::from_utf8(out).unwrap();
                assert!(!encoded.contains("\r\n--"), "{encoded}");
                let decoded = encodify::qp::BODY
                    .strict()
                    .decode(encoded.as_bytes())
                    .unwrap();
                assert_eq!(decoded, line.as_bytes());
            }
        }
    }

    #[test]
    fn quoted_printable_that_cannot_be_sent_is_mended() {
        for (body, expected) in [
            ("a=\r\n=C3=A9 =\r\n", "a=\r\n=C3=A9 =\r\n".to_owned()),
            ("a\0b", "a=00b".to_owned()),
            ("--a\r--b=\rc", "--a\r\n=2D-b=\r\nc".to_owned()),
            (&("x".repeat(76)), "x".repeat(76)),
            (&("x".repeat(75) + "y="), "x".repeat(75) + "=\r\ny="),
            (&("x".repeat(77)), "x".repeat(75) + "=\r\nxx"),
            (&("x".repeat(74) + "=C3=A9"), "x".repeat(74) + "=\r\n=C3=A9"),
            (&("x".repeat(75) + "--b"), "x".repeat(75) + "=\r\n=2D-b"),
            (
                &("--".to_owned() + &"x".repeat(75)),
                "--".to_owned() + &"x".repeat(73) + "=\r\nxx",
            ),
        ] {
            let mut out = Vec::new();
            mend(body.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{body}");
        }
    }

    proptest! {
        /// A mended body means what it meant.
        #[test]
        fn mending_changes_no_meaning(pieces in proptest::collection::vec(prop_oneof![
            Just("=3D".to_owned()), Just("--".to_owned()), Just("=\r\n".to_owned()), Just("x".repeat(70)),
            Just("=C3=A9".to_owned()), Just("\r\n".to_owned()), "[a-z ]{0,4}x",
        ], 0..60)) {
            let body = pieces.concat();
            let mut out = Vec::new();
            mend(body.as_bytes(), &mut out);
            prop_assert!(lines(&out, LineEnds::Crlf).all(|line| line.len() <= 76));
            let decode = |body: &[u8]| encodify::qp::BODY.strict().decode(body).unwrap().into_owned();
            prop_assert_eq!(decode(&out), decode(body.as_bytes()));
        }

        /// Any bytes come back, their bare CRs and LFs too.
        #[test]
        fn bodies_come_back(body in proptest::collection::vec(prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]), Just(b"\r\n".to_vec()), Just(b"--".to_vec()),
            Just(b"x".repeat(70)), Just(b"\r".to_vec()), Just(b" ".to_vec()),
        ], 0..60)) {
            let body = body.concat();
            let mut out = Vec::new();
            encode_body(&body, &mut out);
            prop_assert!(out.is_ascii());
            for line in lines(&out, LineEnds::Crlf) {
                prop_assert!(line.len() <= 76 && !line.contains(&b'\r') && !line.contains(&b'\n'));
                prop_assert!(!line.ends_with(b" ") && !line.ends_with(b"\t"));
            }
            let decoded = encodify::qp::BODY.strict().decode(&out).unwrap();
            prop_assert_eq!(decoded, body);
        }
    }
}
