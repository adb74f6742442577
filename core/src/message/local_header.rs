//! The header of mail from local programs, in which old scripts and hosts without UTF-8 write what a finished message
//! may not contain. A mail server transports it as it is; refusing it would lose the mail.
//!
//! ```text
//! Subject: Straße                    Subject: =?utf-8?Q?Stra=C3=9Fe?=      a letter in Latin-1
//! To: a@b.example,c@d.example,…      To: a@b.example,                      over 998 bytes
//!                                     c@d.example,…
//! ```

use super::letters::encode_letters;
use super::raw::{ReadField, leading_fields};
use crate::header::{ENCODED_LINE, HeaderSection, KnownField, has_long_line};
use crate::syntax::{Cursor, Fold, LineEnds, has_control_except_tab, header_end, unfolded};
use std::borrow::Cow;

/// The bytes 80 to 9F in windows-1252, which Latin-1 text on the web and in mail usually is. Those that it leaves
/// undefined would be control characters.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    'ž', 'Ÿ',
];

/// Decodes text that does not name its charset: as UTF-8 if it is valid, and otherwise as windows-1252, a superset of
/// Latin-1's letters.
///
/// ```
/// assert_eq!(pmtaemail::text_of_local_program(b"J\xf6rg"), "Jörg");
/// assert_eq!(pmtaemail::text_of_local_program("Jörg".as_bytes()), "Jörg");
/// ```
pub fn text_of_local_program(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| match byte {
            0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
            byte => char::from(*byte),
        }));
    }
    Cow::Owned(text)
}

