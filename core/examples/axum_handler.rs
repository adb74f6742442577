//! An HTTP handler of an application that submits mail: axum, with the pickup directory on tokio.
//!
//! ```sh
//! cargo run --features tokio --example axum_handler -- /var/pickup
//! curl http://127.0.0.1:PORT/invitations -d '{"email": "ann@example.org", "name": "Ann"}'
//! ```
//!
//! It prints the address that it listens on. What is wrong with an invitation is answered as `application/problem+json`
//! (RFC 9457). On SIGTERM and Ctrl-C it answers the requests that it has, and ends.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use pmtaemail::tokio::PickupDirectory;
use pmtaemail::{Message, PickupError, PickupOptions, Problems};
use serde::Deserialize;
use serde_json::json;
use std::error::Error;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("name a pickup directory")?;
    let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    let routes = Router::new()
        .route("/invitations", post(invite))
        .with_state(pickup.clone());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, routes)
        .with_graceful_shutdown(told_to_end())
        .await?;
    // What clients asked for that went away is submitted too.
    pickup.settled().await;
    Ok(())
}

async fn told_to_end() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending();
    tokio::select! {
        () = terminated => {}
        Ok(()) = tokio::signal::ctrl_c() => {}
    }
}

#[derive(Deserialize)]
struct Invitation {
    email: String,
    name: String,
}

async fn invite(State(pickup): State<PickupDirectory>, body: Bytes) -> Result<Response, Failure> {
    let Invitation { email, name } = serde_json::from_slice(&body).map_err(|_| Failure::Request)?;
    let message = Message::builder()
        .from("Shop <shop@example.com>")
        .text(format!("Hello {name}, come and see us."))
        .subject("You are invited")
        .to((name, email))
        .build()
        .map_err(|problems| Failure::Message(problems.relocated(place)))?;
    // A client that goes away drops this future: the mail may be sent all the same, but never half of it.
    let submitted = pickup.submit_message(message).await;
    let receipt = submitted.map_err(Failure::Pickup)?;
    let answer = json!({ "id": receipt.id }).to_string();
    Ok((
        StatusCode::OK,
        [(header::CONTENT_TYPE, "application/json")],
        answer,
    )
        .into_response())
}

/// Where in the invitation is what is there in the message.
fn place(pointer: &str) -> String {
    match pointer {
        "/to/address" => "/email",
        "/to/name" | "/text" => "/name",
        other => other,
    }
    .to_owned()
}

enum Failure {
    Request,
    Message(Problems),
    Pickup(PickupError),
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, details) = match self {
            Self::Request => (
                StatusCode::BAD_REQUEST,
                json!({ "title": "The body is no invitation" }),
            ),
            // Each has a code, a pointer to the field of the invitation and a sentence.
            Self::Message(problems) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                json!({ "title": "The invitation cannot be sent", "errors": problems }),
            ),
            Self::Pickup(error) => {
                eprintln!("{error}");
                // Whether it may have been submitted is not for the client to find out.
                let status = if error.may_be_delivered() {
                    StatusCode::INTERNAL_SERVER_ERROR
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                };
                (status, json!({ "title": "Mail cannot be sent" }))
            }
        };
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, media_type, details.to_string()).into_response()
    }
}
