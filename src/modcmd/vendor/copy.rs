//! Copying packages into a vendor directory: their files, the files that they embed, and those about rights.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use modkeep_builder::load::embedded_files;
use modkeep_builder::scan::{Condition, go_file};

use crate::goenv::words;
use crate::session::holds_somewhere;

/// Files whose names begin so are about rights, and are copied from the folders above a package too.
const METADATA: &[&str] =
    &["AUTHORS", "CONTRIBUTORS", "COPYLEFT", "COPYING", "COPYRIGHT", "LEGAL", "LICENSE", "NOTICE", "PATENTS"];

/// A file that can't be copied, in go's words.
#[derive(Debug, thiserror::Error)]
#[error("{action} {}: {}", path.display(), words(cause))]
pub(super) struct CopyError {
    action: &'static str,
    path: PathBuf,
    cause: io::Error,
}

/// Copies packages, each file once.
pub(super) struct Copier {
    strips_go_mod: bool,
    copies_test_embeds: bool,
    /// Folders whose metadata is copied: module and target.
    done: HashSet<(String, PathBuf)>,
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |cause| CopyError { action, path, cause }
}

impl Copier {
    pub(super) fn new(strips_go_mod: bool, copies_test_embeds: bool) -> Self {
        Self { strips_go_mod, copies_test_embeds, done: HashSet::new() }
    }

    /// Copies a package; what is wrong with embedded files comes back.
    pub(super) fn package(
        &mut self,
        source: &Path,
        target: &Path,
        path: &str,
        module: &str,
    ) -> Result<Vec<String>, CopyError> {
        let mut copied = BTreeSet::new();
        let strips = self.strips_go_mod;
        copy_files(source, target, |name| is_wanted(source, name, strips), &mut copied)?;
        self.metadata(source, target, path, module, &mut copied)?;
        self.embeds(source, target, path, &copied)
    }

    fn metadata(
        &mut self,
        source: &Path,
        target: &Path,
        path: &str,
        module: &str,
        copied: &mut BTreeSet<PathBuf>,
    ) -> Result<(), CopyError> {
        let (mut source, mut target, mut path) = (source.to_owned(), target.to_owned(), path);
        let mut is_first = true;
        while self.done.insert((module.to_owned(), target.clone())) {
            if !is_first {
                let is_metadata = |name: &str| METADATA.iter().any(|begin| name.starts_with(begin));
                copy_files(&source, &target, is_metadata, copied)?;
            }
            is_first = false;
            let Some((above, _)) = path.rsplit_once('/').filter(|_| path != module) else { break };
            path = above;
            source.pop();
            target.pop();
        }
        Ok(())
    }

    fn embeds(
        &self,
        source: &Path,
        target: &Path,
        path: &str,
        copied: &BTreeSet<PathBuf>,
    ) -> Result<Vec<String>, CopyError> {
        let mut patterns = BTreeSet::new();
        for name in names(source)?.iter().filter(|name| name.ends_with(".go")) {
            let is_hidden = name.starts_with(['_', '.']);
            let is_test = name.ends_with("_test.go");
            if is_hidden || (is_test && !self.copies_test_embeds) {
                continue;
            }
            let file = source.join(name);
            let text = fs::read(&file).map_err(io("open", &file))?;
            if let Ok(read) = go_file(&text) {
                patterns.extend(read.embeds.into_iter().map(|embed| embed.pattern));
            }
        }
        let mut files = BTreeSet::new();
        for pattern in &patterns {
            match embedded_files(&source.display().to_string(), pattern) {
                Ok(found) => files.extend(found),
                Err(problem) => {
                    let text = format!("resolving embeds in {path}: pattern {pattern}: {problem}\n");
                    return Ok(vec![text.trim_end().to_owned()]);
                }
            }
        }
        let mut problems = Vec::new();
        for file in files {
            let to = target.join(&file);
            if !copied.contains(&to)
                && let Err(error) = copy_file(&source.join(&file), &to)
            {
                problems.push(error.to_string());
            }
        }
        Ok(problems)
    }
}

/// The regular files of a folder, links left out.
fn names(folder: &Path) -> Result<Vec<String>, CopyError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(io("open", folder))? {
        let entry = entry.map_err(io("readdir", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn copy_files(
    source: &Path,
    target: &Path,
    is_wanted: impl Fn(&str) -> bool,
    copied: &mut BTreeSet<PathBuf>,
) -> Result<(), CopyError> {
    let names = names(source)?;
    fs::create_dir_all(target).map_err(io("mkdir", target))?;
    for name in names.iter().filter(|name| is_wanted(name)) {
        let to = target.join(name);
        copy_file(&source.join(name), &to)?;
        copied.insert(to);
    }
    Ok(())
}

/// The content alone: files of the module cache can't be written, copies can.
fn copy_file(from: &Path, to: &Path) -> Result<(), CopyError> {
    let data = fs::read(from).map_err(io("open", from))?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(io("mkdir", folder))?;
    }
    super::write(to, &data).map_err(io("open", to))
}

/// Whether a build could need a file.
fn is_wanted(folder: &Path, name: &str, strips_go_mod: bool) -> bool {
    if name.ends_with("_test.go") || (strips_go_mod && matches!(name, "go.mod" | "go.sum")) {
        return false;
    }
    if !name.ends_with(".go") {
        return true;
    }
    let Ok(text) = fs::read(folder.join(name)) else { return true };
    match go_file(&text).map(|read| read.condition) {
        Ok(Ok(Condition::Always)) | Err(_) => true,
        Ok(Ok(Condition::All(expressions))) => expressions.iter().all(holds_somewhere),
        Ok(Err(_)) => false,
    }
}
