//! Folders of a tree, in the order of Go's `WalkDir`.

use crate::overlay::{EntryKind, Overlay};

/// A walk that goes only into the folders that it is told to enter.
pub(in crate::load) struct Walk<'a> {
    seen: &'a Overlay,
    /// What is still to come, the next one last.
    pending: Vec<Folder>,
    prefix: String,
}

/// A folder that is met.
pub(in crate::load) struct Folder {
    pub(in crate::load) dir: String,
    /// From the root on; empty for the root.
    pub(in crate::load) way: String,
    /// The import path: the way behind the prefix.
    pub(in crate::load) path: String,
}

impl<'a> Walk<'a> {
    /// A walk from a folder whose import path is `prefix`.
    pub(in crate::load) fn of(seen: &'a Overlay, root: &str, prefix: &str) -> Self {
        let is_there = seen.is_folder(root);
        let root = Folder { dir: root.to_owned(), way: String::new(), path: prefix.to_owned() };
        Self { seen, pending: Vec::from_iter(is_there.then_some(root)), prefix: prefix.to_owned() }
    }

    pub(in crate::load) fn next(&mut self) -> Option<Folder> {
        self.pending.pop()
    }

    /// Makes the folders in this one come next; gives those that links lead to, which are not entered.
    pub(in crate::load) fn enter(&mut self, folder: &Folder) -> Vec<Folder> {
        let (at, mut links) = (self.pending.len(), Vec::new());
        for entry in self.seen.entries(&folder.dir).unwrap_or_default() {
            let way = join(&folder.way, &entry.name);
            let path = join(&self.prefix, &way);
            let inner = Folder { dir: format!("{}/{}", folder.dir, entry.name), way, path };
            match entry.kind {
                EntryKind::Folder => self.pending.push(inner),
                EntryKind::Link if self.seen.is_folder(&inner.dir) => links.push(inner),
                EntryKind::Link | EntryKind::File | EntryKind::Other => {}
            }
        }
        self.pending[at..].sort_unstable_by(|a, b| b.way.cmp(&a.way));
        links
    }
}

impl Folder {
    /// The last element of its path.
    pub(in crate::load) fn base(&self) -> &str {
        self.way.rsplit('/').next().unwrap_or_default()
    }

    /// Whether the go command passes it over.
    pub(in crate::load) fn is_hidden(&self) -> bool {
        let base = self.base();
        base.starts_with(['.', '_']) || base == "testdata"
    }

    pub(in crate::load) fn has_go_mod(&self, seen: &Overlay) -> bool {
        seen.is_file(&format!("{}/go.mod", self.dir))
    }
}

/// The `ignore` lines of a go.mod (`search.IgnorePatterns`).
pub(in crate::load) struct Ignored {
    from_root: Vec<String>,
    anywhere: Vec<String>,
}

impl Ignored {
    pub(in crate::load) fn new(lines: &[String]) -> Self {
        let (from_root, anywhere) = lines.iter().partition::<Vec<&String>, _>(|line| line.starts_with("./"));
        Self {
            from_root: from_root.into_iter().map(|line| between_slashes(&line[2..])).collect(),
            anywhere: anywhere.into_iter().map(|line| between_slashes(line)).collect(),
        }
    }

    /// Whether a folder, named from the root on, is ignored.
    pub(in crate::load) fn contains(&self, way: &str) -> bool {
        if way.is_empty() {
            return false;
        }
        let way = between_slashes(way);
        self.from_root.iter().any(|line| way.starts_with(line.as_str()))
            || self.anywhere.iter().any(|line| way.contains(line.as_str()))
    }
}

fn between_slashes(path: &str) -> String {
    let start = if path.starts_with('/') { "" } else { "/" };
    let end = if path.ends_with('/') { "" } else { "/" };
    format!("{start}{path}{end}")
}

fn join(folder: &str, name: &str) -> String {
    match (folder.is_empty(), name.is_empty()) {
        (true, _) => name.to_owned(),
        (_, true) => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_folders_are_named_from_the_root_or_anywhere() {
        let ignored = Ignored::new(&["./a".into(), "x/y".into()]);
        for (way, expected) in
            [("a", true), ("a/b", true), ("b/a", false), ("b/x/y/z", true), ("x", false), ("", false)]
        {
            assert_eq!(ignored.contains(way), expected, "{way}");
        }
    }
}
