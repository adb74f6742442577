//! The examples run.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// An example, which cargo builds with this test.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let program = folder.join("examples").join(name);
    assert!(
        program
            .with_extension(std::env::consts::EXE_EXTENSION)
            .exists(),
        "cargo builds the examples where it is not told which targets to build"
    );
    Command::new(program)
}

/// Runs an example in an empty pickup directory. Gives what it says and wrote.
fn run(name: &str, arguments: &[&OsStr], input: &Path) -> (String, Vec<String>) {
    let pickup = tempfile::tempdir().unwrap();
    let mut example = example(name);
    example.arg(pickup.path()).args(arguments);
    let done = example.stdin(fs::File::open(input).unwrap()).output();
    let done = done.unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    (said, files(pickup.path()))
}

fn run_alone(name: &str) -> (String, Vec<String>) {
    let empty = tempfile::NamedTempFile::new().unwrap();
    run(name, &[], empty.path())
}
fn files(pickup: &Path) -> Vec<String> {
    let entries = fs::read_dir(pickup).unwrap();
    let texts = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap());
    texts
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

#[test]
fn newsletter() {
    let (said, files) = run_alone("newsletter");
    assert_eq!(said, format!("2 recipients in {} files\n", files.len()));
    let text = files.concat();
    assert!(text.contains("RCPT TO:<ann@example.org>"), "{text}");
    assert!(text.contains("Bergen"), "{text}");
    assert!(text.contains("List-Unsubscribe"), "{text}");
}

#[test]
fn invoice() {
    let (_, files) = run_alone("invoice");
    let [file] = &files[..] else {
        panic!("{files:?}")
    };
    for part in [
        "multipart/mixed",
        "multipart/related",
        "Content-ID: <logo",
        "invoice.pdf",
    ] {
        assert!(file.contains(part), "{part} is missing in {file}");
    }
}

