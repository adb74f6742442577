//! The part after the `@`: a host name in A-labels, or an address literal.

use crate::problem::{Code, Refusal};
use crate::syntax::Class;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use std::net::{Ipv4Addr, Ipv6Addr};

/// RFC 1035 section 2.3.4.
const LONGEST_LABEL: usize = 63;
/// RFC 5321 section 4.5.3.1.2.
const LONGEST_DOMAIN: usize = 255;

/// Checks a domain; returns its A-label form if that differs (UTS 46, strict, non-transitional: IDNA2008).
pub(super) fn to_ascii(domain: &str) -> Result<Option<String>, Refusal> {
    if let Some(literal) = domain.strip_prefix('[') {
        return match literal.strip_suffix(']') {
            Some(literal) if is_address_literal(literal) => Ok(None),
            _ => Err(invalid(
                "The address literal in brackets is not an IP address.",
            )),
        };
    }
    if domain.is_empty() {
        return Err(invalid("The domain after the @ is missing."));
    }
    if is_plain_host_name(domain.as_bytes()) {
        return Ok(None);
    }
    // A character of an A-label stands for at most one of the domain, of up to four bytes.
    let most = if domain.is_ascii() { 1 } else { 4 } * LONGEST_DOMAIN;
    if domain.len() > most {
        return Err(too_long("The domain is longer than 255 bytes."));
    }
    // A label that says it is an A-label already has to be one.
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .map_err(|_| {
            invalid(
                "The domain is not a valid host name; internationalized names must follow UTS 46.",
            )
        })?;
    if ascii.ends_with('.') {
        return Err(invalid("The domain may not end with a dot."));
    }
    Ok((ascii != domain).then(|| ascii.into_owned()))
}

/// Letters, digits and hyphens in labels that IDNA does not change: the common case, decided in one pass without
/// Unicode tables.
pub(super) fn is_plain_host_name(bytes: &[u8]) -> bool {
    // No dot or hyphen begins or ends it or follows another: so no label is empty, and none has a
    // hyphen at its start, at its end, or two of them as `xn--` and its kind.
    let mut was_mark = true;
    for &byte in bytes {
        let is_mark = matches!(byte, b'.' | b'-');
        if !(Class::ALPHANUMERIC.has(byte) || (is_mark && !was_mark)) {
            return false;
        }
        was_mark = is_mark;
    }
    let are_short = || {
        bytes
            .split(|byte| *byte == b'.')
            .all(|label| label.len() <= LONGEST_LABEL)
    };
    !was_mark && bytes.len() <= LONGEST_DOMAIN && (bytes.len() <= LONGEST_LABEL || are_short())
}

/// address-literal of RFC 5321 section 4.1.3, without the general form, of which none is registered.
fn is_address_literal(literal: &str) -> bool {
    match literal.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => literal
            .get(5..)
            .is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        _ => literal.parse::<Ipv4Addr>().is_ok(),
    }
}

pub(super) fn too_long(detail: &'static str) -> Refusal {
    Refusal::new(Code::AddressTooLong, detail)
}

fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidDomain, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internationalised_domains_become_a_labels() {
        for (domain, ascii) in [
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("faß.de", "xn--fa-hia.de"),
            ("example。com", "example.com"),
        ] {
            assert_eq!(to_ascii(domain).unwrap().as_deref(), Some(ascii));
        }
        assert_eq!(to_ascii("xn--bcher-kva.example"), Ok(None));
    }

    #[test]
    fn host_names_that_no_rule_of_idna_touches_are_plain() {
        let longest_label = "a".repeat(LONGEST_LABEL);
        let long = format!("{longest_label}.{longest_label}.com");
        for domain in [
            "a",
            "7",
            "Example.com",
            "a-b.c-d.example",
            &longest_label,
            &long,
        ] {
            assert!(is_plain_host_name(domain.as_bytes()), "{domain}");
        }
        let long_label = format!("com.{longest_label}a");
        let long = "ab.".repeat(85) + "a";
        for domain in [
            "",
            ".",
            "-",
            ".a",
            "a.",
            "-a",
            "a-",
            "a..b",
            "a.-b",
            "a-.b",
            "ab--c",
            "xn--a",
            "a_b",
            "é",
            &long_label,
            &long_label[4..],
            &long,
        ] {
            assert!(!is_plain_host_name(domain.as_bytes()), "{domain}");
        }
    }

    #[test]
    fn lookalikes_of_domains_are_refused() {
        let long = format!("{}.com", "a".repeat(64));
        for domain in [
            "a b.com",
            "a/b.com",
            "xn--a.com",
            "ab--c.com",
            "a..b",
            ".",
            "a.b.",
            "[::1]",
            "[IPv6:x]",
            "[1.2.3.4",
            "\u{200b}",
            "a\u{ad}",
            "a..",
            &long,
        ] {
            match to_ascii(domain) {
                Err(_) => {}
                // A soft hyphen is mapped to nothing (UTS 46): that is a different spelling of "a".
                Ok(Some(ascii)) => assert_eq!((domain, ascii.as_str()), ("a\u{ad}", "a")),
                Ok(None) => panic!("{domain:?} passed"),
            }
        }
    }
}