/// The message with a header in UTF-8 and lines of at most 998 bytes, as far as that is possible without changing what
/// it says. Its lines end with CRLF. A signed header is not changed, and may be refused by whoever reads it.
pub(super) fn with_sound_header(message: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let end = header_end(&message);
    let (header, rest) = message.split_at(end);
    if std::str::from_utf8(header).is_ok() && !has_long_line(header) {
        return message;
    }
    let (fields, known) = leading_fields(header);
    if fields.iter().any(ReadField::is_signature) {
        return message;
    }
    let mut out = Vec::with_capacity(message.len() + 1024);
    for field in &fields {
        write(field, &mut out);
    }
    out.extend_from_slice(&header[known..]);
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn write(field: &ReadField<'_>, out: &mut Vec<u8>) {
    let bytes = field.written.bytes;
    let start = out.len();
    if std::str::from_utf8(bytes).is_err() {
        write_in_utf8(field, out);
    } else if has_long_line(bytes) {
        out.extend_from_slice(bytes);
    } else {
        return out.extend_from_slice(bytes);
    }
    let written = out.split_off(start);
    let breaks_at_commas = field.known.is_some_and(KnownField::has_addresses);
    fold(&written, breaks_at_commas, out);
    if has_long_line(&out[start..]) && is_for_people(field) {
        out.truncate(start);
        HeaderSection::new(out).text(field.written.name, &field.written.body());
    }
}

/// Whether only people read this field, who see no difference. A field of a program may be for another program. A field
/// with control characters is refused, and must keep them until then.
fn is_for_people(field: &ReadField<'_>) -> bool {
    field.is("subject") && !has_control_except_tab(&field.written.body())
}

/// Writes a field with letters that are not UTF-8: as encoded words where these are allowed.
fn write_in_utf8(field: &ReadField<'_>, out: &mut Vec<u8>) {
    let (name, body) = field.written.bytes.split_at(field.written.body_start);
    out.extend_from_slice(name);
    let body = text_of_local_program(body);
    let text = unfolded(&body, LineEnds::Crlf, Fold::LineEnd);
    if has_control_except_tab(&text) {
        // Encoded, it would no longer be seen by who refuses it.
        return out.extend_from_slice(body.as_bytes());
    }
    encode_letters(field.known, &text, out);
    out.extend_from_slice(b"\r\n");
}

/// Writes a field with its long lines folded at blanks, which are kept (RFC 5322 section 2.2.3), or at commas between
/// addresses. A line without either stays long.
fn fold(field: &[u8], breaks_at_commas: bool, out: &mut Vec<u8>) {
    let breaks = breaks(field, breaks_at_commas);
    let mut start = 0;
    // What was put before it in its line.
    let mut indent = "";
    let mut last = None;
    for at in breaks.into_iter().chain([field.len()]) {
        let line_end = field[..at].strip_suffix(b"\r\n").map(<[u8]>::len);
        let is_long = indent.len() + line_end.unwrap_or(at) > start + ENCODED_LINE;
        if let Some(last) = last.filter(|last| is_long && *last > start) {
            out.extend_from_slice(&field[start..last]);
            let is_blank = matches!(field[last], b' ' | b'\t');
            indent = if is_blank { "" } else { " " };
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(indent.as_bytes());
            start = last;
        }
        if line_end.is_some() {
            out.extend_from_slice(&field[start..at]);
            start = at;
            indent = "";
        }
        last = Some(at);
    }
}

/// The starts of lines, and where else lines could start: before a blank between two words, and after a comma between
/// two addresses.
fn breaks(field: &[u8], at_commas: bool) -> Vec<usize> {
    let is_text = |at: usize| field.get(at).is_some_and(|byte| !b" \t\r\n".contains(byte));
    let mut breaks = Vec::new();
    let mut cursor = Cursor::new(field);
    cursor.take_while(|byte| byte != b':');
    cursor.bump();
    let mut has_word = false;
    let mut plain_from = cursor.position();
    while let Some(byte) = cursor.peek() {
        let at = cursor.position();
        if at >= plain_from && at_commas && matches!(byte, b'"' | b'(') {
            let mut quoted = cursor.clone();
            // What is not closed has no commas between addresses.
            let end = if byte == b'"' {
                quoted.quoted_string()
            } else {
                quoted.comment()
            };
            plain_from = end.map_or(field.len(), |range| range.end);
        }
        cursor.bump();
        match byte {
            b'\n' => {
                breaks.push(at + 1);
                has_word = false;
            }
            b' ' | b'\t' if has_word && is_text(at + 1) => breaks.push(at),
            b',' if at_commas && at >= plain_from && is_text(at + 1) => breaks.push(at + 1),
            b' ' | b'\t' | b'\r' => {}
            _ => has_word = true,
        }
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use encodify::rfc2047::{decode_text, utf8_charset};
    use proptest::prelude::*;

    /// The field in Latin-1 as it is written, unfolded.
    fn sound(field: &str) -> String {
        let field: Vec<u8> = field.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let message = [&field, &b"\r\n\r\n"[..]].concat();
        let out = with_sound_header(Cow::Owned(message)).into_owned();
        let text = String::from_utf8(out).unwrap();
        assert!(text.split("\r\n").all(|line| line.len() <= 76), "{text}");
        text.strip_suffix("\r\n\r\n").unwrap().replace("\r\n ", " ")
    }

    #[test]
    fn letters_become_encoded_words_where_these_may_be() {
        for (field, expected) in [
            ("Subject: Straße", "Subject: =?utf-8?Q?Stra=C3=9Fe?="),
            (
                "Subject: Cron <ann@h> é  è /bin/x",
                "Subject: Cron <ann@h> =?utf-8?B?w6kgIMOo?= /bin/x",
            ),
            ("X-App: a;é\u{80}", "X-App: =?utf-8?B?YTvDqeKCrA==?="),
            (
                "Subject: é =?utf-8?Q?x?= y =?utf-8?Q?x?= é",
                "Subject: =?utf-8?B?w6kg?= =?utf-8?Q?x?= y =?utf-8?Q?x?= =?utf-8?B?IMOp?=",
            ),
            ("To: Jörg <a@b.c>", "To: =?utf-8?B?SsO2cmc=?= <a@b.c>"),
            (
                "To: \"Lee, Jörg \\\"J\\\"\" <a@b.c>,Bo <d@e.f>",
                "To: =?utf-8?B?TGVlLCBKw7ZyZyAiSiI=?= <a@b.c>,Bo <d@e.f>",
            ),
            (
                "Cc: Größe: a@b.c (Jörg (x));",
                "Cc: =?utf-8?B?R3LDtsOfZQ==?=: a@b.c (=?utf-8?B?SsO2cmcgKHgp?=);",
            ),
            ("From: a@b.c (Jörg)", "From: a@b.c (=?utf-8?B?SsO2cmc=?=)"),
            (
                "Keywords: é x, \"è\"",
                "Keywords: =?utf-8?B?w6k=?= x, =?utf-8?B?w6g=?=",
            ),
            ("List-Id: é <a.b>", "List-Id: =?utf-8?B?w6k=?= <a.b>"),
            (
                "Precedence: bulk (é)",
                "Precedence: bulk (=?utf-8?B?w6k=?=)",
            ),
            // Where no encoded word may be, letters are what they are in UTF-8.
            (
                "To: Jörg <jörg@b.c>, é@b.c",
                "To: =?utf-8?B?SsO2cmc=?= <jörg@b.c>, é@b.c",
            ),
            ("To: \"é\"@b.c, \"é", "To: \"é\"@b.c, \"é"),
            ("To: a@b.c (é", "To: a@b.c (é"),
            (
                "Content-Type: text/plain; name=\"é\"",
                "Content-Type: text/plain; name=\"é\"",
            ),
            ("Message-ID: <é(@b>", "Message-ID: <é(@b>"),
            ("Subject: é\u{1}", "Subject: é\u{1}"),
        ] {
            assert_eq!(sound(field), expected);
        }
    }

    #[test]
    fn sound_or_signed_messages_are_unchanged() {
        for mail in [
            &b"Subject: caf\xc3\xa9\r\n\r\n\xe9"[..],
            b"Subject: a\r\n",
            b"Subject: \xe9\r\nDKIM-Signature: a\r\n\r\n",
            b"\xe9: a\r\n\r\n",
            b"",
        ] {
            assert_eq!(*with_sound_header(mail.into()), *mail);
        }
        // Of several fields those that are sound stay.
        let mail = b"To: a,\r\n\tb\r\nSubject: \xe9\r\nX: \xc3\xa9\r\nno field \xe9\r\n\r\n\xe9";
        let out = b"To: a,\r\n\tb\r\nSubject: =?utf-8?B?w6k=?=\r\nX: \xc3\xa9\r\nno field \xe9\r\n\r\n\xe9";
        assert_eq!(*with_sound_header(mail[..].into()), *out);
    }

    #[test]
    fn long_lines_are_folded() {
        let addresses = "\"a,b\" <a@b.c>,d@e.f,(g,h) i@j.k,".repeat(60);
        for (field, folds) in [
            (format!("To: {addresses}l@m"), true),
            (format!("Subject: {}", "word  wörd\t".repeat(100)), true),
            (format!("X: a\r\n {}\r\n b", "word ".repeat(300)), true),
            (format!("X: {}", "x,".repeat(600)), false),
            (format!("To: \"{addresses}"), true),
            (format!("X: {} a", " ".repeat(1_200)), false),
        ] {
            let mail = format!("{field}\r\n\r\n");
            let out = with_sound_header(mail.as_bytes().into());
            assert_eq!(has_long_line(&out), !folds, "{field}");
            let text = String::from_utf8(out.into_owned()).unwrap();
            let lines = text.trim_end().split("\r\n");
            assert!(lines.clone().all(|line| !line.trim().is_empty()), "{text}");
            let plain = |text: &str| text.replace("\r\n", "").replace(",\r\n ", ",");
            if !field.starts_with("To") {
                assert_eq!(plain(&text), plain(&mail));
            }
            assert_eq!(
                text.replace(",\r\n ", ",").replace("\r\n", ""),
                plain(&mail)
            );
        }
    }

    #[test]
    fn a_subject_of_one_long_word_is_encoded() {
        let word = "x".repeat(1_500);
        let text = sound(&format!("Subject: {word}"));
        let body = text.strip_prefix("Subject: ").unwrap();
        assert_eq!(decode_text(body.as_bytes(), utf8_charset), word);
        let signed = format!("Subject: {word}\r\nARC-Seal: x\r\n\r\n");
        assert_eq!(
            *with_sound_header(signed.as_bytes().into()),
            *signed.as_bytes()
        );
    }

    proptest! {
        /// Readers see the text that was meant, whatever it was.
        #[test]
        fn text_comes_back(words in proptest::collection::vec("[!-<>@-~éÿ][ -<>@-~éÿ]{0,30}[!-<>@-~éÿ]", 1..20)) {
            let text = words.join(" ") + "é";
            let field = format!("Subject: {text}");
            let latin_1: Vec<u8> = field.chars().map(|c| u8::try_from(c).unwrap()).collect();
            let out = with_sound_header(Cow::Owned([&latin_1, &b"\r\n\r\n"[..]].concat())).into_owned();
            let out = String::from_utf8(out).unwrap();
            prop_assert!(out.is_ascii());
            let body = out.strip_prefix("Subject: ").unwrap().trim_end().replace("\r\n ", " ");
            prop_assert_eq!(decode_text(body.as_bytes(), utf8_charset), text);
        }
    }
}
