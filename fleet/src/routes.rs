//! The hosts that a submission goes to, depending on the virtual MTAs that it names.

use crate::names::{InvalidName, Priority, Route};
use pmtaemail::VirtualMtas;
use std::collections::HashMap;

/// Where submissions go: to one pool, except those that name one of some virtual MTAs.
#[derive(Debug, Clone)]
pub struct Routes {
    rest: Target,
    /// By the name of a virtual MTA in lower case.
    by_virtual_mta: HashMap<String, Target>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    route: Route,
    priority: Priority,
}

/// The mail of one submission would have to go to several pools. All its files must go to one host, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the virtual MTAs that it names belong to different pools")]
pub struct SeveralPools;

impl Routes {
    /// All submissions go to one pool.
    pub fn new(route: Route, priority: Priority) -> Self {
        Self {
            rest: Target { route, priority },
            by_virtual_mta: HashMap::new(),
        }
    }

    /// Submissions that name this virtual MTA, ignoring case, go to this pool of the same region.
    ///
    /// # Errors
    /// The name of the pool is invalid.
    ///
    /// ```
    /// use pmtaemail_fleet::{Priority, Route, Routes};
    /// let route = Route::new("MAIL", "local", "default")?;
    /// let routes = Routes::new(route, Priority::Normal).with_virtual_mta("receipts", "fast", Priority::High)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_virtual_mta(
        mut self,
        name: &str,
        pool: &str,
        priority: Priority,
    ) -> Result<Self, InvalidName> {
        let route = self.rest.route.with_pool(pool)?;
        (self.by_virtual_mta).insert(name.to_ascii_lowercase(), Target { route, priority });
        Ok(self)
    }

    /// The stream.
    pub(crate) fn stream(&self) -> &str {
        self.rest.route.stream()
    }

    /// The subject for a submission that names these virtual MTAs. Of several priorities the highest counts: somebody
    /// is waiting for it.
    pub(crate) fn subject(&self, names: &VirtualMtas) -> Result<String, SeveralPools> {
        if self.by_virtual_mta.is_empty() {
            return Ok(self.rest.route.subject(self.rest.priority));
        }
        if names.is_cut() {
            return Err(SeveralPools);
        }
        let mut targets = names.iter().map(|name| self.target(name));
        let mut chosen = targets.next().unwrap_or(&self.rest).clone();
        for target in targets {
            if target.route != chosen.route {
                return Err(SeveralPools);
            }
            chosen.priority = chosen.priority.min(target.priority);
        }
        Ok(chosen.route.subject(chosen.priority))
    }

    fn target(&self, name: Option<&str>) -> &Target {
        let found = name.and_then(|name| self.by_virtual_mta.get(&name.to_ascii_lowercase()));
        found.unwrap_or(&self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::{Message, PickupDirectory, Queue, QueueError};
    use std::sync::{Arc, Mutex};

    /// A queue that records which virtual MTAs parcels name.
    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<VirtualMtas>>);

    impl Queue for Kept {
        fn name(&self) -> &'static str {
            "kept"
        }

        fn find(&self, _: &[u8; 32]) -> Result<Option<Vec<u8>>, QueueError> {
            Ok(None)
        }

        fn put(
            &self,
            parcel: pmtaemail::Parcel,
            done: Box<dyn FnOnce(Result<(), QueueError>) + Send>,
        ) {
            self.0.lock().unwrap().push(parcel.virtual_mtas);
            done(Ok(()));
        }

        fn probe(&self) -> Result<(), QueueError> {
            Ok(())
        }
    }

    /// What a message names.
    fn named(json: &str) -> VirtualMtas {
        let kept = Arc::<Kept>::default();
        let directory = PickupDirectory::of_queue(kept.clone(), 1 << 20);
        let message = Message::from_json(json.as_bytes()).unwrap();
        directory.submit_message(&message).unwrap();
        kept.0.lock().unwrap().pop().unwrap()
    }

    #[test]
    fn virtual_mtas_choose_the_pool() {
        let routes = Routes::new(Route::new("MAIL", "eu", "rest").unwrap(), Priority::Normal);
        let plain = named(r#"{"from": "a@example.com", "to": "b@example.org", "text": "x"}"#);
        let receipts = named(
            r#"{"from": "a@example.com", "to": "b@example.org", "text": "x", "vmta": "Receipts"}"#,
        );
        assert_eq!(routes.subject(&receipts).unwrap(), "MAIL.eu.rest.normal");
        let routes = routes
            .with_virtual_mta("receipts", "fast", Priority::High)
            .and_then(|routes| routes.with_virtual_mta("alerts", "fast", Priority::Low))
            .and_then(|routes| routes.with_virtual_mta("news", "bulk", Priority::Low))
            .unwrap();
        assert_eq!(routes.subject(&plain).unwrap(), "MAIL.eu.rest.normal");
        assert_eq!(routes.subject(&receipts).unwrap(), "MAIL.eu.fast.high");
        assert_eq!(
            routes.subject(&VirtualMtas::default()).unwrap(),
            "MAIL.eu.rest.normal"
        );

        let merge = |first: &str, second: &str| {
            named(&format!(
                r#"{{"from": "a@example.com", "text": "x", "vmta": "news",
                    "recipients": [{{"address": "b@example.org"{first}}}, {{"address": "c@example.org"{second}}}]}}"#
            ))
        };
        let own = |name: &str| format!(r#", "vmta": "{name}""#);
        assert_eq!(routes.subject(&merge("", "")).unwrap(), "MAIL.eu.bulk.low");
        let both = merge(&own("alerts"), &own("receipts"));
        assert_eq!(routes.subject(&both).unwrap(), "MAIL.eu.fast.high");
        for (first, second) in [("", "receipts"), ("unknown", ""), ("alerts", "news")] {
            let first = if first.is_empty() {
                String::new()
            } else {
                own(first)
            };
            let several = merge(
                &first,
                &if second.is_empty() {
                    String::new()
                } else {
                    own(second)
                },
            );
            assert_eq!(routes.subject(&several), Err(SeveralPools), "{several:?}");
        }
    }
}
