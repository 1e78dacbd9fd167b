//! Trees of files that tests bring along or leave behind.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
