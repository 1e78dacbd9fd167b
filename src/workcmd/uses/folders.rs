//! The folders that a workspace has and shall have.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use modkeep_builder::overlay::EntryKind;
use modkeep_module::gowork::GoWork;

use super::file;
use crate::goenv::{GoEnv, paths, words};
use crate::report;

/// Absolute folders; what go.work has of them, and under which name each shall stay.
pub(super) struct Folders<'a> {
    go: &'a GoEnv,
    home: &'a str,
    had: BTreeMap<String, Vec<String>>,
    /// Nothing for a folder that goes.
    kept: BTreeMap<String, Option<String>>,
    /// Found along the way, without `go: `.
    errors: Vec<String>,
    /// Whether something was told that is no matter of the release.
    has_failed: bool,
}

impl<'a> Folders<'a> {
    /// Those of the file, which lies in `home`.
    pub(super) fn of(go: &'a GoEnv, home: &'a str, workspace: &GoWork) -> Self {
        let mut had: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in workspace.uses() {
            had.entry(file::root(home, &line.path)).or_default().push(line.path.clone());
        }
        Self { go, home, had, kept: BTreeMap::new(), errors: Vec::new(), has_failed: false }
    }

    /// Looks at a folder that was named, or at all in it.
    pub(super) fn look(&mut self, folder: &str, is_recursive: bool) {
        let (absolute, _) = self.names(folder);
        let short = self.go.short(&absolute);
        match self.go.seen().check(&absolute) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.errors.push(format!("directory {short} does not exist"));
            }
            Err(error) => self.errors.push(format!("stat {absolute}: {}", words(&error))),
            Ok(()) if !self.go.seen().is_folder(&absolute) => {
                self.errors.push(format!("{short} is not a directory"))
            }
            Ok(()) if !is_recursive => self.look_at(folder),
            Ok(()) => {
                self.walk(folder);
                // Folders that are gone aren't met on the walk.
                let inside = |other: &&String| {
                    other
                        .strip_prefix(absolute.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                for gone in self.had.keys().filter(inside) {
                    self.kept.entry(gone.clone()).or_insert(None);
                }
            }
        }
    }

    /// Takes the folder up if it holds a go.mod.
    fn look_at(&mut self, folder: &str) {
        let (absolute, name) = self.names(folder);
        let module = paths::join(&absolute, "go.mod");
        match self.go.seen().check(&module) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.kept.insert(absolute, None);
            }
            Err(error) => self.errors.push(format!("stat {module}: {}", words(&error))),
            Ok(()) if !self.go.seen().is_file(&module) => {
                self.errors.push(format!("{} is not a regular file", self.go.short(&module)));
            }
            Ok(()) => {
                if let Some(Some(other)) =
                    self.kept.get(&absolute).filter(|other| *other != &Some(name.clone()))
                {
                    report::tell(&format!("go: already added \"{name}\" as \"{other}\""));
                    self.has_failed = true;
                }
                self.kept.insert(absolute, Some(name));
            }
        }
    }

    /// All folders below, but for `vendor` and what lies behind links.
    fn walk(&mut self, folder: &str) {
        self.look_at(folder);
        let Ok(entries) = self.go.seen().entries(folder) else { return };
        for entry in entries {
            let path = paths::join(folder, &entry.name);
            if entry.kind == EntryKind::Link {
                if std::fs::metadata(&path).is_ok_and(|target| target.is_dir()) {
                    report::tell(&format!("warning: ignoring symlink {}", self.go.short(&path)));
                }
            } else if entry.kind == EntryKind::Folder && entry.name != "vendor" {
                self.walk(&path);
            }
        }
    }

    /// The absolute form of a folder, and the one that go.work shall have.
    fn names(&self, folder: &str) -> (String, String) {
        if folder.starts_with('/') {
            let clean = paths::clean(folder);
            return (clean.clone(), clean);
        }
        let absolute = self.go.absolute(folder);
        match paths::relative(self.home, &absolute) {
            Some(relative) => (absolute, file::directory(&relative)),
            None => (absolute.clone(), absolute),
        }
    }

    /// Whether one folder was named in two ways, which was told.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Brings the file in line with what was seen; gives the errors met on the way.
    pub(super) fn change(self, workspace: &mut GoWork) -> Vec<String> {
        for (absolute, kept) in &self.kept {
            let had = self.had.get(absolute).map(Vec::as_slice).unwrap_or_default();
            let mut count = 0;
            for name in had {
                if Some(name) == kept.as_ref() {
                    count += 1;
                } else {
                    workspace.drop_use(name);
                }
            }
            if let Some(name) = kept.as_ref().filter(|_| count != 1) {
                if count > 1 {
                    workspace.drop_use(name);
                }
                workspace.add_use(name, "");
            }
        }
        self.errors
    }
}
