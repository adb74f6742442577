//! Which characters may stand where one could end a line or start a command.

/// Whether there is a control character (Unicode's general category Cc). C1 counts: some readers
/// take U+0085 for a line end.
pub(crate) fn has_control(text: &str) -> bool {
    may_have_control(text) && text.contains(char::is_control)
}

/// The same, but the tab counts as the white space that it is in a header field.
pub(crate) fn has_control_except_tab(text: &str) -> bool {
    may_have_control(text) && text.contains(|c: char| c.is_control() && c != '\t')
}

/// False for nearly every text; one pass that the compiler can vectorize tells.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch would keep it from vectorizing"
)]
fn may_have_control(text: &str) -> bool {
    // U+0080 to U+009F begin with the octet C2.
    text.bytes().fold(false, |found, octet| {
        found | (octet < 0x20) | (octet == 0x7f) | (octet == 0xc2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_found_and_nothing_else() {
        for c in (0..0x300).filter_map(char::from_u32) {
            let text = format!("ab{c}cd");
            assert_eq!(has_control(&text), c.is_control(), "{c:?}");
            assert_eq!(has_control_except_tab(&text), c.is_control() && c != '\t');
        }
    }
}
