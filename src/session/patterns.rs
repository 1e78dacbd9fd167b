//! Words that name packages: import paths with or without `...`, and directories, which stand for import paths too.
//!
//! Sources of the rules: `cmd/go/internal/search/search.go` (`CleanPatterns`, `MatchDirs`) and
//! `modload/load.go:resolveLocalPackage`.

use std::collections::BTreeMap;
use std::path::Path;

use modkeep_builder::overlay::{EntryKind, Overlay};
use modkeep_fetch::modcache;
use modkeep_module::gomod::Require;
use modkeep_module::{ModuleVersion, semver};
use modkeep_resolver::known::Folder;
use modkeep_resolver::packages::Pattern;
use modkeep_resolver::wildcard::Wildcard;
use modkeep_resolver::world::Mode;

use super::{Session, folders};
use crate::goenv::{paths, words as system_words};
use crate::report::{self, Failure};

/// A pattern in its shortest form; a leading `./` stays.
pub(crate) fn cleaned(word: &str) -> String {
    let (path, version) = match word.split_once('@') {
        Some((path, version)) if !is_local(word) => (path, format!("@{version}")),
        _ => (word, String::new()),
    };
    let clean = match path.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => match paths::clean(rest).as_str() {
            "." => ".".to_owned(),
            clean => format!("./{clean}"),
        },
        _ => paths::clean(path),
    };
    format!("{clean}{version}")
}

/// Whether a word names a directory.
pub(crate) fn is_local(word: &str) -> bool {
    matches!(word, "." | "..") || word.starts_with("./") || word.starts_with("../") || word.starts_with('/')
}

