//! The paths of the daemon.

pub const MESSAGES: &str = "/messages";
pub const BATCH: &str = "/messages/batch";
pub const CHECK: &str = "/messages/check";
pub const RENDER: &str = "/messages/render";
pub const HEALTH: &str = "/health";
pub const LIVE: &str = "/health/live";
pub const READY: &str = "/health/ready";
pub const METRICS: &str = "/metrics";
pub const OPENAPI: &str = "/openapi.json";
pub const DOCS: &str = "/docs";

/// Paths of other services.
pub const TRANSMISSIONS: &str = "/api/v1/transmissions";
pub const EMAILS: &str = "/emails";
pub const EMAILS_BATCH: &str = "/emails/batch";
pub const EMAIL: &str = "/emails/{id}";

/// All of them but those of other services.
pub const ALL: &[&str] = &[
    MESSAGES,
    BATCH,
    CHECK,
    RENDER,
    HEALTH,
    LIVE,
    READY,
    METRICS,
    OPENAPI,
    #[cfg(feature = "docs-page")]
    DOCS,
];

/// Those of other services that hold no name.
const OTHERS: &[&str] = &[TRANSMISSIONS, EMAILS, EMAILS_BATCH];

/// The path of a request as metrics have it: one of ours, or `other`.
pub fn known(path: &str) -> &'static str {
    let path = path.strip_suffix('/').unwrap_or(path);
    let known = ALL.iter().chain(OTHERS).find(|known| **known == path);
    match (known, path.strip_prefix("/emails/")) {
        (Some(known), _) => known,
        (None, Some(_)) => EMAIL,
        (None, None) => "other",
    }
}

/// Whether a path needs no access key: load balancers and the like ask for it, or it tells nothing of this
/// installation.
pub fn is_open(path: &str) -> bool {
    path == HEALTH || path.starts_with("/health/") || path == OPENAPI || may_be_linked_to(path)
}

/// Whether pages of other sites may lead to a path: it says the same to everybody, and does nothing.
pub fn may_be_linked_to(path: &str) -> bool {
    path == DOCS
}
