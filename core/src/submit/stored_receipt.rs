//! A receipt as it is stored under a key, to be returned again.
//!
//! ```text
//! length of the JSON, 8 bytes     JSON, without strings given by the caller     these strings
//! ```

use super::receipt::{Receipt, Uncompared};
use crate::idempotency::NewRecord;
use crate::identity::Id;
use crate::message::{RejectedRecipients, StoredRejected};
use crate::pickup_file::{EnvelopeIds, StoredIds};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Cursor, Read};

#[derive(Serialize, Deserialize)]
struct StoredReceipt {
    id: Id,
    message_id: Option<String>,
    files: Vec<String>,
    recipients: usize,
    seeds: Option<usize>,
    size: u64,
    job: Option<String>,
    vmta: Option<String>,
    ids: Option<StoredIds>,
    rejected: Option<StoredRejected>,
}

/// The stored form.
pub(super) fn store(receipt: &Receipt) -> NewRecord {
    let Receipt {
        id,
        message_id,
        files,
        recipients,
        seeds,
        size,
        job,
        vmta,
        replayed: _,
        envelope_ids,
        rejected,
        // Whoever asks for them again is told what is in the same message again.
        virtual_mtas: _,
        warnings: _,
    } = receipt;
    let (ids, texts) = envelope_ids.as_ref().map(EnvelopeIds::store).unzip();
    let given = ids.as_ref().map_or(0, StoredIds::size_of_texts);
    let stored = StoredReceipt {
        id: *id,
        message_id: message_id.clone(),
        files: files.clone(),
        recipients: *recipients,
        seeds: *seeds,
        size: *size,
        job: job.clone(),
        vmta: vmta.clone(),
        ids,
        rejected: rejected.as_ref().map(RejectedRecipients::store),
    };
    let json = serde_json::to_vec(&stored).expect("texts and numbers can be written");
    let head = [&(json.len() as u64).to_le_bytes()[..], &json].concat();
    NewRecord {
        id: *id,
        size: head.len() as u64 + given,
        receipt: match texts {
            None => Box::new(Cursor::new(head)),
            Some(texts) => Box::new(Cursor::new(head).chain(texts)),
        },
    }
}

/// Reads the stored form. Strings that are too many for memory go into a file that `create` makes.
pub(super) fn restore(
    mut bytes: impl Read,
    create: &mut dyn FnMut() -> io::Result<File>,
) -> io::Result<Receipt> {
    let mut length = [0; 8];
    bytes.read_exact(&mut length)?;
    let mut json = Vec::new();
    (&mut bytes)
        .take(u64::from_le_bytes(length))
        .read_to_end(&mut json)?;
    let stored: StoredReceipt = serde_json::from_slice(&json)?;
    let ids = stored
        .ids
        .map(|ids| EnvelopeIds::restore(ids, &mut bytes, create));
    let rejected = stored.rejected.map(|rejected| {
        RejectedRecipients::restore(rejected).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "a receipt has an unknown code")
        })
    });
    Ok(Receipt {
        id: stored.id,
        message_id: stored.message_id,
        files: stored.files,
        recipients: stored.recipients,
        seeds: stored.seeds,
        size: stored.size,
        job: stored.job,
        vmta: stored.vmta,
        replayed: true,
        envelope_ids: ids.transpose()?,
        rejected: rejected.transpose()?,
        virtual_mtas: Uncompared::default(),
        warnings: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, Submission};
    use proptest::prelude::*;

    fn receipt(json: &str) -> Receipt {
        Submission::new(&Message::from_json(json.as_bytes()).unwrap()).receipt()
    }

    fn again(receipt: &Receipt) -> Receipt {
        let mut record = store(receipt);
        let mut bytes = Vec::new();
        record.receipt.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, record.size);
        let mut again = restore(bytes.as_slice(), &mut tempfile::tempfile).unwrap();
        assert!(std::mem::take(&mut again.replayed));
        again
    }

    fn assert_the_same(first: Receipt, second: Receipt) {
        assert_eq!((&first.job, &first.vmta), (&second.job, &second.vmta));
        let lines = |receipt: Receipt| {
            let lines: io::Result<Vec<_>> = receipt.into_json_lines().collect();
            String::from_utf8(lines.unwrap().concat()).unwrap()
        };
        assert_eq!(
            serde_json::to_string(&first).unwrap(),
            serde_json::to_string(&second).unwrap()
        );
        assert_eq!(lines(first), lines(second));
    }

    #[test]
    fn a_receipt_is_read_as_it_was() {
        for json in [
            r#"{"from": "a@example.com", "to": "b@example.org", "job": "j", "vmta": "v"}"#,
            r#"{"from": "a@example.com", "envid": "all", "recipients": ["b@example.org"]}"#,
            r#"{"from": "a@example.com", "invalidRecipients": "skip", "merge": "expanded",
                "recipients": [1, "b@example.org", "nobody", {"address": "c@example.org", "envid": "c"}]}"#,
        ] {
            let receipt = receipt(json);
            let again = again(&receipt);
            assert_the_same(receipt, again);
        }
    }

    proptest! {
        #![proptest_config(crate::property_cases::at_least(30))]
        #[test]
        fn identifiers_are_read_as_they_were(
            given in prop::collection::vec((prop::option::of("[a-z]{1,9}"), any::<bool>()), 1..50),
        ) {
            let recipients: Vec<_> = given
                .iter()
                .map(|(envid, is_right)| {
                    let address = if *is_right { "b@example.org" } else { "nobody" };
                    serde_json::json!({"address": address, "envid": envid})
                })
                .chain([serde_json::json!("b@example.org")])
                .collect();
            let message = serde_json::json!(
                {"from": "a@example.com", "invalidRecipients": "skip", "recipients": recipients}
            );
            let receipt = receipt(&message.to_string());
            let again = again(&receipt);
            assert_the_same(receipt, again);
        }
    }
}
