//! The judge of mail merges: PowerMTA's own form says what a file for each recipient says.

use crate::fields::{Fields, elements};
use crate::foreign::Reader;
use crate::message::submit;
use crate::reading::{Reading, normal_address};
use crate::{refusal, wire};
use pmtaemail::outbox::SentMessage;
use pmtaemail::{Id, Identity};
use serde_json::{Value, json};

/// Stands around the number of a recipient, in their own value alone.
const MARKS: [&str; 2] = ["Vw9", "9Wv"];
/// A value that HTML holds escaped.
const TAG: &str = "<Vw8>";

/// A target whose inputs are merges, with texts in one language, or in that which each of them names.
#[macro_export]
macro_rules! merge_target {
    ($language:expr) => {
        const WORDS: $crate::mutation::Vocabulary = $crate::mutation::Vocabulary {
            names: &$crate::mutation::MESSAGE_NAMES,
            texts: $crate::words::TEMPLATE,
        };

        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutation::mutate(data, size, max_size, seed, &WORDS)
        });

        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::merge::judge_input(data, $language));
    };
}

/// Judges an input of such a target. One in four has no marks.
pub fn judge_input(data: &[u8], language: Option<&str>) {
    if let Ok(Value::Object(mut message)) = serde_json::from_slice(data) {
        if let Some(language) = language {
            message.insert("template".to_owned(), language.into());
        }
        judge(message.into(), !data.len().is_multiple_of(4));
    }
}

/// Judges a merge in both forms. With `mark`, each recipient is given a value that no other may see.
pub fn judge(mut message: Value, mark: bool) {
    if !message.is_object() {
        return;
    }
    let marked = mark && give_marks(&mut message);
    let identity = Identity::now();
    let mut forms = [("native", None), ("expanded", None)];
    for (form, sent) in &mut forms {
        message["merge"] = json!(form);
        let json = message.to_string();
        match submit(json.as_bytes(), identity) {
            Ok(files) => *sent = Some(SentMessage::of(&files).expect("our own files are readable")),
            Err(problems) => refusal::judge(json.as_bytes(), &problems),
        }
    }
    let [(_, native), (_, expanded)] = forms;
    let (native, expanded) = match (native, expanded) {
        (Some(native), Some(expanded)) => (native, expanded),
        (None, None) => return,
        (Some(_), None) => {
            let text = message.to_string().to_lowercase();
            let is_native_alone = [
                "subaccount",
                "custommessage",
                "priority",
                "custom-",
                "custom_",
            ];
            assert!(
                is_native_alone.iter().any(|name| text.contains(name)),
                "one form refuses what the other takes"
            );
            return;
        }
        (None, Some(_)) => panic!("one form refuses what the other takes"),
    };
    judge_recipients(&message, &native);
    assert_eq!(native.len(), expanded.len(), "as many messages");
    for (native, expanded) in native.iter().zip(&expanded) {
        assert_eq!(
            native.recipients, expanded.recipients,
            "the same recipients"
        );
        assert_eq!(
            native.envelope.from, expanded.envelope.from,
            "the same sender"
        );
        assert_eq!(
            given_envid(native),
            given_envid(expanded),
            "the same envelope id"
        );
        assert_eq!(native.envelope.job, expanded.envelope.job, "the same job");
        assert_eq!(seen(native), seen(expanded), "the same message");
    }
    if marked {
        judge_marks(&native);
    }
}

/// The envelope id, unless it was made.
fn given_envid(sent: &SentMessage) -> Option<&str> {
    let envid = sent.envelope.envid.as_deref();
    envid.filter(|envid| envid.parse::<Id>().is_err())
}

/// What both readers make of it.
fn seen(sent: &SentMessage) -> [Reading; 2] {
    wire::check(&sent.bytes, sent.envelope.smtputf8);
    [Reader::MailParser, Reader::Mailparse].map(|reader| {
        let mut reading = reader.read(&sent.bytes).expect("our own mail is readable");
        // Which one is taken depends on what the whole file, or the one message, holds.
        reading
            .names
            .retain(|name| name != "content-transfer-encoding");
        for text in [&mut reading.text, &mut reading.html] {
            text.truncate(text.trim_end_matches('\n').len());
        }
        for file in &mut reading.files {
            if file.is_text {
                file.content = file.normal_content();
            }
        }
        reading
    })
}

/// Judges who gets a message of a merge.
pub fn judge_recipients(message: &Value, sent: &[SentMessage]) {
    let fields = Fields::of(message);
    let mut wanted: Vec<String> = elements(fields.get("recipients"))
        .filter_map(address)
        .collect();
    let skips = fields
        .text("invalidrecipients")
        .is_some_and(|word| word.eq_ignore_ascii_case("skip"));
    let seeds = crate::expected::mailboxes(fields.get("seeds"));
    wanted.extend(seeds.into_iter().map(|(_, address)| address));
    for message in sent {
        assert_eq!(
            message.recipients.len(),
            1,
            "each message has one recipient"
        );
        let got = normal_address(&message.recipients[0]);
        let place = wanted.iter().position(|address| *address == got);
        let place = place.unwrap_or_else(|| panic!("nobody asked for mail to {got}"));
        wanted.remove(place);
        wire::check(&message.bytes, message.envelope.smtputf8);
    }
    assert!(skips || wanted.is_empty(), "nothing was sent to {wanted:?}");
}

fn address(recipient: &Value) -> Option<String> {
    let mailbox = crate::expected::mailboxes(Some(recipient))
        .into_iter()
        .next()?;
    Some(mailbox.1)
}

/// Gives each recipient a value of their own, at the end of the subject. Whether that could be done.
fn give_marks(message: &mut Value) -> bool {
    let Some(recipients) = message["recipients"].as_array_mut() else {
        return false;
    };
    for (index, recipient) in recipients.iter_mut().enumerate() {
        if let Some(text) = recipient.as_str() {
            *recipient = json!({"address": text});
        }
        let Some(members) = recipient.as_object_mut() else {
            return false;
        };
        let variables = members.entry("variables").or_insert_with(|| json!({}));
        let Some(variables) = variables.as_object_mut() else {
            return false;
        };
        let [before, behind] = MARKS;
        variables.insert("zz".to_owned(), format!("{before}{index}{behind}").into());
        variables.insert("zh".to_owned(), TAG.into());
    }
    let subject = message["subject"].as_str().unwrap_or_default();
    message["subject"] = format!("{subject} {{{{ zz }}}}").into();
    if let Some(Value::String(html)) = message.get_mut("html") {
        html.push_str("{{ zh }}");
    }
    !message.to_string().to_lowercase().contains("seeds")
}

fn judge_marks(sent: &[SentMessage]) {
    let mut seen = Vec::new();
    for message in sent {
        let text = String::from_utf8_lossy(&message.bytes);
        let subject = message.mail.header("Subject").unwrap_or_default();
        let html = message.mail.html().unwrap_or_default();
        assert!(!html.contains(TAG), "a value that is not escaped in HTML");
        let mark = subject.rfind(MARKS[0]).map(|at| subject[at..].to_owned());
        let mark = mark.expect("each has their own value in the subject");
        assert!(!seen.contains(&mark), "a value of another");
        for other in sent
            .iter()
            .enumerate()
            .map(|(index, _)| format!("{}{index}{}", MARKS[0], MARKS[1]))
        {
            assert!(
                other == mark || !text.contains(&other),
                "a value of another"
            );
        }
        seen.push(mark);
    }
}
