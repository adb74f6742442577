//! How long a text may become with the values of a recipient.

use crate::problem::{Code, Refusal};
use crate::template::TemplateText;

/// As much as a whole message may have over HTTP, unless said otherwise.
const LONGEST_TEXT: usize = 32 << 20;

/// Checks that a text is no longer than a message may be: a value may be in it again and again.
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
