//! The bytes of a message.

use super::{Message, MessageKind};
use crate::identity::Identity;
use crate::mime::Rendered;
use std::borrow::Cow;

impl Message<'_> {
    /// The bytes of the message (RFC 5322); of a mail merge, those of its first recipient.
    ///
    /// Date and Message-ID are generated if the message does not give them. If it gives both, the same message always
    /// yields the same bytes.
    pub fn render(&self) -> Vec<u8> {
        self.render_with(Identity::now())
    }

    /// Renders the message into a buffer of your own, whose size is known before large files are encoded.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "text": "Hello"}"#;
    /// let mail = Message::from_json(json)?.with_rendered(|rendered| {
    ///     let mut memory = vec![0; rendered.size()];
    ///     rendered.write_to(&mut memory);
    ///     memory
    /// });
    /// assert!(mail.ends_with(b"\r\n\r\nHello\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn with_rendered<T>(&self, then: impl FnOnce(Rendered<'_>) -> T) -> T {
        then(self.rendered(&Identity::now()))
    }

    /// Like [`render`](Self::render), with the time and the identifier from which Date and Message-ID are made. See
    /// [`Identity`] for an example.
    pub fn render_with(&self, identity: Identity) -> Vec<u8> {
        self.rendered(&identity).into_vec()
    }

    fn rendered(&self, identity: &Identity) -> Rendered<'_> {
        match &self.kind {
            MessageKind::Single(message) => message.render(identity),
            MessageKind::Merge(merge, recipients) => {
                let bytes = merge.render_for(recipients.first(), identity);
                Cow::<[u8]>::Owned(bytes).into()
            }
        }
    }

    /// The bytes of the message that one recipient of a mail merge gets; `index` counts from 0. `None` if there are
    /// fewer recipients. A message that is not a mail merge is the same for every index.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let json = br#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ name }}",
    ///                 "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}},
    ///                                {"address": "bo@example.org", "variables": {"name": "Bo"}}]}"#;
    /// let message = Message::from_json(json)?;
    /// assert!(message.render_recipient(1).unwrap().ends_with(b"Hello Bo\r\n"));
    /// assert!(message.render_recipient(2).is_none());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn render_recipient(&self, index: usize) -> Option<Vec<u8>> {
        let identity = Identity::now();
        match &self.kind {
            MessageKind::Single(message) => Some(message.render(&identity).into_vec()),
            MessageKind::Merge(merge, recipients) => {
                let recipient = recipients.as_slice().get(index)?;
                Some(merge.render_for(recipient, &identity))
            }
        }
    }
}
