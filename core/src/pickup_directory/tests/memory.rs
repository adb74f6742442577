//! A pickup directory in memory does what one on disk does.

use crate::outbox::SentMessage;
use crate::{
    AtomicBatch, Batch, BatchFormat, Message, MessageStream, PickupDirectory, PickupErrorKind,
    StreamFormat, Submission, SubmitError,
};

const PLAIN: &str = r#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello"}"#;

fn submission(json: &str) -> Submission {
    Submission::from_json(json.as_bytes()).unwrap()
}

fn sent(directory: &PickupDirectory) -> Vec<SentMessage> {
    SentMessage::of(&directory.submitted_files()).unwrap()
}

fn subjects(directory: &PickupDirectory) -> Vec<String> {
    let subject = |message: &SentMessage| message.mail.header("Subject").unwrap().to_owned();
    sent(directory).iter().map(subject).collect()
}

fn plain(subject: &str) -> String {
    PLAIN.replace("Hello", subject)
}

/// Every tenth recipient has a value that is too long for a file with the others.
fn merge(recipients: usize, kind: &str) -> String {
    let recipient = |number: usize| {
        let letter = if number % 10 == 1 { "\u{f8}" } else { "" };
        let long = letter.repeat(3_000);
        format!(
            r#"{{"address": "r{number}@example.org",
                 "variables": {{"name": "{letter}{number}", "long": "{long}"}}}}"#,
        )
    };
    let recipients: Vec<_> = (0..recipients).map(recipient).collect();
    format!(
        r#"{{"from": "shop@example.com", "subject": "{{{{ name }}}}", "text": "{}",
             "template": "merge", "merge": "{kind}", "recipients": [{}]}}"#,
        "Text {{ long }} and more. ".repeat(3),
        recipients.join(",")
    )
}

#[test]
fn each_verb_submits_to_it() {
    let directory = PickupDirectory::in_memory();
    directory.start_commit_threads().unwrap();
    directory.probe().unwrap();
    directory.submit(&submission(&plain("1"))).unwrap();
    let (sender, done) = std::sync::mpsc::channel();
    directory.submit_with(submission(&plain("2")), move |result| {
        sender.send(result).unwrap();
    });
    done.recv().unwrap().unwrap();
    let json = plain("3");
    directory
        .submit_message(&Message::from_json(json.as_bytes()).unwrap())
        .unwrap();
    let mut batch = Batch::<SubmitError>::new(&directory);
    batch.push(&Message::from_json(plain("4").as_bytes()).unwrap());
    batch.push(&Message::from_json(plain("5").as_bytes()).unwrap());
    assert_eq!(subjects(&directory), ["1", "2", "3"]);
    assert!(batch.commit().iter().all(Result::is_ok));
    let mut stream = MessageStream::new(StreamFormat::Json);
    stream
        .feed(plain("6").as_bytes(), Some(&directory))
        .unwrap();
    stream.finish().submit(&directory).unwrap();
    let mut atomic = AtomicBatch::new(BatchFormat::Array, 1 << 20);
    let both = format!("[{}, {}]", plain("7"), merge(2, "expanded"));
    atomic.feed(both.as_bytes(), Some(&directory)).unwrap();
    let write = |_, result: Result<_, _>, _: &mut dyn std::io::Write| {
        result.unwrap();
        Ok(())
    };
    atomic.submit(&directory, write).unwrap();
    assert_eq!(
        subjects(&directory),
        ["1", "2", "3", "4", "5", "6", "7", "0", "\u{f8}1"]
    );
    directory.clear_submitted_files();
    assert!(sent(&directory).is_empty());
}

#[test]
fn a_merge_is_in_the_order_of_its_recipients() {
    for kind in ["native", "expanded"] {
        let directory = PickupDirectory::in_memory();
        let json = merge(60, kind);
        let message = Message::from_json(json.as_bytes()).unwrap();
        let receipt = directory.submit_message(&message).unwrap();
        assert_eq!(receipt.files.len(), if kind == "native" { 2 } else { 60 });
        let sent = sent(&directory);
        assert_eq!(sent.len(), 60);
        for (number, (message, told)) in sent
            .iter()
            .zip(receipt.recipient_receipts().unwrap())
            .enumerate()
        {
            assert_eq!(
                message.recipients,
                [format!("r{number}@example.org")],
                "{kind}"
            );
            assert_eq!(
                message.envelope.envid.as_deref(),
                Some(&*told.unwrap().envid)
            );
            assert_eq!(message.id, Some(receipt.id));
        }
    }
}

#[test]
fn a_message_for_very_many_is_one() {
    let directory = PickupDirectory::in_memory();
    let to: Vec<_> = (0..12_000)
        .map(|number| format!("\"r{number}@example.org\""))
        .collect();
    let json = format!(
        r#"{{"from": "shop@example.com", "bcc": [{}]}}"#,
        to.join(",")
    );
    let receipt = directory.submit(&submission(&json)).unwrap();
    assert_eq!(receipt.files.len(), 3);
    let sent = sent(&directory);
    assert_eq!((sent.len(), sent[0].recipients.len()), (1, 12_000));
}

#[test]
fn a_transaction_that_exceeds_memory_is_refused_whole() {
    let directory = PickupDirectory::in_memory_up_to(10_000);
    directory.submit(&submission(PLAIN)).unwrap();
    let error = directory
        .submit(&submission(&merge(100, "expanded")))
        .unwrap_err();
    assert_eq!(error.kind(), PickupErrorKind::StorageFull);
    let sentence = error.to_string();
    assert!(
        sentence.contains("in memory is full; clear it"),
        "{sentence}"
    );
    assert_eq!(sent(&directory).len(), 1);
    // Each has room, and both have not.
    let mut transactions = [directory.begin(), directory.begin()];
    for (transaction, name) in transactions.iter_mut().zip(["a", "b"]) {
        transaction.write(name, &[&[b'x'; 6_000]]).unwrap();
    }
    let [one, other] = transactions;
    one.commit().unwrap();
    assert_eq!(
        other.commit().unwrap_err().kind(),
        PickupErrorKind::StorageFull
    );
}

#[test]
fn no_file_takes_the_place_of_another() {
    let directory = PickupDirectory::in_memory();
    let twice = submission(PLAIN);
    directory.submit(&twice).unwrap();
    let error = directory.submit(&twice).unwrap_err();
    assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
    assert_eq!(sent(&directory).len(), 1);
}

#[cfg(feature = "idempotency")]
#[test]
fn a_key_submits_once() {
    use crate::{Claimed, Fingerprinter};

    let directory = PickupDirectory::in_memory();
    let key = "order-1".parse().unwrap();
    let fingerprint = || Fingerprinter::new(&["test"]).finish();
    let Ok(Claimed::First(claim)) = directory.claim(key, fingerprint()) else {
        panic!("it is new");
    };
    let receipt = directory.submit_claimed(&submission(PLAIN), claim).unwrap();
    let Ok(Claimed::Again(again)) = directory.claim(key, fingerprint()) else {
        panic!("it was submitted");
    };
    assert_eq!((again.id, again.replayed), (receipt.id, true));
    assert_eq!(sent(&directory).len(), 1);
    assert_eq!(directory.probe_keys().unwrap(), Some(true));
    // Another directory in memory has keys of its own.
    let other = PickupDirectory::in_memory();
    assert!(matches!(
        other.claim(key, fingerprint()),
        Ok(Claimed::First(_))
    ));
}
