//! What the words of a command line mean: which packages match a pattern.
//!
//! Source of the rules: `cmd/go/internal/modload/load.go:LoadPackages`, `search.go`, `cmd/go/internal/search`.

mod local;
mod walk;

use std::collections::HashSet;

use modkeep_module::file_path;
use modkeep_module::path::check_import_path;
use modkeep_resolver::wildcard::Wildcard;
use rayon::prelude::*;

use super::data::{Importer, Source};
use crate::package_flags::is_relative;
pub(super) use walk::Walk;

/// A pattern and what matches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The pattern, cleaned.
    pub pattern: String,
    /// The paths of the packages.
    pub paths: Vec<String>,
    /// Why there may be more, in go's words.
    pub errors: Vec<MatchError>,
    /// Links to folders that a wildcard would match and doesn't follow.
    pub ignored_links: Vec<String>,
}

/// Why a pattern can't be matched as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchError {
    /// There is no Go file in the folder.
    NoGoFiles(String),
    /// No module that is known holds the folder.
    Outside(String),
    /// Anything else.
    Text(String),
}

impl Match {
    /// Whether the pattern names one package (`Match.IsLiteral`).
    pub fn is_literal(&self) -> bool {
        !self.pattern.contains("...") && !is_meta(&self.pattern)
    }

    /// Whether nothing matches, and nobody knows why: go warns then.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.errors.is_empty()
    }

    /// Whether it names a folder that no main module and no part of GOROOT holds.
    pub fn is_outside(&self) -> bool {
        self.errors.iter().any(|error| matches!(error, MatchError::Outside(_)))
    }

    fn new(pattern: String) -> Self {
        Self { pattern, ..Self::default() }
    }

    fn is_local(&self) -> bool {
        is_relative(&self.pattern) || self.pattern.starts_with('/')
    }

    fn fail(&mut self, text: impl Into<String>) {
        self.errors.push(MatchError::Text(text.into()));
    }
}

/// Words that stand for sets of packages.
fn is_meta(pattern: &str) -> bool {
    matches!(pattern, "std" | "cmd" | "tool" | "work" | "all")
}

/// The form in which patterns are compared (`search.CleanPatterns`); nothing at all means the current folder.
fn clean(patterns: &[String]) -> Vec<String> {
    if patterns.is_empty() {
        return vec![".".to_owned()];
    }
    patterns.iter().map(|pattern| clean_one(pattern)).collect()
}

fn clean_one(pattern: &str) -> String {
    let is_folder = is_relative(pattern) || pattern.starts_with('/');
    let (path, version) = match pattern.find('@') {
        Some(at) if !is_folder => pattern.split_at(at),
        _ => (pattern, ""),
    };
    if path.starts_with('/') {
        return file_path::clean(path);
    }
    let path = path.replace('\\', "/");
    let cleaned = file_path::clean(&path);
    let cleaned = match path.starts_with("./") {
        true if cleaned == "." => cleaned,
        true if cleaned.starts_with("../") || cleaned == ".." => format!("./{cleaned}"),
        true => format!("./{cleaned}"),
        false => cleaned,
    };
    cleaned + version
}

