//! An HTTP handler of an application that submits mail: axum, with the pickup directory on tokio.
//!
//! ```sh
//! cargo run --features tokio --example axum_handler -- /var/pickup
//! curl http://127.0.0.1:PORT/invitations -d '{"email": "ann@example.org", "name": "Ann"}'
//! ```
//!
//! It prints the address that it listens on. What is wrong with a message is answered as `application/problem+json`
//! (RFC 9457).

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
        .with_state(pickup);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, routes).await?;
    Ok(())
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
        .map_err(Failure::Message)?;
    // A client that goes away drops this future: the mail may be sent all the same, but never half of it.
    let submitted = pickup.submit_message(message).await;
    let receipt = submitted.map_err(Failure::Pickup)?;
    let answer = json!({ "id": receipt.id }).to_string();
    Ok((
        StatusCode::CREATED,
        [(header::CONTENT_TYPE, "application/json")],
        answer,
    )
        .into_response())
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
            // Each has a code, a pointer to the field and a sentence.
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
