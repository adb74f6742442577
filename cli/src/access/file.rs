//! The file of keys: TOML, a table for each key.

use super::rate::Rate;
use super::secret::KeyHash;
use crate::nearest::nearest;
use crate::place::position;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pmtaemail::{SenderDomain, SenderDomains};
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The longest name of a key.
const LONGEST_NAME: usize = 64;

/// The fields of a key.
const FIELDS: [&str; 6] = [
    "hash",
    "from",
    "rate",
    "recipients-per-day",
    "preview",
    "expires",
];

/// All keys of a file.
#[derive(Debug, Default)]
pub struct KeyFile {
    pub keys: Vec<AccessKey>,
}

/// One key, and what it is for.
#[derive(Debug, Clone)]
pub struct AccessKey {
    pub name: String,
    pub hash: KeyHash,
    /// The domains that may be sent from, and their spelling in the file.
    pub senders: SenderDomains,
    pub from: Vec<String>,
    pub rate: Option<Rate>,
    pub recipients_per_day: Option<u64>,
    /// Whether it may preview messages.
    pub preview: bool,
    pub expires: Option<Timestamp>,
}

/// The problems of a file of keys, one per line.
#[derive(Debug)]
pub struct KeyFileProblems(Vec<String>);

impl fmt::Display for KeyFileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for KeyFileProblems {}

/// Why a value is refused, and where it is.
type Refusal = (Range<usize>, String);

impl KeyFile {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, KeyFileProblems> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) => {
                let path = path.display();
                Err(KeyFileProblems(vec![format!(
                    "{path}: cannot read the file: {error}"
                )]))
            }
        }
    }

    pub fn parse(path: &Path, text: &str) -> Result<Self, KeyFileProblems> {
        let mut problems = Vec::new();
        let mut refuse = |at: usize, sentence: &str| {
            let (line, column) = position(text, at);
            problems.push(format!("{}:{line}:{column}: {sentence}", path.display()));
        };
        let mut keys = Vec::new();
        match DeTable::parse(text) {
            Ok(table) => {
                let (found, refusals) = read_keys(table.get_ref());
                keys = found;
                for (span, sentence) in refusals {
                    refuse(span.start, &sentence);
                }
            }
            Err(error) => {
                let start = error.span().map_or(text.len(), |span| span.start);
                let sentence = error.message().replace('\n', " ");
                refuse(start, &format!("this is not TOML: {sentence}"));
            }
        }
        if problems.is_empty() {
            Ok(Self { keys })
        } else {
            Err(KeyFileProblems(problems))
        }
    }
}

impl AccessKey {
    /// Whether it has expired.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// Whether a key may have this name: it is in logs and metrics.
pub fn is_name(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_fine)
}

/// The refusal of any other.
pub const NAME: &str = "the name of a key must be 1 to 64 letters, digits, `-`, `_` and `.`";

fn read_keys(table: &DeTable<'_>) -> (Vec<AccessKey>, Vec<Refusal>) {
    let (mut keys, mut refusals) = (Vec::new(), Vec::new());
    let mut owners: HashMap<KeyHash, String> = HashMap::new();
    for (name, value) in table {
        let all = match value.get_ref() {
            DeValue::Table(all) if name.get_ref() == "keys" => all,
            _ => {
                let sentence = "a file of keys may contain only tables [keys.NAME]";
                refusals.push((name.span(), sentence.to_owned()));
                continue;
            }
        };
        for (name, value) in all {
            let span = name.span();
            let name = name.get_ref();
            let DeValue::Table(fields) = value.get_ref() else {
                refusals.push((span, "a key must be a table: [keys.NAME]".to_owned()));
                continue;
            };
            if !is_name(name) {
                refusals.push((span.clone(), NAME.to_owned()));
            }
            let Some(key) = read_key(name, &span, fields, &mut refusals) else {
                continue;
            };
            if let Some(owner) = owners.insert(key.hash, key.name.clone()) {
                let sentence = format!("{name} has the same hash as {owner}");
                refusals.push((span, sentence));
            }
            keys.push(key);
        }
    }
    refusals.sort_by_key(|(span, _)| span.start);
    (keys, refusals)
}