#[cfg(feature = "csv")]
#[test]
fn csv_merge() {
    let table = tempfile::NamedTempFile::new().unwrap();
    let rows = "email,name,city\nann@example.org,Ann Lee,Oslo\nnobody,Cy,\nbo@example.org,Bo,\n";
    fs::write(&table, rows).unwrap();
    let (from_file, files) = run("csv_merge", &[table.path().as_os_str()], table.path());
    assert_eq!(
        from_file,
        "/recipients/1/email invalid_address\n2 recipients in 1 files\n"
    );
    let text = files.concat();
    for part in [
        "RCPT TO:<ann@example.org>",
        "RCPT TO:<bo@example.org>",
        "Oslo",
        "your town",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let (from_input, _) = run("csv_merge", &[], table.path());
    assert_eq!(from_input, from_file);
}

/// Who runs it again because it failed would send the mail twice.
#[cfg(feature = "csv")]
#[test]
fn csv_merge_succeeds_where_nobody_reads_what_it_says() {
    use std::io::Write;
    use std::process::Stdio;

    let pickup = tempfile::tempdir().unwrap();
    let mut example = example("csv_merge");
    let piped = example.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = piped.arg(pickup.path()).spawn().unwrap();
    drop(process.stdout.take().unwrap());
    let mut input = process.stdin.take().unwrap();
    input
        .write_all(b"email,name,city\nann@example.org,Ann,Oslo\n")
        .unwrap();
    drop(input);
    assert!(process.wait().unwrap().success());
    assert_eq!(files(pickup.path()).len(), 1);
}

#[cfg(feature = "outbox")]
#[test]
fn pickup_watcher() {
    use running::{PATIENCE, Running};
    use std::thread;
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (pickup, bad) = (place("pickup"), place("bad"));
    let mut watcher = example("pickup_watcher");
    let watcher = Running::start(watcher.args([&pickup, &bad]));
    let submitted = example("newsletter").arg(&pickup).output().unwrap();
    assert!(submitted.status.success());
    let half = folder.path().join("half.eml");
    fs::write(&half, "x-sender: a@example.com\n").unwrap();
    fs::rename(&half, pickup.join("half.eml")).unwrap();
    assert_eq!(
        [watcher.says(), watcher.says()],
        [
            "ann@example.org \"Ann Lee, your spring offers\"",
            "bo@example.org \"Bø Ås, your spring offers\""
        ]
    );
    let error = watcher.complains();
    assert!(error.contains("half.eml: line "), "{error}");
    let deadline = Instant::now() + PATIENCE;
    while !files(&pickup).is_empty() || files(&bad).is_empty() {
        assert!(Instant::now() < deadline, "{:?}", files(&pickup));
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(files(&bad), ["x-sender: a@example.com\n"]);
    // Another of that name is kept beside it.
    fs::write(&half, "x-sender: b@example.com\n").unwrap();
    fs::rename(&half, pickup.join("half.eml")).unwrap();
    watcher.complains();
    let mut kept = files(&bad);
    kept.sort();
    assert_eq!(
        kept,
        ["x-sender: a@example.com\n", "x-sender: b@example.com\n"]
    );
    // One that cannot be put there is named once, and stays; the others are taken.
    fs::remove_dir_all(&bad).unwrap();
    fs::write(&half, "x-sender: c@example.com\n").unwrap();
    fs::rename(&half, pickup.join("half.eml")).unwrap();
    let error = watcher.complains();
    let path = pickup.join("half.eml");
    assert!(
        error.starts_with(&format!("{}: ", path.display())),
        "{error}"
    );
    for name in ["one", "two"] {
        let mail = folder.path().join(name);
        let text = format!(
            "x-sender: a@b.c\r\nx-receiver: d@e.f\r\nx-receiver: g@e.f\r\nSubject: {name}\r\n\r\n"
        );
        fs::write(&mail, text).unwrap();
        fs::rename(&mail, pickup.join(name)).unwrap();
        assert_eq!(watcher.says(), format!("d@e.f,g@e.f \"{name}\""));
    }
    assert!(path.exists());
    assert!(watcher.has_complained_of_all());
    let without = example("pickup_watcher")
        .args([&pickup, &bad])
        .output()
        .unwrap();
    assert!(!without.status.success());
}

#[cfg(feature = "tokio")]
#[test]
fn axum_handler() {
    use std::io::{Read, Write};

    let pickup = tempfile::tempdir().unwrap();
    let handler = running::Running::start(example("axum_handler").arg(pickup.path()));
    let address = handler.says();
    let address = address.strip_prefix("http://").unwrap();
    let post = |body: &str| {
        let mut client = connect(address);
        let length = body.len();
        write!(
            client,
            "POST /invitations HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    };
    let submitted = post(r#"{"email": "ann@example.org", "name": "Ann"}"#);
    assert!(submitted.starts_with("HTTP/1.1 200 "), "{submitted}");
    let file = files(pickup.path()).concat();
    assert!(file.contains("To: Ann <ann@example.org>") && file.contains("Hello Ann,"));
    let id = file.split_once("Message-ID: <").unwrap().1;
    assert!(
        submitted.contains(id.split_once('@').unwrap().0),
        "{submitted}"
    );
    for (body, status, part) in [
        ("{", "400 ", "The body is no invitation"),
        (r#"{"email": "ann", "name": "Ann"}"#, "422 ", "\"/email\""),
        (
            r#"{"email": "ann@example.org", "name": "a\r\nb"}"#,
            "422 ",
            "\"/name\"",
        ),
    ] {
        let answer = post(body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(
            answer.contains("content-type: application/problem+json\r\n") && answer.contains(part),
            "{answer}"
        );
    }
    assert_eq!(files(pickup.path()).len(), 1);
    fs::remove_dir_all(pickup.path()).unwrap();
    let failed = post(r#"{"email": "ann@example.org", "name": "Ann"}"#);
    assert!(failed.starts_with("HTTP/1.1 503 "), "{failed}");
    let complaint = handler.complains();
    assert!(
        complaint.contains("create the directory") && !complaint.contains("ann@"),
        "{complaint}"
    );
    fs::create_dir(pickup.path()).unwrap();
}

#[cfg(all(feature = "tokio", unix))]
#[test]
fn axum_handler_answers_what_it_has_before_it_ends() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::time::Instant;

    let pickup = tempfile::tempdir().unwrap();
    let mut handler = running::Running::start(example("axum_handler").arg(pickup.path()));
    let address = handler.says();
    let address = address.strip_prefix("http://").unwrap();
    let body = r#"{"email": "ann@example.org", "name": "Ann"}"#;
    let mut client = connect(address);
    write!(
        client,
        "POST /invitations HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    let mut answer = BufReader::new(client.try_clone().unwrap());
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100 "), "{line}");
    let mut kill = Command::new("kill");
    assert!(
        kill.args(["-TERM", &handler.pid()])
            .status()
            .unwrap()
            .success()
    );
    // It has been told once it takes no more.
    let deadline = Instant::now() + running::PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    client.write_all(body.as_bytes()).unwrap();
    let mut text = String::new();
    answer.read_to_string(&mut text).unwrap();
    assert!(text.contains("HTTP/1.1 200 "), "{text}");
    assert!(handler.ends().success());
    assert_eq!(files(pickup.path()).len(), 1);
}

/// Neither waits forever.
#[cfg(feature = "tokio")]
fn connect(address: &str) -> std::net::TcpStream {
    let client = std::net::TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(running::PATIENCE)).unwrap();
    client.set_write_timeout(Some(running::PATIENCE)).unwrap();
    client
}

#[cfg(any(feature = "outbox", feature = "tokio"))]
mod running {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Command, ExitStatus, Stdio};
    use std::sync::mpsc::{self, Receiver};
    use std::thread;
    use std::time::{Duration, Instant};

    pub const PATIENCE: Duration = Duration::from_mins(1);

    /// An example that runs until it is stopped.
    pub struct Running {
        process: Child,
        said: Receiver<String>,
        complaints: Receiver<String>,
    }

    impl Running {
        pub fn start(example: &mut Command) -> Self {
            let piped = example.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut process = piped.spawn().unwrap();
            let said = lines(process.stdout.take().unwrap());
            let complaints = lines(process.stderr.take().unwrap());
            Self {
                process,
                said,
                complaints,
            }
        }

        pub fn says(&self) -> String {
            self.said.recv_timeout(PATIENCE).unwrap()
        }

        pub fn complains(&self) -> String {
            self.complaints.recv_timeout(PATIENCE).unwrap()
        }

        #[cfg(feature = "outbox")]
        pub fn has_complained_of_all(&self) -> bool {
            self.complaints.try_recv().is_err()
        }

        #[cfg(feature = "tokio")]
        pub fn pid(&self) -> String {
            self.process.id().to_string()
        }

        pub fn ends(&mut self) -> ExitStatus {
            let deadline = Instant::now() + PATIENCE;
            loop {
                if let Some(status) = self.process.try_wait().unwrap() {
                    return status;
                }
                assert!(Instant::now() < deadline);
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }

    /// The lines of an output, as they come.
    fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        lines
    }
}
