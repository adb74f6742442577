//! Fills values into a message.

use super::bodies::Bodies;
use super::composed::{Composed, Files};
use super::delivery::check_filled_envid;
use super::headers::{ExtraBody, ExtraHeader, OwnValues};
use super::templates::{FilledHeader, Templates};
use crate::address::Mailbox;
use crate::problem::{OrRefuse, ProblemReport};
use crate::template::{Addressee, Owner};
use std::borrow::Cow;

impl<'a> Composed<'a> {
    /// The same message with the parts of a single recipient; its files are shared.
    pub fn with_values<'m>(
        &'m self,
        templates: &Templates<'_>,
        filled: &'m FilledHeader<'m>,
        bodies: &'m Bodies<String>,
    ) -> Composed<'m> {
        let body = |own: &'m Option<String>, common: &'m Option<Cow<'a, str>>| {
            own.as_deref().or(common.as_deref()).map(Cow::Borrowed)
        };
        let own = filled.own.as_deref();
        let mut message = Composed {
            reply_to: either(own.map(|own| &own.reply_to), &self.reply_to)
                .iter()
                .map(Mailbox::lend)
                .collect(),
            subject: body(&filled.subject, &self.subject),
            text: body(&bodies.text, &self.text),
            amp: body(&bodies.amp, &self.amp),
            html: body(&bodies.html, &self.html),
            unsubscribe: filled.unsubscribe.clone().or(self.unsubscribe.clone()),
            urgency: filled.urgency_or(self.urgency),
            in_reply_to: either(own.map(|own| &own.in_reply_to), &self.in_reply_to).to_vec(),
            references: either(own.map(|own| &own.references), &self.references).to_vec(),
            date: own.and_then(|own| own.date).or(self.date),
            message_id: filled.message_id.clone().or(self.message_id.clone()),
            ..self.lend()
        };
        if !filled.filenames.is_empty() {
            let name = |file| templates.index_of_filename(file);
            let name = |file| name(file).map(|index| filled.filenames[index].as_str());
            let files = self.attachments.iter().enumerate();
            let files = files.map(|(index, file)| file.named(name(index)));
            message.attachments = Files::Own(files.collect());
        }
        if let (Some(calendar), Some(content)) = (&mut message.calendar, &bodies.calendar) {
            calendar.content = Cow::Borrowed(content);
        }
        if let Some(address) = &filled.from_address {
            message.from.address = address.lend();
        }
        let lend = |text: &'m String| Cow::Borrowed(text.as_str());
        message.put_in_header(
            templates,
            filled.from_name.as_ref().map(lend),
            filled.reply_to.iter().map(lend),
            filled.extra.iter().map(ExtraBody::lend),
        );
        if let Some(own) = &filled.headers {
            let fields = &mut message.extra_headers;
            fields.retain(|field| !own.replace(&field.name));
            fields.extend(own.extra.iter().map(ExtraHeader::lend));
        }
        message
    }

    /// Fills in the display names and the values of header fields that contain placeholders.
    fn put_in_header(
        &mut self,
        templates: &Templates<'_>,
        from_name: Option<Cow<'a, str>>,
        reply_to: impl Iterator<Item = Cow<'a, str>>,
        extra: impl Iterator<Item = ExtraBody<'a>>,
    ) {
        let name = |name: Cow<'a, str>| Some(name).filter(|name| !name.is_empty());
        if let Some(from_name) = from_name {
            self.from.name = name(from_name);
        }
        for ((index, _), own) in templates.reply_to.iter().zip(reply_to) {
            self.reply_to[*index].name = name(own);
        }
        for ((index, _), own) in templates.headers.extra.iter().zip(extra) {
            self.extra_headers[*index].body = own;
        }
    }

    /// Fills in the values that everybody has: the result is a message like any other. Returns the envelope ID if that
    /// contains placeholders.
    pub fn put_in_common<'t>(
        &mut self,
        templates: &Templates<'t>,
        owner: Owner,
        addressee: Addressee<'_>,
        report: &mut ProblemReport<'t>,
    ) -> Option<String> {
        let filled = templates.fill((owner, addressee), &[], self, report);
        // A message with problems is not sent, and not all fields of its templates need be there.
        let (values, filled) = filled?;
        if let Some(envid) = &filled.envid {
            let location = owner.variables(report);
            check_filled_envid(envid).or_refuse(location, report);
        }
        if report.len() > 0 {
            return None;
        }
        let bodies = templates
            .bodies
            .map(|text| templates.fill_text(text, &values));
        for (own, body) in [
            (filled.subject, &mut self.subject),
            (bodies.text, &mut self.text),
            (bodies.amp, &mut self.amp),
            (bodies.html, &mut self.html),
        ] {
            if let Some(own) = own {
                *body = Some(Cow::Owned(own));
            }
        }
        if let Files::Own(files) = &mut self.attachments {
            let names = templates.filenames.iter().zip(filled.filenames);
            for ((index, _), name) in names {
                files[*index].filename = Some(Cow::Owned(name));
            }
        }
        if let (Some(calendar), Some(content)) = (&mut self.calendar, bodies.calendar) {
            calendar.content = Cow::Owned(content);
        }
        if let Some(address) = filled.from_address {
            self.from.address = *address;
        }
        self.put_in_header(
            templates,
            filled.from_name.map(Cow::Owned),
            filled.reply_to.into_iter().map(Cow::Owned),
            filled.extra.into_iter(),
        );
        self.unsubscribe = filled.unsubscribe.or(self.unsubscribe.take());
        self.message_id = filled.message_id.or(self.message_id.take());
        if let Some(own) = filled.own {
            let OwnValues {
                date,
                reply_to,
                in_reply_to,
                references,
                urgency,
                ..
            } = *own;
            self.date = date.or(self.date);
            self.urgency = urgency;
            put(&mut self.reply_to, reply_to);
            put(&mut self.in_reply_to, in_reply_to);
            put(&mut self.references, references);
        }
        filled.envid
    }
}

/// What was filled in, or else what the message has.
fn either<'m, T>(own: Option<&'m Vec<T>>, common: &'m [T]) -> &'m [T] {
    own.filter(|own| !own.is_empty())
        .map_or(common, Vec::as_slice)
}

/// Replaces a value if another one was filled in.
fn put<T>(common: &mut Vec<T>, own: Vec<T>) {
    if !own.is_empty() {
        *common = own;
    }
}
