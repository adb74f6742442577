//! The preview where it is not built in: there is none.

use super::access::Requester;
use super::error::ApiError;
use super::pages::Pages;
use super::state::Daemon;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use std::sync::Arc;

/// No daemon has one.
#[derive(Clone, Copy)]
pub enum Preview {}

impl Preview {
    pub fn is_alone(self) -> bool {
        match self {}
    }
}

pub fn routes(_: Arc<Daemon>, preview: Preview) -> Router<Arc<Daemon>> {
    match preview {}
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is the function of the preview"
)]
pub fn check_page(_: &Pages, _: &Request, _: Option<&str>) -> Result<(), ApiError> {
    Ok(())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is the function of the preview"
)]
pub fn check_key(_: Option<&Requester>, _: &str) -> Result<(), ApiError> {
    Ok(())
}

pub fn harden(_: &mut HeaderMap) {}
