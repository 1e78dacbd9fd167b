//! The go.mod and go.sum of a commit, laid where a verb can read them.

use std::process::Command;

use tempfile::TempDir;

use crate::goenv::{GoEnv, paths};
use crate::report::Failure;

/// The files of a commit; they are gone when this is dropped.
pub(super) struct Revision {
    folder: TempDir,
}

impl Revision {
    /// Takes the go.mod of the module in which the program runs, and its go.sum if it has one, from a commit.
    pub(super) fn take(go: &GoEnv, revision: &str) -> Result<Self, Failure> {
        let root = go.module_root().ok_or_else(|| {
            Failure::go(format!("{revision}: no such file or folder, and no module here that has commits"))
        })?;
        let show = |file: &str| {
            let mut git = Command::new("git");
            git.arg("-C").arg(&root).args(["show", "--end-of-options"]).arg(format!("{revision}:./{file}"));
            git.output().map_err(|error| Failure::go(format!("git show {revision}: {error}")))
        };
        let go_mod = show("go.mod")?;
        if !go_mod.status.success() {
            let told = String::from_utf8_lossy(&go_mod.stderr);
            let told = told.lines().next().unwrap_or("git says nothing");
            return Err(Failure::go(format!("{revision}: neither a file, a folder nor a commit: {told}")));
        }
        let go_sum = show("go.sum")?;
        let unwritable = |error| Failure::go(format!("{revision}: a folder for its go.mod: {error}"));
        let folder = tempfile::tempdir().map_err(unwritable)?;
        write(&folder, "go.mod", &go_mod.stdout).map_err(unwritable)?;
        if go_sum.status.success() {
            write(&folder, "go.sum", &go_sum.stdout).map_err(unwritable)?;
        }
        Ok(Self { folder })
    }

    /// Its go.mod.
    pub(super) fn go_mod(&self) -> String {
        paths::join(&self.folder.path().to_string_lossy(), "go.mod")
    }
}

#[allow(clippy::disallowed_methods, reason = "it need not outlive the verb")]
fn write(folder: &TempDir, name: &str, content: &[u8]) -> std::io::Result<()> {
    std::fs::write(folder.path().join(name), content)
}
