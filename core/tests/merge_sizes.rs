//! How many files a mail merge becomes, and how large they get, where values are longer than a line.

use pmtaemail::{PickupFile, Submission};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A text of what tokens are made of, another for each number.
fn token(number: usize, length: usize) -> &'static str {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut state = 1_u64;
        let mut sign = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(SIGNS[usize::try_from(state >> 58).expect("six bits")])
        };
        (0..200_000).map(|_| sign()).collect()
    });
    let start = number % (TEXT.len() - 300);
    &TEXT[start..start + length]
}

/// A length of the range that seems to be chance.
fn length(number: usize, least: usize, most: usize) -> usize {
    least + number * 7_919 % (most - least + 1)
}

/// Files and bytes.
fn sizes(html: &str, recipients: usize, variables: impl Fn(usize) -> Value) -> (usize, u64) {
    let recipient = |number: usize| {
        json!({
            "name": format!("Ann Lee {number}"),
            "address": format!("ann.lee.{number}@example.org"),
            "variables": variables(number),
        })
    };
    let message = json!({
        "from": "Shop <shop@example.com>",
        "subject": "Hello {{ name | default: 'you' }}",
        "template": "merge",
        "html": html,
        "recipients": (0..recipients).map(recipient).collect::<Vec<_>>(),
    });
    let submission =
        Submission::from_json(message.to_string().as_bytes()).expect("a right message");
    let files = submission.files();
    let sizes = files.iter().map(PickupFile::size);
    (files.len(), sizes.sum())
}

#[test]
fn signed_links_in_sixty_places() {
    let link = "<p><a href=\"https://example.com/?t={{ token }}\">More</a></p>\n";
    let (files, bytes) = sizes(
        &link.repeat(60),
        10_000,
        |number| json!({"token": token(number, length(number, 100, 160))}),
    );
    assert!(
        files <= 4 && bytes <= 25_000_000,
        "{files} files, {bytes} bytes"
    );
}

#[test]
fn a_hundred_places_where_a_value_is_hardly_longer_than_a_line() {
    let link = "<p><a href=\"{{ link }}\">More</a></p>\n";
    let (files, bytes) = sizes(&link.repeat(100), 10_000, |number| {
        let token = token(number, length(number, 40, 80));
        json!({"link": format!("https://example.com/{token}")})
    });
    assert!(
        files <= 6 && bytes <= 25_000_000,
        "{files} files, {bytes} bytes"
    );
}

#[test]
fn a_hundred_links() {
    let html: String = (0..100)
        .map(|n| ["<a href='{{ l", &n.to_string(), " }}'>x</a>\n"].concat())
        .collect();
    let recipients = 1_000;
    let (files, bytes) = sizes(&html, recipients, |number| {
        let link = |n: usize| {
            let number = number * 100 + n;
            let token = token(number, length(number, 40, 80));
            (
                format!("l{n}"),
                json!(format!("https://example.com/{token}")),
            )
        };
        (0..100).map(link).collect()
    });
    // The links themselves have 8 MB. So ten thousand recipients have six files.
    assert!(
        files == 1 && bytes <= 10_000_000,
        "{files} files, {bytes} bytes"
    );
}

#[test]
fn product_blocks() {
    let block = |n: usize| {
        let n = n.to_string();
        [
            "<a href='{{ link",
            &n,
            " }}'><img src='{{ image",
            &n,
            " }}'></a>\n",
        ]
        .concat()
    };
    let html: String = (0..30).map(block).collect();
    let (files, bytes) = sizes(&html, 2_000, |number| {
        let url = |n: usize| {
            let number = number * 60 + n;
            let token = token(number, length(number, 60, 250) - 30);
            let name = if n < 30 {
                format!("link{n}")
            } else {
                format!("image{}", n - 30)
            };
            (name, json!(format!("https://example.com/?a=1&b={token}")))
        };
        (0..60).map(url).collect()
    });
    // The URLs themselves have 19 MB, and 21 MB as they are in HTML and quoted-printable.
    assert!(
        files <= 4 && bytes <= 26_000_000,
        "{files} files, {bytes} bytes"
    );
}

#[test]
fn one_long_value_among_short_ones() {
    let (files, bytes) = sizes(
        "<p>{{ x }}</p>\n",
        10_000,
        |number| json!({"x": if number == 3_000 { "x".repeat(15_000) } else { "x".to_owned() }}),
    );
    assert!(
        files <= 4 && bytes <= 2_000_000,
        "{files} files, {bytes} bytes"
    );
}

#[test]
fn languages_of_all_kinds() {
    const NAMES: [&str; 5] = [
        "Ann",
        "Jörg",
        "Наталья Сергеевна Преображенская",
        "王小明",
        "\"A\" [b]",
    ];
    let (files, bytes) = sizes(
        "<p>{{ name }}</p>\n",
        10_000,
        |number| json!({"name": NAMES[number * 7_919 % NAMES.len()]}),
    );
    assert!(
        files <= 2 && bytes <= 3_000_000,
        "{files} files, {bytes} bytes"
    );
}
