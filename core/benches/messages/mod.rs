//! The messages that are measured.

use serde_json::{Value, json};

/// Each message with its name: tiny; 3 kB of text and 30 kB of HTML with 3 % non-ASCII characters;
/// the same with 60 % of another script; the second with an attachment of 1 MB.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("tiny", tiny()),
        ("newsletter", octets(&newsletter(3))),
        ("non_latin", octets(&newsletter(60))),
        ("attachment", octets(&with_attachment(newsletter(3)))),
    ]
}

fn octets(message: &Value) -> Vec<u8> {
    serde_json::to_vec(message).expect("the message is JSON")
}

fn with_attachment(mut message: Value) -> Value {
    let file: Vec<u8> = (0..250_000_u32)
        .flat_map(|n| (n * 7919).to_be_bytes())
        .collect();
    let content = encodify::base64::STANDARD.encode(file);
    message["attachments"] = json!([{"filename": "report.pdf", "content": content}]);
    message
}

fn tiny() -> Vec<u8> {
    br#"{"from":"postmaster@sender.com","to":"nobody@example.com","subject":"Test","text":"This is a test"}"#
        .to_vec()
}

fn newsletter(percent_foreign: usize) -> Value {
    let (subject, word): (_, fn(usize) -> &'static str) = if percent_foreign > 50 {
        ("Новости недели для наших покупателей", mostly_cyrillic)
    } else {
        (
            "The news of the week for our café’s customers",
            mostly_ascii,
        )
    };
    json!({
        "from": "shop@example.com",
        "to": "ann.lee@example.org",
        "subject": subject,
        "text": text(3_000, word),
        "html": html(30_000, word),
    })
}

/// Word `index` of a text with accents: 3 % of its characters are not ASCII.
fn mostly_ascii(index: usize) -> &'static str {
    const WORDS: [&str; 9] = [
        "the", "café", "opens", "early", "on", "Monday,", "in", "summer", "for",
    ];
    const ACCENTS: [&str; 2] = ["déjà", "naïve"];
    if index % 14 == 3 {
        return ACCENTS[index % 2];
    }
    WORDS[(index * 7) % 9]
}

/// Word `index` of a text of which 60 % are Cyrillic letters.
fn mostly_cyrillic(index: usize) -> &'static str {
    const WORDS: [&str; 8] = [
        "магазин",
        "открыт",
        "with",
        "летом",
        "рано",
        "News",
        "по",
        "понедельникам,",
    ];
    WORDS[(index * 5) % 8]
}

/// Words in lines of about 70 characters.
fn text(characters: usize, word: fn(usize) -> &'static str) -> String {
    let mut text = String::new();
    let (mut count, mut column) = (0, 0);
    for index in 0.. {
        let next = word(index);
        text.push_str(next);
        count += next.chars().count() + 1;
        column += next.chars().count() + 1;
        if count >= characters {
            break;
        }
        text.push(if column > 70 { '\n' } else { ' ' });
        column = if column > 70 { 0 } else { column };
    }
    text.push('\n');
    text
}

/// Paragraphs in the tags and inline styles that newsletters have.
fn html(characters: usize, word: fn(usize) -> &'static str) -> String {
    let mut html = String::from("<!doctype html>\n<html><body>\n");
    while html.chars().count() < characters {
        html.push_str(
            "<p class=\"lead\" style=\"margin:0\"><a href=\"https://example.com/?id=1\">",
        );
        html.push_str(&text(700, word));
        html.push_str("</a></p>\n");
    }
    html.push_str("</body></html>\n");
    html
}
