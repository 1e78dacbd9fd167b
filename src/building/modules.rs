//! The modules of a build: what go.mod requires, in the module cache or in folders that stand in their places.
//!
//! A tidy go.mod of Go 1.17 and later names every module that provides a package, in the version that is selected; that
//! list is taken as it stands. Workspaces and vendor directories are not looked at.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use modkeep_builder::modules::{MainModule, Module, Modules, Place, PlaceError};
use modkeep_module::gomod::Replace;
use modkeep_module::{GoMod, GoSum, file_path};

use crate::goenv::{GoEnv, words};
use crate::report::Failure;

/// Modules by their go.mod.
pub(super) struct Required {
    mains: Vec<MainModule>,
    go_version: String,
    godebugs: BTreeMap<String, String>,
    tools: Vec<String>,
    /// Sorted so that the longest path of those that hold a package comes first.
    others: Vec<Arc<Module>>,
}

impl Required {
    /// The modules of the current folder.
    pub(super) fn find(go: &GoEnv, modfile: &str) -> Result<Self, Failure> {
        let Some(root) = go.module_root() else {
            return Ok(Self::none());
        };
        let file = if modfile.is_empty() { file_path::join(&root, "go.mod") } else { modfile.to_owned() };
        let data = fs::read(&file).map_err(|error| Failure::go(format!("open {file}: {}", words(&error))))?;
        let parsed = GoMod::parse(&go.short(&file), &data)
            .map_err(|error| Failure::go(format!("errors parsing {}:\n{error}", go.short(&file))))?;
        let sums = fs::read(file.trim_end_matches(".mod").to_owned() + ".sum").unwrap_or_default();
        let (sums, _) = GoSum::parse_repairing(&sums);
        let cache = module_cache(go);
        let requires = parsed.requires().iter();
        let mut others = Vec::new();
        for require in requires {
            let module = module(&require.path, &require.version, require.indirect);
            others.push(Arc::new(located(module, &parsed, &root, &cache, &sums)));
        }
        others.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.path.cmp(&b.path)));
        let go_version = parsed.go().map(|line| line.version.clone()).unwrap_or_default();
        let main = Module {
            path: parsed.module().map(|line| line.path.clone()).unwrap_or_default(),
            main: true,
            dir: root,
            go_mod: file,
            go_version: go_version.clone(),
            ..Module::default()
        };
        let ignore = parsed.ignores().iter().map(|line| line.path.clone()).collect();
        let mut tools: Vec<String> = parsed.tools().iter().map(|line| line.path.clone()).collect();
        tools.sort();
        let godebugs = parsed.godebugs().iter().map(|line| (line.key.clone(), line.value.clone())).collect();
        let mains = vec![MainModule { module: Arc::new(main), ignore }];
        Ok(Self { mains, go_version, godebugs, tools, others })
    }

    fn none() -> Self {
        Self {
            mains: Vec::new(),
            go_version: String::new(),
            godebugs: BTreeMap::new(),
            tools: Vec::new(),
            others: Vec::new(),
        }
    }
}

/// GOMODCACHE.
pub(super) fn module_cache(go: &GoEnv) -> String {
    match go.get("GOMODCACHE") {
        Some(folder) => folder.to_owned(),
        None => file_path::join(&go.gopath().into_iter().next().unwrap_or_default(), "pkg/mod"),
    }
}

fn module(path: &str, version: &str, indirect: bool) -> Module {
    Module { path: path.to_owned(), version: version.to_owned(), indirect, ..Module::default() }
}

/// The module with its folder, its own or that of what replaces it.
fn located(mut module: Module, go_mod: &GoMod, root: &str, cache: &str, sums: &GoSum) -> Module {
    let replaces = go_mod.replaces().iter().filter(|replace| replace.old_path == module.path);
    let exact = |replace: &&Replace| replace.old_version.as_deref() == Some(module.version.as_str());
    let found: Vec<&Replace> = replaces.map(|replace| &**replace).collect();
    let replace =
        found.iter().copied().find(exact).or(found.iter().copied().find(|r| r.old_version.is_none()));
    let (dir, actual) = match replace {
        None => (cached_folder(cache, &module.path, &module.version), None),
        Some(replace) => match &replace.new_version {
            None => (
                file_path::clean(&absolute(root, &replace.new_path)),
                Some((replace.new_path.clone(), String::new())),
            ),
            Some(version) => (
                cached_folder(cache, &replace.new_path, version),
                Some((replace.new_path.clone(), version.clone())),
            ),
        },
    };
    let (sum_path, sum_version) =
        actual.clone().unwrap_or_else(|| (module.path.clone(), module.version.clone()));
    module.sum =
        sums.hashes(&sum_path, &sum_version).next().map(|hash| hash.into_owned()).unwrap_or_default();
    module.go_mod = file_path::join(&dir, "go.mod");
    module.go_version = fs::read(&module.go_mod)
        .ok()
        .and_then(|data| GoMod::parse_lax("go.mod", &data).ok())
        .and_then(|file| file.go().map(|line| line.version.clone()))
        .unwrap_or_default();
    module.dir = dir;
    module.replace = actual.map(|(path, version)| {
        let (dir, go_mod) = (module.dir.clone(), module.go_mod.clone());
        let go_version = module.go_version.clone();
        Box::new(Module { path, version, dir, go_mod, go_version, ..Module::default() })
    });
    module
}

