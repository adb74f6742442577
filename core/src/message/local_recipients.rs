//! Recipients whom a local program names. A mail server sends to those whom it can, and names the
//! others; so does `sendmail`.

use super::missing_fields::SenderDefaults;
use super::raw::{read_fields, recipient_fields};
use crate::address::{AddrSpec, InvalidAddress, listed};
use crate::syntax::{FieldForm, header_end};
use std::borrow::Cow;

/// The addresses in a list, and the entries that are not addresses.
///
/// ```
/// use pmtaemail::header_recipients;
///
/// let mut list = header_recipients(b"To: ann@example.org, nobody at all\r\n\r\n");
/// list.append(header_recipients(b"Cc: bo@example.org\r\n\r\n"));
/// assert_eq!(list.addresses.len(), 2);
/// assert_eq!(list.invalid.len(), 1);
/// ```
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecipientList {
    /// Those who can get the message.
    pub addresses: Vec<AddrSpec<'static>>,
    /// Those who cannot.
    pub invalid: Vec<InvalidRecipient>,
}

/// An entry of a list of recipients that is not an address.
///
/// ```
/// use pmtaemail::{Code, header_recipients};
///
/// let list = header_recipients(b"To: ann@my_host\r\n\r\n");
/// assert_eq!(list.invalid[0].text, "ann@my_host");
/// assert_eq!(list.invalid[0].reason.code(), Code::InvalidDomain);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRecipient {
    /// What the caller wrote. It may contain any character.
    pub text: String,
    /// What is wrong with it.
    pub reason: InvalidAddress,
}

impl SenderDefaults<'_> {
    /// The recipients in a list of mailboxes as given on the command line of `sendmail`. Addresses without a domain get
    /// the default one. A list without any entry is itself an invalid recipient.
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

/// The recipients in the header of a message, including Bcc. If the message is resent, those of the Resent fields (RFC
/// 5322 section 3.6.6). Lines must end with CRLF and addresses must have domains, as
/// [`add_missing_fields`](crate::add_missing_fields) leaves them.
///
/// ```
/// let list = pmtaemail::header_recipients(b"To: Ann <ann@example.org>\r\nBcc: bo@example.org\r\n\r\nHello\r\n");
/// let addresses: Vec<&str> = list.addresses.iter().map(|address| address.as_str()).collect();
/// assert_eq!(addresses, ["ann@example.org", "bo@example.org"]);
/// ```
pub fn header_recipients(message: &[u8]) -> RecipientList {
    let fields: Vec<_> = read_fields(&message[..header_end(message)], FieldForm::Strict).collect();
    let mut list = RecipientList::default();
    for field in recipient_fields(&fields) {
        list.add(&field.written.body());
    }
    list
}

impl RecipientList {
    /// Appends another list.
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
    fn an_invalid_address_does_not_affect_others() {
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
