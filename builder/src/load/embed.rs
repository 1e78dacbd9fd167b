//! The files that `//go:embed` patterns match, and why some may not be embedded.
//!
//! What wouldn't be in the zip of the module can't be embedded: links, version control, other modules. Source:
//! `cmd/go/internal/load/pkg.go:resolveEmbed`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use modkeep_module::glob::path_match;
use modkeep_module::path::check_file_path;

use super::scans::system_words;
use super::{Loader, PackageError, Places, Problem};
use crate::package::PackageId;

/// The files of each pattern.
pub(super) type Embedded = BTreeMap<String, Vec<String>>;

impl Loader<'_> {
    pub(super) fn resolve_embeds(&mut self, id: PackageId) {
        let package = &self.graph[id];
        if package.embed_patterns.is_empty() {
            return;
        }
        let places = &package.sources.embeds;
        match self.embeds(&package.dir, &package.embed_patterns, places) {
            Ok(embedded) => {
                let package = &mut self.graph[id];
                package.embed_files = all_files(&embedded);
                package.embed = embedded;
            }
            Err(error) => {
                self.graph[id].incomplete = true;
                self.set_error(id, error);
            }
        }
    }

    /// The files of each pattern of a package in `dir`.
    pub(super) fn embeds(
        &self,
        dir: &str,
        patterns: &[String],
        places: &Places,
    ) -> Result<Embedded, PackageError> {
        let mut embedded = Embedded::new();
        for pattern in patterns {
            let files = files_of(dir, pattern, self.source.build.embeds_links).map_err(|problem| {
                let error = self.error(Problem::Embed { pattern: pattern.clone(), problem });
                self.with_position(error, dir, places.get(pattern).map_or(&[][..], Vec::as_slice))
            })?;
            embedded.insert(pattern.clone(), files);
        }
        Ok(embedded)
    }
}

/// All of the files, sorted.
pub(super) fn all_files(embedded: &Embedded) -> Vec<String> {
    let mut files: Vec<String> = embedded.values().flatten().cloned().collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// The files in `dir` that a pattern matches, sorted.
///
/// # Errors
/// In go's words, for a malformed pattern, one that matches nothing, and for files that may not be embedded.
pub fn embedded_files(dir: &str, pattern: &str) -> Result<Vec<String>, String> {
    files_of(dir, pattern, false)
}

fn files_of(dir: &str, pattern: &str, takes_links: bool) -> Result<Vec<String>, String> {
    let (glob, takes_hidden) = match pattern.strip_prefix("all:") {
        Some(glob) => (glob, true),
        None => (pattern, false),
    };
    if path_match(glob, "").is_err() || !is_valid(glob) {
        return Err("invalid pattern syntax".to_owned());
    }
    let mut files = Vec::new();
    for name in matches(dir, glob) {
        let path = format!("{dir}/{name}");
        let metadata =
            fs::symlink_metadata(&path).map_err(|error| format!("lstat {path}: {}", system_words(&error)))?;
        let what = if metadata.is_dir() { "directory" } else { "file" };
        check_way(dir, &name, what)?;
        let is_link = takes_links && metadata.is_symlink();
        if metadata.is_file() || is_link && Path::new(&path).is_file() {
            files.push(name);
        } else if metadata.is_dir() {
            let before = files.len();
            add_folder(dir, &name, takes_hidden, &mut files)?;
            if files.len() == before {
                return Err(format!("cannot embed directory {name}: contains no embeddable files"));
            }
        } else {
            return Err(format!("cannot embed irregular file {name}"));
        }
    }
    if files.is_empty() {
        return Err("no matching files found".to_owned());
    }
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// `fs.ValidPath`, and not the folder itself.
fn is_valid(glob: &str) -> bool {
    glob != "." && glob.split('/').all(|element| !matches!(element, "" | "." | ".."))
}

/// The names that a pattern matches, from the folder on (`filepath.Glob`).
fn matches(dir: &str, glob: &str) -> Vec<String> {
    let has_meta = |text: &str| text.contains(['*', '?', '[', '\\']);
    if !has_meta(glob) {
        let exists = fs::symlink_metadata(format!("{dir}/{glob}")).is_ok();
        return if exists { vec![glob.to_owned()] } else { Vec::new() };
    }
    let (folders, last) = match glob.rsplit_once('/') {
        Some((folder, last)) => (matches(dir, folder), last),
        None => (vec![String::new()], glob),
    };
    let mut found = Vec::new();
    for folder in folders {
        let mut names = names_in(&format!("{dir}/{folder}"));
        names.retain(|name| path_match(last, name) == Ok(true));
        names.sort_unstable();
        found.extend(names.into_iter().map(|name| join(&folder, &name)));
    }
    found
}

fn names_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether no element on the way to the file forbids it.
fn check_way(dir: &str, name: &str, what: &str) -> Result<(), String> {
    let mut way = name;
    loop {
        let path = format!("{dir}/{way}");
        if Path::new(&path).join("go.mod").exists() {
            return Err(format!("cannot embed {what} {name}: in different module"));
        }
        if way != name && fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(format!("cannot embed {what} {name}: in non-directory {way}"));
        }
        let (above, element) = match way.rsplit_once('/') {
            Some((above, element)) => (Some(above), element),
            None => (None, way),
        };
        if is_bad_name(element) {
            let place = if way == name { "invalid name" } else { "in invalid directory" };
            return Err(format!("cannot embed {what} {name}: {place} {element}"));
        }
        match above {
            Some(above) => way = above,
            None => return Ok(()),
        }
    }
}

/// Adds the files below a folder, less those of other modules and, unless asked for, hidden ones.
fn add_folder(dir: &str, folder: &str, takes_hidden: bool, files: &mut Vec<String>) -> Result<(), String> {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let path = format!("{dir}/{folder}");
        let entries =
            fs::read_dir(&path).map_err(|error| format!("open {path}: {}", system_words(&error)))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("readdirent {path}: {}", system_words(&error)))?;
            let kind =
                entry.file_type().map_err(|error| format!("lstat {path}: {}", system_words(&error)))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = join(&folder, &name);
            let is_hidden = name.starts_with(['.', '_']);
            let is_bad = is_bad_name(&name);
            if is_bad || is_hidden && !takes_hidden {
                if is_bad && !is_hidden && !kind.is_dir() {
                    return Err(format!("cannot embed file {below}: invalid name {name}"));
                }
            } else if kind.is_dir() {
                if !Path::new(&path).join(&name).join("go.mod").exists() {
                    pending.push(below);
                }
            } else if kind.is_file() {
                files.push(below);
            }
        }
    }
    Ok(())
}

/// Names that are never part of a module (`isBadEmbedName`).
fn is_bad_name(name: &str) -> bool {
    check_file_path(name).is_err() || matches!(name, "" | ".bzr" | ".hg" | ".git" | ".svn")
}
