//! Which paths are whose.

use super::super::error::ApiError;
use super::{resend, sparkpost};
use axum::response::Response;

/// Another service's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    SparkPost,
    Resend,
}

impl Dialect {
    /// The one that a path belongs to, whether there is anything under it or not.
    pub fn of(path: &str) -> Option<Self> {
        let is_in = |folder: &str| {
            let rest = path.strip_prefix(folder);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if is_in("/api/v1") {
            Some(Self::SparkPost)
        } else if is_in("/emails") {
            Some(Self::Resend)
        } else {
            None
        }
    }

    /// An error as its clients know them.
    pub fn refuse(self, error: &ApiError) -> Response {
        match self {
            Self::SparkPost => sparkpost::refuse(error),
            Self::Resend => resend::refuse(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_belong_to_one_service_or_to_none() {
        for (path, expected) in [
            ("/api/v1/transmissions", Some(Dialect::SparkPost)),
            ("/api/v1/transmissions/", Some(Dialect::SparkPost)),
            ("/api/v1", Some(Dialect::SparkPost)),
            ("/api/v10/transmissions", None),
            ("/emails", Some(Dialect::Resend)),
            ("/emails/batch", Some(Dialect::Resend)),
            ("/emailsx", None),
            ("/messages", None),
        ] {
            assert_eq!(Dialect::of(path), expected, "{path}");
        }
    }
}
