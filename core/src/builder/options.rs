//! Small objects of the message.

use super::data::{Data, Members};
use super::setters::{Fields, booleans, texts, word};
use crate::json::{NotifyWord, ReturnWord};
use std::borrow::Cow;

/// Declares an object of the message.
macro_rules! object {
    ($(#[$attribute:meta])* $object:ident) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $object<'a>(pub(super) Members<'a>);

        impl<'a> Fields<'a> for $object<'a> {
            fn fields(&mut self) -> &mut Members<'a> {
                &mut self.0
            }
        }
    };
}

object! {
    /// An invitation or its like (RFC 5546): a text/calendar body, as calendar programs expect it.
    ///
    /// ```
    /// use pmtaemail::{Calendar, Message};
    ///
    /// let event = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n";
    /// let message = Message::builder()
    ///     .from("ann@example.com")
    ///     .to("bob@example.org")
    ///     .calendar(Calendar::new(event))
    ///     .build()?;
    /// assert!(String::from_utf8(message.render()).unwrap().contains("method=REQUEST"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    Calendar
}

impl<'a> Calendar<'a> {
    /// An iCalendar object (RFC 5545), with a METHOD before its first component.
    pub fn new(content: impl Into<Cow<'a, str>>) -> Self {
        let mut members = Members::default();
        members.set("content", Data::Text(content.into()));
        Self(members)
    }

    texts! {
        /// The iTIP method (RFC 5546), such as REQUEST, which may be left to the content. It must not say otherwise:
        ///
        /// ```
        /// use pmtaemail::{Calendar, Message};
        ///
        /// let cancelled = "BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n";
        /// let builder = Message::builder().from("ann@example.com").to("bob@example.org");
        /// let calendar = Calendar::new(cancelled).method("REQUEST");
        /// let problems = builder.calendar(calendar).build().unwrap_err();
        /// assert_eq!(problems.iter().next().unwrap().pointer(), "/calendar/method");
        /// ```
        method = "method",
    }
}

object! {
    /// Ways to leave the list: List-Unsubscribe, and List-Unsubscribe-Post (RFC 8058) with an https URL.
    ///
    /// ```
    /// use pmtaemail::{Message, Unsubscribe};
    ///
    /// let message = Message::builder()
    ///     .from("shop@example.com")
    ///     .to("ann@example.org")
    ///     .unsubscribe(Unsubscribe::default().url("https://example.com/leave?id=42"))
    ///     .build()?;
    /// let mail = String::from_utf8(message.render()).unwrap();
    /// assert!(mail.contains("List-Unsubscribe: <https://example.com/leave?id=42>\r\n"));
    /// assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    Unsubscribe
}

impl<'a> Unsubscribe<'a> {
    texts! {
        /// A web address.
        url = "url",
        /// An address to which a mail is sent.
        mailto = "mailto",
    }

    booleans! {
        /// Whether one POST to the URL is enough (RFC 8058); with an https URL it is unless this says otherwise.
        ///
        /// ```
        /// use pmtaemail::{Message, Unsubscribe};
        ///
        /// let ways = Unsubscribe::default()
        ///     .mailto("leave@example.com")
        ///     .url("https://example.com/preferences")
        ///     .one_click(false);
        /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
        /// let mail = String::from_utf8(builder.unsubscribe(ways).build()?.render()).unwrap();
        /// assert!(mail.contains("<mailto:leave@example.com>"));
        /// assert!(!mail.contains("List-Unsubscribe-Post"));
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        one_click = "oneClick",
    }
}

object! {
    /// Which key PowerMTA signs with.
    ///
    /// ```
    /// use pmtaemail::{Dkim, Message};
    ///
    /// let dkim = Dkim::default().selector("s1").domain("example.com");
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
    /// assert!(builder.dkim(dkim).build().is_ok());
    /// ```
    Dkim
}

impl<'a> Dkim<'a> {
    texts! {
        /// s=
        selector = "selector",
        /// d=
        domain = "domain",
        /// i=
        ///
        /// ```
        /// use pmtaemail::{Dkim, Message, Submission};
        ///
        /// let dkim = Dkim::default().identity("@news.example.com").key_list("marketing");
        /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
        /// let submission = Submission::new(&builder.dkim(dkim).build()?);
        /// let file = String::from_utf8(submission.files()[0].chunks().concat()).unwrap();
        /// assert!(file.contains("x-dkim-options: i=@news.example.com; key-list=marketing\r\n"));
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        identity = "identity",
        /// key-list=
        key_list = "keyList",
    }
}

/// Which delivery status notifications are asked for (RFC 3461).
///
/// ```
/// use pmtaemail::{Dsn, Message, Notify, Return};
///
/// let dsn = Dsn::default().notify(Notify::Failure).notify(Notify::Delay).ret(Return::Headers);
/// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
/// assert!(builder.dsn(dsn).build().is_ok());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dsn(pub(super) Members<'static>);

impl Dsn {
    /// For which event. Several calls ask for several, but [`Never`](NotifyWord::Never) is alone.
    #[must_use]
    pub fn notify(self, event: NotifyWord) -> Self {
        self.pushing("notify", word(event))
    }

    /// How much of the message comes back.
    #[must_use]
    pub fn ret(self, ret: ReturnWord) -> Self {
        self.with("ret", word(ret))
    }
}

impl Fields<'static> for Dsn {
    fn fields(&mut self) -> &mut Members<'static> {
        &mut self.0
    }
}
