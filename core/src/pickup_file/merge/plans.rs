//! Which plan a recipient's file has: it depends on the header fields that they have of their own.

use super::own_fields::OwnFields;
use super::plan::Plan;
use crate::identity::Identity;
use crate::message::{Merge, Recipient};
use std::sync::Arc;

/// The plans of the files in the making.
pub(super) struct Plans<'m> {
    merge: &'m Merge<'m>,
    /// The last one is the newest.
    recent: Vec<Arc<Plan<'m>>>,
    places: Vec<Option<usize>>,
}

/// Older ones are made again, should they be wanted.
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

    /// The plan of the file that a recipient may stand in.
    pub fn plan_for(&mut self, recipient: &Recipient<'_>, identity: &Identity) -> Arc<Plan<'m>> {
        let headers = recipient.filled.headers.as_deref();
        let places = &mut self.places;
        let known = self.recent.iter().rev();
        let known = known.clone().find(|plan| plan.own.place(headers, places));
        if let Some(plan) = known {
            return Arc::clone(plan);
        }
        let headers = headers.expect("who has no fields of their own fits each plan");
        let newest = self.recent.last().expect("there is one from the start on");
        let own = newest.own.with(headers);
        let own = own.unwrap_or_else(|| OwnFields::of(headers));
        if self.recent.len() == MOST_PLANS {
            self.recent.remove(0);
        }
        let plan = Arc::new(Plan::new(self.merge, own, identity));
        self.recent.push(Arc::clone(&plan));
        plan
    }
}