impl Session<'_> {
    /// What words mean; the current directory if there is none.
    pub(crate) fn patterns(&self, words: &[String]) -> Result<Vec<Pattern>, Failure> {
        if words.is_empty() {
            return Ok(vec![self.local_pattern(".")?]);
        }
        let pattern = |word: &String| {
            let word = cleaned(word);
            if is_local(&word) { self.local_pattern(&word) } else { Ok(Pattern::Path(word)) }
        };
        words.iter().map(pattern).collect()
    }

    /// The packages of a directory, or of those that a pattern matches.
    pub(crate) fn local_pattern(&self, text: &str) -> Result<Pattern, Failure> {
        let (mut packages, mut errors) = (Vec::new(), Vec::new());
        let directories = match text.contains("...") {
            false => vec![self.go.absolute(text)],
            true => self.matching_directories(text, &mut errors),
        };
        for directory in directories {
            match self.package_of(&directory) {
                Ok(package) => packages.push(package),
                Err(_) if !self.has_main() => return Err(Failure::go(self.ground.no_main_module())),
                Err(error) => errors.push(error),
            }
        }
        Ok(Pattern::Local { text: text.to_owned(), packages, errors })
    }

    /// The folders and paths of the main modules.
    fn mains(&self) -> Vec<(String, String)> {
        let world = &self.world;
        let main = |id| {
            let module = world.main.module(id)?;
            Some((module.directory.clone(), world.nodes().node(id).path.to_string()))
        };
        world.main.ids().into_iter().filter_map(main).collect()
    }

    fn matching_directories(&self, text: &str, errors: &mut Vec<String>) -> Vec<String> {
        let at = text.find("...").unwrap_or(text.len());
        let begin = text[..at].rsplit_once('/').map_or(".", |(folder, _)| folder);
        let top = self.go.absolute(if begin.is_empty() { "/" } else { begin });
        if !self.may_hold_packages(&top) {
            let scope = match self.ground.is_workspace() {
                true => "modules listed in go.work or their selected dependencies",
                false => "main module or its selected dependencies",
            };
            errors.push(format!("directory prefix {} does not contain {scope}", self.go.short(&top)));
            return Vec::new();
        }
        if let Err(error) = self.go.seen().check(&top) {
            errors.push(format!("lstat {begin}/: {}", system_words(&error)));
            return Vec::new();
        }
        let mains = self.mains();
        let around = mains.iter().map(|(root, _)| root.as_str()).filter(|root| is_within(&top, root));
        let root = around.max_by_key(|root| root.len()).unwrap_or_else(|| {
            let roots: Vec<&str> = mains.iter().map(|(root, _)| root.as_str()).collect();
            let plural = if roots.len() > 1 { "s" } else { "" };
            errors.push(format!("directory {top} is outside module root{plural} ({})", roots.join(", ")));
            ""
        });
        let ignores = self.ignores(root);
        let wildcard = Wildcard::new(text);
        let below = folders::packages(self.go.seen(), Path::new(&top), true).unwrap_or_default();
        let found = below.into_iter().filter_map(|inner| {
            let directory = paths::join(&top, &inner);
            let shown = shown_like(text, &self.go.short_always(&directory));
            let inside = directory.strip_prefix(root).unwrap_or_default().trim_start_matches('/');
            (!is_ignored(&ignores, inside) && wildcard.matches(&shown) && self.has_package(&directory))
                .then_some(directory)
        });
        found.collect()
    }

    /// Whether a directory is in a main module, in GOROOT or in a required module (`matchLocalDirs`).
    fn may_hold_packages(&self, directory: &str) -> bool {
        let seen = self.go.seen();
        let nearest = paths::upwards(directory).find(|folder| seen.is_file(&paths::join(folder, "go.mod")));
        let is_main = self.mains().iter().any(|(root, _)| nearest == Some(root.as_str()));
        let is_standard = || {
            let sources = self.go.root_of_release().map(|root| paths::join(&root, "src"));
            sources.is_some_and(|sources| is_within(directory, &sources))
        };
        is_main || is_standard() || self.package_of_dependency(directory).is_some()
    }

    /// Tells which directories of the main modules are left out, as `-x` does.
    pub(crate) fn tell_ignored(&self) {
        for (root, _) in self.mains() {
            let ignores = self.ignores(&root);
            if !ignores.is_empty() {
                tell_ignored_below(self.go.seen(), &root, "", &ignores);
            }
        }
    }

    fn ignores(&self, root: &str) -> Vec<String> {
        let world = &self.world;
        let modules = world.main.ids().into_iter().filter_map(|id| world.main.module(id));
        let module = modules.filter(|module| module.directory == root);
        module.flat_map(|module| module.file.ignores()).map(|ignore| ignore.path.clone()).collect()
    }

    fn folder(&self, root: &str, directory: &str, is_local: bool) -> Folder {
        folders::folder(self.go.seen(), Path::new(root), directory, is_local, None)
    }

    /// Whether some file of a directory would be in a package.
    fn has_package(&self, directory: &str) -> bool {
        self.folder(directory, "", false).any.error.is_none()
    }

    /// The import path of a directory (`resolveLocalPackage`).
    fn package_of(&self, directory: &str) -> Result<String, String> {
        match self.go.seen().check(directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(format!("stat {directory}: directory not found"));
            }
            Err(error) => return Err(format!("stat {directory}: {}", system_words(&error))),
            Ok(_) if !self.folder(directory, "", false).has_go_files => {
                return Err(format!("no Go files in {directory}"));
            }
            Ok(_) => {}
        }
        let mut outside = None;
        for (root, path) in self.mains() {
            if directory == root {
                return Ok(path);
            }
            let Some(inner) = directory.strip_prefix(&format!("{}/", root.trim_end_matches('/'))) else {
                continue;
            };
            if inner.contains('@') {
                continue;
            }
            if let Some(package) = inner.strip_prefix("vendor/") {
                return match &self.world.mode {
                    Mode::Vendor(_, vendored) if vendored.packages.contains_key(package) => {
                        Ok(package.to_owned())
                    }
                    Mode::Vendor(..) => {
                        Err(format!("directory {directory} is not a package listed in vendor/modules.txt"))
                    }
                    _ => Err(format!("without -mod=vendor, directory {directory} has no package path")),
                };
            }
            let package = format!("{path}/{inner}");
            if self.folder(&root, inner, true).has_go_files {
                return Ok(package);
            }
            outside = Some(format!("main module ({path}) does not contain package {package}"));
        }
        if let Some(error) = outside {
            return Err(error);
        }
        if let Some(package) = self.package_of_dependency(directory) {
            return Ok(package);
        }
        let shown = match self.go.short(directory).as_str() {
            "." => "current directory".to_owned(),
            short => format!("directory {short}"),
        };
        if !self.ground.is_workspace() {
            return Err(format!("{shown} outside main module or its selected dependencies"));
        }
        match paths::upwards(directory).find(|folder| self.go.seen().is_file(&paths::join(folder, "go.mod")))
        {
            Some(root) => Err(format!(
                "{shown} is contained in a module that is not one of the workspace modules listed in go.work. You can add the module to the workspace using:\n\tgo work use {}",
                self.go.short(root)
            )),
            None => Err(format!("{shown} outside modules listed in go.work or their selected dependencies")),
        }
    }

    /// The import path of a directory of a required module, in the cache or on disk.
    fn package_of_dependency(&self, directory: &str) -> Option<String> {
        let world = &self.world;
        let modules = world.main.ids().into_iter().filter_map(|id| world.main.module(id));
        // Of several versions that a workspace's modules require no lower one is used.
        let mut highest: BTreeMap<&str, &Require> = BTreeMap::new();
        for require in modules.flat_map(|module| module.file.requires()).map(|require| &**require) {
            let known = highest.entry(require.path.as_str()).or_insert(require);
            if semver::compare(require.version.as_str(), known.version.as_str()).is_gt() {
                *known = require;
            }
        }
        for require in highest.into_values() {
            let node = modkeep_resolver::node::Node::new(require.path.as_str(), require.version.as_str());
            let actual = world.main.replacement(&node).unwrap_or(node);
            let root = match &*actual.version {
                "" => self.ground.rooted(&actual.path),
                version => {
                    let module = ModuleVersion::parse(&actual.path, version).ok()?;
                    match self.source.cache.folder(&module) {
                        Ok(modcache::Folder::Complete(folder)) => folder.display().to_string(),
                        _ => continue,
                    }
                }
            };
            if directory == root {
                return Some(require.path.clone());
            }
            if let Some(inner) = directory.strip_prefix(&format!("{root}/"))
                && !inner.contains('@')
                && !format!("/{inner}").contains("/vendor/")
            {
                return Some(format!("{}/{inner}", require.path));
            }
        }
        None
    }
}

