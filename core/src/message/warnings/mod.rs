//! Content that is valid but may be a mistake.
//!
//! ```text
//! mod            which warnings a message gets
//!   html         what its HTML looks like to its readers
//!   placeholders placeholders that nothing here fills in
//! ```

mod html;
mod placeholders;

use super::html_help::{made_html, makes_text};
use crate::json::{JsonHeaders, JsonMessage, JsonRecipient, Located, MessageReading};
use crate::problem::{Code, Problem, Problems};
use placeholders::{Language, foreign_placeholder};
use serde::Serialize;
use std::fmt;

/// Something in a message that breaks no rule but may be a mistake; see [`warnings`](crate::warnings).
///
/// Serializes as `{"code": …, "pointer": …, "detail": …}`, like a [`Problem`].
///
/// ```
/// use pmtaemail::Code;
///
/// let json = br#"{"from": "a@example.com", "to": "b@example.org", "html": "<p>Hello</p>"}"#;
/// let warnings = pmtaemail::warnings(json);
/// assert_eq!(warnings[0].code, Code::MissingText);
/// println!("{}", warnings[0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Hash)]
#[non_exhaustive]
pub struct Warning {
    /// The kind of warning. Problems never have these codes.
    pub code: Code,
    /// Location of the warning: a JSON Pointer (RFC 6901) into the message.
    pub pointer: String,
    /// One sentence for people. It never repeats a value of the message.
    pub detail: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.pointer, self.code, self.detail)
    }
}

impl Warning {
    /// Turns warnings into problems, for callers who do not accept any. `None` if there are none.
    ///
    /// ```
    /// use pmtaemail::Warning;
    ///
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "html": "<p>Hello</p>"}"#;
    /// let problems = Warning::into_problems(pmtaemail::warnings(json)).unwrap();
    /// assert_eq!(problems.to_string().lines().count(), 1);
    /// ```
    pub fn into_problems(warnings: Vec<Self>) -> Option<Problems> {
        let problems = warnings.into_iter().map(|warning| {
            let Self {
                code,
                pointer,
                detail,
            } = warning;
            Problem::found(code, pointer, detail)
        });
        Problems::some(problems.collect())
    }

    fn of_absent(name: &str, code: Code, detail: &str) -> Self {
        Self {
            code,
            pointer: format!("/{name}"),
            detail: detail.to_owned(),
        }
    }
}

/// What warnings need to know about the recipients of a mail merge.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Audience {
    /// The number of recipients; nobody needs to count beyond [`MOST`](Self::MOST).
    pub recipients: usize,
    /// Whether the first recipient has its own List-Unsubscribe field. If one has, all have.
    pub may_unsubscribe: bool,
}

impl Audience {
    /// Gmail and Yahoo treat whoever sends this many messages a day as a bulk sender.
    pub const MOST: usize = 5_000;

    /// Adds the next recipient.
    pub fn add(&mut self, recipient: Option<&JsonRecipient<'_>>) {
        if self.recipients == 0
            && let Some(JsonRecipient::Object(recipient)) = recipient
        {
            self.may_unsubscribe = has_unsubscribe(recipient.headers.as_ref());
        }
        self.recipients += 1;
    }
}

fn has_unsubscribe(headers: Option<&Located<JsonHeaders<'_>>>) -> bool {
    let mut headers = headers.into_iter().flat_map(|headers| &headers.value.0);
    headers.any(|header| header.name.value.eq_ignore_ascii_case("List-Unsubscribe"))
}

/// The warnings of a message whose recipients are in it.
pub(crate) fn warnings(reading: &MessageReading<'_>) -> Vec<Warning> {
    let whole = |message: &JsonMessage<'_>| {
        let mut audience = Audience::default();
        for recipient in message.recipients.iter().flat_map(|list| &list.value) {
            audience.add(Some(&recipient.value));
        }
        Ok::<_, std::convert::Infallible>(audience)
    };
    let Ok(warnings) = warnings_for(reading, whole);
    warnings
}

