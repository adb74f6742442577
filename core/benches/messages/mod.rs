//! The messages that are measured.

use serde_json::json;

/// Each message with its name: tiny; 3 kB of text and 30 kB of HTML with 3 % non-ASCII characters;
/// the same with 60 % of another script.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("tiny", tiny()),
        ("newsletter", newsletter(3)),
        ("non_latin", newsletter(60)),
    ]
}

fn tiny() -> Vec<u8> {
    br#"{"from":"postmaster@sender.com","to":"nobody@example.com","subject":"Test","text":"This is a test"}"#
        .to_vec()
}

fn newsletter(percent_foreign: usize) -> Vec<u8> {
    let foreign = if percent_foreign > 50 { 'ж' } else { 'é' };
    let subject = if percent_foreign > 50 {
        "Новости недели для наших покупателей"
    } else {
        "The news of the week for our café’s customers"
    };
    serde_json::to_vec(&json!({
        "from": "The Shop <shop@example.com>",
        "to": "Ann Lee <ann.lee@example.org>",
        "subject": subject,
        "text": text(3_000, percent_foreign, foreign),
        "html": html(30_000, percent_foreign, foreign),
    }))
    .expect("the message is JSON")
}

/// Words in lines of about 70 characters.
fn text(characters: usize, percent_foreign: usize, foreign: char) -> String {
    (0..characters)
        .map(|index| match index {
            _ if index % 71 == 70 => '\n',
            _ if index % 7 == 6 => ' ',
            _ if index * 37 % 100 < percent_foreign => foreign,
            _ => char::from(b'a' + (index * 11 % 26) as u8),
        })
        .collect()
}

fn html(characters: usize, percent_foreign: usize, foreign: char) -> String {
    let mut html = String::from("<!doctype html>\n<html><body>\n");
    while html.chars().count() < characters {
        html.push_str(
            "<p class=\"lead\" style=\"margin:0\"><a href=\"https://example.com/?id=1\">",
        );
        html.push_str(&text(400, percent_foreign, foreign));
        html.push_str("</a></p>\n");
    }
    html.push_str("</body></html>\n");
    html
}
