//! Files as a test program finds them: which of them count, what they show, and when they changed.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use modkeep_module::file_path;
use modkeep_module::quote::quote;

use crate::action_id::digest_of;

/// In bytes.
const LARGE: u64 = 1 << 20;

/// The folder whose files count, and where its path leads to (`search.InDir`).
pub(super) struct Root<'r> {
    path: &'r str,
    real: Option<String>,
}

impl<'r> Root<'r> {
    pub(super) fn of(path: &'r str) -> Self {
        Self { path, real: real(path).filter(|real| real != path) }
    }

    /// Whether a file is in it, whichever way leads there.
    pub(super) fn holds(&self, path: &str) -> bool {
        let is_in = |path: &str| {
            let mut roots = [Some(self.path), self.real.as_deref()].into_iter().flatten();
            roots.any(|root| is_below(path, root))
        };
        !self.path.is_empty() && (is_in(path) || real(path).is_some_and(|path| is_in(&path)))
    }
}

fn is_below(path: &str, root: &str) -> bool {
    let below = path.strip_prefix(root.trim_end_matches('/'));
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// The path without links; for a file that is not there with those of its folder.
fn real(path: &str) -> Option<String> {
    let text = |path: &Path| Some(fs::canonicalize(path).ok()?.to_str()?.to_owned());
    text(Path::new(path)).or_else(|| {
        let (folder, name) = path.rsplit_once('/')?;
        Some(file_path::join(&text(Path::new(folder))?, name))
    })
}

/// What a look at a file shows, and one at the link that its name may be; the content in the place of times, or what there is in
/// a folder.
pub(super) fn look(path: &str) -> String {
    let inner = match fs::metadata(path) {
        Ok(found) if found.is_dir() => listed(path, |entry| {
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_dir() => "folder",
                Ok(kind) if kind.is_symlink() => "link",
                Ok(kind) if kind.is_file() => "file",
                _ => "other",
            };
            format!("{} {kind}", quote(entry.file_name().as_encoded_bytes()))
        }),
        Ok(found) => content_of(Path::new(path), &found),
        Err(_) => None,
    };
    let link = link_of(Path::new(path));
    let inner = inner.unwrap_or_default();
    format!("{} {} {link} {inner}", shown(fs::metadata(path)), shown(fs::symlink_metadata(path)))
}

/// What opening a file gives.
pub(super) fn content(path: &str) -> String {
    let found = match fs::metadata(path) {
        Err(error) => return format!("error {}", error.kind()),
        Ok(found) => found,
    };
    if found.is_file() {
        return match digest_of(Path::new(path)) {
            Err(error) => format!("error {}", error.kind()),
            Ok(content) => format!("{:o} {content}", mode(&found)),
        };
    }
    match listed(path, entry_shown) {
        Some(entries) => format!("{}\n{entries}", shown(Ok(found))),
        None => look(path),
    }
}

/// A line for each entry of a folder; none for what can't be read.
fn listed(path: &str, line: impl Fn(&DirEntry) -> String) -> Option<String> {
    let mut lines: Vec<String> = fs::read_dir(path).ok()?.flatten().map(|entry| line(&entry)).collect();
    lines.sort();
    Some(lines.join("\n"))
}

fn link_of(path: &Path) -> String {
    fs::read_link(path).map(|target| quote(target.as_os_str().as_encoded_bytes())).unwrap_or_default()
}

fn entry_shown(entry: &DirEntry) -> String {
    let name = quote(entry.file_name().as_encoded_bytes());
    let link = link_of(&entry.path());
    let found = entry.metadata();
    let inner = found.as_ref().ok().and_then(|found| content_of(&entry.path(), found)).unwrap_or_default();
    format!("{name} {} {link} {inner}", shown(found))
}

/// What tells that a file is another which the program did not open itself: it may have others open it. Of a large one that is
/// its time, as in go: nobody waits for files to be read that are only listed.
fn content_of(path: &Path, found: &Metadata) -> Option<String> {
    if !found.is_file() {
        return None;
    }
    match found.len() > LARGE {
        true => Some(format!("{:?}", found.modified().ok()?)),
        false => Some(digest_of(path).ok()?.to_string()),
    }
}

