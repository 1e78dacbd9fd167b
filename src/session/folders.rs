//! What is in the folders of modules: which hold packages, and what their files import.
//!
//! For module verbs nearly every build constraint counts as met, and its opposite too: only `ignore` is never met.
//! Sources of the rules: `cmd/go/internal/imports` (`scan.go`, `build.go`), `modload/import.go:dirInModule`,
//! `modload/search.go:matchPackages`.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use modkeep_builder::constraint::Expression;
use modkeep_builder::file_name;
use modkeep_builder::load::Scans;
use modkeep_builder::overlay::{Entry, EntryKind, Overlay};
use modkeep_builder::scan::{Condition, ConditionError, go_file};
use modkeep_builder::tags::Tags;
use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::known::{Directory, Folder, Scan, ScanError};

use crate::goenv::words;

/// One directory of a module. In one on disk (`is_local`) a go.mod between it and the root hides it.
pub(super) fn folder(
    seen: &Overlay,
    root: &Path,
    directory: &str,
    is_local: bool,
    tags: Option<&Tags>,
) -> Folder {
    let path = if directory.is_empty() { root.to_owned() } else { root.join(directory) };
    let shown = path.display().to_string();
    if is_local && is_hidden(seen, root, &path) {
        return Folder { shown, ..Folder::default() };
    }
    let names = go_files(seen, &shown);
    if names.is_empty() {
        let any = Scan { error: Some(ScanError::NoGo), ..Scan::default() };
        return Folder { has_go_files: false, shown, target: any.clone(), any };
    }
    let read = read(seen, &shown, &names);
    let any = scan(&read, |file| match &file.condition {
        Ok(Condition::Always) => true,
        Ok(Condition::All(expressions)) => expressions.iter().all(|x| holds(x, true)),
        Err(_) => false,
    });
    let target = match tags {
        None => any.clone(),
        Some(tags) => scan(&read, |file| {
            let is_for_c = file.imports.iter().any(|import| import == "C");
            let holds = file.condition.as_ref().is_ok_and(|condition| condition.holds(tags));
            holds && file_name::fits(&file.name, tags) && (tags.cgo() || !is_for_c)
        }),
    };
    Folder { has_go_files: true, shown, target, any }
}

/// The target that packages are loaded for, and what was read for it.
#[derive(Clone)]
pub(crate) struct ForTarget {
    pub(crate) scans: Arc<Scans>,
    pub(crate) tags: Arc<Tags>,
}

/// The same for the files of one target.
pub(super) fn folder_for(
    seen: &Overlay,
    root: &Path,
    directory: &str,
    is_local: bool,
    target: &ForTarget,
) -> Folder {
    let path = if directory.is_empty() { root.to_owned() } else { root.join(directory) };
    let shown = path.display().to_string();
    let hidden = is_local && is_hidden(seen, root, &path);
    let read = target.scans.directory(&shown).ok().filter(|read| !hidden && read.has_go_files());
    let Some(read) = read else { return Folder { shown, ..Folder::default() } };
    let scan = match read.imports_for(&target.tags) {
        Ok(Some([imports, test_imports])) => Scan { imports, test_imports, error: None },
        Ok(None) => Scan { error: Some(ScanError::NoGo), ..Scan::default() },
        Err(text) => Scan { error: Some(ScanError::Unreadable(text)), ..Scan::default() },
    };
    Folder { has_go_files: true, shown, any: scan.clone(), target: scan }
}

fn is_hidden(seen: &Overlay, root: &Path, path: &Path) -> bool {
    let between = path.ancestors().take_while(|folder| *folder != root);
    between.filter(|folder| folder.starts_with(root)).any(|folder| seen.is_file(&go_mod(folder)))
}

fn go_mod(folder: &Path) -> String {
    folder.join("go.mod").display().to_string()
}

/// The names of the regular files that end in `.go`, sorted.
fn go_files(seen: &Overlay, path: &str) -> Vec<String> {
    let entries = seen.entries(path).unwrap_or_default().into_iter();
    let go = entries.filter(|entry| entry.name.ends_with(".go") && seen.is_regular(path, entry));
    go.map(|entry| entry.name).collect()
}

/// What a file says that counts here.
struct File {
    name: String,
    condition: Result<Condition, ConditionError>,
    imports: Vec<String>,
}

