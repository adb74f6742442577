//! Rules that the bytes of every message keep, whoever reads them.

/// What is broken in a message that this library composed; `utf8`: its header may be in UTF-8 (RFC 6532).
pub fn check(message: &[u8], utf8: bool) {
    assert!(
        message.ends_with(b"\r\n"),
        "the last line does not end with CRLF"
    );
    for line in lines(message) {
        assert!(line.len() <= 998, "a line of more than 998 octets");
        let is_whole = !line.iter().any(|byte| b"\r\n\0".contains(byte));
        assert!(is_whole, "a bare CR or LF, or a NUL");
    }
    let head = head(message);
    if !utf8 {
        assert!(head.is_ascii(), "a header beyond ASCII without SMTPUTF8");
    }
    let may_be_8bit = contains(message, b"\r\nContent-Transfer-Encoding: 8bit\r\n");
    assert!(
        may_be_8bit || message[head.len()..].is_ascii(),
        "an octet beyond ASCII in what is 7bit"
    );
    for line in lines(head) {
        check_header_line(line);
    }
}

/// The header section, with its last line end.
pub fn head(message: &[u8]) -> &[u8] {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n");
    &message[..end.expect("an empty line ends a header section") + 2]
}

fn check_header_line(line: &[u8]) {
    assert!(
        !line.trim_ascii().is_empty(),
        "a header line of white space alone"
    );
    let has_control = line
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t');
    assert!(!has_control, "a control character in a header line");
    if !line.starts_with(b" ") && !line.starts_with(b"\t") {
        let name = line
            .iter()
            .position(|byte| *byte == b':')
            .map(|end| &line[..end]);
        let is_name =
            name.is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic));
        assert!(is_name, "a header line that is no field");
    }
    let text = String::from_utf8_lossy(line);
    for word in text.split([' ', '\t']) {
        if word.starts_with("=?") && word.ends_with("?=") && word.matches('?').count() == 4 {
            assert!(
                word.len() <= 75,
                "an encoded word of more than 75 characters"
            );
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The lines without their CRLF.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.windows(2).position(|two| two == b"\r\n");
        let (line, behind) = rest.split_at(end.unwrap_or(rest.len()));
        rest = behind.get(2..).unwrap_or_default();
        Some(line)
    })
}