impl Source<'_> {
    /// The packages that each pattern matches.
    pub(super) fn matches(&self, patterns: &[String]) -> Vec<Match> {
        let mut matches: Vec<Match> = clean(patterns).into_iter().map(Match::new).collect();
        matches.iter_mut().for_each(|found| self.fill(found));
        matches
    }

    fn fill(&self, found: &mut Match) {
        let pattern = found.pattern.clone();
        if let Some(folders) = self.modules.gopath() {
            found.paths = match pattern.as_str() {
                _ if found.is_local() && found.is_literal() => vec![self.path_in_folders(&pattern, folders)],
                _ if found.is_local() => {
                    let named = self.folders(found);
                    named.iter().map(|folder| self.path_in_folders(folder, folders)).collect()
                }
                _ if found.is_literal() => vec![pattern],
                "std" | "cmd" => return self.match_goroot(found),
                "tool" | "work" => Vec::new(),
                _ => self.match_in_folders(found, pattern == "all", folders),
            };
            return;
        }
        match pattern.as_str() {
            _ if found.is_local() => self.match_folders(found),
            _ if found.is_literal() => found.paths = vec![pattern],
            "work" => self.match_modules(found, false),
            "all" => {
                self.match_modules(found, false);
                let roots = found.paths.iter().chain(self.modules.tools()).cloned().collect();
                found.paths = self.close(roots, &found.paths);
            }
            // Go matches these once before it loads and once after, and `Match` shows it.
            "tool" => found.paths = [self.modules.tools(), self.modules.tools()].concat(),
            "std" | "cmd" => self.match_goroot(found),
            _ => self.match_modules(found, true),
        }
    }

    /// Takes from what modules know of a pattern what the target has: packages of the standard library that are for it,
    /// and all that those need in `all`.
    pub(super) fn complete(&self, found: &mut Match) {
        if found.pattern == "all" {
            let (standard, others) = found.paths.drain(..).partition(|path| self.is_in_goroot(path));
            found.paths = others;
            found.paths.extend(self.close(standard, &[]));
            found.paths.sort_unstable();
            found.paths.dedup();
        } else if !found.is_literal() {
            let is_for_target = |path: &String| {
                let folder = self.scans().directory(&format!("{}/{path}", self.goroot_src()));
                !folder.is_ok_and(|folder| folder.has_go_files() && !folder.has_files_for(self.tags()))
            };
            found.paths.retain(is_for_target);
        }
    }

    /// The standard library or the commands (`Match.MatchPackages`).
    fn match_goroot(&self, found: &mut Match) {
        let is_std = found.pattern == "std";
        let (root, prefix) = match is_std {
            true => (self.goroot_src().to_owned(), ""),
            false => (format!("{}/cmd", self.goroot_src()), "cmd"),
        };
        let mut walk = Walk::of(self.scans().overlay(), &root, prefix);
        let mut candidates = Vec::new();
        while let Some(folder) = walk.next() {
            let name = folder.path.as_str();
            if folder.is_hidden() || is_std && name == "cmd" {
                continue;
            }
            if !name.is_empty() && name != "builtin" && (self.build.cgo || name != "runtime/cgo") {
                candidates.push((name.to_owned(), folder.dir.clone()));
            }
            walk.enter(&folder);
        }
        found.paths = self.with_packages(candidates);
        found.paths.retain(|path| {
            !path.starts_with("cmd/vendor") || self.data(path, &Importer::default()).selection.name != "main"
        });
    }

    /// Packages of the main modules, and those of the others and the standard library for a wildcard
    /// (`matchPackages`).
    fn match_modules(&self, found: &mut Match, is_wildcard: bool) {
        let mut seen = HashSet::from(["builtin".to_owned()]);
        if !self.build.cgo {
            seen.insert("runtime/cgo".to_owned());
        }
        let mut candidates = Vec::new();
        let mut add = |root: &str, prefix: &str, ignore: &[String], limits: Limits| {
            self.add_folders(
                root,
                prefix,
                ignore,
                limits,
                found.pattern.as_str(),
                &mut seen,
                &mut candidates,
            );
        };
        if is_wildcard {
            let limits = Limits { vendor: false, modules: true };
            add(self.goroot_src(), "", &[], limits);
            add(&format!("{}/cmd", self.goroot_src()), "cmd", &[], limits);
        }
        let own = Limits { vendor: true, modules: true };
        for main in self.modules.mains() {
            add(&main.module.dir, &main.module.path, &main.ignore, own);
        }
        let mut problem = None;
        if let Some(vendor) = self.modules.vendor() {
            add(vendor, "", &[], Limits { vendor: true, modules: false });
        } else if is_wildcard {
            match self.modules.others() {
                Err(error) => problem = Some(error.text),
                Ok(others) => {
                    for module in others {
                        let is_local =
                            module.replace.as_ref().is_some_and(|replace| replace.version.is_empty());
                        add(&module.dir, &module.path, &[], Limits { vendor: true, modules: is_local });
                    }
                }
            }
        }
        let holds = |(path, dir): (String, String)| {
            let directory = self.scans().directory(&dir);
            directory.is_ok_and(|directory| directory.has_files_for(self.tags())).then_some(path)
        };
        found.paths = candidates.into_par_iter().filter_map(holds).collect();
        found.paths.sort_unstable();
        if let Some(text) = problem {
            found.fail(text);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the walk of one tree among several that share what was seen"
    )]
    fn add_folders(
        &self,
        root: &str,
        prefix: &str,
        ignore: &[String],
        limits: Limits,
        pattern: &str,
        seen: &mut HashSet<String>,
        candidates: &mut Vec<(String, String)>,
    ) {
        let wanted = (!is_meta(pattern)).then(|| Wildcard::new(pattern));
        let can_match =
            |path: &str| path.is_empty() || wanted.as_ref().is_none_or(|wanted| wanted.can_match_below(path));
        let ignored = walk::Ignored::new(ignore);
        let mut walk = Walk::of(self.scans().overlay(), root, prefix);
        while let Some(folder) = walk.next() {
            let is_root = folder.way.is_empty();
            let is_other_module = !is_root && limits.modules && folder.has_go_mod(self.scans().overlay());
            let is_skipped = !is_root && (folder.is_hidden() || ignored.contains(&folder.way));
            if is_skipped || is_other_module || !can_match(&folder.path) {
                continue;
            }
            let is_package = !folder.path.is_empty() && seen.insert(folder.path.clone());
            if is_package && wanted.as_ref().is_none_or(|wanted| wanted.matches(&folder.path)) {
                candidates.push((folder.path.clone(), folder.dir.clone()));
            }
            if !(limits.vendor && !is_root && folder.base() == "vendor") {
                walk.enter(&folder);
            }
        }
    }

    /// Those of the folders that hold a package for the target, in their order.
    fn with_packages(&self, candidates: Vec<(String, String)>) -> Vec<String> {
        let holds = |(path, dir): &(String, String)| self.holds_package(dir).then(|| path.clone());
        candidates.par_iter().filter_map(holds).collect()
    }

    /// The packages, what the tests of some import, and all that those import; sorted (`computePatternAll`).
    fn close(&self, roots: Vec<String>, tested: &[String]) -> Vec<String> {
        self.prefetch(&roots, !tested.is_empty());
        let tested: HashSet<&String> = tested.iter().collect();
        let mut seen: HashSet<String> = HashSet::new();
        let mut pending = roots;
        while let Some(path) = pending.pop() {
            if check_import_path(&path).is_err() || path == "C" || !seen.insert(path.clone()) {
                continue;
            }
            let data = self.data(&path, &Importer::default());
            let selection = &data.selection;
            let has_tests = tested.contains(&path);
            let tests = [&selection.test_requests, &selection.outer_test_requests].into_iter();
            let lists = tests.filter(|_| has_tests).chain([&selection.requests]);
            let importer = Importer::of_data(&data);
            let imports = lists.flat_map(|requests| requests.imports.keys());
            pending.extend(imports.map(|import| self.resolve(import, &importer, true)));
        }
        let mut all: Vec<String> = seen.into_iter().collect();
        all.sort_unstable();
        all
    }
}

/// Where a walk stops.
#[derive(Clone, Copy)]
struct Limits {
    /// Below folders named `vendor`.
    vendor: bool,
    /// At folders with a go.mod.
    modules: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_compared_in_their_shortest_form() {
        for (pattern, expected) in [
            ("./", "."),
            ("./a/../b", "./b"),
            ("a//b/", "a/b"),
            ("a/./b@v1", "a/b@v1"),
            ("/a/../b", "/b"),
            ("../x/", "../x"),
            ("./...", "./..."),
        ] {
            assert_eq!(clean_one(pattern), expected, "{pattern}");
        }
        assert_eq!(clean(&[]), ["."]);
    }
}
