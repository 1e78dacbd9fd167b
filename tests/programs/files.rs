//! What a program leaves: the texts beside the main module, the vendor folder, the module cache.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use modkeep_module::dirhash::hash_mod;

/// The files of the main module that the verbs change.
const TEXTS: [&str; 4] = ["go.mod", "go.sum", "go.work", "go.work.sum"];

/// Their contents, those of a workspace's modules too.
pub(crate) fn texts(work: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let folders = fs::read_dir(work).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for folder in std::iter::once(work.to_owned()).chain(folders) {
        for name in TEXTS {
            let file = folder.join(name);
            if let Ok(text) = fs::read_to_string(&file) {
                found.insert(file.strip_prefix(work).unwrap().display().to_string(), text);
            }
        }
    }
    found
}

/// Puts them back.
#[allow(clippy::disallowed_methods, reason = "files of the test")]
pub(crate) fn restore(work: &Path, kept: &BTreeMap<String, String>) {
    for name in texts(work).keys().filter(|name| !kept.contains_key(*name)) {
        fs::remove_file(work.join(name)).unwrap();
    }
    for (name, text) in kept {
        if fs::read_to_string(work.join(name)).ok().as_ref() != Some(text) {
            fs::write(work.join(name), text).unwrap();
        }
    }
}

/// All files under a folder with permissions and content.
fn walk(folder: &Path, seen: &mut dyn FnMut(&Path, &fs::Metadata) -> bool) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let about = fs::symlink_metadata(&path).unwrap();
        if seen(&path, &about) && about.is_dir() {
            walk(&path, seen);
        }
    }
}

fn mode(about: &fs::Metadata) -> u32 {
    about.permissions().mode() & 0o7777
}

/// A vendor folder: its list of modules, and each folder with a hash of names, permissions and contents.
pub(crate) fn tree(vendor: &Path) -> String {
    let Ok(list) = fs::read_to_string(vendor.join("modules.txt")) else { return "no vendor\n".to_owned() };
    let mut folders: BTreeMap<String, (u32, String)> = BTreeMap::new();
    walk(vendor, &mut |path, about| {
        let name = path.strip_prefix(vendor).unwrap().display().to_string();
        if about.is_dir() {
            folders.entry(name).or_default().0 = mode(about);
            return true;
        }
        let folder = path.parent().and_then(|folder| folder.strip_prefix(vendor).ok()).unwrap();
        let folder = folders.entry(folder.display().to_string()).or_default();
        folder.1.push_str(&format!("{name} {:o} {}\n", mode(about), hash_mod(&fs::read(path).unwrap())));
        true
    });
    let line = |(name, (mode, files)): (&String, &(u32, String))| {
        format!("vendor/{name} {mode:o} {} files {}\n", files.lines().count(), hash_mod(files.as_bytes()))
    };
    format!("--- vendor/modules.txt\n{list}{}", folders.iter().map(line).collect::<String>())
}

/// A module cache: one line for each file of `cache/`, one for each module that lies open.
#[derive(Debug, Default)]
pub(crate) struct Listing(BTreeMap<String, String>);

impl Listing {
    pub(crate) fn of(cache: &Path) -> Self {
        let mut lines = BTreeMap::new();
        walk(cache, &mut |path, about| {
            let name = path.strip_prefix(cache).unwrap().display().to_string();
            let is_module = about.is_dir() && !name.starts_with("cache") && name.contains('@');
            if is_module {
                lines.insert(name, opened(path, about));
            } else if about.is_file() && is_comparable(&name) {
                let content = match name.ends_with(".zip") {
                    true => format!("{} bytes", about.len()),
                    false => hash_mod(&fs::read(path).unwrap()).to_string(),
                };
                lines.insert(name, format!("{:o} {content}", mode(about)));
            }
            !is_module
        });
        Self(lines)
    }

    /// What has changed.
    pub(crate) fn since(&self, before: &Self) -> String {
        let gone = before.0.keys().filter(|name| !self.0.contains_key(*name));
        let gone = gone.map(|name| format!("cache: {name} is gone\n"));
        let changed = self.0.iter().filter(|(name, line)| before.0.get(*name) != Some(line));
        let changed = changed.map(|(name, line)| format!("cache: {name} {line}\n"));
        gone.chain(changed).collect()
    }
}

/// Which tiles of the checksum database are kept depends on the order of questions.
fn is_comparable(name: &str) -> bool {
    !name.starts_with("cache/download/sumdb/") || name.contains("/lookup/")
}

/// How many files a module has, and a hash of their names, permissions and sizes; `mod verify` reads them.
fn opened(folder: &Path, about: &fs::Metadata) -> String {
    let mut files = String::new();
    walk(folder, &mut |path, about| {
        let name = path.strip_prefix(folder).unwrap().display();
        let size = if about.is_dir() { 0 } else { about.len() };
        files.push_str(&format!("{name} {:o} {size}\n", mode(about)));
        true
    });
    format!("{:o} {} entries {}", mode(about), files.lines().count(), hash_mod(files.as_bytes()))
}
