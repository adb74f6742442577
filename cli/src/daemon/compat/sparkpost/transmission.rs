//! A transmission in our format: a mail merge, or a finished message for all of its recipients.

use super::super::super::error::ApiError;
use super::super::super::request::{BufferedBody, ReceivedBody};
use super::super::object::{Found, Object, Value};
use super::super::submit::{Ours, Told, bytes_of};
use super::super::translated::Translated;
use super::content::{self, Content};
use super::options::{self, unsupported};
use super::recipients::{self, PLACES, put_variables, variables};
use crate::args::SparkPostOption;
use pmtaemail::{Code, Problem, Problems, StreamedMessage};
use std::borrow::Cow;

/// The longest `campaign_id`, in bytes.
const LONGEST_CAMPAIGN: usize = 64;

/// Translates a transmission, from a subaccount or the account itself.
pub fn translate(
    body: ReceivedBody,
    ignored: &[SparkPostOption],
    subaccount: Option<&str>,
) -> Result<Ours, ApiError> {
    let mut found = Found::default();
    let bytes = bytes_of(&body);
    let root =
        Value::of_body(bytes).map_err(|problem| ApiError::Problems(Problems::from(problem)))?;
    let Some(mut transmission) = root.object(&mut found) else {
        found.finish().map_err(ApiError::Problems)?;
        return Err(ApiError::Internal);
    };
    let mut ours = Translated::new();
    let read = read(&mut transmission, ignored, &mut ours, &mut found);
    let streamed = match &body {
        ReceivedBody::Streamed(message) => Some(&**message),
        ReceivedBody::Buffered(_) => None,
    };
    let list = read_recipients(&mut transmission, &mut found);
    transmission.finish(&mut found);
    let mut named = None;
    match (read.content, list) {
        (Some(Content::Finished(mail)), Some(list)) => {
            let count = put_finished(
                &mail,
                read.return_path.as_ref(),
                read.fills,
                (&list, streamed),
                &mut ours,
                &mut found,
            )?;
            named = Some(count);
        }
        (Some(Content::Parts), Some(list)) => {
            if let Some(sender) = &read.return_path {
                ours.put("sender", sender);
            }
            put_variables(&read.variables, &mut ours);
            ours.put_made("template", &"sparkpost", "");
            put_recipients(&list, &mut ours, &mut found);
        }
        _ => {}
    }
    match subaccount {
        Some(_) if named.is_some() => {
            let detail = "A finished message cannot have a subaccount: send its parts, or leave out X-MSYS-SUBACCOUNT.";
            found.add(Problem::found(Code::Unsupported, "", detail));
        }
        Some(number) => ours.put_made("subaccountId", &number, ""),
        None => {}
    }
    found.finish().map_err(ApiError::Problems)?;
    let description = read.description;
    let (json, places) = ours.finish();
    let places = places.with_recipients(PLACES);
    let body = match body {
        ReceivedBody::Buffered(_) => ReceivedBody::Buffered(BufferedBody::Json(json.into())),
        ReceivedBody::Streamed(message) if named.is_some() => {
            ReceivedBody::Streamed(Box::new(message.with_whole_translation(json)))
        }
        ReceivedBody::Streamed(message) => {
            let message = message.with_translation(json, recipients::translate);
            ReceivedBody::Streamed(Box::new(message))
        }
    };
    Ok(Ours {
        body,
        told: Told {
            places,
            description,
            recipients: named,
        },
    })
}

/// A transmission without its recipients.
struct Read<'a> {
    content: Option<Content<'a>>,
    fills: bool,
    return_path: Option<Value<'a>>,
    variables: Vec<(Cow<'a, str>, Value<'a>)>,
    description: Option<String>,
}

