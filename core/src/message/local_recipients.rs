//! Recipients whom a local program names. A mail server sends to those whom it can, and names the
//! others; so does `sendmail`.

use super::missing_fields::SenderDefaults;
use super::raw::{read_fields, recipient_fields};
use crate::address::{AddrSpec, InvalidAddress, listed};
use crate::syntax::{FieldForm, header_end};
use std::borrow::Cow;

/// The addresses of a list, and what in it is none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecipientList {
    /// Who can get the message.
    pub addresses: Vec<AddrSpec<'static>>,
    /// Who cannot.
    pub invalid: Vec<InvalidRecipient>,
}

/// What is no address where a recipient should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRecipient {
    /// As the caller wrote it. It may hold any character.
    pub text: String,
    /// What is wrong with it.
    pub reason: InvalidAddress,
}

impl SenderDefaults<'_> {
    /// The recipients of a list of mailboxes as `sendmail` is given it on its command line. Addresses
    /// without a domain get one. A list that names nobody is no address itself.
    ///
    /// ```
    /// # use pmtaemail::SenderDefaults;
    /// let defaults = SenderDefaults { name: None, address: "root@example.com", domain: "example.com" };
    /// let list = defaults.recipients("root, Bo <bo@b@example.org>");
    /// assert_eq!(list.addresses[0].as_str(), "root@example.com");
    /// assert_eq!(list.invalid[0].text, "bo@b@example.org");
    /// ```
    pub fn recipients(&self, mailboxes: &str) -> RecipientList {
        let mut list = RecipientList::default();
        list.add(&self.qualified(mailboxes));
        if list.addresses.is_empty() && list.invalid.is_empty() {
            list.push(mailboxes);
        }
        list
    }
}

/// The recipients whom the header of a message names, Bcc included; of one that is sent once more,
/// its new ones (RFC 5322 section 3.6.6). Lines end with CRLF, and addresses have domains, as
/// [`add_missing_fields`](crate::add_missing_fields) leaves them.
pub fn header_recipients(message: &[u8]) -> RecipientList {
    let fields: Vec<_> = read_fields(&message[..header_end(message)], FieldForm::Strict).collect();
    let mut list = RecipientList::default();
    for field in recipient_fields(&fields) {
        list.add(&field.written.body());
    }
    list
}

impl RecipientList {
    /// Adds all of another list.
    pub fn append(&mut self, mut other: Self) {
        self.addresses.append(&mut other.addresses);
        self.invalid.append(&mut other.invalid);
    }

    fn add(&mut self, mailboxes: &str) {
        for listed in listed(mailboxes) {
            match listed.refusal {
                None => self.push(&listed.address),
                Some(refusal) => self.invalid.push(InvalidRecipient {
                    text: listed.text.to_owned(),
                    reason: refusal.into(),
                }),
            }
        }
    }

    fn push(&mut self, address: &str) {
        match AddrSpec::parse(Cow::Owned(address.to_owned())) {
            Ok(address) => self.addresses.push(address),
            Err(reason) => self.invalid.push(InvalidRecipient {
                text: address.to_owned(),
                reason,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: SenderDefaults<'static> = SenderDefaults {
        name: None,
        address: "root@h.example",
        domain: "h.example",
    };

    fn texts(list: &RecipientList) -> (Vec<&str>, Vec<&str>) {
        let addresses = list.addresses.iter().map(AddrSpec::as_str);
        let invalid = list.invalid.iter().map(|invalid| invalid.text.as_str());
        (addresses.collect(), invalid.collect())
    }

    #[test]
    fn what_is_no_address_keeps_nobody_back() {
        for (mailboxes, addresses, invalid) in [
            ("root", &["root@h.example"] as &[&str], &[] as &[&str]),
            (
                "Ann (x) <a@b.c>, bo@my_host,, <d@e.f>",
                &["a@b.c", "d@e.f"],
                &["bo@my_host"],
            ),
            ("<a@b.c> x, d@e.f", &["d@e.f"], &["<a@b.c> x"]),
            (
                "a@b.c, \"Bo <d@e.f>, g@h.i",
                &["a@b.c"],
                &["\"Bo <d@e.f>, g@h.i"],
            ),
            ("<a@b.c, d@e.f", &[], &["<a@b.c, d@e.f"]),
            ("a@b.c\nBcc: d@e.f", &[], &["a@b.c\nBcc: d@e.f"]),
            ("no address", &[], &["no address"]),
            ("<>", &[], &[""]),
            ("", &[], &[""]),
            ("nobody:;", &[], &["nobody:;"]),
        ] {
            let list = DEFAULTS.recipients(mailboxes);
            assert_eq!(
                texts(&list),
                (addresses.to_vec(), invalid.to_vec()),
                "{mailboxes}"
            );
        }
    }

    #[test]
    fn the_header_names_recipients() {
        let mail =
            "To: a@b.c,\r\n x@my_host\r\nCc: undisclosed:;\r\nBcc: d@e.f\r\nFrom: g@h.i\r\n\r\n";
        let list = header_recipients(mail.as_bytes());
        assert_eq!(texts(&list), (vec!["a@b.c", "d@e.f"], vec!["x@my_host"]));
        let resent = format!("Resent-To: j@k.l\r\n{mail}");
        let list = header_recipients(resent.as_bytes());
        assert_eq!(texts(&list), (vec!["j@k.l"], vec![]));
    }
}