/// Reads one key. `None` only if a refusal says why.
fn read_key(
    name: &str,
    span: &Range<usize>,
    fields: &DeTable<'_>,
    refusals: &mut Vec<Refusal>,
) -> Option<AccessKey> {
    let mut hash = None;
    let mut key = AccessKey {
        name: name.to_owned(),
        hash: KeyHash::of(b""),
        senders: SenderDomains::ALL,
        from: Vec::new(),
        rate: None,
        recipients_per_day: None,
        preview: false,
        expires: None,
    };
    for (field, value) in fields {
        let field_name = field.get_ref().as_ref();
        let read = match field_name {
            "hash" => parsed(value).map(|read| hash = Some(read)),
            "from" => domains(value).map(|(from, senders)| {
                key.from = from;
                key.senders = senders;
            }),
            "rate" => parsed(value).map(|read| key.rate = Some(read)),
            "recipients-per-day" => count(value).map(|read| key.recipients_per_day = Some(read)),
            "preview" => boolean(value).map(|read| key.preview = read),
            "expires" => time(value).map(|read| key.expires = Some(read)),
            _ => {
                let nearest = nearest(field_name, FIELDS).expect("a key has fields");
                let field_name = field_name.escape_debug();
                let sentence = format!("a key has no field {field_name}; did you mean {nearest}?");
                refusals.push((field.span(), sentence));
                continue;
            }
        };
        if let Err((span, reason)) = read {
            refusals.push((span, format!("{field_name}: {reason}")));
        }
    }
    if !fields.iter().any(|(field, _)| field.get_ref() == "hash") {
        refusals.push((span.clone(), "the key has no hash".to_owned()));
    }
    key.hash = hash?;
    Some(key)
}

fn refused<T>(value: &Spanned<DeValue<'_>>, reason: impl Into<String>) -> Result<T, Refusal> {
    Err((value.span(), reason.into()))
}

fn parsed<T: FromStr<Err: fmt::Display>>(value: &Spanned<DeValue<'_>>) -> Result<T, Refusal> {
    let DeValue::String(text) = value.get_ref() else {
        return refused(value, "expected a string in quotation marks");
    };
    text.parse()
        .or_else(|error: T::Err| refused(value, error.to_string()))
}

fn domains(value: &Spanned<DeValue<'_>>) -> Result<(Vec<String>, SenderDomains), Refusal> {
    let values = match value.get_ref() {
        DeValue::Array(values) => values.iter().collect(),
        _ => vec![value],
    };
    if values.is_empty() {
        let reason = "the list is empty; leave it out to allow all domains, or remove the key";
        return refused(value, reason);
    }
    let mut texts = Vec::new();
    let mut domains = Vec::new();
    for value in values {
        domains.push(parsed::<SenderDomain>(value)?);
        texts.extend(value.get_ref().as_str().map(str::to_owned));
    }
    Ok((texts, domains.into_iter().collect()))
}

fn count(value: &Spanned<DeValue<'_>>) -> Result<u64, Refusal> {
    let number = match value.get_ref() {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(-1)
        }
        _ => -1,
    };
    match u64::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => refused(value, "expected a whole number of at least 1"),
    }
}

fn boolean(value: &Spanned<DeValue<'_>>) -> Result<bool, Refusal> {
    match value.get_ref() {
        DeValue::Boolean(value) => Ok(*value),
        _ => refused(value, "expected true or false"),
    }
}

fn time(value: &Spanned<DeValue<'_>>) -> Result<Timestamp, Refusal> {
    let text = match value.get_ref() {
        DeValue::Datetime(time) => time.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => String::new(),
    };
    expiry(&text).or_else(|reason| refused(value, reason))
}