fn read<'a>(
    transmission: &mut Object<'a>,
    ignored: &[SparkPostOption],
    ours: &mut Translated,
    found: &mut Found,
) -> Read<'a> {
    let options = options::read(transmission, ignored, ours, found);
    // One client sends along a setting of its own: the address of the API.
    transmission.take("endpoint");
    if let Some(campaign) = transmission.take("campaign_id") {
        match campaign.text() {
            Ok(text) if text.len() > LONGEST_CAMPAIGN => {
                let detail = "A campaign_id may be at most 64 bytes long.";
                found.add(Problem::found(Code::TooLong, campaign.pointer, detail));
            }
            Ok(text) if text.is_empty() => {}
            _ => ours.put("job", &campaign),
        }
    }
    let description = transmission.take("description");
    let description = description.and_then(|value| found.keep(value.text()));
    let content = if let Some(value) = transmission.take("content") {
        content::read(&value, &options, ours, found)
    } else {
        found.add(transmission.missing("content"));
        None
    };
    Read {
        content,
        fills: options.fills_bodies,
        return_path: transmission.take("return_path"),
        variables: variables(transmission, found),
        description: description.map(Cow::into_owned),
    }
}

/// The array of recipients. If there are many, it is empty and they wait elsewhere.
fn read_recipients<'a>(transmission: &mut Object<'a>, found: &mut Found) -> Option<Vec<Value<'a>>> {
    let Some(value) = transmission.take("recipients") else {
        found.add(transmission.missing("recipients"));
        return None;
    };
    if value.is_object() {
        let mut object = value.object(found)?;
        match object.take("list_id") {
            Some(list) => {
                found.add(unsupported(
                    &list,
                    "Stored recipient lists are not supported: send the recipients themselves.",
                ));
            }
            None => found.add(value.wrong_type("an array")),
        }
        return None;
    }
    found.keep(value.array())
}

/// Recipients that are all in memory.
fn put_recipients(list: &[Value<'_>], ours: &mut Translated, found: &mut Found) {
    let mut all = vec![b'['];
    for value in list {
        let Some(recipient) = recipients::read(value, found) else {
            continue;
        };
        if all.len() > 1 {
            all.push(b',');
        }
        all.extend(recipient.into_ours());
    }
    all.push(b']');
    ours.put_json("recipients", &all);
}

/// A finished message, which all recipients get unchanged. Returns their number.
fn put_finished(
    mail: &Value<'_>,
    return_path: Option<&Value<'_>>,
    fills: bool,
    (list, streamed): (&[Value<'_>], Option<&StreamedMessage>),
    ours: &mut Translated,
    found: &mut Found,
) -> Result<usize, ApiError> {
    if fills && mail.text().is_ok_and(|text| text.contains("{{")) {
        let detail = "Substitutions are not supported in a finished message: send its parts, or set perform_substitutions to \
                      false.";
        found.add(unsupported(mail, detail));
    }
    let common = return_path.and_then(|value| found.keep(value.text()));
    let common = common.map(Cow::into_owned);
    let mut to = Vec::new();
    // That of the first recipient, if known.
    let mut sender: Option<Option<String>> = None;
    let mut take = |value: &Value<'_>, found: &mut Found| {
        let Some(recipient) = recipients::read(value, found) else {
            return;
        };
        let own = recipient.return_path.as_ref();
        let text = own.and_then(|own| found.keep(own.text()));
        let text = text.map(Cow::into_owned).or_else(|| common.clone());
        if *sender.get_or_insert_with(|| text.clone()) != text {
            let detail =
                "A finished message must have the same return_path for all of its recipients.";
            found.add(unsupported(own.unwrap_or(value), detail));
        }
        to.push(recipient.address.into_owned());
    };
    for value in list {
        take(value, found);
    }
    if let Some(streamed) = streamed {
        streamed.try_for_each_recipient(|index, bytes| {
            let value = Value::of_body(bytes).map_err(Problems::from)?;
            let pointer = format!("/recipients/{index}");
            take(&Value { pointer, ..value }, found);
            Ok(())
        })?;
    }
    ours.put("raw", mail);
    if let Some(sender) = sender.flatten() {
        ours.put_made(
            "sender",
            &sender,
            return_path.map_or("/recipients", |it| &it.pointer),
        );
    }
    ours.put_made("to", &to, "/recipients");
    Ok(to.len())
}
