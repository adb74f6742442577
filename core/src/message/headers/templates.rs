//! Header fields with placeholders.

use super::elements::check_elements;
use super::own::OwnHeader;
use crate::message::header_field::HeaderField;
use crate::message::unsubscribe::Unsubscribe;
use crate::problem::Refusal;
use crate::template::TemplateText;
use std::borrow::Cow;

/// The header fields with placeholders that were given in `headers`, and List-Unsubscribe.
#[derive(Debug, Default)]
pub(crate) struct HeaderTemplates<'a> {
    /// Values of the caller's own header fields, with the number of the field, which rises.
    pub extra: Vec<(usize, TemplateText<'a>)>,
    /// Bodies of those that are read as fields of the message.
    pub own: Vec<(OwnHeader, TemplateText<'a>)>,
    pub unsubscribe: Option<UnsubscribeTemplate<'a>>,
}

/// List-Unsubscribe with placeholders.
#[derive(Debug)]
pub(crate) struct UnsubscribeTemplate<'a> {
    pub source: UnsubscribeSource<'a>,
    /// The field's body, as it is for nearly all values.
    pub body: TemplateText<'a>,
}

/// Where List-Unsubscribe comes from.
#[derive(Debug)]
pub(crate) enum UnsubscribeSource<'a> {
    /// The message's `unsubscribe`.
    Field {
        url: Option<TemplateText<'a>>,
        mailto: Option<TemplateText<'a>>,
        one_click: Option<bool>,
    },
    /// The field itself, with List-Unsubscribe-Post or without.
    Header { one_click: bool },
}

impl<'a> HeaderTemplates<'a> {
    /// Adds those that were given in `headers`. List-Unsubscribe is in one of both.
    pub fn add(&mut self, headers: Self) {
        self.extra.extend(headers.extra);
        self.own.extend(headers.own);
        self.unsubscribe = self.unsubscribe.take().or(headers.unsubscribe);
    }

    /// The templates of the field that are read as a field of the message.
    pub fn of(&self, field: HeaderField) -> impl Iterator<Item = &TemplateText<'a>> {
        let own = self.own.iter();
        own.filter(move |(own, _)| own.field() == field)
            .map(|(_, text)| text)
    }
}

impl UnsubscribeTemplate<'_> {
    /// List-Unsubscribe with values; what is wrong with it goes to the refusals.
    pub fn fill(
        &self,
        fill: impl Fn(&TemplateText<'_>) -> String,
        refusals: &mut Vec<Refusal>,
    ) -> Option<Unsubscribe<'static>> {
        match &self.source {
            UnsubscribeSource::Field {
                url,
                mailto,
                one_click,
            } => {
                let [url, mailto] =
                    [url, mailto].map(|text| text.as_ref().map(|text| Cow::Owned(fill(text))));
                let refuse = |_, refusal| refusals.push(refusal);
                Some(Unsubscribe::new(url, mailto, *one_click, refuse))
            }
            UnsubscribeSource::Header { one_click } => {
                let filled = fill(&self.body);
                let checked = check_elements("list-unsubscribe", &self.body, &filled);
                let ways = checked.and_then(|()| Unsubscribe::from_header(&Cow::Owned(filled)));
                let ways = ways.and_then(|ways| match one_click {
                    true => ways.with_one_click(),
                    false => Ok(ways),
                });
                ways.map_err(|refusal| refusals.push(refusal)).ok()
            }
        }
    }
}
