//! Envelope fields as names and values, as in the query of a URL or on a command line.

use crate::json::is_boolean;
use serde::Deserializer;
use serde::de::value::{
    BorrowedBytesDeserializer, BorrowedStrDeserializer, MapDeserializer, SeqDeserializer,
};
use serde::de::{IntoDeserializer, Visitor, value::Error};

/// A message whose `raw` is `bytes`, as a deserializer, so that the same reader and the same rules apply. A dot in a
/// name leads to a member: `dsn.notify`.
pub(super) fn deserializer<'a, S: AsRef<str>>(
    bytes: &'a [u8],
    envelope: &'a [(S, S)],
) -> impl Deserializer<'a, Error = Error> {
    let mut members = Members(vec![("raw", Value::Bytes(bytes))]);
    for (name, value) in envelope {
        members.add(name.as_ref(), value.as_ref());
    }
    MapDeserializer::new(members.0.into_iter())
}

/// A value, as far as names and strings can express it.
#[derive(Clone)]
enum Value<'a> {
    Bytes(&'a [u8]),
    Boolean(bool),
    Texts(Vec<&'a str>),
    Object(Members<'a>),
}

#[derive(Clone)]
struct Members<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Members<'a> {
    fn add(&mut self, name: &'a str, value: &'a str) {
        // No field lies deeper than one dot; a name with more is none, and not worth a recursion.
        let (name, inner) = match name.split_once('.') {
            Some((name, inner)) if !inner.contains('.') => (name, Some(inner)),
            _ => (name, None),
        };
        let known = self.0.iter_mut().find(|(known, _)| *known == name);
        match (known, inner) {
            (Some((_, Value::Texts(texts))), None) => texts.push(value),
            (Some((_, Value::Object(members))), Some(inner)) => members.add(inner, value),
            // Whatever else has the name, such as a second `raw`, the reading refuses as a
            // duplicate.
            (_, None) => self.0.push((name, Value::new(name, value))),
            (_, Some(inner)) => {
                let mut members = Self(Vec::new());
                members.add(inner, value);
                self.0.push((name, Value::Object(members)));
            }
        }
    }
}

impl<'a> Value<'a> {
    fn new(name: &str, value: &'a str) -> Self {
        match value {
            // A job may be called `true`.
            "true" if is_boolean(name) => Self::Boolean(true),
            "false" if is_boolean(name) => Self::Boolean(false),
            _ => Self::Texts(vec![value]),
        }
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Bytes(bytes) => BorrowedBytesDeserializer::new(bytes).deserialize_any(visitor),
            Self::Boolean(boolean) => visitor.visit_bool(boolean),
            Self::Texts(texts) => match texts.as_slice() {
                [text] => BorrowedStrDeserializer::new(text).deserialize_any(visitor),
                _ => SeqDeserializer::new(texts.into_iter().map(BorrowedStrDeserializer::new))
                    .deserialize_any(visitor),
            },
            Self::Object(members) => {
                MapDeserializer::new(members.0.into_iter()).deserialize_any(visitor)
            }
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'a> IntoDeserializer<'a> for Value<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::{HeaderAddresses, Message, Submission};

    const MAIL: &[u8] = b"Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n\
                          To: b@example.org\r\nBcc: c@example.org\r\n\r\nHello\r\n";

    fn pickup_file(envelope: &[(&str, &str)], recipients: HeaderAddresses) -> String {
        let message = Message::from_rfc822_with(MAIL, envelope, recipients).unwrap();
        let bytes = Submission::new(&message).files()[0].chunks().concat();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn dots_lead_to_members() {
        let envelope = [
            ("to", "d@example.org"),
            ("dsn.notify", "success"),
            ("dsn.notify", "delay"),
            ("dsn.ret", "full"),
            ("job", "true"),
            ("verp", "true"),
        ];
        let file = pickup_file(&envelope, HeaderAddresses::Ignore);
        for part in ["NOTIFY=SUCCESS,DELAY", "RET=FULL", "VERP"] {
            assert!(file.contains(part), "{part}: {file}");
        }
    }

    #[test]
    fn a_name_is_one_kind_of_value() {
        for (envelope, pointer) in [
            ([("dsn", "full"), ("dsn.ret", "full")], "/dsn"),
            ([("dsn.ret", "full"), ("dsn", "full")], "/dsn"),
            ([("raw", "x"), ("to", "d@example.org")], "/raw"),
            ([("verp", "true"), ("verp", "true")], "/verp"),
            ([("to", "d@example.org"), ("to", "d")], "/to/1"),
            ([("to", "d@example.org"), ("dkim.x.y", "d")], "/dkim.x.y"),
        ] {
            let problems =
                Message::from_rfc822_with(MAIL, &envelope, HeaderAddresses::Ignore).unwrap_err();
            let pointers: Vec<_> = problems.iter().map(crate::Problem::pointer).collect();
            assert!(pointers.contains(&pointer), "{envelope:?}: {pointers:?}");
        }
    }

    #[test]
    fn addresses_of_the_header_complete_the_envelope_or_are_shown() {
        let to = [("to", "d@example.org")];
        let completed = pickup_file(&[], HeaderAddresses::CompleteEnvelope);
        let shown = pickup_file(&to, HeaderAddresses::Ignore);
        for address in ["b@example.org", "c@example.org"] {
            let line = format!("x-receiver: {address}\r\n");
            assert!(
                completed.contains(&line) && !shown.contains(&line),
                "{address}"
            );
        }
        for file in [&completed, &shown] {
            assert!(file.contains("x-sender: a@example.com\r\n"));
            assert!(file.contains("To: b@example.org\r\n") && !file.contains("Bcc"));
        }
        assert!(shown.contains("x-receiver: d@example.org\r\n"));
        assert!(Message::from_rfc822(MAIL, &to).is_err());
    }

    #[test]
    fn a_whole_envelope_needs_no_address_of_the_header() {
        let envelope = [("sender", "e@example.com"), ("to", "d@example.org")];
        for from in ["root@my_host", "Cron Daemon", "\"Ann <a@b", ""] {
            let mail = format!(
                "Date: x\r\nMessage-ID: x\r\nFrom: {from}\r\nTo: no address\r\n\r\nHello\r\n"
            );
            let read = |addresses| Message::from_rfc822_with(mail.as_bytes(), &envelope, addresses);
            assert!(read(HeaderAddresses::CompleteEnvelope).is_err(), "{from}");
            assert_eq!(
                read(HeaderAddresses::Ignore).unwrap().render(),
                mail.as_bytes()
            );
            let no_sender = &envelope[1..];
            let read =
                Message::from_rfc822_with(mail.as_bytes(), no_sender, HeaderAddresses::Ignore);
            assert!(read.is_err(), "{from}");
        }
    }
}