/// Reads files; the error is in go's words.
fn read(seen: &Overlay, path: &str, names: &[String]) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    for name in names.iter().filter(|name| !name.starts_with(['_', '.'])) {
        let file = format!("{}/{name}", path.trim_end_matches('/'));
        let text = seen.content(&file).map_err(|error| format!("open {file}: {}", words(&error)))?;
        let read = go_file(&text).map_err(|error| format!("reading {file}: {error}"))?;
        let imports = read.imports.into_iter().map(|import| import.path).collect();
        files.push(File { name: name.clone(), condition: read.condition, imports });
    }
    Ok(files)
}

/// What the files import that count.
fn scan(files: &Result<Vec<File>, String>, counts: impl Fn(&File) -> bool) -> Scan {
    let files = match files {
        Ok(files) => files,
        Err(text) => return Scan { error: Some(ScanError::Unreadable(text.clone())), ..Scan::default() },
    };
    let (mut imports, mut test_imports) = (BTreeSet::new(), BTreeSet::new());
    let mut has_files = false;
    for file in files.iter().filter(|file| counts(file)) {
        has_files = true;
        let into = if file.name.ends_with("_test.go") { &mut test_imports } else { &mut imports };
        into.extend(file.imports.iter().cloned());
    }
    Scan {
        imports: imports.into_iter().collect(),
        test_imports: test_imports.into_iter().collect(),
        error: (!has_files).then_some(ScanError::NoGo),
    }
}

/// Whether a constraint is met on some platform, with some tags.
pub(crate) fn holds_somewhere(expression: &Expression) -> bool {
    holds(expression, true)
}

/// Whether an expression can hold, every tag but `ignore` being whatever helps (`imports.eval` with `AnyTags`).
fn holds(expression: &Expression, wanted: bool) -> bool {
    match expression {
        Expression::Tag(tag) => {
            let is_tag = tag.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            is_tag && !tag.is_empty() && tag != "ignore" && wanted
        }
        Expression::Not(x) => !holds(x, !wanted),
        Expression::And(x, y) => holds(x, wanted) && holds(y, wanted),
        Expression::Or(x, y) => holds(x, wanted) || holds(y, wanted),
    }
}

/// The directories of a module that hold a `.go` file, relative, sorted.
pub(super) fn packages(seen: &Overlay, root: &Path, is_local: bool) -> Result<Vec<String>, ModuleError> {
    let directories = directories(seen, root, is_local)?.into_iter();
    let mut found: Vec<String> =
        directories.filter(|directory| directory.has_go_files).map(|directory| directory.path).collect();
    found.sort_unstable();
    Ok(found)
}

/// The directories of a module in which packages may be.
pub(super) fn directories(
    seen: &Overlay,
    root: &Path,
    is_local: bool,
) -> Result<Vec<Directory>, ModuleError> {
    let mut found = Vec::new();
    walk(seen, root, "", is_local, &mut found).map_err(|error| {
        let text = format!("open {}: {}", root.display(), words(&error));
        ModuleError { module: None, invalid: None, text, kind: Fault::Other }
    })?;
    Ok(found)
}

fn walk(
    seen: &Overlay,
    root: &Path,
    directory: &str,
    is_local: bool,
    found: &mut Vec<Directory>,
) -> std::io::Result<()> {
    let path = if directory.is_empty() { root.to_owned() } else { root.join(directory) };
    let path = path.display().to_string();
    let entries = match seen.entries(&path) {
        Ok(entries) => entries,
        Err(error) if directory.is_empty() && error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_go_file = |entry: &Entry| entry.name.ends_with(".go") && seen.is_regular(&path, entry);
    found.push(Directory { path: directory.to_owned(), has_go_files: entries.iter().any(is_go_file) });
    if directory == "vendor" || directory.ends_with("/vendor") {
        return Ok(());
    }
    for entry in entries.into_iter().filter(|entry| entry.kind == EntryKind::Folder) {
        let name = entry.name;
        if name.starts_with(['.', '_']) || name == "testdata" {
            continue;
        }
        let inner = if directory.is_empty() { name } else { format!("{directory}/{name}") };
        if !(is_local && seen.is_file(&go_mod(&root.join(&inner)))) {
            walk(seen, root, &inner, is_local, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use modkeep_builder::constraint::parse_expression;

    use super::holds;

    #[test]
    fn every_tag_but_ignore_is_whatever_helps() {
        for (text, want) in [
            ("linux", true),
            ("!linux", true),
            ("linux && !linux", true),
            ("ignore", false),
            ("!ignore", true),
            ("ignore || windows", true),
            ("!(ignore && windows)", true),
        ] {
            assert_eq!(holds(&parse_expression(text).unwrap(), true), want, "{text}");
        }
    }
}
