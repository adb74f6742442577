//! Answers one request, whatever its connection and protocol.

use super::super::client::Peer;
use super::super::error::ApiError;
use axum::Router;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::Request;
use hyper::body::Body;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;

/// Answers one request in a task of its own: it goes on when the client goes away, and its panic
/// is a response and not the end of the connection. `permits` are held until it is done.
pub async fn answer<B>(
    service: TowerToHyperService<Router>,
    mut request: Request<B>,
    peer: Peer,
    permits: impl Send + 'static,
) -> Result<Response, Infallible>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    request.extensions_mut().insert(peer);
    let task = tokio::spawn(async move {
        let response = service.call(request).await;
        drop(permits);
        response
    });
    match task.await {
        Ok(response) => response,
        Err(_panic) => Ok(ApiError::Internal.into_response()),
    }
}
