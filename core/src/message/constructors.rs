//! From what a message is read: JSON, a form, any serde data format, a finished message, a builder.

use super::read::{self, ReadContext};
use super::{FilePart, HeaderAddresses, Message, Warning, parameters};
use crate::address::SenderDomains;
use crate::interruption::{Interruption, uninterrupted};
use crate::json::{self, MessageReading, Unreadable};
use crate::problem::{Location, Problems, Refusal};
use serde::Deserializer;

impl<'a> Message<'a> {
    /// Parses a JSON message and checks every rule.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#)?;
    /// let problems = Message::from_json(br#"{"from": "shop@example.com", "text": "Hello"}"#).unwrap_err();
    /// assert_eq!(problems.iter().next().unwrap().code().as_str(), "no_recipients");
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with the message.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, Problems> {
        Self::from_form(bytes, &[])
    }

    /// Parses a JSON message that came with files, for example as parts of a form (RFC 7578). Attachments refer to them
    /// with `part`; each file must be used.
    ///
    /// ```
    /// use pmtaemail::{FilePart, Message};
    ///
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org",
    ///                 "attachments": [{"part": "file1"}]}"#;
    /// let file = FilePart {
    ///     name: "file1",
    ///     filename: Some(Ok("report.pdf")),
    ///     content_type: None,
    ///     content: b"%PDF-1.7",
    /// };
    /// let mail = Message::from_form(json, &[file])?.render();
    /// assert!(String::from_utf8_lossy(&mail).contains("filename=report.pdf"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_form(bytes: &'a [u8], files: &'a [FilePart<'a>]) -> Result<Self, Problems> {
        Self::from_form_within(bytes, files, &SenderDomains::ALL)
    }

    /// Like [`from_form`](Self::from_form), for somebody who may send only from these domains: other addresses in From,
    /// Sender and the envelope sender are problems. See [`SenderDomains`] for an example.
    pub fn from_form_within(
        bytes: &'a [u8],
        files: &'a [FilePart<'a>],
        senders: &'a SenderDomains,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            senders,
            ..ReadContext::new(files)
        };
        let message = Self::read_json(bytes, context)?;
        Ok(uninterrupted(message))
    }

    /// Like [`from_json`](Self::from_json); returns `None` if it is interrupted.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let has_been_cancelled = || true;
    /// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org"], "text": "Hello"}"#;
    /// let message = Message::from_json_unless(json, Interruption::new(&has_been_cancelled))?;
    /// assert!(message.is_none());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_json_unless(
        bytes: &'a [u8],
        interruption: Interruption<'a>,
    ) -> Result<Option<Self>, Problems> {
        let context = ReadContext {
            interruption,
            ..ReadContext::new(&[])
        };
        Self::read_json(bytes, context)
    }

    /// Like [`from_json_unless`](Self::from_json_unless); appends the message's [`warnings`](crate::warnings).
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let mut warnings = Vec::new();
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "html": "<p>Hello</p>"}"#;
    /// let message = Message::from_json_with_warnings(json, Interruption::NEVER, &mut warnings)?;
    /// assert!(message.is_some());
    /// assert_eq!(warnings[0].code.as_str(), "missing_text");
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_json_with_warnings(
        bytes: &'a [u8],
        interruption: Interruption<'a>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Self>, Problems> {
        let message = Self::from_json_unless(bytes, interruption)?;
        warnings.extend(crate::warnings(bytes));
        Ok(message)
    }

    fn read_json(bytes: &'a [u8], context: ReadContext<'a>) -> Result<Option<Self>, Problems> {
        let interruption = context.interruption;
        match json::read_unless(bytes, interruption) {
            Ok(reading) => Self::from_reading(reading, context),
            Err(_) if interruption.is_wanted() => Ok(None),
            Err(Unreadable::NotJson(problems)) => Err(problems),
            Err(Unreadable::LoneSurrogates(marked)) => {
                let context = ReadContext {
                    interruption: Interruption::NEVER,
                    ..context
                };
                match Message::from_reading(marked.read()?, context) {
                    Err(problems) => Err(problems),
                    // Each of them was a problem, so this is not reached; nothing depends on that.
                    Ok(_) => Err(json::not_json(
                        "The message contains half of a surrogate pair.",
                    )),
                }
            }
        }
    }

    /// Reads a message from any serde data format that lends its strings, such as a `&serde_json::Value`. Where a field
    /// may contain bytes, bytes are accepted. The format gives [`NotUnicode`](crate::NotUnicode) for a string that is
    /// not valid Unicode.
    ///
    /// The outer error is that of the format.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let value = serde_json::json!({"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"});
    /// let message = Message::from_deserializer(&value)??;
    /// assert_eq!(message.addressee_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_deserializer<D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Result<Self, Problems>, D::Error> {
        let message = Self::from_deserializer_unless(deserializer, Interruption::NEVER)?;
        Ok(message.map(uninterrupted))
    }

    /// Like [`from_deserializer`](Self::from_deserializer); returns `None` if it is interrupted. The deserializer
    /// itself is not interrupted.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let value = serde_json::json!({"from": "a@example.com", "recipients": ["b@example.org"], "text": "Hello"});
    /// let has_been_cancelled = || true;
    /// let message = Message::from_deserializer_unless(&value, Interruption::new(&has_been_cancelled))??;
    /// assert!(message.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_deserializer_unless<D: Deserializer<'a>>(
        deserializer: D,
        interruption: Interruption<'a>,
    ) -> Result<Result<Option<Self>, Problems>, D::Error> {
        let context = ReadContext {
            interruption,
            ..ReadContext::new(&[])
        };
        let reading = json::read_from(deserializer)?;
        Ok(Self::from_reading(reading, context))
    }

    /// Like [`from_deserializer_unless`](Self::from_deserializer_unless); appends the message's
    /// [`warnings`](crate::warnings). It is for input that can be read only once.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "subject": "Hello *|FNAME|*"}"#;
    /// let mut input = serde_json::Deserializer::from_slice(json);
    /// let mut warnings = Vec::new();
    /// let message = Message::from_deserializer_with_warnings(&mut input, Interruption::NEVER, &mut warnings)??;
    /// assert!(message.is_some());
    /// assert_eq!(warnings[0].pointer, "/subject");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_deserializer_with_warnings<D: Deserializer<'a>>(
        deserializer: D,
        interruption: Interruption<'a>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Result<Option<Self>, Problems>, D::Error> {
        let context = ReadContext {
            interruption,
            ..ReadContext::new(&[])
        };
        let reading = json::read_from(deserializer)?;
        warnings.extend(super::warnings(&reading));
        Ok(Self::from_reading(reading, context))
    }

    fn from_reading(
        reading: MessageReading<'a>,
        context: ReadContext<'a>,
    ) -> Result<Option<Self>, Problems> {
        let mut report = reading.report;
        let interruption = context.interruption;
        let message = reading
            .value
            .and_then(|message| read::understand(message.value, context, &mut report));
        if message.is_none() && interruption.is_wanted() {
            return Ok(None);
        }
        report.finish(message).map(Some)
    }

    /// Takes a finished message (RFC 5322), which is sent as it is. The fields of the envelope are pairs of name and
    /// value: `sender`, `to`, `cc`, `bcc`, `envid`, `job`, `vmta`, `verp`, `dsn.notify`, `dsn.ret`, `dkim.selector` and
    /// so on. A name may be repeated if the field takes several values. Without recipients, those in the header are
    /// used. Missing Date and Message-ID fields are added; if the message is signed (DKIM-Signature, ARC), a missing
    /// one is a problem.
    ///
    /// ```
    /// let mail = b"Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n\r\nHello\r\n";
    /// let envelope = [("to", "b@example.org"), ("to", "c@example.org")];
    /// let message = pmtaemail::Message::from_rfc822(mail, &envelope)?;
    /// let rendered = message.render();
    /// assert!(rendered.starts_with(b"Message-ID: <") && rendered.ends_with(mail));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_rfc822<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
    ) -> Result<Self, Problems> {
        Self::from_rfc822_with(bytes, envelope, HeaderAddresses::CompleteEnvelope)
    }

    /// Like [`from_rfc822`](Self::from_rfc822), with a choice of what the addresses in the header mean. See
    /// [`HeaderAddresses`] for an example.
    pub fn from_rfc822_with<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
        header_addresses: HeaderAddresses,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            header_addresses,
            ..ReadContext::new(&[])
        };
        Self::read_rfc822(bytes, envelope, context)
    }

    /// Like [`from_rfc822`](Self::from_rfc822), for somebody who may send only from these domains.
    ///
    /// ```
    /// use pmtaemail::{Message, SenderDomains};
    ///
    /// let mail = b"From: ann@example.org\r\nTo: bo@example.org\r\n\r\nHello\r\n";
    /// let domains = SenderDomains::from_iter(["example.com".parse().unwrap()]);
    /// let no_envelope: &[(&str, &str)] = &[];
    /// let problems = Message::from_rfc822_within(mail, no_envelope, &domains).unwrap_err();
    /// assert!(problems.iter().all(|problem| problem.code().as_str() == "forbidden_sender"));
    /// ```
    pub fn from_rfc822_within<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
        senders: &'a SenderDomains,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            senders,
            ..ReadContext::new(&[])
        };
        Self::read_rfc822(bytes, envelope, context)
    }

    fn read_rfc822<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
        context: ReadContext<'a>,
    ) -> Result<Self, Problems> {
        Self::read_values(parameters::deserializer(bytes, envelope), context)
    }

    /// Reads the fields of a builder.
    pub(crate) fn from_values<D: Deserializer<'a>>(
        values: D,
        header_addresses: HeaderAddresses,
        senders: &'a SenderDomains,
        refusals: Vec<Refusal>,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            header_addresses,
            senders,
            refusals,
            ..ReadContext::new(&[])
        };
        Self::read_values(values, context)
    }

    /// Reads from a deserializer of this library.
    fn read_values<D: Deserializer<'a>>(
        values: D,
        mut context: ReadContext<'a>,
    ) -> Result<Self, Problems> {
        match json::read_from(values) {
            Ok(mut reading) => {
                let message = reading.value.as_ref();
                let raw = message.and_then(|message| message.value.location_of("raw"));
                for refusal in context.refusals.drain(..) {
                    reading
                        .report
                        .refuse(raw.unwrap_or(Location::ROOT), refusal);
                }
                let message = Self::from_reading(reading, context)?;
                Ok(uninterrupted(message))
            }
            // The deserializer has no errors of its own, and what one says may quote the input.
            Err(_) => Err(json::not_json("The message cannot be read.")),
        }
    }
}

/// The warnings of what a builder was given.
pub(crate) fn warnings_of<'a>(values: impl Deserializer<'a>) -> Vec<Warning> {
    // The deserializer has no errors of its own.
    json::read_from(values).map_or_else(|_| Vec::new(), |reading| super::warnings(&reading))
}
