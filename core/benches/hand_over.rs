//! Files of 4 kB a second into a directory, by many threads: this library, and the plain way of
//! doing the same, in one run.
//!
//! `PICKUP_BENCH_DIR=/mnt/ext4 cargo bench --bench hand_over`. Settings: `PICKUP_BENCH_ROUNDS` (5),
//! `PICKUP_BENCH_MILLISECONDS` a round (1000), `PICKUP_BENCH_THREADS` (1,16,64,256). The ways take
//! turns, and each row is the median of its rounds: the speed of a disk changes from one second to
//! the next, so only ratios inside one run mean something.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pmtaemail::{Durability, PickupDirectory, PickupOptions};

const FILE: [u8; 4_096] = [b'x'; 4_096];

fn main() {
    let rounds: usize = setting("PICKUP_BENCH_ROUNDS", "5")
        .parse()
        .expect("a number of rounds");
    let length = Duration::from_millis(
        setting("PICKUP_BENCH_MILLISECONDS", "1000")
            .parse()
            .expect("milliseconds"),
    );
    let place = env::var_os("PICKUP_BENCH_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let parent = tempfile::tempdir_in(place).expect("a directory to work in");
    println!(
        "{:>7}  {:<24}{:>9} {:>9} {:>9}",
        "threads", "way", "files/s", "p50 ms", "p99 ms"
    );
    for threads in setting("PICKUP_BENCH_THREADS", "1,16,64,256").split(',') {
        let threads = threads.parse().expect("numbers of threads");
        let mut rows = WAYS.map(|_| Row::default());
        for _ in 0..rounds {
            for (&(_, way), row) in WAYS.iter().zip(&mut rows) {
                row.add(&round(parent.path(), way, threads, length), length);
            }
        }
        for ((name, _), row) in WAYS.iter().zip(&mut rows) {
            println!("{threads:>7}  {name:<24}{}", row.show());
        }
    }
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

type Submit = Box<dyn Fn(&str) + Sync>;

/// Makes what one thread does with one file, from the parent of the pickup directory and that
/// directory.
type Way = fn(&Path, &Path) -> Submit;

const WAYS: [(&str, Way); 4] = [
    ("durable", |_, directory| {
        library(directory, PickupOptions::default())
    }),
    ("durable, no syncfs", |_, directory| {
        library(directory, PickupOptions::default().with_syncfs(false))
    }),
    ("not durable", |_, directory| {
        library(
            directory,
            PickupOptions::default().with_durability(Durability::NotDurable),
        )
    }),
    ("write fsync rename fsync", |parent, directory| {
        naive(parent.to_owned(), directory.to_owned())
    }),
];

fn library(directory: &Path, options: PickupOptions) -> Submit {
    let pickup = PickupDirectory::open(directory, options).expect("a pickup directory");
    Box::new(move |name| {
        let mut transaction = pickup.begin();
        transaction
            .write(name, &[&FILE[..100], &FILE[100..]])
            .expect("a written file");
        transaction.commit().expect("a file handed over");
    })
}

/// What each thread would do without the library.
fn naive(parent: PathBuf, directory: PathBuf) -> Submit {
    Box::new(move |name| {
        let temporary = parent.join(name);
        let mut file = File::create(&temporary).expect("a new file");
        file.write_all(&FILE).expect("a written file");
        file.sync_all().expect("a synced file");
        fs::rename(&temporary, directory.join(name)).expect("a renamed file");
        File::open(&directory)
            .expect("the directory")
            .sync_all()
            .expect("a synced directory");
    })
}

/// The time that each file took.
fn round(parent: &Path, way: Way, threads: usize, length: Duration) -> Vec<Duration> {
    let directory = parent.join("pickup");
    // There is none in the first round; where it stays for another reason, making it tells.
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).expect("a new directory");
    // The round before must leave nothing to write; a system without this program is measured too.
    let _ = Command::new("sync")
        .arg("--file-system")
        .arg(parent)
        .status();
    let submit = way(parent, &directory);
    let end = AtomicBool::new(false);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..threads {
            let (end, all, submit) = (&end, &all, &submit);
            scope.spawn(move || {
                let mut times = Vec::new();
                while !end.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    submit(&format!("{thread}-{}.eml", times.len()));
                    times.push(begin.elapsed());
                }
                all.lock()
                    .expect("no thread has panicked")
                    .append(&mut times);
            });
        }
        thread::sleep(length);
        end.store(true, Ordering::Relaxed);
    });
    all.into_inner().expect("no thread has panicked")
}

#[derive(Default)]
struct Row {
    rates: Vec<f64>,
    times: Vec<Duration>,
}

impl Row {
    fn add(&mut self, times: &[Duration], length: Duration) {
        #[allow(clippy::cast_precision_loss, reason = "counts of files are small")]
        self.rates.push(times.len() as f64 / length.as_secs_f64());
        self.times.extend(times);
    }

    fn show(&mut self) -> String {
        self.rates.sort_unstable_by(f64::total_cmp);
        self.times.sort_unstable();
        let at = |part: usize| {
            self.times
                .get(self.times.len() * part / 100)
                .map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        format!(
            "{:>9.0} {:>9.2} {:>9.2}",
            self.rates[self.rates.len() / 2],
            at(50),
            at(99)
        )
    }
}
