//! Small objects of the message.

use super::choice::JsonWord;
use super::object::object;
use super::plain::OneOrMany;
use super::words::{NotifyWord, ReturnWord};
use std::borrow::Cow;

object! {
    /// An invitation or another iTIP message (RFC 5546).
    JsonCalendar, "an object with `method` and `content`" {
        /// The iTIP method, such as REQUEST; that of the content by default, and never another one.
        method("method"): Cow<'a, str> { example: "REQUEST" },
        /// The iCalendar object (RFC 5545), with a METHOD before its first component.
        content("content"): Cow<'a, str> { content: true, required: true },
    }
}

object! {
    /// Ways to unsubscribe.
    JsonUnsubscribe, "an object with `url` or `mailto`" {
        /// An http or https URL.
        url("url"): Cow<'a, str> { format: "uri", example: "https://example.com/leave?id=42" },
        /// An address, or a `mailto:` URL, to write to.
        mailto("mailto"): Cow<'a, str> { example: "leave@example.com" },
        /// Whether one POST to `url` unsubscribes (RFC 8058); true by default for an https `url`.
        one_click("oneClick"): bool,
    }
}

object! {
    /// The key with which PowerMTA signs.
    JsonDkim, "an object with `selector`, `domain`, `identity`, `keyList`" {
        /// The selector (s=).
        selector("selector"): Cow<'a, str> { example: "s1" },
        /// The domain (d=).
        domain("domain"): Cow<'a, str> { example: "example.com" },
        /// The identity (i=).
        identity("identity"): Cow<'a, str> { example: "news@example.com" },
        /// The key list (key-list=).
        key_list("keyList"): Cow<'a, str> { example: "main" },
    }
}

object! {
    /// A delivery window.
    JsonWindow, "an object with `start` and `end`" {
        /// The start of the window.
        start("start"): Cow<'a, str> {
            required: true, format: "date-time", example: "2026-11-23T08:00:00+01:00"
        },
        /// The end of the window.
        end("end"): Cow<'a, str> {
            required: true, format: "date-time", example: "2026-11-23T20:00:00+01:00"
        },
    }
}

object! {
    /// Delivery status notifications (RFC 3461).
    JsonDsn, "an object with `notify` and `ret`" {
        /// The events to report.
        notify("notify"): OneOrMany<JsonWord<'a, NotifyWord>>,
        /// How much of the message a report returns.
        ret("ret"): JsonWord<'a, ReturnWord>,
    }
}
