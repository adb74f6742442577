//! Small objects of the message.

use super::data::{Data, Members};
use super::word;
use crate::json::{NotifyWord, ReturnWord};
use std::borrow::Cow;

/// Declares an object with a setter for each text that it has.
macro_rules! object_of_texts {
    (
        $(#[$attribute:meta])*
        $object:ident { $($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+ }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $object<'a>(pub(super) Members<'a>);

        impl<'a> $object<'a> {
            $(
                $(#[doc = $doc])*
                #[must_use]
                pub fn $setter(mut self, text: impl Into<Cow<'a, str>>) -> Self {
                    self.0.set($name, Data::Text(text.into()));
                    self
                }
            )+
        }
    };
}

object_of_texts! {
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
    Calendar {
        /// The iTIP method (RFC 5546), such as REQUEST, which may be left to the content.
        method = "method",
    }
}

impl<'a> Calendar<'a> {
    /// An iCalendar object (RFC 5545), with a METHOD before its first component.
    pub fn new(content: impl Into<Cow<'a, str>>) -> Self {
        let mut members = Members::default();
        members.set("content", Data::Text(content.into()));
        Self(members)
    }
}

object_of_texts! {
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
    Unsubscribe {
        /// A web address.
        url = "url",
        /// An address to which a mail is sent.
        mailto = "mailto",
    }
}

impl Unsubscribe<'_> {
    /// Whether one POST to the URL is enough (RFC 8058); with an https URL it is unless this says otherwise.
    #[must_use]
    pub fn one_click(mut self, one_click: bool) -> Self {
        self.0.set("oneClick", Data::Boolean(one_click));
        self
    }
}

object_of_texts! {
    /// Which key PowerMTA signs with.
    ///
    /// ```
    /// use pmtaemail::{Dkim, Message};
    ///
    /// let dkim = Dkim::default().selector("s1").domain("example.com");
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
    /// assert!(builder.dkim(dkim).build().is_ok());
    /// ```
    Dkim {
        /// s=
        selector = "selector",
        /// d=
        domain = "domain",
        /// i=
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
    pub fn notify(mut self, event: NotifyWord) -> Self {
        self.0.push("notify", word(event));
        self
    }

    /// How much of the message comes back.
    #[must_use]
    pub fn ret(mut self, ret: ReturnWord) -> Self {
        self.0.set("ret", word(ret));
        self
    }
}
