//! Files as other services' clients write them.

use super::object::Value;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The bytes of an array of numbers.
pub fn numbers(value: &Value<'_>) -> Option<Vec<u8>> {
    serde_json::from_str(value.raw.get()).ok()
}

/// The bytes of a buffer as Node writes it: `{"type": "Buffer", "data": [1, 2]}`.
pub fn buffer(value: &Value<'_>) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Buffer<'a> {
        r#type: &'a str,
        #[serde(borrow)]
        data: &'a RawValue,
    }

    if !value.is_object() {
        return None;
    }
    let buffer: Buffer<'_> = serde_json::from_str(value.raw.get()).ok()?;
    (buffer.r#type == "Buffer")
        .then(|| serde_json::from_str(buffer.data.get()).ok())
        .flatten()
}

/// Whether a string may be base64: a lenient decoder accepts it.
pub fn may_be_base64(text: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_\r\n\t ".contains(byte);
    text.as_bytes().iter().all(is_letter)
}