/// Reads the time at which a key expires. Without an offset it is in UTC; a date means its beginning.
pub fn expiry(text: &str) -> Result<Timestamp, &'static str> {
    const FORM: &str = "expected a day or a time, such as 2027-01-31 or 2027-01-31T12:00:00Z";
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let time: DateTime = text.parse().map_err(|_| FORM)?;
    let zoned = time.to_zoned(TimeZone::UTC).map_err(|_| FORM)?;
    Ok(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HASH: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parse(text: &str) -> Result<KeyFile, String> {
        let text = text.replace("HASH", &format!("{HASH:?}"));
        KeyFile::parse(Path::new("keys"), &text).map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_key_has_all_that_it_says() {
        let file = parse(
            "# a comment\n[keys.shop]\nhash = HASH\nfrom = [\"example.com\", \"*.example.com\"]\nrate = \"5/s\"\n\
             recipients-per-day = 1_000\npreview = true\nexpires = 2027-01-31\n",
        );
        let [key] = &file.unwrap().keys[..] else {
            panic!("not one key")
        };
        assert_eq!(key.name, "shop");
        assert_eq!(key.hash, KeyHash::of(b"abc"));
        assert_eq!(key.from, ["example.com", "*.example.com"]);
        assert_eq!(key.rate, Some("5/s".parse().unwrap()));
        assert_eq!((key.recipients_per_day, key.preview), (Some(1_000), true));
        let end: Timestamp = "2027-01-31T00:00:00Z".parse().unwrap();
        assert!(key.has_expired(end) && !key.has_expired(end - Duration::from_secs(1)));
        let all = &parse("[keys]\na.hash = HASH").unwrap().keys[0];
        assert!(all.senders.are_all() && all.rate.is_none() && !all.preview);
        assert!(!all.has_expired(crate::access::now()));
        assert!(parse("").unwrap().keys.is_empty());
    }

    #[test]
    fn faults_are_reported_with_their_line() {
        for (text, problem) in [
            ("[keys.a]\nhash = 1", "keys:2:8: hash: expected a string"),
            ("[keys.a]\nhash = \"x\"", "keys:2:8: hash: expected sha256:"),
            ("[keys.a]\nrate = \"1/s\"", "keys:1:7: the key has no hash"),
            (
                "[keys.a]\nhash = HASH\nfrom = \"a b\"",
                "keys:3:8: from: expected a domain",
            ),
            (
                "[keys.a]\nhash = HASH\nfrom = []",
                "keys:3:8: from: the list is empty",
            ),
            (
                "[keys.a]\nhash = HASH\nrate = \"x\"",
                "keys:3:8: rate: expected at least 1 message",
            ),
            (
                "[keys.a]\nhash = HASH\nrecipients-per-day = 0",
                "keys:3:22: recipients-per-day: ",
            ),
            (
                "[keys.a]\nhash = HASH\npreview = 1",
                "keys:3:11: preview: expected true",
            ),
            (
                "[keys.a]\nhash = HASH\nexpires = \"x\"",
                "keys:3:11: expires: expected a day",
            ),
            (
                "[keys.a]\nhash = HASH\nrates = 1",
                "keys:3:1: a key has no field rates; did you mean rate?",
            ),
            ("[keys.\"a b\"]\nhash = HASH", "keys:1:7: the name of a key"),
            (
                "[keys.a]\nhash = HASH\n[keys.b]\nhash = HASH",
                "keys:3:7: b has the same hash as a",
            ),
            ("[keys.a]\nhash = HASH\n[keys.a]", "keys:3:"),
            (
                "[a]\nhash = HASH",
                "keys:1:2: a file of keys may contain only tables",
            ),
            (
                "keys = 1",
                "keys:1:1: a file of keys may contain only tables",
            ),
            ("[keys]\na = 1", "keys:2:1: a key must be a table"),
            ("[keys.a", "keys:1:8: this is not TOML"),
        ] {
            let problems = parse(text).unwrap_err();
            assert!(problems.starts_with(problem), "{text}: {problems}");
            assert_eq!(problems.lines().count(), 1, "{problems}");
            assert!(!problems.contains("ba78"), "{problems}");
        }
        let missing = KeyFile::read(Path::new("/nonexistent/keys")).unwrap_err();
        assert!(missing.to_string().contains("cannot read the file"));
    }
}
