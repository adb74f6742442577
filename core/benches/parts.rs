//! Which parts of a message this library and mail-builder write alike, byte for byte, and what each part costs in either: the time for
//! a message with it less the time for the same message without it. For this library, validating the values (with the parsing of
//! mailboxes and dates from text) and writing the bytes are timed apart; mail-builder does not validate, and its time is for both.
//!
//! `cargo bench --bench parts`; `PARTS_BENCH_ROUNDS` (200; the shortest of them counts).

use mail_builder::MessageBuilder as Theirs;
use mail_builder::headers::message_id::MessageId;
use pmtaemail::{Attachment, Message, MessageBuilder as Ours};
use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A part, as both libraries add it to a message.
struct Part<'a> {
    name: &'static str,
    /// The header field that it is, or else it is content.
    field: Option<&'static str>,
    ours: Box<dyn Fn(Ours<'a>) -> Ours<'a> + 'a>,
    theirs: Box<dyn Fn(Theirs<'a>) -> Theirs<'a> + 'a>,
}

const NAMES: [&str; 2] = ["Ann Lee", "Анна Ли"];
const FILES: [&str; 2] = ["the invoice of May.pdf", "счёт за май.pdf"];

fn main() {
    let rounds = env::var("PARTS_BENCH_ROUNDS")
        .map_or(200, |rounds| rounds.parse().expect("a number of rounds"));
    let data = Data::new();
    println!(
        "{:<31}{:>11}{:>12}{:>15}{:>8}",
        "part", "validated", "written", "mail-builder", "bytes"
    );
    let alone = Times::of(rounds, |message| message, |message| message);
    for part in parts(&data) {
        let alike = part.of(&ours(&part.ours).render()) == part.of(&theirs(&part.theirs));
        let times = Times::of(rounds, &part.ours, &part.theirs);
        println!(
            "{:<31}{:>11}{:>12}{:>15}{:>8}",
            part.name,
            difference(times.validated, alone.validated),
            difference(times.written, alone.written),
            difference(times.theirs, alone.theirs),
            if alike { "same" } else { "other" },
        );
    }
}

/// What a message takes.
struct Times {
    validated: Duration,
    written: Duration,
    theirs: Duration,
}

impl Times {
    fn of<'a>(
        rounds: u32,
        our_part: impl Fn(Ours<'a>) -> Ours<'a>,
        their_part: impl Fn(Theirs<'a>) -> Theirs<'a>,
    ) -> Self {
        let message = ours(&our_part);
        Self {
            validated: fastest(rounds, || ours(&our_part)),
            written: fastest(rounds, || message.render()),
            theirs: fastest(rounds, || theirs(&their_part)),
        }
    }
}

fn difference(with: Duration, without: Duration) -> String {
    let time = with.saturating_sub(without);
    format!("{:.2} µs", time.as_secs_f64() * 1e6)
}

fn ours<'a>(part: impl Fn(Ours<'a>) -> Ours<'a>) -> Message<'a> {
    let message = Message::builder()
        .from("shop@example.com")
        .to("ann@example.org");
    part(message).build().expect("the messages are right")
}

fn theirs<'a>(part: impl Fn(Theirs<'a>) -> Theirs<'a>) -> Vec<u8> {
    let message = Theirs::new().from("shop@example.com").to("ann@example.org");
    part(message)
        .write_to_vec()
        .expect("a Vec takes everything")
}

fn fastest<T>(rounds: u32, work: impl Fn() -> T) -> Duration {
    let times = (0..rounds).map(|_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    });
    times.min().expect("at least one round")
}

impl Part<'_> {
    /// The bytes of this part in a message: a whole header field, or the last part's content without its line ends at the end.
    fn of(&self, message: &[u8]) -> String {
        let message = String::from_utf8(message.to_vec()).expect("everything is ASCII here");
        let (_, content) = message
            .split_once("\r\n\r\n")
            .expect("a header section ends");
        let Some(name) = self.field else {
            let last = content
                .rsplit_once("\r\n\r\n--")
                .map_or(content, |(parts, _)| parts);
            let last = last.rsplit_once("\r\n\r\n").map_or(last, |(_, body)| body);
            return last.trim_end().to_owned();
        };
        // A file's field is in the header of its part.
        let start = message
            .find(&format!("{name}: "))
            .expect("the field is there");
        let field = &message[start..];
        let mut ends = field.match_indices("\r\n").map(|(at, _)| at);
        let end = ends.find(|at| !field[at + 2..].starts_with([' ', '\t']));
        field[..end.expect("a field ends")].to_owned()
    }
}

