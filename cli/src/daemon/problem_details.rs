//! Problem details for HTTP (RFC 9457).

use crate::place::Place;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use pmtaemail::{Code, Id, Position, Problem, Problems};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// The body of an error response.
#[derive(Debug, Serialize)]
pub struct ProblemDetails<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    /// Which of several reasons it is: a stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ErrorEntry<'a>>,
    /// How many problems there are, where `errors` has not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// Which message of a batch it is.
    #[serde(flatten)]
    position: Option<Position>,
}

impl<'a> ProblemDetails<'a> {
    /// A problem that its status says all of.
    pub fn plain(status: StatusCode) -> Self {
        Self {
            kind: "about:blank",
            title: status
                .canonical_reason()
                .expect("it is a registered status"),
            status: status.as_u16(),
            cause: None,
            detail: None,
            id: None,
            errors: Vec::new(),
            total: None,
            position: None,
        }
    }

    /// A problem with a type of its own: a word that never changes, so programs may compare it.
    pub fn of_type(self, kind: &'static str, title: &'static str) -> Self {
        Self {
            kind,
            title,
            ..self
        }
    }

    /// Says which of several reasons it is.
    pub fn with_cause(self, cause: &'static str) -> Self {
        Self {
            cause: Some(cause),
            ..self
        }
    }

    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Names a submission.
    pub fn with_id(self, id: Id) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    /// Tells what is wrong with a message, and if that is not all.
    pub fn with_errors(self, problems: &'a Problems) -> Self {
        let cut = problems.cut();
        Self {
            errors: problems.iter().map(ErrorEntry::from).collect(),
            total: cut.is_some().then(|| problems.total()),
            detail: cut.map(Cow::Owned).or(self.detail),
            ..self
        }
    }

    /// Says where in the text of the message each problem is.
    #[cfg(feature = "preview")]
    pub fn with_places(mut self, places: Vec<Option<Place>>) -> Self {
        for (error, place) in self.errors.iter_mut().zip(places) {
            error.place = place;
        }
        self
    }

    /// Says where in a batch the message is.
    pub fn at(self, position: Position) -> Self {
        Self {
            position: Some(position),
            ..self
        }
    }

    /// Its type as one word, such as `back-pressure` or, without a type of its own, `not-found`.
    pub fn word(&self) -> String {
        match self.kind.strip_prefix("urn:pmtaemail:problem:") {
            Some(word) => word.to_owned(),
            None => self.title.to_ascii_lowercase().replace(' ', "-"),
        }
    }

    /// What a person reads first.
    pub fn sentence(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.title)
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

impl IntoResponse for ProblemDetails<'_> {
    fn into_response(self) -> Response {
        const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], self.to_json()).into_response()
    }
}

/// One problem of a message.
#[derive(Debug, Serialize)]
pub struct ErrorEntry<'a> {
    code: Code,
    #[serde(serialize_with = "as_fragment")]
    pointer: &'a str,
    detail: &'a str,
    #[serde(flatten)]
    place: Option<Place>,
}

impl<'a> From<&'a Problem> for ErrorEntry<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            code: problem.code(),
            pointer: problem.pointer(),
            detail: problem.detail(),
            place: None,
        }
    }
}

/// All that must be percent-encoded in a URI fragment: what is not
/// `*( pchar / "/" / "?" )` (RFC 3986 section 3.5).
const NOT_IN_FRAGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@')
    .remove(b'/')
    .remove(b'?');

/// A JSON Pointer as a URI fragment (RFC 6901 section 6), without its `#`.
fn fragment(pointer: &str) -> PercentEncode<'_> {
    utf8_percent_encode(pointer, NOT_IN_FRAGMENT)
}

fn as_fragment<S: Serializer>(pointer: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("#{}", fragment(pointer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 6901 section 6, and what they leave out.
    #[test]
    fn pointers_become_fragments() {
        for (pointer, expected) in [
            ("", ""),
            ("/foo/0", "/foo/0"),
            ("/", "/"),
            ("/a~1b", "/a~1b"),
            ("/c%d", "/c%25d"),
            ("/e^f", "/e%5Ef"),
            ("/g|h", "/g%7Ch"),
            ("/i\\j", "/i%5Cj"),
            ("/k\"l", "/k%22l"),
            ("/ ", "/%20"),
            ("/m~0n", "/m~0n"),
            ("/å#<>[]{}`", "/%C3%A5%23%3C%3E%5B%5D%7B%7D%60"),
            ("/\r\n", "/%0D%0A"),
            ("/x-y_z.!$&'()*+,;=:@?", "/x-y_z.!$&'()*+,;=:@?"),
        ] {
            assert_eq!(fragment(pointer).to_string(), expected);
        }
    }

    #[test]
    fn members_that_say_nothing_are_left_out() {
        let problem = ProblemDetails::plain(StatusCode::NOT_FOUND);
        assert_eq!(
            problem.to_json(),
            br#"{"type":"about:blank","title":"Not Found","status":404}"#
        );
        let problem = ProblemDetails::plain(StatusCode::NOT_FOUND).at(Position::Line(7));
        assert_eq!(
            problem.to_json(),
            br#"{"type":"about:blank","title":"Not Found","status":404,"line":7}"#
        );
    }
}
