//! Ways to unsubscribe: List-Unsubscribe (RFC 2369) and one-click (RFC 8058).

use crate::address::AddrSpec;
use crate::header::{Grammar, HeaderSection, StructuredBody, without_brackets};
use crate::json::{JsonUnsubscribe, Located};
use crate::problem::{Code, ProblemReport, Refusal};
use crate::syntax::holds_encoded_word;
use crate::text::starts_with_ignoring_case;
use std::borrow::Cow;
use std::fmt;

/// The ways to unsubscribe, as in the header.
#[derive(Debug, Clone)]
pub(crate) struct Unsubscribe<'a> {
    /// URLs, the preferred one first.
    pub body: StructuredBody<'a>,
    /// Whether a POST to the https URL is enough.
    pub one_click: bool,
}

/// The body of List-Unsubscribe-Post (RFC 8058 section 3.1).
pub(crate) const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

pub(super) const NAME: &str = "List-Unsubscribe";

/// The refusal of List-Unsubscribe-Post if there is no https URL to POST to.
pub(super) const NO_HTTPS: Refusal = Refusal::new(
    Code::InvalidUnsubscribe,
    "List-Unsubscribe-Post requires a List-Unsubscribe that has an https URL (RFC 8058).",
);

/// The refusal of an invalid `mailto`.
pub(super) const NO_MAILTO: Refusal = Refusal::new(
    Code::InvalidUnsubscribe,
    "This must be an address, or a mailto: URL in ASCII.",
);

/// With the field name it must fit in a line of 998 bytes.
const LONGEST: usize = 900;

pub(super) fn read_unsubscribe<'a>(
    unsubscribe: Located<JsonUnsubscribe<'a>>,
    report: &mut ProblemReport<'a>,
) -> Unsubscribe<'a> {
    let Located { location, value } = unsubscribe;
    if value.url.is_none() && value.mailto.is_none() {
        let detail = "Give `url`, `mailto` or both.";
        report.missing(location, &["url", "mailto"], Code::MissingField, detail);
    }
    let url = value.url.as_ref().map(|url| url.location);
    let mailto = value.mailto.as_ref().map(|mailto| mailto.location);
    let one_click = value.one_click.as_ref().map(|word| word.location);
    Unsubscribe::new(
        value.url.map(|url| url.value),
        value.mailto.map(|mailto| mailto.value),
        value.one_click.map(|word| word.value),
        |way, refusal| {
            let location = match way {
                Way::Url => url,
                Way::Mailto => mailto,
                Way::OneClick => one_click,
            };
            report.refuse(location.expect("what is refused was given"), refusal);
        },
    )
}

/// One of the three ways to unsubscribe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Url,
    Mailto,
    OneClick,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "/unsubscribe/url",
            Self::Mailto => "/unsubscribe/mailto",
            Self::OneClick => "/unsubscribe/oneClick",
        })
    }
}

impl<'a> Unsubscribe<'a> {
    /// The ways to unsubscribe. `refuse` is called for each that is invalid.
    pub(super) fn new(
        url: Option<Cow<'a, str>>,
        mailto: Option<Cow<'a, str>>,
        one_click: Option<bool>,
        mut refuse: impl FnMut(Way, Refusal),
    ) -> Self {
        let invalid = |detail| Refusal::new(Code::InvalidUnsubscribe, detail);
        let mut targets = Vec::new();
        let mut is_https = false;
        if let Some(url) = url.map(without_brackets) {
            is_https = has_scheme(&url, "https:");
            if !(is_https || has_scheme(&url, "http:")) || !fits(&url) {
                let detail = "This must be an http or https URL in ASCII, of at most 900 bytes.";
                refuse(Way::Url, invalid(detail));
            }
            targets.push(url);
        }
        if let Some(mailto) = mailto {
            if let Some(target) = mailto_target(&mailto) {
                targets.push(target);
            } else {
                refuse(Way::Mailto, NO_MAILTO);
            }
        }
        if one_click == Some(true) && !is_https {
            let detail = "One-click unsubscribing requires an https `url` (RFC 8058).";
            refuse(Way::OneClick, invalid(detail));
        }
        Self {
            body: StructuredBody::of_urls(targets),
            one_click: is_https && one_click != Some(false),
        }
    }

    /// Parses the body of List-Unsubscribe. List-Unsubscribe-Post decides about one-click.
    pub(super) fn from_header(text: &Cow<'a, str>) -> Result<Self, Refusal> {
        let invalid = |refusal: Refusal| match refusal.code {
            Code::InvalidHeaderValue => Refusal {
                code: Code::InvalidUnsubscribe,
                ..refusal
            },
            _ => refusal,
        };
        let body = StructuredBody::read(Grammar::Uris, NAME, text).map_err(invalid)?;
        Ok(Self {
            body,
            one_click: false,
        })
    }

    /// The same with List-Unsubscribe-Post.
    pub(super) fn with_one_click(self) -> Result<Self, Refusal> {
        if !self.body.angles().any(|url| has_scheme(url, "https:")) {
            return Err(NO_HTTPS);
        }
        Ok(Self {
            one_click: true,
            ..self
        })
    }

    /// Writes List-Unsubscribe.
    pub fn write(&self, header: &mut HeaderSection<'_>) {
        header.structured(NAME, &self.body);
    }

    /// Writes List-Unsubscribe-Post if a POST is enough.
    pub fn write_one_click(&self, header: &mut HeaderSection<'_>) {
        if self.one_click {
            header.tokens("List-Unsubscribe-Post", [ONE_CLICK]);
        }
    }
}

fn mailto_target<'a>(text: &str) -> Option<Cow<'a, str>> {
    let url = if has_scheme(text, "mailto:") {
        text.to_owned()
    } else {
        let address = AddrSpec::parse(text).ok()?;
        // What a URL cannot hold in an address is rare enough to be refused.
        let has_others = address.as_str().contains(['"', '%', '?', '&', '\\']);
        (!has_others).then(|| format!("mailto:{address}"))?
    };
    let url = without_brackets(Cow::Owned(url));
    fits(&url).then_some(url)
}

/// Whether it is printable ASCII without characters that would end the URL in the header.
fn fits(url: &str) -> bool {
    url.len() <= LONGEST
        && !holds_encoded_word(url)
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>'))
}

pub(super) fn has_scheme(url: &str, scheme: &str) -> bool {
    url.len() > scheme.len() && starts_with_ignoring_case(url, scheme)
}
