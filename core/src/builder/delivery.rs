//! What PowerMTA is told.

use super::data::{Data, Members};
use super::setters::{Fields, booleans, texts};
use super::{DateTime, Dkim, Dsn, MessageBuilder};
use std::borrow::Cow;

/// What PowerMTA is told.
impl<'a> MessageBuilder<'a> {
    texts! {
        /// PowerMTA's envelope id; the receipt's id when absent. Where texts are templates, so is this.
        envid = "envid",
        /// PowerMTA's job.
        ///
        /// ```
        /// use pmtaemail::{Message, Submission};
        ///
        /// let message = Message::builder()
        ///     .from("shop@example.com")
        ///     .to("ann@example.org")
        ///     .job("spring")
        ///     .vmta("pool-2")
        ///     .envid("order-4711")
        ///     .build()?;
        /// let file = Submission::new(&message).files()[0].chunks().concat();
        /// let file = String::from_utf8(file).unwrap();
        /// assert!(file.contains("x-job: spring\r\nx-virtual-mta: pool-2\r\n"));
        /// assert!(file.contains("x-envid: order-4711\r\n"));
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        job = "job",
        /// The virtual MTA, or pool, to send through.
        vmta = "vmta",
        /// PowerMTA's subaccount id, in a mail merge.
        ///
        /// ```
        /// use pmtaemail::{Message, Recipient, Submission};
        ///
        /// let ann = Recipient::new("ann@example.org").custom_message_id("order-1");
        /// let bob = Recipient::new("bob@example.org").subaccount_id("shop-8");
        /// let message = Message::builder()
        ///     .from("shop@example.com")
        ///     .recipients([ann, bob])
        ///     .subaccount_id("shop-7")
        ///     .custom_message_id("spring")
        ///     .build()?;
        /// let file = Submission::new(&message).files()[0].chunks().concat();
        /// let file = String::from_utf8(file).unwrap();
        /// assert!(file.contains(r#"*subaccountid="shop-7" *custommessageid="order-1""#));
        /// assert!(file.contains(r#"*subaccountid="shop-8" *custommessageid="spring""#));
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        subaccount_id = "subaccountId",
        /// PowerMTA's custom message id, in a mail merge.
        custom_message_id = "customMessageId",
    }

    booleans! {
        /// Whether each recipient gets a bounce address of its own.
        verp = "verp",
    }

    /// Which key signs.
    #[must_use]
    pub fn dkim(self, dkim: Dkim<'a>) -> Self {
        self.with("dkim", Data::Object(dkim.0))
    }

    /// A time in which the message may be delivered; several calls give several.
    ///
    /// ```
    /// use pmtaemail::{Message, Submission};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_435_200);
    /// let message = Message::builder()
    ///     .from("shop@example.com")
    ///     .to("ann@example.org")
    ///     .schedule(noon, "2026-11-23T14:00:00Z")
    ///     .build()?;
    /// let file = Submission::new(&message).files()[0].chunks().concat();
    /// let file = String::from_utf8(file).unwrap();
    /// assert!(file.contains("x-schedule: 2026-11-23 12:00:00/2026-11-23 14:00:00\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[must_use]
    pub fn schedule(self, start: impl Into<DateTime<'a>>, end: impl Into<DateTime<'a>>) -> Self {
        let window = vec![
            ("start".into(), start.into().into_data()),
            ("end".into(), end.into().into_data()),
        ];
        self.pushing("schedule", Data::Object(Members(window)))
    }

    /// Delivery status notifications.
    #[must_use]
    pub fn dsn(self, dsn: Dsn) -> Self {
        self.with("dsn", Data::Object(dsn.0))
    }
}
