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
use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

/// Permits that are held as long as a request is in progress.
#[derive(Clone)]
pub struct Permits(
    #[expect(dead_code, reason = "it is there to be dropped")] Arc<dyn Any + Send + Sync>,
);

/// Marks each request on a connection that exceeds its client's limit.
#[derive(Debug, Clone, Copy)]
pub struct TooManyConnections;

/// Answers one request in a separate task: it continues when the client goes away, and if it panics, that becomes a
/// response and does not end the connection. `permits` are held until it is done; a handler that continues after the
/// response has started takes its share of them from the request. If its connection `is_too_many`, it is refused.
pub async fn answer<B>(
    service: TowerToHyperService<Router>,
    mut request: Request<B>,
    peer: Peer,
    is_too_many: bool,
    permits: impl Send + Sync + 'static,
) -> Result<Response, Infallible>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    request.extensions_mut().insert(peer);
    if is_too_many {
        request.extensions_mut().insert(TooManyConnections);
    }
    let permits = Permits(Arc::new(permits));
    request.extensions_mut().insert(permits.clone());
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
