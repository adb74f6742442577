//! A message with its values put in.

use super::calendar::Calendar;
use super::composed::{Composed, Files};
use super::extra_headers::ExtraHeader;
use super::templates::{Bodies, Filled, Templates};
use crate::address::Mailbox;
use crate::json::JsonVariables;
use crate::problem::Report;
use crate::template::Owner;
use std::borrow::Cow;

impl<'a> Composed<'a> {
    /// The same message with what is one recipient's own; its files are shared.
    pub fn filled<'m>(
        &'m self,
        templates: &Templates<'_>,
        filled: &'m Filled,
        bodies: &'m Bodies<String>,
    ) -> Composed<'m> {
        let body = |own: &'m Option<String>, common: &'m Option<Cow<'a, str>>| {
            own.as_deref().or(common.as_deref()).map(Cow::Borrowed)
        };
        let mut message = Composed {
            from: self.from.lend(),
            reply_to: self.reply_to.iter().map(Mailbox::lend).collect(),
            subject: body(&filled.subject, &self.subject),
            text: body(&bodies.text, &self.text),
            amp: body(&bodies.amp, &self.amp),
            html: body(&bodies.html, &self.html),
            calendar: self.calendar.as_ref().map(Calendar::lend),
            attachments: Files::Shared(&self.attachments),
            extra_headers: self.extra_headers.iter().map(ExtraHeader::lend).collect(),
            unsubscribe: filled.unsubscribe.clone().or(self.unsubscribe.clone()),
            priority: self.priority,
            in_reply_to: self.in_reply_to.clone(),
            references: self.references.clone(),
            date: self.date,
            message_id: filled.message_id.clone().or(self.message_id.clone()),
        };
        let name = |name: &'m String| Some(Cow::Borrowed(name.as_str())).filter(|n| !n.is_empty());
        if let Some(from_name) = &filled.from_name {
            message.from.name = name(from_name);
        }
        for ((index, _), own) in templates.reply_to.iter().zip(&filled.reply_to) {
            if let Some(mailbox) = message.reply_to.get_mut(*index) {
                mailbox.name = name(own);
            }
        }
        for ((index, _), own) in templates.extra.iter().zip(&filled.extra) {
            if let Some(field) = message.extra_headers.get_mut(*index) {
                field.value = Cow::Borrowed(own);
            }
        }
        message
    }

    /// Puts in the values that everybody has: what remains is a message like any other.
    pub fn fill_in<'t>(
        &mut self,
        templates: &Templates<'t>,
        owner: Owner,
        report: &mut Report<'t>,
    ) {
        let known = report.len();
        let (values, filled) = templates.fill(owner, JsonVariables::default(), self, report);
        if report.len() > known {
            return;
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
        let name =
            |name: String| Some(Cow::Owned(name)).filter(|name: &Cow<'_, str>| !name.is_empty());
        if let Some(own) = filled.from_name {
            self.from.name = name(own);
        }
        for ((index, _), own) in templates.reply_to.iter().zip(filled.reply_to) {
            if let Some(mailbox) = self.reply_to.get_mut(*index) {
                mailbox.name = name(own);
            }
        }
        for ((index, _), own) in templates.extra.iter().zip(filled.extra) {
            if let Some(field) = self.extra_headers.get_mut(*index) {
                field.value = Cow::Owned(own);
            }
        }
        self.unsubscribe = filled.unsubscribe.or(self.unsubscribe.take());
        self.message_id = filled.message_id.or(self.message_id.take());
    }
}
