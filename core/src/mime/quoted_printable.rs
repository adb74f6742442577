//! Text bodies as quoted-printable (RFC 2045 section 6.7).

use encodify::qp;

/// Encodes `text`; CR, LF and CRLF all end a line.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    let octets = text.as_bytes();
    if has_bare_cr(octets) {
        // Rare enough (old Macs, broken joins) to pay for a copy.
        qp::BODY.encode_append(text.replace("\r\n", "\n").replace('\r', "\n"), out);
    } else {
        qp::BODY.encode_append(octets, out);
    }
}

fn has_bare_cr(octets: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', octets).any(|at| octets.get(at + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    fn encoded(text: &str) -> String {
        let mut out = Vec::new();
        super::encode(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_end_becomes_crlf() {
        assert_eq!(encoded("a\rb\nc\r\nd\r"), "a\r\nb\r\nc\r\nd\r\n");
        assert_eq!(encoded("\r\r\n\n"), "\r\n\r\n\r\n");
    }

    #[test]
    fn what_transport_would_change_is_encoded() {
        assert_eq!(encoded("a \n=\0\u{b}é"), "a=20\r\n=3D=00=0B=C3=A9");
    }
}
