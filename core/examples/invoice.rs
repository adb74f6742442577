//! A message with a file, and an image within its HTML.
//!
//! ```sh
//! cargo run --example invoice -- /var/pickup
//! ```

use pmtaemail::{Attachment, Message, PickupDirectory, PickupOptions};
use std::error::Error;

/// A GIF of one pixel.
const LOGO: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("name a pickup directory")?;
    let pickup = PickupDirectory::open(path, PickupOptions::default())?;
    let invoice = Message::builder()
        .from("Shop <shop@example.com>")
        .to("Ann Lee <ann@example.org>")
        .subject("Your invoice")
        .html("<p><img src='cid:logo' alt='Shop'> Thank you, Ann. Your invoice is attached.</p>")
        .text("Thank you, Ann. Your invoice is attached.")
        // An attachment with a content id that the HTML names is part of the HTML.
        .attachment(Attachment::new("logo.gif", LOGO).content_id("logo"))
        .attachment(Attachment::new("invoice.pdf", &b"%PDF-1.7"[..]))
        .build()?;
    let receipt = pickup.submit_message(&invoice)?;
    println!("{}", receipt.files[0]);
    Ok(())
}
