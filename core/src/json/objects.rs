//! Small objects of the message.

use super::choice::JsonWord;
use super::object::object;
use super::plain::OneOrMany;
use super::words::{NotifyWord, ReturnWord};
use std::borrow::Cow;

object! {
    /// An invitation or its like (RFC 5546).
    JsonCalendar, "an object with `method` and `content`" {
        /// The iTIP method (RFC 5546), such as REQUEST: that of the content, which may be left to it.
        method("method"): Cow<'a, str> { example: "REQUEST" },
        /// The iCalendar object (RFC 5545), with a METHOD before its first component.
        content("content"): Cow<'a, str> { content: true, required: true },
    }
}

object! {
    /// Ways to leave the list.
    JsonUnsubscribe, "an object with `url` or `mailto`" {
        /// A web address.
        url("url"): Cow<'a, str> { format: "uri", example: "https://example.com/leave?id=42" },
        /// An address to which a mail is sent.
        mailto("mailto"): Cow<'a, str> { example: "leave@example.com" },
        /// Whether one POST to `url` is enough (RFC 8058).
        one_click("oneClick"): bool,
    }
}

object! {
    /// Which key signs.
    JsonDkim, "an object with `selector`, `domain`, `identity`, `keyList`" {
        /// s=
        selector("selector"): Cow<'a, str> { example: "s1" },
        /// d=
        domain("domain"): Cow<'a, str> { example: "example.com" },
        /// i=
        identity("identity"): Cow<'a, str> { example: "news@example.com" },
        /// key-list=
        key_list("keyList"): Cow<'a, str> { example: "main" },
    }
}

object! {
    /// A time in which the message may be delivered.
    JsonWindow, "an object with `start` and `end`" {
        /// RFC 3339.
        start("start"): Cow<'a, str> {
            required: true, format: "date-time", example: "2026-11-23T08:00:00+01:00"
        },
        /// RFC 3339.
        end("end"): Cow<'a, str> {
            required: true, format: "date-time", example: "2026-11-23T20:00:00+01:00"
        },
    }
}

object! {
    /// Delivery status notifications (RFC 3461).
    JsonDsn, "an object with `notify` and `ret`" {
        /// For which events.
        notify("notify"): OneOrMany<JsonWord<'a, NotifyWord>>,
        /// How much of the message comes back: `full` or `headers`.
        ret("ret"): JsonWord<'a, ReturnWord>,
    }
}
