//! The plan of a recipient's file, which depends on the recipient's own header fields.

use super::own_fields::OwnFields;
use super::plan::Plan;
use crate::identity::Identity;
use crate::message::{Merge, Recipient, RecipientHeaders};
use std::sync::Arc;

/// The plans of the files that are being built.
pub(super) struct Plans<'m> {
    merge: &'m Merge<'m>,
    /// The last one was used most recently.
    recent: Vec<Arc<Plan<'m>>>,
    places: Vec<Option<usize>>,
}

/// Older ones are made again if they are needed.
const MOST_PLANS: usize = 8;

impl<'m> Plans<'m> {
    pub fn new(merge: &'m Merge<'m>, identity: &Identity) -> Self {
        let plan = Plan::new(merge, OwnFields::default(), identity);
        Self {
            merge,
            recent: vec![Arc::new(plan)],
            places: Vec::new(),
        }
    }

    /// The plan of the file that a recipient fits in.
    pub fn plan_for(&mut self, recipient: &Recipient<'_>, identity: &Identity) -> Arc<Plan<'m>> {
        let headers = recipient.filled.headers.as_deref();
        let places = &mut self.places;
        let mut known = self.recent.iter();
        let plan = if let Some(index) = known.rposition(|plan| plan.own.place(headers, places)) {
            self.recent.remove(index)
        } else {
            let headers = headers.expect("who has no fields of their own fits each plan");
            self.wider(headers, identity)
        };
        self.recent.push(Arc::clone(&plan));
        plan
    }

    /// A plan that also has the fields of these headers. It replaces the one that it extends.
    fn wider(&mut self, headers: &RecipientHeaders<'_>, identity: &Identity) -> Arc<Plan<'m>> {
        let recent = self.recent.iter().enumerate().rev();
        let mut wider = recent.filter_map(|(index, plan)| Some((index, plan.own.with(headers)?)));
        let (gives_way, own) = match wider.next() {
            Some((index, own)) => (Some(index), own),
            None => (
                (self.recent.len() == MOST_PLANS).then_some(0),
                OwnFields::of(headers),
            ),
        };
        if let Some(index) = gives_way {
            self.recent.remove(index);
        }
        Arc::new(Plan::new(self.merge, own, identity))
    }
}
