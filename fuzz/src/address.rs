//! The judge of addresses.

use crate::expected::unquoted;
use crate::message;
use mailparse::{MailAddr, addrparse};
use pmtaemail::{AddrSpec, SenderDefaults, SenderDomain, header_recipients, text_of_local_program};
use serde_json::json;

/// What a local program's addresses lack.
pub const DEFAULTS: SenderDefaults<'static> = SenderDefaults {
    name: None,
    address: "ann@host.example",
    domain: "host.example",
};

/// Judges a text wherever addresses are read.
pub fn judge(text: &str) {
    if let Ok(address) = AddrSpec::parse(text) {
        judge_address(&address);
    }
    if let Ok(address) = AddrSpec::from_parts(text, "example.org") {
        judge_address(&address);
        assert_eq!(unquoted(address.local_part()), text, "another local part");
    }
    judge_local(text);
    let _ = text.parse::<SenderDomain>();
    for field in ["to", "from", "replyTo", "sender"] {
        let mut mail = json!({"from": "ann@example.com", "to": "bo@example.org", "text": "x"});
        mail[field] = text.into();
        message::judge(mail.to_string().as_bytes());
    }
    let listed = json!({"from": "ann@example.com", "to": [{"name": text, "address": "bo@example.org"}, {"address": text}]});
    message::judge(listed.to_string().as_bytes());
}

/// What a local program writes: as many recipients as there are, and none that is no address.
fn judge_local(text: &str) {
    let list = DEFAULTS.recipients(text);
    assert!(
        !list.addresses.is_empty() || !list.invalid.is_empty(),
        "nobody is told of"
    );
    for address in &list.addresses {
        judge_address(address);
    }
    assert!(
        list.addresses.len() <= 1 + text.matches([',', ';', ':']).count(),
        "more recipients than a list can name"
    );
    let separators = text.matches([',', ';', ':']).count();
    let longest = text.len() + (1 + separators) * ("@host.example".len() + 2);
    assert!(
        DEFAULTS.reverse_path(text).len() <= longest,
        "a sender out of nothing"
    );
    let mail = format!("From: ann@example.com\r\nTo: {text}\r\n\r\n");
    for address in header_recipients(mail.as_bytes()).addresses {
        judge_address(&address);
    }
    drop(text_of_local_program(text.as_bytes()));
}

fn judge_address(address: &AddrSpec<'_>) {
    let text = address.as_str();
    let again = AddrSpec::parse(text).expect("an address is one");
    assert_eq!(again.as_str(), text, "the same address");
    assert_eq!(
        format!("{}@{}", address.local_part(), address.domain()),
        text
    );
    assert!(
        text.len() <= 254 && address.local_part().len() <= 64,
        "too long"
    );
    assert!(address.domain().is_ascii(), "a domain beyond ASCII");
    assert!(!text.contains(char::is_control), "a control character");
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".@-_+".contains(&byte));
    if is_plain {
        let read = addrparse(text).expect("others read it");
        assert!(
            matches!(&**read, [MailAddr::Single(single)] if single.addr == text),
            "others read another one"
        );
    }
}
