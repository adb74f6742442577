//! Whether the submitter may send from the addresses in From, Sender and the envelope sender.

use super::merge::Merge;
use super::raw::{field_addresses, sender_addresses};
use super::single::Content;
use super::{Message, MessageKind};
use crate::address::{AddrSpec, Mailbox, ReversePath, SenderDomains};
use crate::json::{JsonHeaders, JsonMessage, Located};
use crate::problem::{Code, Location, ProblemReport, Refusal};

const REFUSED: Refusal = Refusal::new(
    Code::ForbiddenSender,
    "The access key may not send from this domain; send from a domain it allows, or have this domain added to it.",
);

const RAW_REFUSED: Refusal = Refusal::new(
    Code::ForbiddenSender,
    "From, Sender or a Resent- field of the message contains an address in a domain that the access key may not send from.",
);

const PLACEHOLDER: Refusal = Refusal::new(
    Code::ForbiddenSender,
    "The access key may send only from certain domains, so Sender must be an address without placeholders.",
);

/// Where a message says who sends it, recorded before it is interpreted.
#[derive(Debug)]
pub(super) struct SenderPlaces {
    raw: Option<Location>,
    from: Option<Location>,
    sender: Option<Location>,
}

impl SenderPlaces {
    pub fn of(json: &JsonMessage<'_>) -> Self {
        Self {
            raw: json.raw.as_ref().map(|raw| raw.location),
            from: json.from.as_ref().map(|from| from.location),
            sender: json.sender.as_ref().map(|sender| sender.location),
        }
    }

    /// Reports senders that are not allowed, after the message is interpreted.
    pub fn check(
        &self,
        message: &Message<'_>,
        allowed: &SenderDomains,
        report: &mut ProblemReport<'_>,
    ) {
        match &message.kind {
            MessageKind::Merge(merge, _) => self.check_merge(merge, allowed, report),
            MessageKind::Single(single) => {
                match &single.content {
                    Content::Composed(composed) => self.check_from(&composed.from, allowed, report),
                    Content::Raw(raw) => {
                        let addresses = sender_addresses(&raw.bytes);
                        if !addresses.is_ok_and(|all| may_send(&all, allowed)) {
                            report.refuse(self.raw.unwrap_or(Location::ROOT), RAW_REFUSED);
                        }
                    }
                }
                self.check_sender(Some(&single.reverse_path), allowed, report);
            }
        }
    }

    /// The same for a mail merge, whose recipients may have their own senders.
    pub fn check_merge(
        &self,
        merge: &Merge<'_>,
        allowed: &SenderDomains,
        report: &mut ProblemReport<'_>,
    ) {
        // Each recipient has their own otherwise.
        if merge.templates.from_address.is_none() {
            self.check_from(&merge.composed.from, allowed, report);
        }
        self.check_sender(merge.sender.as_ref(), allowed, report);
    }

    fn check_from(
        &self,
        from: &Mailbox<'_>,
        allowed: &SenderDomains,
        report: &mut ProblemReport<'_>,
    ) {
        if !allowed.allow(&from.address) {
            report.refuse(self.from.unwrap_or(Location::ROOT), REFUSED);
        }
    }

    /// If no envelope sender is given, it is the address of From.
    fn check_sender(
        &self,
        sender: Option<&ReversePath<'_>>,
        allowed: &SenderDomains,
        report: &mut ProblemReport<'_>,
    ) {
        if let (Some(location), Some(sender)) = (self.sender, sender) {
            check_own_sender(sender, location, allowed, report);
        }
    }
}

/// Whether there are addresses, and all of them are allowed.
fn may_send(addresses: &[Mailbox<'_>], allowed: &SenderDomains) -> bool {
    let is_allowed = |mailbox: &Mailbox<'_>| allowed.allow(&mailbox.address);
    !addresses.is_empty() && addresses.iter().all(is_allowed)
}

/// Reports an address of From that was filled in and is not allowed.
pub(super) fn check_filled_from(
    from: Option<&AddrSpec<'_>>,
    location: Location,
    allowed: &SenderDomains,
    report: &mut ProblemReport<'_>,
) {
    if from.is_some_and(|from| !allowed.allow(from)) {
        report.refuse(location, REFUSED);
    }
}

/// Reports an envelope sender that is not allowed. The null reverse-path names nobody.
pub(super) fn check_own_sender(
    sender: &ReversePath<'_>,
    location: Location,
    allowed: &SenderDomains,
    report: &mut ProblemReport<'_>,
) {
    let address: Option<&AddrSpec<'_>> = sender.address();
    if address.is_some_and(|address| !allowed.allow(address)) {
        report.refuse(location, REFUSED);
    }
}

/// Reports a Sender field in `headers` that is not allowed. Whether it is valid at all is checked elsewhere.
pub(super) fn check_headers(
    headers: Option<&Located<JsonHeaders<'_>>>,
    allowed: &SenderDomains,
    report: &mut ProblemReport<'_>,
) {
    if allowed.are_all() {
        return;
    }
    let headers = headers.into_iter().flat_map(|headers| &headers.value.0);
    for header in headers.filter(|header| header.name.value.trim().eq_ignore_ascii_case("sender")) {
        for Located { location, value } in &header.values {
            let refusal = if value.contains('{') {
                Some(PLACEHOLDER)
            } else {
                let addresses = field_addresses(value);
                let may_send = addresses.is_ok_and(|all| may_send(&all, allowed));
                (!may_send).then_some(REFUSED)
            };
            if let Some(refusal) = refusal {
                report.refuse(*location, refusal);
            }
        }
    }
}
