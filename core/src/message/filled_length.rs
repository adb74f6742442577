//! How long a text may become with the values of a recipient.

use crate::problem::{Code, Refusal};
use crate::template::TemplateText;

/// The default limit for a whole message over HTTP.
const LONGEST_TEXT: usize = 32 << 20;

/// Checks that a text does not exceed the size of a message: it may contain a value many times.
pub(super) fn check_length<'v>(
    text: &TemplateText<'_>,
    value: impl Fn(usize) -> &'v str,
) -> Result<(), Refusal> {
    const TOO_LONG: Refusal = Refusal::new(
        Code::TooLong,
        "With these values a text of the message is larger than 32 MiB.",
    );
    if text.filled_length(value) > LONGEST_TEXT {
        return Err(TOO_LONG);
    }
    Ok(())
}
