//! The plain way to hand many files over durably, as a measure for the library: write a group of files, sync the file
//! system once, rename them all, sync the directory. One thread, no rendering, no HTTP.
//!
//! ```sh
//! cargo run --release --example bare_loop -- DIR [FILES] [GROUP] [BYTES]
//! ```
//!
//! Prints files a second. `cli/bench/hand_over.py` runs it beside the daemon.

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: usize| {
        arguments
            .get(index)
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let directory = std::path::PathBuf::from(arguments.first().expect("a directory"));
    let (files, group) = (number(1, 10_000), number(2, 1_000));
    let content = vec![b'x'; number(3, 330)];
    let rate = linux::measure(&directory, files, group, &content)?;
    println!("{rate:.0}");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("syncfs is Linux's");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::path::Path;
    use std::time::Instant;

    /// Files a second.
    pub fn measure(
        directory: &Path,
        files: usize,
        group: usize,
        content: &[u8],
    ) -> io::Result<f64> {
        let staging = directory.join("staging");
        let pickup = directory.join("pickup");
        fs::create_dir_all(&staging)?;
        fs::create_dir_all(&pickup)?;
        let open = File::open(&pickup)?;
        let names: Vec<_> = (0..files).map(|number| format!("{number}.eml")).collect();
        let started = Instant::now();
        for group in names.chunks(group) {
            for name in group {
                File::create(staging.join(name))?.write_all(content)?;
            }
            rustix::fs::syncfs(&open)?;
            for name in group {
                fs::rename(staging.join(name), pickup.join(name))?;
            }
            open.sync_all()?;
        }
        let seconds = started.elapsed().as_secs_f64();
        fs::remove_dir_all(&staging)?;
        fs::remove_dir_all(&pickup)?;
        #[expect(clippy::cast_precision_loss, reason = "there are not so many files")]
        Ok(files as f64 / seconds)
    }
}
