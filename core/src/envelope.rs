//! Who gets the message, and who is told about failures (RFC 5321 section 2.3.1).

use crate::address::AddrSpec;
use std::borrow::Cow;
use std::collections::HashSet;

/// The envelope of a message.
#[derive(Debug)]
pub(crate) struct Envelope<'m> {
    /// Where bounces go; `None` is the null reverse-path.
    pub reverse_path: Option<&'m AddrSpec<'m>>,
    /// Each recipient once, in the order of the message.
    pub forward_paths: Vec<&'m AddrSpec<'m>>,
    /// Whether one of its addresses, or the header, requires SMTPUTF8 (RFC 6531).
    pub is_internationalized: bool,
}

impl<'m> Envelope<'m> {
    /// `in_header`: whether the header requires SMTPUTF8.
    pub fn new(
        reverse_path: Option<&'m AddrSpec<'m>>,
        recipients: impl Iterator<Item = &'m AddrSpec<'m>>,
        in_header: bool,
    ) -> Self {
        let forward_paths = without_twins(recipients);
        let mut paths = reverse_path.iter().chain(&forward_paths);
        Self {
            reverse_path,
            is_internationalized: in_header || paths.any(|path| path.is_internationalized()),
            forward_paths,
        }
    }
}

/// Keeps the first of each mailbox; letter case of domains is ignored.
fn without_twins<'m>(recipients: impl Iterator<Item = &'m AddrSpec<'m>>) -> Vec<&'m AddrSpec<'m>> {
    /// Up to here comparing each with each is faster than hashing.
    const FEW: usize = 8;

    let mut paths: Vec<&'m AddrSpec<'m>> = Vec::with_capacity(recipients.size_hint().0);
    let mut seen: HashSet<(&'m str, Cow<'m, str>)> = HashSet::new();
    for recipient in recipients {
        let is_new = if paths.len() < FEW {
            !paths.iter().any(|path| path.same_mailbox(recipient))
        } else {
            if seen.is_empty() {
                seen.extend(paths.iter().map(|path| identity(path)));
            }
            seen.insert(identity(recipient))
        };
        if is_new {
            paths.push(recipient);
        }
    }
    paths
}

/// What two addresses of one mailbox have in common.
fn identity<'m>(path: &'m AddrSpec<'m>) -> (&'m str, Cow<'m, str>) {
    let domain = path.domain();
    let domain = if domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(domain.to_ascii_lowercase())
    } else {
        Cow::Borrowed(domain)
    };
    (path.local_part(), domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_get_one_copy_among_few_and_many() {
        for others in [0, 20] {
            let mut addresses: Vec<_> = (0..others)
                .map(|n| AddrSpec::parse(format!("{n}@example.org")).unwrap())
                .collect();
            for text in ["ann@EXAMPLE.org", "ann@example.org", "Ann@example.org"] {
                addresses.push(AddrSpec::parse(text).unwrap());
                addresses.push(AddrSpec::parse("0@Example.org").unwrap());
            }
            let expected = others.max(1) + 2;
            assert_eq!(without_twins(addresses.iter()).len(), expected);
        }
    }
}
