//! The conversions that Rust users expect of types written as a string, serde's included.

use super::{AddrSpec, InvalidAddress, Mailbox};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use std::borrow::Cow;
use std::str::FromStr;

/// For a type `T<'a>` with `T::parse(text)` that is written by its `Display`.
macro_rules! text_value {
    ($value:ident) => {
        impl FromStr for $value<'static> {
            type Err = InvalidAddress;

            fn from_str(text: &str) -> Result<Self, InvalidAddress> {
                $value::parse(text.to_owned())
            }
        }

        impl<'a> TryFrom<&'a str> for $value<'a> {
            type Error = InvalidAddress;

            fn try_from(text: &'a str) -> Result<Self, InvalidAddress> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $value<'static> {
            type Error = InvalidAddress;

            fn try_from(text: String) -> Result<Self, InvalidAddress> {
                Self::parse(text)
            }
        }

        impl Serialize for $value<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $value<'static> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(text.into_owned()).map_err(de::Error::custom)
            }
        }
    };
}

text_value!(AddrSpec);
text_value!(Mailbox);

impl AsRef<str> for AddrSpec<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<'a> From<AddrSpec<'a>> for Cow<'a, str> {
    fn from(address: AddrSpec<'a>) -> Self {
        address.into_text()
    }
}

impl<'a> From<&'a AddrSpec<'_>> for Cow<'a, str> {
    fn from(address: &'a AddrSpec<'_>) -> Self {
        Self::Borrowed(address.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashSet};

    #[test]
    fn values_are_texts_for_serde_and_for_collections() {
        let mailbox: Mailbox<'_> = serde_json::from_str(r#""Ann <ann@bücher.example>""#).unwrap();
        let text = "Ann <ann@xn--bcher-kva.example>";
        assert_eq!(serde_json::to_value(&mailbox).unwrap(), text);
        assert_eq!(Mailbox::try_from(text), Ok(mailbox.clone()));
        assert_eq!(Mailbox::try_from(text.to_owned()), Ok(mailbox.clone()));
        let address: AddrSpec<'_> = mailbox.address().as_ref().parse().unwrap();
        assert_eq!(Cow::from(&address), Cow::from(address.clone()));
        assert_eq!(serde_json::to_value(&address).unwrap(), address.as_str());
        assert_eq!(HashSet::from([mailbox.clone(), mailbox.clone()]).len(), 1);
        let bare = Mailbox::from(address);
        assert_eq!(BTreeSet::from([mailbox, bare.clone()]).first(), Some(&bare));
        for wrong in [
            r#""ann""#,
            r#""a@b.c, d@e.f""#,
            r#""A\u000d\u000ann <a@b.c>""#,
            "1",
        ] {
            let read = serde_json::from_str::<Mailbox<'_>>(wrong);
            assert!(read.is_err(), "{wrong}");
        }
    }
}
