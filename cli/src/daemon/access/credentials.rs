//! The key of a request, in any form in which clients send it:
//!
//! ```text
//! Authorization: Bearer KEY
//! Authorization: Basic base64(ANYTHING:KEY)     as curl -u and URLs do
//! Authorization: Basic base64(KEY:)             clients of SparkPost
//! Authorization: KEY                            others of them
//! ```

use axum::http::{HeaderMap, header};
use encodify::base64::LENIENT;
use std::borrow::Cow;

/// The key of a request, if it has exactly one.
pub fn key_of(headers: &HeaderMap) -> Option<Cow<'_, [u8]>> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (field, second) = (fields.next()?, fields.next());
    if second.is_some() {
        return None;
    }
    let field = field.as_bytes().trim_ascii();
    let Some(end) = field.iter().position(|byte| *byte == b' ') else {
        return some(Cow::Borrowed(field));
    };
    let (scheme, rest) = (&field[..end], field[end..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        some(Cow::Borrowed(rest))
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        let pair = LENIENT.decode(rest).ok()?;
        let colon = pair.iter().position(|byte| *byte == b':')?;
        let (user, password) = (&pair[..colon], &pair[colon + 1..]);
        let key = if password.is_empty() { user } else { password };
        some(Cow::Owned(key.to_vec()))
    } else {
        None
    }
}

fn some(key: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
    let is_scheme = |name: &[u8]| key.eq_ignore_ascii_case(name);
    (!key.is_empty() && !is_scheme(b"bearer") && !is_scheme(b"basic")).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn key(fields: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(field));
        }
        key_of(&headers).map(|key| String::from_utf8(key.into_owned()).unwrap())
    }

    #[test]
    fn a_key_can_be_sent_in_several_forms() {
        for field in [
            "Bearer pmta_1",
            "bearer   pmta_1 ",
            "pmta_1",
            // any:pmta_1, :pmta_1, pmta_1:
            "Basic YW55OnBtdGFfMQ==",
            "BASIC OnBtdGFfMQ==",
            "Basic cG10YV8xOg==",
            "Basic cG10YV8xOg",
        ] {
            assert_eq!(key(&[field]).as_deref(), Some("pmta_1"), "{field}");
        }
        for fields in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Basic"],
            &["Basic !"],
            &["Basic cG10YV8x"],
            &["Basic Og=="],
            &["Digest pmta_1"],
            &["pmta_1", "pmta_1"],
        ] {
            assert_eq!(key(fields), None, "{fields:?}");
        }
    }
}
