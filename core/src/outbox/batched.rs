//! Batched SMTP: commands, then a message, which is a template in parts in a merge file.

use super::envelope::OutboxEnvelope;
use super::header_form;
use super::lines::Lines;
use super::merge::Template;
use super::recipient::Recipient;
use super::unreadable::UnreadableFile;
use encodify::hex::XTEXT;
use std::borrow::Cow;

/// What is after the commands.
#[derive(Debug)]
pub(super) enum Data<'a> {
    Message(Cow<'a, [u8]>),
    Template(Template<'a>),
}

type Read<'a> = (OutboxEnvelope<'a>, Vec<Recipient<'a>>, Data<'a>);

pub(super) fn read<'a>(lines: &mut Lines<'a>) -> Result<Read<'a>, UnreadableFile> {
    // Whether one bad recipient refuses the whole file.
    lines.take_if("XACK ")?;
    let mut envelope = OutboxEnvelope::default();
    if let Some(path) = lines.take_if("XMRG FROM:")? {
        from(lines, path, &mut envelope)?;
        let recipients = recipients(lines)?;
        let template = Template::read(lines)?;
        lines.end()?;
        return Ok((envelope, recipients, Data::Template(template)));
    }
    let path = lines.take_if("MAIL FROM:")?;
    let path = path.ok_or(lines.error_ahead("expected x-sender, MAIL or XMRG"))?;
    from(lines, path, &mut envelope)?;
    let recipients = recipients(lines)?;
    if lines.take_if("DATA")? != Some("") {
        return Err(lines.error("expected RCPT or DATA"));
    }
    header_form::options(lines, &mut envelope)?;
    let message = lines.data()?;
    lines.end()?;
    Ok((envelope, recipients, Data::Message(message)))
}

/// The reverse-path and its parameters.
fn from<'a>(
    lines: &Lines<'a>,
    path: &'a str,
    envelope: &mut OutboxEnvelope<'a>,
) -> Result<(), UnreadableFile> {
    let (address, parameters) = split_path(lines, path)?;
    envelope.from = address.into();
    for parameter in parameters.split_ascii_whitespace() {
        match parameter.split_once('=') {
            Some(("RET", ret)) => envelope.ret = Some(ret.into()),
            Some(("ENVID", envid)) => {
                let envid = XTEXT.decode(envid).ok();
                let envid = envid.and_then(|envid| String::from_utf8(envid.into_owned()).ok());
                let envid = envid.ok_or(lines.error("ENVID is not xtext"))?;
                envelope.envid = Some(envid.into());
            }
            None if parameter == "SMTPUTF8" => envelope.smtputf8 = true,
            None if parameter == "VERP" => envelope.verp = true,
            _ => return Err(lines.error("it has an unknown parameter")),
        }
    }
    Ok(())
}

fn recipients<'a>(lines: &mut Lines<'a>) -> Result<Vec<Recipient<'a>>, UnreadableFile> {
    let mut recipients = Vec::new();
    let mut next = Recipient::default();
    loop {
        if let Some(definitions) = lines.take_if("XDFN")? {
            next.define(lines, definitions)?;
        } else if let Some(path) = lines.take_if("RCPT TO:")? {
            let mut recipient = std::mem::take(&mut next);
            to(lines, path, &mut recipient)?;
            recipients.push(recipient);
        } else if recipients.is_empty() || !next.variables.is_empty() {
            return Err(lines.error_ahead("RCPT is missing"));
        } else {
            return Ok(recipients);
        }
    }
}

/// The forward-path and its parameters.
fn to<'a>(
    lines: &Lines<'a>,
    path: &'a str,
    recipient: &mut Recipient<'a>,
) -> Result<(), UnreadableFile> {
    let (address, parameters) = split_path(lines, path)?;
    recipient.address = address;
    for parameter in parameters.split_ascii_whitespace() {
        match parameter.split_once('=') {
            Some(("NOTIFY", notify)) => recipient.notify = Some(notify),
            Some(("ORCPT", original)) => recipient.orcpt = Some(original),
            _ => return Err(lines.error("it has an unknown parameter")),
        }
    }
    Ok(())
}

/// What is between the angle brackets, which a quoted local part may contain as well, and what follows.
fn split_path<'a>(lines: &Lines<'a>, path: &'a str) -> Result<(&'a str, &'a str), UnreadableFile> {
    let wrong = lines.error("it has no path in angle brackets");
    let path = path.strip_prefix('<').ok_or(wrong)?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in path.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Ok((&path[..at], &path[at + 1..])),
            _ => {}
        }
    }
    Err(wrong)
}
