//! Lines for systemd's journal, which reads the severity of a line from its start.

use rustix::fs::fstat;
use std::env;
use std::io;
use std::sync::LazyLock;

/// The severity of a line (sd-daemon(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error = 3,
    Warning = 4,
    Info = 6,
    Debug = 7,
}

/// The start of a line on standard error: `<3>` if that is the journal, and otherwise nothing.
pub fn prefix(severity: Severity) -> &'static str {
    static IS_JOURNAL: LazyLock<bool> = LazyLock::new(|| {
        let name = env::var("JOURNAL_STREAM");
        name.is_ok_and(|name| is_named(&name, io::stderr()))
    });
    match severity {
        _ if !*IS_JOURNAL => "",
        Severity::Error => "<3>",
        Severity::Warning => "<4>",
        Severity::Info => "<6>",
        Severity::Debug => "<7>",
    }
}

/// Whether `DEVICE:INODE` names a stream. The variable is inherited by programs whose output goes elsewhere
/// (systemd.exec(5)).
fn is_named(name: &str, stream: impl std::os::fd::AsFd) -> bool {
    let Ok(stat) = fstat(stream) else {
        return false;
    };
    name.split_once(':').is_some_and(|(device, inode)| {
        device.parse() == Ok(stat.st_dev) && inode.parse() == Ok(stat.st_ino)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_stream_is_named_by_device_and_inode() {
        let file = tempfile::tempfile().unwrap();
        let metadata = file.metadata().unwrap();
        let (device, inode) = (metadata.dev(), metadata.ino());
        assert!(is_named(&format!("{device}:{inode}"), &file));
        for other in [
            format!("{device}:{}", inode + 1),
            format!("{inode}:{device}1"),
            String::new(),
            "1".to_owned(),
        ] {
            assert!(!is_named(&other, &file), "{other}");
        }
    }
}
