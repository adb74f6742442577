//! Reads the header fields of a single recipient of a mail merge.

use super::composed::Composed;
use super::filled_length::check_length;
use super::header_field::HeaderField;
use super::headers::{
    OwnValues, ReadHeaders, RecipientHeaders, check_elements, read_own_headers, take_id,
};
use super::templates::{FilledHeader, Templates};
use super::unsubscribe::{NO_HTTPS, Unsubscribe};
use crate::header::MessageId;
use crate::json::{JsonHeader, Located};
use crate::problem::{Location, OrRefuse, ProblemReport};
use crate::template::{Addressee, FieldName, Owner, TextKind};
use crate::variable::Variable;
use std::borrow::Cow;

/// Header fields of a single recipient, read and without placeholders.
pub(super) struct ReadOwn<'r> {
    read: ReadHeaders<'r>,
    /// Where List-Unsubscribe-Post was given.
    one_click: Option<Location>,
    message_id: Option<MessageId<'r>>,
}

/// Interprets the header fields of a single recipient. `None` only if the report says why.
pub(super) fn read_recipient_headers<'r>(
    mut headers: Vec<JsonHeader<'r>>,
    has_priority: bool,
    report: &mut ProblemReport<'r>,
) -> Option<ReadOwn<'r>> {
    let known = report.len();
    let id = take_id(&mut headers, false, report);
    let message_id = id.and_then(|id| MessageId::parse(&id.value).or_refuse(id.location, report));
    let (read, one_click) = read_own_headers(headers, has_priority, report);
    (report.len() == known).then_some(ReadOwn {
        read,
        one_click,
        message_id,
    })
}

impl<'m> Templates<'m> {
    /// Fills in the placeholders in the header fields of a single recipient, with the same values as for the message's
    /// header fields. `None` only if the report says why not.
    pub(super) fn fill_own_headers<'r>(
        &self,
        headers: &mut [JsonHeader<'r>],
        (owner, addressee): (Owner, Addressee<'_>),
        variables: &[Variable<'r>],
        report: &mut ProblemReport<'r>,
    ) -> Option<()>
    where
        'm: 'r,
    {
        let values = headers.iter().flat_map(|header| &header.values);
        let first = values.clone().find(|value| value.value.contains('{'));
        let (Some(first), Some(mut language)) = (first, self.language.fresh()) else {
            return Some(());
        };
        let place = first.location;
        let known = report.len();
        let mut texts = Vec::new();
        for Located { location, value } in values {
            let field = FieldName::new(&report.pointer(*location));
            let text = language
                .parse(value.clone(), TextKind::Header, || field)
                .or_refuse(*location, report);
            texts.push(text);
        }
        // What is wrong with a value of everybody is told of this recipient, at whose fields it is asked for.
        language.share_asked(&self.shared, place, report);
        let values = language.resolve(owner, variables, addressee, report)?;
        if report.len() > known {
            return None;
        }
        let location = owner.variables(report);
        let mut texts = texts.into_iter();
        for header in headers {
            for value in &mut header.values {
                let text = texts.next().flatten()?;
                let own = |number| language.value(&values, number);
                check_length(&text, own).or_refuse(location, report)?;
                let filled = text.fill(own);
                let name = &header.name.value;
                check_elements(name, &text, &filled)
                    .map_err(|refusal| refusal.in_field(name))
                    .or_refuse(location, report)?;
                value.value = Cow::Owned(filled);
            }
        }
        Some(())
    }
}

impl<'r> FilledHeader<'r> {
    /// Replaces header fields of the message with those of a single recipient. `None` only if the report says why not.
    pub(super) fn put_own(
        &mut self,
        own: ReadOwn<'r>,
        composed: &Composed<'r>,
        report: &mut ProblemReport<'r>,
    ) -> Option<()> {
        let ReadOwn {
            read: ReadHeaders { extra, own, .. },
            one_click,
            message_id,
        } = own;
        let mut fields = Vec::new();
        if let Some(id) = message_id {
            self.message_id = Some(id);
            fields.push(HeaderField::MessageId);
        }
        let common = self.unsubscribe.as_ref().or(composed.unsubscribe.as_ref());
        if own.unsubscribe.is_some() || one_click.is_some() {
            let ways = own_unsubscribe(own.unsubscribe.clone(), common, one_click, report)?;
            self.unsubscribe = Some(ways);
            fields.push(HeaderField::Unsubscribe);
        }
        fields.extend(own.fields());
        if fields.contains(&HeaderField::ReplyTo) {
            // The names with placeholders are those of the message's.
            self.reply_to.clear();
        }
        if own.says_anything() {
            let known = self.own.get_or_insert_with(|| {
                Box::new(OwnValues {
                    urgency: composed.urgency,
                    ..OwnValues::default()
                })
            });
            known.replace_with(own);
        }
        self.headers = Some(Box::new(RecipientHeaders { extra, fields }));
        Some(())
    }
}

/// The ways to unsubscribe of a recipient who has List-Unsubscribe, or List-Unsubscribe-Post, given at `one_click`;
/// `common` are those of the message. `None` only if the report says why.
fn own_unsubscribe<'r>(
    own: Option<Unsubscribe<'r>>,
    common: Option<&Unsubscribe<'r>>,
    one_click: Option<Location>,
    report: &mut ProblemReport<'r>,
) -> Option<Unsubscribe<'r>> {
    if let Some(location) = one_click {
        let ways = own.or_else(|| common.cloned()).ok_or(NO_HTTPS);
        let ways = ways.and_then(Unsubscribe::with_one_click);
        return ways.or_refuse(location, report);
    }
    own.map(|own| match common {
        // The message's List-Unsubscribe-Post stays where it may (RFC 8058 section 3.1).
        Some(common) if common.one_click => own.clone().with_one_click().unwrap_or(own),
        _ => own,
    })
}