struct Data {
    references: Vec<String>,
    subjects: [String; 3],
    mailboxes: [Vec<(String, String)>; 2],
    texts: [String; 2],
    file: Vec<u8>,
}

impl Data {
    fn new() -> Self {
        let latin = "We have shipped your order of the third of May. ";
        let cyrillic = "Мы отправили ваш заказ от третьего мая. ";
        let mailboxes = |name: &str| {
            (0..50)
                .map(|i| (format!("{name} {i}"), format!("ann{i}@example.org")))
                .collect()
        };
        let lines = |line: &str| [line, line, "\r\n"].concat().repeat(330);
        Self {
            references: (0..20)
                .map(|i| format!("{i}.of.a.thread@example.org"))
                .collect(),
            subjects: [
                latin.trim_end().to_owned(),
                latin.repeat(4).trim_end().to_owned(),
                cyrillic.trim_end().to_owned(),
            ],
            mailboxes: NAMES.map(mailboxes),
            texts: [lines(latin), lines(cyrillic)],
            file: (0..1_000_000_u32).map(|i| (i % 251) as u8).collect(),
        }
    }
}

fn part<'a>(
    name: &'static str,
    field: Option<&'static str>,
    ours: impl Fn(Ours<'a>) -> Ours<'a> + 'a,
    theirs: impl Fn(Theirs<'a>) -> Theirs<'a> + 'a,
) -> Part<'a> {
    Part {
        name,
        field,
        ours: Box::new(ours),
        theirs: Box::new(theirs),
    }
}

fn parts(data: &Data) -> Vec<Part<'_>> {
    let [short, long, cyrillic] = data.subjects.each_ref();
    let [latin_mailboxes, cyrillic_mailboxes] = data.mailboxes.each_ref();
    let [latin_text, cyrillic_text] = data.texts.each_ref();
    let [latin_file, cyrillic_file] = FILES;
    vec![
        part(
            "Date",
            Some("Date"),
            |message| message.date("2026-11-23T05:33:54Z"),
            |message| message.date(1_795_412_034_i64),
        ),
        part(
            "Message-ID",
            Some("Message-ID"),
            |message| message.message_id("a.b@example.org"),
            |message| message.message_id("a.b@example.org"),
        ),
        references(&data.references),
        subject("Subject, 47 characters", short),
        subject("Subject, 191 characters", long),
        subject("Subject, Cyrillic", cyrillic),
        mailboxes("Cc, 50 names", latin_mailboxes),
        mailboxes("Cc, 50 Cyrillic names", cyrillic_mailboxes),
        file_name("Content-Disposition", latin_file),
        file_name("Content-Disposition, Cyrillic", cyrillic_file),
        text("text, 32 kB", latin_text),
        text("text, Cyrillic, 46 kB", cyrillic_text),
        file("base64, 1 MB", "a.pdf", None, &data.file),
    ]
}

fn references(ids: &[String]) -> Part<'_> {
    part(
        "References, 20",
        Some("References"),
        |message| ids.iter().fold(message, Ours::references),
        |message| message.references(MessageId::new_list(ids.iter().map(|id| &**id))),
    )
}

fn subject<'a>(name: &'static str, subject: &'a str) -> Part<'a> {
    part(
        name,
        Some("Subject"),
        move |message| message.subject(subject),
        move |message| message.subject(subject),
    )
}

fn mailboxes<'a>(name: &'static str, mailboxes: &'a [(String, String)]) -> Part<'a> {
    part(
        name,
        Some("Cc"),
        |message| {
            let texts = mailboxes
                .iter()
                .map(|(name, address)| format!("{name} <{address}>"));
            texts.fold(message, Ours::cc)
        },
        |message| {
            let list = mailboxes
                .iter()
                .map(|(name, address)| (&**name, &**address));
            message.cc(list.collect::<Vec<_>>())
        },
    )
}

fn text<'a>(name: &'static str, text: &'a str) -> Part<'a> {
    part(
        name,
        None,
        move |message| message.text(text),
        move |message| message.text_body(text),
    )
}

fn file_name<'a>(name: &'static str, file_name: &'a str) -> Part<'a> {
    file(name, file_name, Some("Content-Disposition"), b"x")
}

fn file<'a>(
    name: &'static str,
    file_name: &'a str,
    field: Option<&'static str>,
    content: &'a [u8],
) -> Part<'a> {
    part(
        name,
        field,
        move |message| {
            message
                .text("x")
                .attachment(Attachment::new(file_name, content))
        },
        move |message| {
            message
                .text_body("x")
                .attachment("application/pdf", file_name, content)
        },
    )
}