/// Whether a directory is another one, or below it.
fn is_within(directory: &str, root: &str) -> bool {
    directory
        .strip_prefix(root.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an `ignore` directive names a directory of its module, or one above it.
fn is_ignored(ignores: &[String], directory: &str) -> bool {
    ignores.iter().any(|ignore| match ignore.strip_prefix("./") {
        Some(ignore) => format!("{directory}/").starts_with(&format!("{ignore}/")),
        None => format!("/{directory}/").contains(&format!("/{ignore}/")),
    })
}

fn tell_ignored_below(seen: &Overlay, root: &str, directory: &str, ignores: &[String]) {
    let entries = seen.entries(&paths::join(root, directory)).unwrap_or_default().into_iter();
    let folders = entries.filter(|entry| entry.kind == EntryKind::Folder);
    let names: Vec<String> = folders.map(|entry| entry.name).collect();
    for name in names.iter().filter(|name| !name.starts_with(['.', '_']) && *name != "testdata") {
        let inner = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        let full = paths::join(root, &inner);
        if is_ignored(ignores, &inner) {
            report::tell(&format!("# ignoring directory {full}"));
        } else if !seen.is_file(&paths::join(&full, "go.mod")) {
            tell_ignored_below(seen, root, &inner, ignores);
        }
    }
}

/// A directory as the pattern would have it: with a leading `./`, or from the root.
fn shown_like(pattern: &str, directory: &str) -> String {
    match (pattern.starts_with("./"), directory) {
        (true, ".") => ".".to_owned(),
        (true, directory) if !directory.starts_with("..") => format!("./{directory}"),
        _ => directory.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::cleaned;

    #[test]
    fn words_are_made_short() {
        for (word, want) in [
            ("./a/../b/", "./b"),
            ("./.", "."),
            ("./", "."),
            ("a//b@v1.0.0", "a/b@v1.0.0"),
            ("../x/", "../x"),
            ("./...", "./..."),
            ("/a/./b", "/a/b"),
        ] {
            assert_eq!(cleaned(word), want, "{word}");
        }
    }
}
