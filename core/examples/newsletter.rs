//! A mail merge: one text, and a personal message for each recipient.
//!
//! ```sh
//! cargo run --example newsletter -- /var/pickup
//! ```

use pmtaemail::{
    Message, PickupDirectory, PickupOptions, Recipient, TemplateLanguage, Unsubscribe,
};
use std::error::Error;

struct Reader {
    name: &'static str,
    address: &'static str,
    city: &'static str,
}

const READERS: [Reader; 2] = [
    Reader {
        name: "Ann Lee",
        address: "ann@example.org",
        city: "Oslo",
    },
    Reader {
        name: "Bø Ås",
        address: "bo@example.org",
        city: "Bergen",
    },
];

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("name a pickup directory")?;
    let pickup = PickupDirectory::open(path, PickupOptions::default())?;
    let recipients = READERS.iter().map(|reader| {
        Recipient::new(reader.address)
            .name(reader.name)
            .variable("name", reader.name)
            .variable("city", reader.city)
    });
    let newsletter = Message::builder()
        .from("Shop <shop@example.com>")
        .subject("{{ name }}, your spring offers")
        .html("<p>Hello {{ name }}, see what is new in {{ city }}.</p>")
        .text("Hello {{ name }}, see what is new in {{ city }}.")
        .template(TemplateLanguage::Merge)
        .unsubscribe(
            Unsubscribe::default()
                .url("https://shop.example.com/unsubscribe?{{ name | urlencode }}"),
        )
        .job("spring")
        .recipients(recipients)
        .build()?;
    let receipt = pickup.submit_message(&newsletter)?;
    println!(
        "{} recipients in {} files",
        receipt.recipients,
        receipt.files.len()
    );
    Ok(())
}