/// The warnings of a message. `audience` is called only if the recipients matter.
pub(crate) fn warnings_for<E>(
    reading: &MessageReading<'_>,
    audience: impl FnOnce(&JsonMessage<'_>) -> Result<Audience, E>,
) -> Result<Vec<Warning>, E> {
    let MessageReading { value, report } = reading;
    let Some(message) = value else {
        return Ok(Vec::new());
    };
    let message = &*message.value;
    let mut warnings = Vec::new();
    let language = Language::of(message.template.as_ref());
    let texts = [
        &message.subject,
        &message.text,
        &message.html,
        &message.mjml,
        &message.amp,
    ];
    let headers = message.headers.iter().flat_map(|headers| &headers.value.0);
    let values = headers.flat_map(|header| &header.values);
    for text in texts.into_iter().flatten().chain(values) {
        if let Some(detail) = foreign_placeholder(&text.value, language) {
            warnings.push(Warning {
                code: Code::ForeignPlaceholder,
                pointer: report.pointer(text.location),
                detail,
            });
        }
    }
    let given = message.mjml.as_ref().or(message.html.as_ref());
    if let Some(given) = given.filter(|given| !given.value.is_empty()) {
        let pointer = report.pointer(given.location);
        let made = made_html(message);
        warnings.extend(
            html_warnings(message, made.as_deref()).map(|(code, detail)| Warning {
                code,
                pointer: pointer.clone(),
                detail,
            }),
        );
        let text = message.text.as_ref();
        if !makes_text(message) && text.is_none_or(|text| text.value.trim().is_empty()) {
            warnings.push(Warning::of_absent("text", Code::MissingText, NO_TEXT));
        }
    }
    let may_unsubscribe =
        message.unsubscribe.is_some() || has_unsubscribe(message.headers.as_ref());
    if !may_unsubscribe {
        let audience = audience(message)?;
        if audience.recipients > Audience::MOST && !audience.may_unsubscribe {
            let code = Code::MissingUnsubscribe;
            warnings.push(Warning::of_absent("unsubscribe", code, NO_UNSUBSCRIBE));
        }
    }
    Ok(warnings)
}

/// Warnings about HTML: the size of what will be sent, and faults in what was given.
fn html_warnings(
    message: &JsonMessage<'_>,
    made: Option<&str>,
) -> impl Iterator<Item = (Code, String)> {
    let given = message.html.as_ref().map_or("", |html| &html.value);
    let is_mjml = message.mjml.is_some();
    let made = made.unwrap_or(given);
    let large = html::too_large(made);
    // Nobody wrote the lines of what is made of MJML.
    let faults = html::faults(if is_mjml { made } else { given });
    let faults = faults.into_iter().map(move |(code, detail)| {
        let detail = if is_mjml {
            format!("In the HTML made from this: {detail}")
        } else {
            detail
        };
        (code, detail)
    });
    large.into_iter().chain(faults)
}

const NO_TEXT: &str = "There is HTML but no text: give `text` or `textFromHtml` for readers whose \
                       program does not show HTML, and for filters, which are more likely to take \
                       such mail for spam.";

const NO_UNSUBSCRIBE: &str = "More than 5,000 recipients get this message and none of them can unsubscribe: give `unsubscribe`, \
                              which Gmail and Yahoo require of bulk senders.";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn found(message: &Value) -> Vec<(&'static str, String)> {
        let json = message.to_string();
        crate::check(json.as_bytes()).unwrap();
        let found = crate::warnings(json.as_bytes()).into_iter();
        found
            .map(|warning| (warning.code.as_str(), warning.pointer))
            .collect()
    }

    fn merge(recipients: usize, with: &Value) -> Value {
        let mut message = json!({"from": "a@example.com", "text": "a",
            "recipients": vec!["b@example.org"; recipients]});
        let fields = message.as_object_mut().unwrap();
        fields.extend(with.as_object().unwrap().clone());
        message
    }

    #[test]
    fn warnings_have_their_places() {
        let json = br#"{"from": "a@example.com", "to": "b@example.org", "Subject": "*|X|*",
            "text": "a\n %recipient.x%", "headers": {"X-A": ["b", "%%x%%"]}, "html": "<p>"}"#;
        crate::check(json).unwrap();
        let found = crate::warnings(json);
        let pointers: Vec<_> = found.iter().map(|w| w.pointer.as_str()).collect();
        assert_eq!(pointers, ["/Subject", "/text", "/headers/X-A/1"]);
        assert!(
            found[1]
                .detail
                .starts_with("In line 2, column 2 there is `%recipient.name%`, ")
        );
        assert_eq!(crate::warnings(b"{"), []);
        let value: Value = serde_json::from_slice(json).unwrap();
        let mut of_value = crate::warnings_from_deserializer(&value).unwrap();
        of_value.sort_by_key(|warning| found.iter().position(|w| w == warning));
        assert_eq!(of_value, found);
    }
    #[test]
    fn html_without_text_is_warned_about() {
        let message = |with: &Value| {
            let mut message =
                json!({"from": "a@example.com", "to": "b@example.org", "html": "<p>a"});
            message
                .as_object_mut()
                .unwrap()
                .extend(with.as_object().unwrap().clone());
            message
        };
        let expected = [("missing_text", "/text".to_owned())];
        assert_eq!(found(&message(&json!({}))), expected);
        assert_eq!(found(&message(&json!({"text": " \n"}))), expected);
        assert_eq!(found(&message(&json!({"text": "a"}))), []);
        assert_eq!(found(&message(&json!({"html": ""}))), []);
    }

    #[test]
    fn many_recipients_need_a_way_to_unsubscribe() {
        let expected = [("missing_unsubscribe", "/unsubscribe".to_owned())];
        assert_eq!(found(&merge(5_001, &json!({}))), expected);
        assert_eq!(found(&merge(5_000, &json!({}))), []);
        let unsubscribe = json!({"unsubscribe": {"mailto": "off@example.com"}});
        assert_eq!(found(&merge(5_001, &unsubscribe)), []);
        let headers = json!({"headers": {"list-unsubscribe": "<mailto:off@example.com>"}});
        assert_eq!(found(&merge(5_001, &headers)), []);
        let mut own = merge(5_001, &json!({}));
        own["recipients"][0] = json!({"address": "b@example.org", "headers": headers["headers"]});
        assert_eq!(found(&own), []);
    }
}
