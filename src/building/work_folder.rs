//! The folder for what is thrown away.

use std::fs;

use super::BuildFlags;
use crate::goenv::{GoEnv, words};
use crate::report::Failure;

/// The folder for what is thrown away.
pub(super) struct WorkFolder {
    pub(super) path: String,
    goes: bool,
}

impl WorkFolder {
    pub(super) fn make(go: &GoEnv, flags: &BuildFlags) -> Result<Self, Failure> {
        if flags.dry {
            return Ok(Self { path: "$WORK".to_owned(), goes: false });
        }
        let parent = go.get("GOTMPDIR").or_else(|| go.get("TMPDIR")).unwrap_or("/tmp").to_owned();
        let made = (0..1000u32).find_map(|attempt| {
            let number = u64::from(std::process::id()) * 1000 + u64::from(attempt);
            let path = format!("{}/go-build{number}", go.absolute(&parent).trim_end_matches('/'));
            match private_folder(&path) {
                Ok(()) => Some(Ok(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
                // Go looks whether it was the parent that is missing.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    Some(Err(Failure::go(format!("creating work dir: stat {parent}: {}", words(&error)))))
                }
                Err(error) => {
                    Some(Err(Failure::go(format!("creating work dir: mkdir {path}: {}", words(&error)))))
                }
            }
        });
        let path = made.unwrap_or_else(|| Err(Failure::go(format!("creating work dir in {parent}"))))?;
        Ok(Self { path, goes: !flags.keeps_work })
    }
}

/// Makes a folder that nobody else looks into or writes to, whatever the umask.
fn private_folder(path: &str) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if self.goes {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_looks_into_a_work_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("go-build1");
        private_folder(folder.to_str().unwrap()).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
