//! URLs in header fields.

use std::borrow::Cow;

/// The URL with percent-encoded brackets, except those around an IPv6 address: others are not allowed (RFC 3986 section
/// 3.2.2).
pub(crate) fn without_brackets(url: Cow<'_, str>) -> Cow<'_, str> {
    let scheme = url
        .find(':')
        .filter(|colon| url[*colon..].starts_with("://"));
    let host = scheme.map_or(0, |colon| {
        let authority = colon + "://".len();
        let length = url[authority..].find(['/', '?', '#']);
        length.map_or(url.len(), |length| authority + length)
    });
    let (host, rest) = url.split_at(host);
    if !rest.contains(['[', ']']) {
        return url;
    }
    Cow::Owned(host.to_owned() + &rest.replace('[', "%5B").replace(']', "%5D"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_percent_encoded_but_round_an_address_of_ipv6() {
        for (url, expected) in [
            ("https://a.example/?u[]=1", "https://a.example/?u%5B%5D=1"),
            (
                "https://[::1]:80/[a]#[b]",
                "https://[::1]:80/%5Ba%5D#%5Bb%5D",
            ),
            ("https://[::1]", "https://[::1]"),
            ("https:a[b]//c", "https:a%5Bb%5D//c"),
            ("mailto:a@[192.0.2.1]", "mailto:a@%5B192.0.2.1%5D"),
        ] {
            assert_eq!(without_brackets(url.into()), expected);
        }
    }
}
