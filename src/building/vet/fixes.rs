//! Fixed files, put in the place of those that they mend once everything is vetted.
//!
//! Source of the rules: `cmd/go/internal/vet/vet.go` (`run`, `readZip`).

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use modkeep_module::zip::Archive;

use crate::goenv::words;
use crate::report::Failure;

/// Contents of files by their paths.
#[derive(Debug, Default)]
pub(super) struct Fixes(BTreeMap<String, Vec<u8>>);

impl Fixes {
    /// Takes what the tool left in a zip; a package and its tests may mend one file in one way only.
    pub(super) fn add(&mut self, path: &str) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::exact(1, format!("reading archive of fixes: {path}: {error}"))
        };
        let file = File::open(path).map_err(|error| failed(&words(&error)))?;
        let length = file.metadata().map_err(|error| failed(&words(&error)))?.len();
        let archive = Archive::open(file, length).map_err(|error| failed(&error))?;
        for index in 0..archive.len() {
            let name = String::from_utf8_lossy(archive.entry(index).name()).into_owned();
            let content = archive.bytes(index).map_err(|error| failed(&error))?;
            if self.0.get(&name).is_some_and(|other| *other != content) {
                return Err(failed(&format!("inconsistent fixes to file {name}")));
            }
            self.0.insert(name, content);
        }
        Ok(())
    }

    /// Writes all of them, in place as go does.
    pub(super) fn apply(self) -> Result<(), Failure> {
        for (path, content) in self.0 {
            write(&path, &content).map_err(|error| {
                Failure::exact(1, format!("applying fix: open {path}: {}", words(&error)))
            })?;
        }
        Ok(())
    }
}

fn write(path: &str, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o644);
    options.open(path)?.write_all(content)
}
