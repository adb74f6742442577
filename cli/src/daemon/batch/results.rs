//! The line with the result of one message.

use super::super::error::ApiError;
use pmtaemail::{Position, Receipt};
use std::iter;

/// The line of a result, in pieces: that of a mail merge may have megabytes.
pub fn result_pieces(
    position: Position,
    result: Result<Receipt, ApiError>,
) -> Box<dyn Iterator<Item = Vec<u8>> + Send> {
    let end = || iter::once(b"\n".to_vec());
    match result {
        Ok(receipt) => Box::new(receipt.into_json().chain(end())),
        Err(error) => Box::new(iter::once(problem(position, &error)).chain(end())),
    }
}

fn problem(position: Position, error: &ApiError) -> Vec<u8> {
    error.problem_details().at(position).to_json()
}
