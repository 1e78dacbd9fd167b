//! Trees of files that tests bring along or leave behind.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Bytes of a text that is shown whole.
const LONGEST_TEXT: usize = 16 << 10;

/// Copies a tree, with the usual permissions.
///
/// # Errors
/// When something can't be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(&to, fs::read(&from)?)?;
        }
    }
    Ok(())
}

/// The files and links below a folder, sorted; none where there is no folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    walk(folder).1
}

/// The folders below a folder, sorted.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    walk(folder).0
}

fn walk(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
                waiting.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    folders.sort();
    files.sort();
    (folders, files)
}

/// What is in each of them: a text itself, of anything else its length and a checksum.
///
/// # Panics
/// When one can't be read.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, String> {
    let read = |file: PathBuf| {
        if let Ok(target) = fs::read_link(&file) {
            return (file, format!("a link to {}", target.display()));
        }
        let content = fs::read(&file).expect("a file of the test can be read");
        let digest = |content: &[u8]| format!("{} bytes {:08x}", content.len(), crc32fast::hash(content));
        let shown = match String::from_utf8(content) {
            Ok(text) if text.len() <= LONGEST_TEXT => text,
            Ok(text) => digest(text.as_bytes()),
            Err(error) => digest(error.as_bytes()),
        };
        (file, shown)
    };
    files(folder).into_iter().map(read).collect()
}

/// Takes a tree away, if it is there, whose folders may be closed.
///
/// # Errors
/// When it stays.
pub fn remove(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    open(folder)?;
    fs::remove_dir_all(folder)
}

fn open(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open(&entry.path())?;
        }
    }
    Ok(())
}
