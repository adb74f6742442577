//! Mail merge, recipients a second on one thread: five variables and a newsletter of 12 kB of HTML,
//! in PowerMTA's own form and as a file for each recipient, in one run.
//!
//! `PICKUP_BENCH_DIR=/mnt/ext4 cargo bench --bench merge`. Settings: `MERGE_BENCH_RECIPIENTS`
//! (100000), `MERGE_BENCH_EXPANDED` (5000, those of the expanded form), `MERGE_BENCH_ROUNDS` (3; each
//! row is the fastest of its rounds). Memory is the most that the process held while the row was
//! measured, the submission itself not counted: it is read from a file in pieces.

use pmtaemail::{Durability, MessageStream, PickupDirectory, PickupOptions, Receipt, StreamFormat};
use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let rounds = setting("MERGE_BENCH_ROUNDS", 3);
    let place = env::var_os("PICKUP_BENCH_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let parent = tempfile::tempdir_in(place).expect("a directory to work in");
    let rows = rows(parent.path());
    println!(
        "{:<26}{:>13}{:>8}{:>11}{:>11}",
        "way", "recipients/s", "files", "MB", "memory MiB"
    );
    let mut best: Vec<_> = rows.iter().map(|_| Measured::default()).collect();
    for _ in 0..rounds {
        for (row, best) in rows.iter().zip(&mut best) {
            best.keep(measure(parent.path(), row));
        }
    }
    for (row, best) in rows.iter().zip(&best) {
        println!("{:<26}{}", row.name, best.show(row.recipients));
    }
}

/// A way to do it.
struct Row {
    name: &'static str,
    input: PathBuf,
    format: StreamFormat,
    recipients: usize,
    aim: Aim,
}

fn rows(parent: &Path) -> Vec<Row> {
    use Aim::{Check, Durable, NotDurable};
    use StreamFormat::{Json, Ndjson};

    let native = setting("MERGE_BENCH_RECIPIENTS", 100_000);
    let expanded = setting("MERGE_BENCH_EXPANDED", 5_000);
    let row = |name: &'static str, form, format, recipients, aim| {
        let as_lines = format == Ndjson;
        let input = parent.join(format!("{form}-{as_lines}.json"));
        if !input.exists() {
            write_submission(&input, form, recipients, as_lines);
        }
        Row {
            name,
            input,
            format,
            recipients,
            aim,
        }
    };
    vec![
        row("check", "native", Ndjson, native, Check),
        row("native, not durable", "native", Ndjson, native, NotDurable),
        row(
            "native, one JSON object",
            "native",
            Json,
            native,
            NotDurable,
        ),
        row("native, durable", "native", Ndjson, native, Durable),
        row(
            "expanded, not durable",
            "expanded",
            Ndjson,
            expanded,
            NotDurable,
        ),
        row("expanded, durable", "expanded", Ndjson, expanded, Durable),
    ]
}

fn setting(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[derive(Clone, Copy)]
enum Aim {
    Check,
    NotDurable,
    Durable,
}

#[derive(Default)]
struct Measured {
    time: Option<Duration>,
    files: usize,
    octets: u64,
    memory: u64,
}

impl Measured {
    fn keep(&mut self, other: Self) {
        if self.time.is_none_or(|time| other.time < Some(time)) {
            *self = other;
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "the numbers are small")]
    fn show(&self, recipients: usize) -> String {
        let seconds = self.time.unwrap_or_default().as_secs_f64();
        format!(
            "{:>13.0}{:>8}{:>11.1}{:>11.1}",
            recipients as f64 / seconds,
            self.files,
            self.octets as f64 / 1e6,
            self.memory as f64 / 1024.0
        )
    }
}

fn measure(parent: &Path, row: &Row) -> Measured {
    let directory = parent.join("pickup");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).expect("a new directory");
    let durability = match row.aim {
        Aim::Durable => Durability::Durable,
        Aim::Check | Aim::NotDurable => Durability::NotDurable,
    };
    let options = PickupOptions::default().with_durability(durability);
    let pickup = PickupDirectory::open(&directory, options).expect("a pickup directory");
    let mut input = File::open(&row.input).expect("the submission");
    reset_peak();
    let begin = Instant::now();
    let mut stream = MessageStream::new(row.format);
    let mut chunk = vec![0; 64 << 10];
    loop {
        let count = input.read(&mut chunk).expect("the submission");
        if count == 0 {
            break;
        }
        stream
            .feed(&chunk[..count], Some(&pickup))
            .expect("room for the submission");
    }
    let received = stream.finish();
    let receipt: Option<Receipt> = match row.aim {
        Aim::Check => {
            received.check().expect("a right message");
            None
        }
        Aim::NotDurable | Aim::Durable => Some(received.submit(&pickup).expect("a receipt")),
    };
    Measured {
        time: Some(begin.elapsed()),
        files: receipt.as_ref().map_or(0, |receipt| receipt.files.len()),
        octets: receipt.as_ref().map_or(0, |receipt| receipt.size),
        memory: peak(),
    }
}

/// The most memory that the process held, in KiB, since the last reset.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn write_submission(path: &Path, form: &str, recipients: usize, as_lines: bool) {
    let message = serde_json::json!({
        "from": "News of the shop <news@example.com>",
        "subject": "The news of the week",
        "template": "merge",
        "merge": form,
        "html": html(),
    });
    let file = File::create(path).expect("a new file");
    let mut out = BufWriter::new(file);
    let text = message.to_string();
    if as_lines {
        writeln!(out, "{text}").expect("a written file");
    } else {
        let open = text.strip_suffix('}').expect("an object");
        write!(out, "{open},\"recipients\":[").expect("a written file");
    }
    for number in 0..recipients {
        let recipient = serde_json::json!({
            "name": format!("Ann Lee {number}"),
            "address": format!("ann.lee.{number}@example.org"),
            "variables": {
                "name": NAMES[number % NAMES.len()],
                "city": CITIES[number % CITIES.len()],
                "order": number * 7_919,
                "amount": "19.90",
                "link": format!("https://example.com/orders/{number}?from=newsletter&week=47"),
            },
        });
        if as_lines {
            writeln!(out, "{recipient}")
        } else {
            write!(out, "{}{recipient}", if number > 0 { "," } else { "" })
        }
        .expect("a written file");
    }
    if !as_lines {
        write!(out, "]}}").expect("a written file");
    }
    out.flush().expect("a written file");
}

const NAMES: [&str; 4] = ["Ann", "Jörg", "Bo \"B\" Smith", "Наталья"];
const CITIES: [&str; 3] = ["Oslo", "Rome", "São Paulo"];

/// 12 kB of HTML with five variables.
fn html() -> String {
    let mut html =
        String::from("<!doctype html>\n<html><body>\n<h1>Hello {{ name }} of {{ city }}</h1>\n");
    html.push_str("<p>Your order {{ order }} of {{ amount }} € is <a href=\"{{ link }}\">on its way</a>.</p>\n");
    while html.len() < 12_000 {
        html.push_str(
            "<p class=\"lead\" style=\"margin:0\">The café opens early on Monday, in summer too. ",
        );
        html.push_str("Come by and see what is new, and bring whom you like.</p>\n");
    }
    html.push_str("</body></html>\n");
    html
}
