//! The key of one message of a batch: the member `idempotencyKey`, which is not the message's own.

use std::ops::Range;

/// What a message of a batch says about its key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyMember {
    /// The JSON of its value.
    pub value: Range<usize>,
    /// The member with the comma that separates it from the others.
    pub member: Range<usize>,
}

/// Finds the first member of that name in an object. Names are compared like those of a message: without regard to
/// letter case, `_` and `-`. Invalid JSON has none: whoever reads the message reports what is wrong.
pub(super) fn find(json: &[u8]) -> Option<KeyMember> {
    if !json
        .windows(11)
        .any(|text| text.eq_ignore_ascii_case(b"idempotency"))
    {
        return None;
    }
    let mut at = blank(json, 0);
    if json.get(at) != Some(&b'{') {
        return None;
    }
    // The comma before the current member, or the brace that all begin with.
    let mut comma = at;
    loop {
        let start = blank(json, comma + 1);
        let end = string(json, start)?;
        let is_key = is_name(&json[start + 1..end - 1]);
        at = blank(json, end);
        if json.get(at) != Some(&b':') {
            return None;
        }
        let begin = blank(json, at + 1);
        let end = value(json, begin)?;
        at = blank(json, end);
        let is_last = match json.get(at)? {
            b',' => false,
            b'}' => true,
            _ => return None,
        };
        if is_key {
            // The comma after it goes along if it is the first one, and otherwise that before it.
            let member = match (json[comma], is_last) {
                (b'{', false) => comma + 1..at + 1,
                (b'{', true) => comma + 1..at,
                _ => comma..at,
            };
            return Some(KeyMember {
                value: begin..end,
                member,
            });
        }
        if is_last {
            return None;
        }
        comma = at;
    }
}

fn is_name(name: &[u8]) -> bool {
    let letters = name.iter().filter(|byte| !matches!(byte, b'_' | b'-'));
    let lower = letters.map(u8::to_ascii_lowercase);
    lower.eq(b"idempotencykey".iter().copied())
}

/// The first position from here on that is not white space.
fn blank(json: &[u8], from: usize) -> usize {
    let rest = json.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        .count()
}

/// The end of a string that begins here.
fn string(json: &[u8], from: usize) -> Option<usize> {
    if json.get(from) != Some(&b'"') {
        return None;
    }
    let mut at = from + 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The end of a value that begins here.
fn value(json: &[u8], from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = from;
    loop {
        match json.get(at)? {
            b'"' => {
                at = string(json, at)?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return Some(at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(json: &str) -> Option<(String, String)> {
        let KeyMember { value, member } = find(json.as_bytes())?;
        let rest = [&json[..member.start], &json[member.end..]].concat();
        Some((json[value].to_owned(), rest))
    }

    #[test]
    fn the_member_is_removed_wherever_it_is() {
        for (json, value, rest) in [
            (r#"{"idempotencyKey":"k"}"#, r#""k""#, "{}"),
            (
                r#" { "Idempotency-Key" : "k" , "a" : 1 } "#,
                r#""k""#,
                r#" { "a" : 1 } "#,
            ),
            (
                r#"{"a":[{"b":"}"}],"idempotency_key":"a\"b"}"#,
                r#""a\"b""#,
                r#"{"a":[{"b":"}"}]}"#,
            ),
            (
                r#"{"a":1,"IDEMPOTENCYKEY":null,"b":"\\"}"#,
                "null",
                r#"{"a":1,"b":"\\"}"#,
            ),
            (
                r#"{"a":1,"idempotencyKey":[1,{"x":2}] ,"b":2}"#,
                r#"[1,{"x":2}]"#,
                r#"{"a":1,"b":2}"#,
            ),
            (r#"{"a":1,"idempotencyKey":7}"#, "7", r#"{"a":1}"#),
        ] {
            assert_eq!(
                parted(json),
                Some((value.to_owned(), rest.to_owned())),
                "{json}"
            );
        }
    }

    #[test]
    fn other_members_stay() {
        for json in [
            "",
            "{",
            "[]",
            r#"{"a":"idempotencyKey"}"#,
            r#"{"a":{"idempotencyKey":"k"}}"#,
            r#"["idempotencyKey"]"#,
            r#"{"idempotencyKeys":"k"}"#,
            r#"{"idempotencyKey"}"#,
            r#"{"idempotencyKey":}"#,
            r#"{"idempotencyKey":"k"#,
            r#"{"idempotencyKey":"k\"#,
            r#"{"a":1 "idempotencyKey":"k"}"#,
        ] {
            if let Some((value, _)) = parted(json) {
                assert_eq!((json, value.as_str()), (r#"{"idempotencyKey":}"#, ""));
            }
        }
    }
}
