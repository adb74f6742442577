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

/// The preview: its page and its assets, its requests, and what its frames show.
pub const PREVIEW: &str = "/preview";
pub const PREVIEW_FILE: &str = "/preview/{file}";
pub const PREVIEW_STATUS: &str = "/preview/api/status";
pub const PREVIEW_VIEWS: &str = "/preview/api/views";
pub const PREVIEW_VIEW: &str = "/preview/api/views/{view}";
pub const PREVIEW_OUTBOX: &str = "/preview/api/outbox";
pub const PREVIEW_EVENTS: &str = "/preview/api/outbox/events";
pub const PREVIEW_OUTBOX_FILE: &str = "/preview/api/outbox/{file}";
pub const PREVIEW_FRAME: &str = "/preview/views/{view}";

/// All of them except those of other services.
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

/// Those of other services without a variable part.
const OTHERS: &[&str] = &[TRANSMISSIONS, EMAILS, EMAILS_BATCH];

/// Those of the preview without a variable part.
const PREVIEWS: &[&str] = &[
    PREVIEW,
    PREVIEW_STATUS,
    PREVIEW_VIEWS,
    PREVIEW_OUTBOX,
    PREVIEW_EVENTS,
];

/// Those with a variable part, by what precedes it.
const NAMED: &[(&str, &str)] = &[
    ("/preview/api/views/", PREVIEW_VIEW),
    ("/preview/api/outbox/", PREVIEW_OUTBOX_FILE),
    ("/preview/api/", "other"),
    ("/preview/views/", PREVIEW_FRAME),
    ("/preview/", PREVIEW_FILE),
    ("/emails/", EMAIL),
];

/// The path of a request as it appears in metrics: one of ours, or `other`.
pub fn known(path: &str) -> &'static str {
    let path = path.strip_suffix('/').unwrap_or(path);
    let all = ALL.iter().chain(OTHERS).chain(PREVIEWS);
    if let Some(known) = all.into_iter().find(|known| **known == path) {
        return known;
    }
    let mut named = NAMED.iter();
    let named = named.find(|(start, _)| path.starts_with(start));
    named.map_or("other", |(_, known)| known)
}

/// Whether a path needs no access key: because load balancers and the like request it, or because it reveals nothing
/// about this installation.
pub fn is_open(path: &str) -> bool {
    path == HEALTH
        || path.starts_with("/health/")
        || path == OPENAPI
        || may_be_linked_to(path)
        // The preview's assets reveal nothing, and nobody can guess the names of views.
        || (is_of_preview(path) && !is_of_preview_api(path))
}

/// Whether a path is one of the preview.
pub fn is_of_preview(path: &str) -> bool {
    path == PREVIEW || path.starts_with("/preview/")
}

/// Whether a path of the preview reveals messages.
pub fn is_of_preview_api(path: &str) -> bool {
    path.starts_with("/preview/api/")
}

/// Whether pages of other sites may link to a path: it returns the same to everybody, and changes nothing.
pub fn may_be_linked_to(path: &str) -> bool {
    path == DOCS || path == PREVIEW
}
