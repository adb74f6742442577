//! What is done with a message.

use crate::identity::Identity;
use crate::interruption::{Interruption, uninterrupted};
use crate::message::{Merge, Message, MessageKind, Recipient, RejectedRecipients, SingleMessage};
use std::convert::Infallible;

/// Something that is done with a message: checking it, rendering it, or turning it into pickup files.
///
/// The output type belongs to the action, so callers never have to distinguish results.
pub(super) trait Action: Sized {
    type Output;
    type Error;
    /// The same action on a mail merge.
    type Merge<'m>: MergeAction<Self>;

    /// Performs it on a message that is the same for all its recipients.
    fn single(self, message: &SingleMessage<'_>) -> Result<Self::Output, Self::Error>;

    /// Starts it for a mail merge, whose recipients follow.
    fn merge<'m>(self, merge: &'m Merge<'m>) -> Self::Merge<'m>;
}

/// An action on a mail merge in progress.
pub(super) trait MergeAction<A: Action> {
    /// Continues with the next recipient, which has this index in the message. After an error there are no further
    /// calls.
    fn recipient(&mut self, index: usize, recipient: &Recipient<'_>) -> Result<(), A::Error>;

    /// There are no more recipients. `rejected` get nothing; `None` if nobody may be rejected.
    fn finish(self, rejected: Option<RejectedRecipients>) -> Result<A::Output, A::Error>;
}

/// Performs an action on a message that contains all its recipients.
pub(super) fn perform<A: Action>(action: A, message: &Message<'_>) -> Result<A::Output, A::Error> {
    let output = perform_unless(action, message, Interruption::NEVER)?;
    Ok(uninterrupted(output))
}

/// The same; returns `None` if it is interrupted.
pub(super) fn perform_unless<A: Action>(
    action: A,
    message: &Message<'_>,
    interruption: Interruption<'_>,
) -> Result<Option<A::Output>, A::Error> {
    match message.kind() {
        MessageKind::Single(message) => action.single(message).map(Some),
        MessageKind::Merge(merge, recipients) => {
            let mut merge = action.merge(merge);
            for (index, recipient) in recipients.with_indices() {
                if interruption.is_wanted() {
                    return Ok(None);
                }
                merge.recipient(index, recipient)?;
            }
            merge.finish(recipients.rejected().cloned()).map(Some)
        }
    }
}

/// Only returns who is rejected: a message whose recipients have been read is already checked.
pub(super) struct Check;

impl Action for Check {
    type Output = Option<RejectedRecipients>;
    type Error = Infallible;
    type Merge<'m> = Self;

    fn single(self, _: &SingleMessage<'_>) -> Result<Self::Output, Infallible> {
        Ok(None)
    }

    fn merge<'m>(self, _: &'m Merge<'m>) -> Self {
        self
    }
}

impl MergeAction<Self> for Check {
    fn recipient(&mut self, _: usize, _: &Recipient<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    fn finish(
        self,
        rejected: Option<RejectedRecipients>,
    ) -> Result<Option<RejectedRecipients>, Infallible> {
        Ok(rejected)
    }
}

/// Renders the message of one recipient; `None` if a mail merge has fewer. A message that is not a mail merge is the
/// same for all.
pub(super) struct Render {
    /// Counted from 0.
    pub index: usize,
    pub identity: Identity,
}

impl Action for Render {
    type Output = Option<Vec<u8>>;
    type Error = Infallible;
    type Merge<'m> = RenderMerge<'m>;

    fn single(self, message: &SingleMessage<'_>) -> Result<Self::Output, Infallible> {
        Ok(Some(message.render(&self.identity).into_vec()))
    }

    fn merge<'m>(self, merge: &'m Merge<'m>) -> RenderMerge<'m> {
        RenderMerge {
            merge,
            action: self,
            count: 0,
            rendered: None,
        }
    }
}

pub(super) struct RenderMerge<'m> {
    merge: &'m Merge<'m>,
    action: Render,
    count: usize,
    rendered: Option<Vec<u8>>,
}

impl MergeAction<Render> for RenderMerge<'_> {
    fn recipient(&mut self, _: usize, recipient: &Recipient<'_>) -> Result<(), Infallible> {
        if self.count == self.action.index {
            let rendered = self.merge.render_for(recipient, &self.action.identity);
            self.rendered = Some(rendered);
        }
        self.count += 1;
        Ok(())
    }

    fn finish(self, _: Option<RejectedRecipients>) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.rendered)
    }
}
