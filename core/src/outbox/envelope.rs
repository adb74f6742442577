//! What PowerMTA is told in addition to the message.

use serde::Serialize;
use std::borrow::Cow;

/// The envelope of one recipient's mail, with everything that its pickup file says about delivery.
///
/// ```
/// use pmtaemail::outbox::OutboxFile;
/// use pmtaemail::Submission;
///
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "job": "orders", "vmta": "pool-1"}"#;
/// let bytes = Submission::from_json(json)?.files()[0].chunks().concat();
/// let file = OutboxFile::read(&bytes)?;
/// let envelope = file.envelope(0).unwrap();
/// assert_eq!((envelope.from.as_ref(), envelope.to.as_ref()), ("shop@example.com", "ann@example.org"));
/// assert_eq!((envelope.job.as_deref(), envelope.vmta.as_deref()), (Some("orders"), Some("pool-1")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OutboxEnvelope<'f> {
    /// The reverse-path; empty for the null reverse-path.
    pub from: Cow<'f, str>,
    /// The forward-path.
    pub to: Cow<'f, str>,
    /// The envelope ID (RFC 3461 section 4.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envid: Option<Cow<'f, str>>,
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Cow<'f, str>>,
    /// The virtual MTA or pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmta: Option<Cow<'f, str>>,
    /// The signing key, in the syntax of `x-dkim-options`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dkim: Option<Cow<'f, str>>,
    /// Delivery windows, in the syntax of `x-schedule`: in the time zone of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Cow<'f, str>>,
    /// From 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Cow<'f, str>>,
    /// PowerMTA's `*subaccountid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subaccount_id: Option<Cow<'f, str>>,
    /// PowerMTA's `*custommessageid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_message_id: Option<Cow<'f, str>>,
    /// What a delivery status notification returns: `FULL` or `HDRS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ret: Option<Cow<'f, str>>,
    /// When a notification is sent: `NEVER`, or some of `SUCCESS,FAILURE,DELAY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<Cow<'f, str>>,
    /// The original recipient, with its address type (RFC 3461 section 4.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orcpt: Option<Cow<'f, str>>,
    /// Each recipient has a separate reverse-path, which names it.
    #[serde(skip_serializing_if = "is_false")]
    pub verp: bool,
    /// Addresses and header fields may be UTF-8 (RFC 6531).
    #[serde(skip_serializing_if = "is_false")]
    pub smtputf8: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl OutboxEnvelope<'_> {
    /// The same, without borrowing from its file.
    #[must_use]
    pub fn into_owned(self) -> OutboxEnvelope<'static> {
        fn own(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        OutboxEnvelope {
            from: Cow::Owned(self.from.into_owned()),
            to: Cow::Owned(self.to.into_owned()),
            envid: own(self.envid),
            job: own(self.job),
            vmta: own(self.vmta),
            dkim: own(self.dkim),
            schedule: own(self.schedule),
            priority: own(self.priority),
            subaccount_id: own(self.subaccount_id),
            custom_message_id: own(self.custom_message_id),
            ret: own(self.ret),
            notify: own(self.notify),
            orcpt: own(self.orcpt),
            verp: self.verp,
            smtputf8: self.smtputf8,
        }
    }
}
