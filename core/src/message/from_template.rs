//! An address in From that contains a placeholder.
//!
//! ```text
//! From: "{{ shop }} Orders <{{ shop }}@example.com>"       name: "{{ shop }} Orders", a template like any other
//!                                                          address: `{{ shop }}@example.com`, taken out here
//! ```
//!
//! What remains is a valid mailbox with a stand-in address, until values are filled in.

use crate::json::{JsonMailbox, Located};
use std::borrow::Cow;

/// No mail is ever sent from there (RFC 2606 section 2).
const STAND_IN: &str = "from@template.invalid";

/// Takes the address out of From if it may contain a placeholder.
pub(super) fn take_address<'a>(
    from: &mut Located<JsonMailbox<'a>>,
) -> Option<Located<Cow<'a, str>>> {
    let location = from.location;
    match &mut from.value {
        JsonMailbox::Text(text) => {
            let (name, address) = parts(text);
            if !may_be_template(address) {
                return None;
            }
            let value = Cow::Owned(address.trim().to_owned());
            *text = Cow::Owned(match name {
                Some(name) => format!("{name}<{STAND_IN}>"),
                None => STAND_IN.to_owned(),
            });
            Some(Located { location, value })
        }
        JsonMailbox::Object(parts) => {
            let address = parts.address.as_mut()?;
            if !may_be_template(&address.value) {
                return None;
            }
            let value = std::mem::replace(&mut address.value, Cow::Borrowed(STAND_IN));
            let location = address.location;
            Some(Located { location, value })
        }
    }
}

fn may_be_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// What is before the address, if it is in angle brackets, and the address.
fn parts(text: &str) -> (Option<&str>, &str) {
    let inner = text.trim_end().strip_suffix('>');
    match inner.and_then(|inner| inner.rsplit_once('<')) {
        Some((name, address)) => (Some(name), address),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Location;

    fn taken(text: &str) -> (Option<String>, String) {
        let mut from = Located {
            location: Location::ROOT,
            value: JsonMailbox::Text(text.into()),
        };
        let address = take_address(&mut from).map(|address| address.value.into_owned());
        let JsonMailbox::Text(left) = from.value else {
            unreachable!("it was a text")
        };
        (address, left.into_owned())
    }

    #[test]
    fn only_an_address_with_a_placeholder_is_taken_out() {
        for (text, address, left) in [
            ("a@example.com", None, "a@example.com"),
            ("{{ x }} <a@example.com>", None, "{{ x }} <a@example.com>"),
            ("{{x}}@example.com", Some("{{x}}@example.com"), STAND_IN),
            (
                "\"A > {{ x }}\" < {{ y }}@example.com > ",
                Some("{{ y }}@example.com"),
                "\"A > {{ x }}\" <from@template.invalid>",
            ),
            (
                "{% if x %}a@b{% endif %}",
                Some("{% if x %}a@b{% endif %}"),
                STAND_IN,
            ),
        ] {
            assert_eq!(
                taken(text),
                (address.map(str::to_owned), left.to_owned()),
                "{text}"
            );
        }
    }
}
