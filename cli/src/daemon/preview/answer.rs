//! A view as JSON.

use super::super::error::ApiError;
use super::html::{Options, rewrite};
use super::places::PlacedWarning;
use super::shown::{Content, Shown};
use super::values::Variables;
use super::views::View;
use pmtaemail::RejectedRecipients;
use pmtaemail::outbox::{Mail, MailField, Part};
use serde::Serialize;
use serde_json::{Map, Value};

/// Gmail shows this many bytes of the HTML of a message, and a link to the rest; page/sizes.js has the same number.
const CLIPPED: usize = 102_000;

/// What the page receives about one mail.
#[derive(Debug, Serialize)]
pub struct Answer<'v> {
    view: &'v str,
    file: Option<&'v str>,
    recipient: usize,
    recipients: usize,
    envelope: Option<Map<String, Value>>,
    variables: Variables,
    headers: Vec<MailField>,
    text: Option<String>,
    html: Option<Html>,
    amp: Option<String>,
    parts: Option<PartAnswer>,
    attachments: Vec<PartAnswer>,
    source: Option<Place>,
    pickup_file: Place,
    warnings: &'v [PlacedWarning],
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<&'v RejectedRecipients>,
    clipped: bool,
    /// Why it is not shown as a mail.
    notice: Option<String>,
}

#[derive(Debug, Serialize)]
struct Place {
    octets: usize,
    url: String,
}

#[derive(Debug, Serialize)]
struct Html {
    #[serde(flatten)]
    place: Place,
    /// How many references it has to other hosts.
    remote: usize,
}

#[derive(Debug, Serialize)]
struct PartAnswer {
    number: usize,
    #[serde(rename = "type")]
    media_type: String,
    octets: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Where its content is, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Self>,
}

impl<'v> Answer<'v> {
    /// What is reported about a recipient's mail, counted from 0.
    pub fn new(view: &'v View, recipient: usize) -> Result<Self, ApiError> {
        let shown = Shown::new(view, recipient)?;
        let urls = Urls { view, recipient };
        let mut answer = Self {
            view: &view.name,
            file: view.file.as_deref(),
            recipient,
            recipients: shown.recipients,
            envelope: None,
            variables: Variables::new(),
            headers: Vec::new(),
            text: None,
            html: None,
            amp: None,
            parts: None,
            attachments: Vec::new(),
            source: None,
            pickup_file: urls.place("pickup-file", shown.pickup_file.len()),
            warnings: &view.warnings,
            rejected: view.rejected.as_ref(),
            clipped: false,
            notice: None,
        };
        match &shown.content {
            Ok(content) => answer.fill(&shown, content, &urls),
            Err(unreadable) => answer.notice = Some(unreadable.to_string()),
        }
        Ok(answer)
    }

    fn fill(&mut self, shown: &Shown<'_>, content: &Content<'_>, urls: &Urls<'_>) {
        const NO_MAIL: &str = "This cannot be shown as a mail: it has no header section, too many \
            parts, or a Content-… field that is too long. Its source is complete.";
        self.envelope = Some(shown.envelope(content));
        self.variables = shown.variables(content);
        self.source = Some(urls.place("source", content.source.len()));
        match &content.mail {
            Some(mail) => self.fill_mail(mail, urls),
            None => self.notice = Some(NO_MAIL.to_owned()),
        }
    }

    fn fill_mail(&mut self, mail: &Mail, urls: &Urls<'_>) {
        self.headers.clone_from(&mail.headers);
        self.text = mail.text();
        self.amp = mail.amp();
        self.html = mail.html().map(|html| {
            self.clipped = html.len() > CLIPPED;
            Html {
                place: urls.place("html", html.len()),
                remote: rewrite(&html, mail, Options::default()).remote,
            }
        });
        self.parts = Some(urls.part(&mail.root));
        let attachments = mail.attachments();
        self.attachments = attachments.map(|part| urls.part(part)).collect();
    }
}

/// Where the frames and downloads of one mail are.
struct Urls<'v> {
    view: &'v View,
    recipient: usize,
}

impl Urls<'_> {
    fn place(&self, what: &str, octets: usize) -> Place {
        let Self { view, recipient } = self;
        let url = format!("/preview/views/{}/{what}?recipient={recipient}", view.name);
        Place { octets, url }
    }

    fn part(&self, part: &Part) -> PartAnswer {
        let is_multipart = part.media_type.starts_with("multipart/") && !part.parts.is_empty();
        let place = self.place(&format!("parts/{}", part.number), part.octets);
        PartAnswer {
            number: part.number,
            media_type: part.media_type.clone(),
            octets: size(part),
            name: part.filename.clone(),
            disposition: part.disposition.clone(),
            id: part.content_id.clone(),
            url: (!is_multipart).then_some(place.url),
            parts: part.parts.iter().map(|part| self.part(part)).collect(),
        }
    }
}

/// For a multipart, the sum of its parts.
fn size(part: &Part) -> usize {
    if part.media_type.starts_with("multipart/") && !part.parts.is_empty() {
        part.parts.iter().map(size).sum()
    } else {
        part.octets
    }
}