fn absolute(root: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { file_path::join(root, path) }
}

/// The folder of a version in the module cache.
fn cached_folder(cache: &str, path: &str, version: &str) -> String {
    let escaped = |text: &str| {
        let mut out = String::new();
        for c in text.chars() {
            if c.is_ascii_uppercase() {
                out.push('!');
            }
            out.push(c.to_ascii_lowercase());
        }
        out
    };
    format!("{cache}/{}@{}", escaped(path), escaped(version))
}

/// Whether a folder holds Go files of this very module (`modload/import.go:dirInModule`).
fn holds_package(root: &str, folder: &str, is_local: bool) -> bool {
    if is_local {
        let mut above = Some(folder);
        while let Some(path) = above.filter(|path| *path != root && path.len() > root.len()) {
            if fs::metadata(format!("{path}/go.mod")).is_ok_and(|found| found.is_file()) {
                return false;
            }
            above = file_path::parent(path);
        }
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        entry.file_name().to_string_lossy().ends_with(".go")
            && fs::metadata(entry.path()).is_ok_and(|found| found.is_file())
    })
}

impl Modules for Required {
    fn find(&self, path: &str) -> Result<Place, PlaceError> {
        let mains = self.mains.iter().map(|main| &main.module);
        let mut holders = Vec::new();
        let mut missing = None;
        for module in mains.chain(&self.others) {
            let Some(below) =
                path.strip_prefix(&module.path).filter(|below| below.is_empty() || below.starts_with('/'))
            else {
                continue;
            };
            let dir = format!("{}{below}", module.dir);
            if !module.main && fs::metadata(&module.dir).is_err() {
                missing.get_or_insert_with(|| Arc::clone(module));
            } else if holds_package(&module.dir, &dir, module.main || module.version.is_empty()) {
                holders.push(Place { module: Arc::clone(module), dir });
            }
        }
        match (holders.len(), missing) {
            (1, _) => Ok(holders.remove(0)),
            (0, Some(module)) => Err(PlaceError {
                text: format!(
                    "module {} is not in the module cache; to add it:\n\tmodkeep mod download {0}",
                    module.path
                ),
            }),
            (0, None) => Err(PlaceError { text: self.nobody_provides(path) }),
            _ => {
                let lines: String = holders
                    .iter()
                    .map(|place| {
                        let module = &place.module;
                        let version =
                            if module.main { String::new() } else { format!(" {}", module.version) };
                        format!("\n\t{}{version} ({})", module.path, place.dir)
                    })
                    .collect();
                let text = format!("ambiguous import: found package {path} in multiple modules:{lines}");
                Err(PlaceError { text })
            }
        }
    }

    fn mains(&self) -> &[MainModule] {
        &self.mains
    }

    fn go_version(&self) -> &str {
        &self.go_version
    }

    fn godebugs(&self) -> &BTreeMap<String, String> {
        &self.godebugs
    }

    fn tools(&self) -> &[String] {
        &self.tools
    }

    fn vendor(&self) -> Option<&str> {
        None
    }

    fn others(&self) -> Result<Vec<Arc<Module>>, PlaceError> {
        let mut others = self.others.clone();
        others.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(others)
    }
}

impl Required {
    fn nobody_provides(&self, path: &str) -> String {
        let Some(main) = self.mains.first() else {
            return format!(
                "no required module provides package {path}: go.mod file not found in current directory or any parent \
                 directory; see 'go help modules'"
            );
        };
        let of_main = path.strip_prefix(&main.module.path).is_some_and(|below| below.starts_with('/'));
        if of_main {
            let dir = format!("{}{}", main.module.dir, &path[main.module.path.len()..]);
            if fs::metadata(&dir).is_ok() {
                return format!("no Go files in {dir}");
            }
        }
        format!("no required module provides package {path}; to add it:\n\tgo get {path}")
    }
}
