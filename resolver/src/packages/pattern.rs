//! Which packages a pattern matches.
//!
//! Source of the rules: `cmd/go/internal/modload/search.go` and `LoadPackages` in `load.go`.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Match, Packages, Pattern, Tags};
use crate::error::{Error, Halt, ModuleError};
use crate::import::is_standard_path;
use crate::known::{Folder, ScanError, VENDOR};
use crate::node::{Node, NodeId};
use crate::order;
use crate::requirements::Requirements;
use crate::wildcard::{Wildcard, is_path_prefix};
use crate::world::World;

impl Folder {
    pub(crate) fn scan(&self, tags: Tags) -> &crate::known::Scan {
        match tags {
            Tags::Any => &self.any,
            Tags::Target => &self.target,
        }
    }

    fn is_package(&self, tags: Tags) -> bool {
        self.has_go_files && self.scan(tags).error != Some(ScanError::NoGo)
    }
}

/// What is being matched.
struct Search<'a> {
    pattern: Wildcard,
    is_meta: bool,
    tags: Tags,
    seen: HashSet<String>,
    found: &'a mut Match,
    is_missing: bool,
}

impl World {
    /// What each pattern matches under some requirements; `all` only after a first round of loading.
    pub(super) fn match_patterns(
        &mut self,
        patterns: &[Pattern],
        tags: Tags,
        main_module: Option<NodeId>,
        requirements: &Requirements,
        loaded: Option<&Packages>,
    ) -> Result<Vec<Match>, Halt> {
        let mut matches = Vec::new();
        for pattern in patterns {
            let text = pattern.text();
            let found = match pattern {
                Pattern::Local { packages, errors, .. } => {
                    let errors = if loaded.is_some() { errors.clone() } else { Vec::new() };
                    Match { pattern: text.to_owned(), packages: packages.clone(), errors }
                }
                Pattern::Path(_) if text.contains("...") => {
                    let graph = requirements.graph(self)?;
                    let list = graph.build_list(self.nodes()).to_vec();
                    let mut found = self.match_packages(text, tags, true, &list)?;
                    let failure = graph.error().cloned().map(|error| Error::from(error).to_string());
                    found.errors.splice(0..0, failure);
                    found
                }
                Pattern::Path(_) if text == "all" && loaded.is_some() => Match {
                    pattern: text.to_owned(),
                    packages: loaded.map(Packages::all).unwrap_or_default(),
                    errors: Vec::new(),
                },
                Pattern::Path(_) if matches!(text, "all" | "work") => {
                    let mains = main_module.map_or_else(|| self.main.ids(), |main| vec![main]);
                    let mut found = self.match_packages(text, tags, false, &mains)?;
                    if text == "all" {
                        found.packages.extend(self.main.tools().into_iter().map(str::to_owned));
                    }
                    found
                }
                Pattern::Path(_) if text == "tool" => Match {
                    pattern: text.to_owned(),
                    packages: self.main.tools().into_iter().map(str::to_owned).collect(),
                    errors: Vec::new(),
                },
                Pattern::Path(_) if matches!(text, "std" | "cmd") => self.match_standard(text),
                Pattern::Path(_) => {
                    let packages = vec![text.to_owned()];
                    Match { pattern: text.to_owned(), packages, errors: Vec::new() }
                }
            };
            matches.push(found);
        }
        Ok(matches)
    }

    fn match_standard(&self, pattern: &str) -> Match {
        let is_command = |path: &str| is_path_prefix(path, "cmd");
        let is_match = |path: &&String| match pattern {
            "cmd" => is_command(path),
            _ => is_standard_path(path) && !is_command(path) && *path != "builtin",
        };
        let mut packages: Vec<_> = self.standard.packages.iter().filter(is_match).cloned().collect();
        packages.sort();
        Match { pattern: pattern.to_owned(), packages, errors: Vec::new() }
    }

    /// The packages of some modules that match (`matchPackages`); errors are about modules that can't be had.
    pub(crate) fn match_packages(
        &mut self,
        pattern: &str,
        tags: Tags,
        with_standard: bool,
        modules: &[NodeId],
    ) -> Result<Match, Halt> {
        let mut found = Match { pattern: pattern.to_owned(), ..Match::default() };
        let mut search = Search {
            pattern: Wildcard::new(pattern),
            is_meta: super::is_meta_package(pattern),
            tags,
            seen: HashSet::from(["builtin".to_owned()]),
            found: &mut found,
            is_missing: false,
        };
        if with_standard {
            let names = self.standard.packages.iter().filter(|name| search.takes(name));
            let names: Vec<_> = names.cloned().collect();
            search.found.packages.extend(names);
        }
        if self.vendored().is_some() {
            let vendor = self.id(VENDOR, "");
            for main in self.main.ids() {
                let path = self.nodes().node(main).path.clone();
                self.search_module(main, main, &path, &[], &mut search);
            }
            self.search_module(vendor, vendor, "", &[], &mut search);
        } else {
            for &module in modules {
                self.search_in_build(module, &mut search);
            }
        }
        if search.is_missing {
            return Err(self.known.halt());
        }
        found.packages.sort();
        Ok(found)
    }

