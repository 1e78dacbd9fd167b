//! The files that `//go:embed` patterns match, and why some may not be embedded.
//!
//! What wouldn't be in the zip of the module can't be embedded: links, version control, other modules. Source:
//! `cmd/go/internal/load/pkg.go:resolveEmbed`.

use std::collections::BTreeMap;
use std::path::Path;

use modkeep_module::file_path;
use modkeep_module::glob::path_match;
use modkeep_module::path::check_file_path;

use super::scans::system_words;
use super::{Loader, PackageError, Places, Problem};
use crate::overlay::{Entry, EntryKind, Overlay};
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
            let files = files_of(self.source.scans().overlay(), dir, pattern, self.source.build.embeds_links)
                .map_err(|problem| {
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
    files_of(&Overlay::default(), dir, pattern, false)
}

fn files_of(seen: &Overlay, dir: &str, pattern: &str, takes_links: bool) -> Result<Vec<String>, String> {
    let (glob, takes_hidden) = match pattern.strip_prefix("all:") {
        Some(glob) => (glob, true),
        None => (pattern, false),
    };
    if path_match(glob, "").is_err() || !is_valid(glob) {
        return Err("invalid pattern syntax".to_owned());
    }
    let mut files = Vec::new();
    for name in matches(seen, dir, glob) {
        let path = format!("{dir}/{name}");
        let kind = seen.kind(&path).map_err(|error| format!("lstat {path}: {}", system_words(&error)))?;
        let is_folder = kind == EntryKind::Folder;
        let what = if is_folder { "directory" } else { "file" };
        check_way(seen, dir, &name, what)?;
        let is_link = takes_links && kind == EntryKind::Link;
        if kind == EntryKind::File || is_link && Path::new(&path).is_file() {
            files.push(name);
        } else if is_folder {
            let before = files.len();
            add_folder(seen, dir, &name, takes_hidden, &mut files)?;
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
fn matches(seen: &Overlay, dir: &str, glob: &str) -> Vec<String> {
    let has_meta = |text: &str| text.contains(['*', '?', '[', '\\']);
    if !has_meta(glob) {
        let exists = seen.kind(&format!("{dir}/{glob}")).is_ok();
        return if exists { vec![glob.to_owned()] } else { Vec::new() };
    }
    let (folders, last) = match glob.rsplit_once('/') {
        Some((folder, last)) => (matches(seen, dir, folder), last),
        None => (vec![String::new()], glob),
    };
    let mut found = Vec::new();
    for folder in folders {
        let entries = seen.entries(&file_path::join(dir, &folder)).unwrap_or_default();
        let names = entries.into_iter().map(|entry| entry.name);
        let names = names.filter(|name| path_match(last, name) == Ok(true));
        found.extend(names.map(|name| join(&folder, &name)));
    }
    found
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether no element on the way to the file forbids it.
fn check_way(seen: &Overlay, dir: &str, name: &str, what: &str) -> Result<(), String> {
    let mut way = name;
    loop {
        let path = format!("{dir}/{way}");
        if seen.check(&format!("{path}/go.mod")).is_ok() {
            return Err(format!("cannot embed {what} {name}: in different module"));
        }
        if way != name && seen.kind(&path).is_ok_and(|kind| kind != EntryKind::Folder) {
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
fn add_folder(
    seen: &Overlay,
    dir: &str,
    folder: &str,
    takes_hidden: bool,
    files: &mut Vec<String>,
) -> Result<(), String> {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let path = format!("{dir}/{folder}");
        let entries =
            seen.entries(&path).map_err(|error| format!("open {path}: {}", system_words(&error)))?;
        for Entry { name, kind } in entries {
            let below = join(&folder, &name);
            let is_hidden = name.starts_with(['.', '_']);
            let is_bad = is_bad_name(&name);
            if is_bad || is_hidden && !takes_hidden {
                if is_bad && !is_hidden && kind != EntryKind::Folder {
                    return Err(format!("cannot embed file {below}: invalid name {name}"));
                }
            } else if kind == EntryKind::Folder {
                if seen.check(&format!("{path}/{name}/go.mod")).is_err() {
                    pending.push(below);
                }
            } else if kind == EntryKind::File {
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
