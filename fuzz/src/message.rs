//! The judge of messages in JSON.

use crate::compare;
use crate::expected::Expected;
use crate::fields::Fields;
use crate::foreign::READERS;
use crate::reading::normal_address;
use crate::{merge, raw, refusal, wire};
use pmtaemail::outbox::SentMessage;
use pmtaemail::{Identity, Message, PickupDirectory, Problems, Submission, SubmittedFile};
use serde_json::Value;
use std::sync::Arc;

/// Submits a message to a pickup directory in memory, and judges what is there then.
pub fn judge(json: &[u8]) {
    for warning in pmtaemail::warnings(json) {
        refusal::check_sentence(&warning.detail);
    }
    let files = match submit(json, Identity::now()) {
        Ok(files) => files,
        Err(problems) => return refusal::judge(json, &problems),
    };
    // A mark of its encoding may stand before it.
    let text = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json);
    let value: Value = serde_json::from_slice(text).expect("what is taken is JSON");
    let sent = SentMessage::of(&files).expect("our own files are readable");
    let fields = Fields::of(&value);
    if fields.has("recipients") {
        merge::judge_recipients(&value, &sent);
    } else {
        assert_eq!(sent.len(), 1, "one message for all");
        judge_single(&value, &fields, &sent[0]);
    }
}

/// The pickup files of a message.
pub fn submit(json: &[u8], identity: Identity) -> Result<Vec<Arc<SubmittedFile>>, Problems> {
    let message = Message::from_json(json)?;
    let directory = PickupDirectory::in_memory();
    let submission = Submission::with_identity(&message, identity);
    directory.submit(&submission).expect("there is room");
    Ok(directory.submitted_files())
}

fn judge_single(value: &Value, fields: &Fields<'_>, sent: &SentMessage) {
    if let Some(content) = fields.get("raw") {
        let has_recipients = ["to", "cc", "bcc"].iter().any(|name| fields.has(name));
        return raw::judge_json(content, has_recipients, sent);
    }
    let expected = Expected::of(value);
    let envelope: Vec<_> = sent
        .recipients
        .iter()
        .map(|address| normal_address(address))
        .collect();
    assert_eq!(envelope, expected.recipients, "the recipients");
    assert_eq!(
        normal_address(&sent.envelope.from),
        expected.sender,
        "the sender"
    );
    judge_options(fields, sent);
    wire::check(&sent.bytes, sent.envelope.smtputf8);
    for reader in READERS {
        let reading = reader.read(&sent.bytes);
        compare::judge(
            reader,
            &expected,
            &reading.expect("our own mail is readable"),
        );
    }
    judge_other_door(value, sent);
}

/// What PowerMTA is told beside the message is what was asked for.
fn judge_options(fields: &Fields<'_>, sent: &SentMessage) {
    let envelope = &sent.envelope;
    assert_eq!(envelope.job.as_deref(), fields.text("job"), "the job");
    assert_eq!(
        envelope.vmta.as_deref(),
        fields.text("vmta"),
        "the virtual MTA"
    );
    assert_eq!(envelope.verp, fields.is("verp"), "VERP");
    assert_eq!(envelope.dkim.is_some(), fields.has("dkim"), "DKIM");
    if let Some(envid) = fields.text("envid") {
        assert_eq!(envelope.envid.as_deref(), Some(envid), "the envelope id");
    }
    if !fields.has("dsn") {
        assert_eq!(
            (&envelope.notify, &envelope.ret),
            (&None, &None),
            "notifications"
        );
    }
    if !fields.has("schedule") {
        assert_eq!(envelope.schedule, None, "a schedule");
    }
}

/// The message means the same in another data format.
fn judge_other_door(value: &Value, sent: &SentMessage) {
    let message = Message::from_deserializer(value).expect("a value can be read");
    let message = message.expect("the same message is taken");
    let id = sent.id.expect("it was submitted");
    let identity = Identity::new(id, id.time()).expect("a time that was now");
    let same = message.render_with(identity);
    assert!(
        same.len() == sent.bytes.len(),
        "another message from the same value"
    );
}