    fn search_in_build(&mut self, module: NodeId, search: &mut Search<'_>) {
        let path = self.nodes().node(module).path.clone();
        if order::is_toolchain(&path) || !(search.is_meta || search.pattern.can_match_below(&path)) {
            return;
        }
        if self.main.find(module.path()).is_some() {
            let Some(main) = self.main.module(module) else { return };
            let ignores: Vec<_> = main.file.ignores().iter().map(|ignore| ignore.path.clone()).collect();
            let prefix = if self.standard_module == Some(module) { "" } else { &path };
            return self.search_module(module, module, prefix, &ignores, search);
        }
        if self.lacks_sum(module) {
            let error = ModuleError::about(self.nodes().node(module).clone(), "missing go.sum entry");
            return search.found.errors.push(error.to_string());
        }
        let actual = self.actual(module);
        let ignores = match self.known.go_mod(actual) {
            None => {
                search.is_missing = true;
                Vec::new()
            }
            Some(facts) => facts.map(|facts| facts.ignores.clone()).unwrap_or_default(),
        };
        self.search_module(module, actual, &path, &ignores, search);
    }

    /// Goes through the directories of a module. Each hides what a later module has there, whatever it holds.
    fn search_module(
        &mut self,
        module: NodeId,
        actual: NodeId,
        path: &str,
        ignores: &[String],
        search: &mut Search<'_>,
    ) {
        let directories = match self.known.directories(actual) {
            None => return search.is_missing = true,
            Some(Ok(directories)) => directories,
            Some(Err(error)) => {
                let error = self.about_replaced(module, actual, error);
                return search.found.errors.push(error.to_string());
            }
        };
        for directory in directories.iter().filter(|directory| !is_ignored(ignores, &directory.path)) {
            let name = match (path, directory.path.as_str()) {
                ("", "") => continue,
                ("", directory) => directory.to_owned(),
                (path, "") => path.to_owned(),
                (path, directory) => format!("{path}/{directory}"),
            };
            if !search.takes(&name) || !directory.has_go_files {
                continue;
            }
            match self.known.folder(actual, &directory.path) {
                None => search.is_missing = true,
                Some(Ok(folder)) if folder.is_package(search.tags) => search.found.packages.push(name),
                Some(_) => {}
            }
        }
    }

    /// The packages that match in one module, which need not be in the build (`MatchInModule`); those of the standard
    /// library without a module. The inner error is why nobody knows.
    pub(crate) fn match_in_module(
        &mut self,
        pattern: &str,
        module: Option<NodeId>,
        tags: Tags,
    ) -> Result<Result<Vec<String>, String>, Halt> {
        let is_wild = pattern.contains("...") || super::is_meta_package(pattern);
        let Some(module) = module else {
            let is_standard = !is_wild && self.standard.packages.contains(pattern);
            return Ok(Ok(if is_standard { vec![pattern.to_owned()] } else { Vec::new() }));
        };
        if is_wild {
            let found = self.match_packages(pattern, tags, false, &[module])?;
            return Ok(match found.errors.into_iter().next() {
                Some(error) => Err(error),
                None => Ok(found.packages),
            });
        }
        if self.lacks_sum(module) {
            let error = ModuleError::about(self.nodes().node(module).clone(), "missing go.sum entry");
            return Ok(Err(error.to_string()));
        }
        Ok(match self.directory_of(pattern, module)? {
            None => Ok(Vec::new()),
            Some(Ok(folder)) if folder.is_package(tags) => Ok(vec![pattern.to_owned()]),
            Some(Ok(_)) => Ok(Vec::new()),
            Some(Err(error)) => Err(error.to_string()),
        })
    }

    /// Whether a module has a directory with `.go` files for an import path (`dirInModule`).
    pub(crate) fn has_directory(
        &mut self,
        import_path: &str,
        module: NodeId,
    ) -> Result<Result<bool, Error>, Halt> {
        if self.main.find(module.path()).is_some() && self.main.module(module).is_none() {
            return Ok(Ok(false));
        }
        Ok(match self.directory_of(import_path, module)? {
            None => Ok(false),
            Some(folder) => folder.map(|folder| folder.has_go_files).map_err(Error::from),
        })
    }

    /// The directory of a module that an import path stands for; `None` if the path is not below the module's.
    fn directory_of(
        &mut self,
        import_path: &str,
        module: NodeId,
    ) -> Result<Option<Result<Arc<Folder>, ModuleError>>, Halt> {
        let Node { path, .. } = self.nodes().node(module).clone();
        if !is_path_prefix(import_path, &path) {
            return Ok(None);
        }
        let told = self.folder(module, import_path[path.len()..].trim_start_matches('/'));
        self.known.or_halt(told).map(Some)
    }
}

impl Search<'_> {
    /// Whether a name matches and was not seen before.
    fn takes(&mut self, name: &str) -> bool {
        (self.is_meta || self.pattern.matches(name)) && self.seen.insert(name.to_owned())
    }
}

/// Whether an `ignore` directive names a directory or one above it.
fn is_ignored(ignores: &[String], directory: &str) -> bool {
    if ignores.is_empty() || directory.is_empty() {
        return false;
    }
    let with_slashes = |path: &str| format!("/{}/", path.trim_matches('/'));
    let directory = with_slashes(directory);
    ignores.iter().any(|ignore| match ignore.strip_prefix("./") {
        Some(at_root) => directory.starts_with(&with_slashes(at_root)),
        None => directory.contains(&with_slashes(ignore)),
    })
}