/// Mode, kind and size; each file system has sizes of its own for folders.
fn shown(found: io::Result<Metadata>) -> String {
    match found {
        Err(error) => format!("error {}", error.kind()),
        Ok(found) if found.is_dir() => format!("folder {:o}", mode(&found)),
        Ok(found) => format!("{:o} {}", mode(&found), found.len()),
    }
}

/// When a file was last changed in any way; none for a folder and for what is not there.
pub(super) fn changed(path: &str) -> Option<SystemTime> {
    let found = fs::metadata(path).ok().filter(|found| !found.is_dir())?;
    state(&found).max(found.modified().ok())
}

#[cfg(unix)]
fn state(found: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;
    use std::time::{Duration, UNIX_EPOCH};
    let (seconds, more) = (found.ctime().try_into().ok()?, found.ctime_nsec().try_into().ok()?);
    UNIX_EPOCH.checked_add(Duration::new(seconds, more))
}

#[cfg(not(unix))]
fn state(_: &Metadata) -> Option<SystemTime> {
    None
}

/// With the kind of file, where it has one.
#[cfg(unix)]
fn mode(found: &Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(found)
}

#[cfg(not(unix))]
fn mode(found: &Metadata) -> u32 {
    u32::from(found.permissions().readonly())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "files of the test")]
    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_file_counts_whichever_way_leads_to_it() {
        let home = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(home.path()).unwrap();
        let module = home.join("module");
        fs::create_dir_all(&module).unwrap();
        write(&home.join("outside"), "");
        symlink(&module, home.join("link")).unwrap();
        symlink(home.join("outside"), module.join("out")).unwrap();
        let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
        for root in ["module", "link"].map(path) {
            let root = Root::of(&root);
            for (name, expected) in
                [("module/absent", true), ("link/absent", true), ("outside", false), ("module-2/x", false)]
            {
                assert_eq!(root.holds(&path(name)), expected, "{} and {name}", root.path);
            }
        }
        assert!(Root::of("/").holds("/x") && !Root::of("").holds("/x"));
    }

    #[test]
    fn what_shows_in_a_file_or_folder_is_told_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        fs::create_dir(path("folder")).unwrap();
        write(&path("folder/file"), "12");
        symlink("file", path("folder/link")).unwrap();
        let seen =
            || ["folder", "folder/file", "folder/link"].map(|name| (look(&text(name)), content(&text(name))));
        let first = seen();
        write(&path("folder/other"), "");
        let with_other = seen();
        assert_ne!(with_other[0].0, first[0].0, "another file is in it");
        fs::remove_file(path("folder/other")).unwrap();
        write(&path("folder/file"), "21");
        let other = seen();
        assert!(other.iter().zip(&first).all(|(other, first)| other.0 != first.0 || other.1 != first.1));
        write(&path("folder/file"), "12");
        assert_eq!(seen(), first);
        fs::remove_file(path("folder/link")).unwrap();
        write(&path("folder/link"), "12");
        let second = seen();
        assert_eq!(second[1], first[1]);
        assert_eq!(second[2].1, first[2].1, "it opens alike");
        assert_ne!(second[2].0, first[2].0, "a file is no link");
        assert_ne!(second[0].0, first[0].0, "nor in its folder");
        assert_ne!(second[0].1, first[0].1);
        fs::remove_file(path("folder/link")).unwrap();
        symlink("./fil", path("folder/link")).unwrap();
        let third = seen();
        fs::remove_file(path("folder/link")).unwrap();
        symlink("other", path("folder/link")).unwrap();
        assert_ne!(seen()[0].1, third[0].1, "a link leads elsewhere");
        fs::set_permissions(path("folder"), fs::Permissions::from_mode(0o700)).unwrap();
        assert_ne!(seen()[0].0, third[0].0);
        assert!(changed(&text("folder/file")).is_some());
        assert!(changed(&text("folder")).is_none() && changed(&text("absent")).is_none());
    }
}
