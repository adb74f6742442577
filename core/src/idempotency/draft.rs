//! A new store is created under another name, and gets its own when it is complete.

use super::failed::Failed;
use super::file::{FILE, make_folder, rename_without_overwriting, sync_folder};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;

/// Follows the file's own name, and precedes a random number: processes in two containers may have the same number.
const DRAFT: &str = ".draft-";

/// Creates the file at `path` in `folder`, filled by `fill`, unless another process is faster.
pub(super) fn make(
    folder: &Path,
    path: &Path,
    durable: bool,
    fill: impl FnOnce(File) -> Result<(), Failed>,
) -> io::Result<()> {
    make_folder(folder)?;
    let draft = folder.join(format!(
        "{FILE}{DRAFT}{:016x}",
        RandomState::new().hash_one(0)
    ));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = fill(options.open(&draft)?).map_err(Failed::into_io);
    // Never in the place of one that another process has made meanwhile.
    let named = made.and_then(|()| rename_without_overwriting(&draft, path));
    let removed = fs::remove_file(&draft);
    match named {
        // Who was faster has opened its own, and may have cleared this draft away.
        Err(error) if is_there_already(&error) && path.try_exists()? => {}
        named => named?,
    }
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        removed => removed?,
    }
    if durable {
        sync_folder(folder)?;
        if let Some(parent) = folder.parent() {
            match sync_folder(parent) {
                // Who may not read it has not made the folder in it.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
        }
    }
    Ok(())
}

fn is_there_already(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound
    )
}

/// Removes the drafts of processes that died while they created the file. Only the process that has the store open may
/// do so.
///
/// A draft is in nobody's way, so failing to remove it is not an error.
pub(super) fn clear(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(FILE)?.strip_prefix(DRAFT));
        if number.is_some() {
            let _ = fs::remove_file(entry.path());
        }
    }
}
