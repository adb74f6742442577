//! Moments.

use super::data::Data;
use jiff::Timestamp;
use std::borrow::Cow;
use std::time::SystemTime;

/// A moment: a text in RFC 3339, such as `2026-11-23T05:33:54+01:00`, which keeps its zone, or a [`SystemTime`].
///
/// ```
/// use pmtaemail::Message;
/// use std::time::{Duration, SystemTime};
///
/// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
/// let message = builder.date(SystemTime::UNIX_EPOCH + Duration::from_hours(24)).build()?;
/// assert!(message.render().starts_with(b"Date: Fri, 2 Jan 1970 00:00:00 +0000\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime<'a>(Data<'a>);

impl<'a> DateTime<'a> {
    pub(super) fn into_data(self) -> Data<'a> {
        self.0
    }
}

impl<'a> From<&'a str> for DateTime<'a> {
    fn from(text: &'a str) -> Self {
        Self(Data::Text(text.into()))
    }
}

impl<'a> From<&'a String> for DateTime<'a> {
    fn from(text: &'a String) -> Self {
        Self(Data::Text(text.into()))
    }
}

impl From<String> for DateTime<'_> {
    fn from(text: String) -> Self {
        Self(Data::Text(text.into()))
    }
}

impl<'a> From<Cow<'a, str>> for DateTime<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Data::Text(text))
    }
}

/// Of which the fraction of a second is left out, as Date has none.
impl From<SystemTime> for DateTime<'_> {
    fn from(time: SystemTime) -> Self {
        let whole = |time: Timestamp| Timestamp::from_second(time.as_second());
        Self(match Timestamp::try_from(time).and_then(whole) {
            Ok(time) => Data::Text(time.to_string().into()),
            Err(_) => Data::Unfit("a time of which the year has more than four digits"),
        })
    }
}
