//! Patterns that are folders: `./...`, `../x`, `/a/b`.
//!
//! Sources: `cmd/go/internal/search/search.go:MatchDirs`, `cmd/go/internal/modload/load.go:resolveLocalPackage`.

use modkeep_module::file_path;
use modkeep_resolver::wildcard::Wildcard;

use super::walk::{Ignored, Walk};
use super::{Match, MatchError};
use crate::load::data::Source;
use crate::load::scans::system_words;
use crate::path_prefix::has_path_prefix;
use crate::select::{SelectError, Selection};

/// Why a folder is no package.
enum NoPackage {
    /// It is passed over in wildcards: `builtin`, and GOROOT/src itself.
    Special(&'static str),
    NoGoFiles(String),
    Outside(String),
    Text(String),
}

impl Source<'_> {
    pub(super) fn match_folders(&self, found: &mut Match) {
        let folders = match found.is_literal() {
            true => vec![found.pattern.clone()],
            false => self.folders(found),
        };
        for folder in folders {
            match self.path_of(&folder) {
                Ok(path) => found.paths.push(path),
                Err(NoPackage::Special(_)) if !found.is_literal() => {}
                Err(NoPackage::Special(text)) => found.fail(text),
                Err(NoPackage::Outside(text)) => found.errors.push(MatchError::Outside(text)),
                Err(NoPackage::NoGoFiles(dir)) => found.errors.push(MatchError::NoGoFiles(dir)),
                Err(NoPackage::Text(text)) => found.fail(text),
            }
        }
    }

    /// The folders that a wildcard matches and that hold packages, as they are called in the pattern.
    pub(super) fn folders(&self, found: &mut Match) -> Vec<String> {
        let cleaned = file_path::clean(&found.pattern);
        let is_dotted = found.pattern.starts_with("./") && cleaned != ".";
        let pattern = if is_dotted { format!("./{cleaned}") } else { cleaned };
        let before = &pattern[..pattern.find("...").unwrap_or(pattern.len())];
        let start = &before[..before.rfind('/').map_or(0, |at| at + 1)];
        let root = file_path::clean(&self.absolute(start));
        let mains = self.modules.mains();
        if self.modules.gopath().is_none() && !self.may_hold_packages(&root) {
            let scope = match mains.len() {
                0 | 1 => "main module or its selected dependencies",
                _ => "modules listed in go.work or their selected dependencies",
            };
            let text = format!("directory prefix {} does not contain {scope}", self.short(&root));
            found.errors.push(MatchError::Outside(text));
            return Vec::new();
        }
        if let Err(error) = self.scans().overlay().check(&root) {
            found.fail(format!("lstat {start}: {}", system_words(&error)));
            return Vec::new();
        }
        let inside = mains.iter().rfind(|main| has_path_prefix(&root, &main.module.dir));
        if !mains.is_empty() && inside.is_none() {
            let plural = if mains.len() > 1 { "s" } else { "" };
            let roots: Vec<&str> = mains.iter().map(|main| main.module.dir.as_str()).collect();
            found.fail(format!("directory {root} is outside module root{plural} ({})", roots.join(", ")));
        }
        let ignored = Ignored::new(inside.map_or(&[], |main| main.ignore.as_slice()));
        let above = inside.map_or("", |main| root[main.module.dir.len()..].trim_start_matches('/'));
        let wanted = Wildcard::new(&pattern);
        let shown = file_path::clean(if start.is_empty() { "." } else { start });
        let mut candidates = Vec::new();
        let mut walk = Walk::of(self.scans().overlay(), &root, "");
        while let Some(folder) = walk.next() {
            let is_top = folder.way.is_empty();
            let from_root = file_path::join(above, &folder.way);
            let is_skipped = folder.is_hidden() || inside.is_some() && ignored.contains(&from_root);
            let is_module = self.modules.gopath().is_none() && folder.has_go_mod(self.scans().overlay());
            if !is_top && (is_skipped || is_module) {
                continue;
            }
            walk.enter(&folder);
            let name = file_path::join(&shown, &folder.way);
            let name = if is_dotted && !name.starts_with("./") { format!("./{name}") } else { name };
            if wanted.matches(&name) {
                candidates.push((name, folder.dir));
            }
        }
        self.with_packages(candidates)
    }

    /// Whether a folder is in a main module, in GOROOT or in another module that is known (`matchLocalDirs`).
    fn may_hold_packages(&self, dir: &str) -> bool {
        let is_root = |dir: &&str| self.scans().overlay().is_file(&format!("{dir}/go.mod"));
        let root = file_path::upwards(dir).find(is_root);
        let is_main = self.modules.mains().iter().any(|main| Some(main.module.dir.as_str()) == root);
        is_main || has_path_prefix(dir, self.goroot_src()) || self.path_in_module_cache(dir).is_some()
    }

    /// A path relative to the current folder if that is shorter.
    fn short(&self, path: &str) -> String {
        match file_path::relative(&self.build.folder, path) {
            Some(way) if way.len() < path.len() => way,
            _ => path.to_owned(),
        }
    }

    /// Whether a folder holds a package for the target, perhaps a broken one.
    pub(in crate::load) fn holds_package(&self, dir: &str) -> bool {
        self.selection(dir).is_ok_and(|selection| !matches!(selection.error, Some(SelectError::NoGoFiles(_))))
    }

    /// The path of the package in a folder.
    fn path_of(&self, folder: &str) -> Result<String, NoPackage> {
        let dir = file_path::clean(&self.absolute(folder));
        self.check_folder(&dir)?;
        let mains = self.modules.mains();
        if let Some(main) = mains.iter().find(|main| main.module.dir == dir) {
            if dir == self.goroot_src() {
                return Err(NoPackage::Special("directory is GOROOT/src, not a package"));
            }
            return Ok(main.module.path.clone());
        }
        let mut lacking: Option<&str> = None;
        let mut problem = None;
        for main in mains.iter().map(|main| &main.module) {
            let Some(way) = dir.strip_prefix(&format!("{}/", main.dir)).filter(|way| !way.contains('@'))
            else {
                continue;
            };
            if let Some(path) = way.strip_prefix("vendor/") {
                return match self.modules.vendor() {
                    Some(_) if self.modules.is_vendored(path) => Ok(path.to_owned()),
                    Some(_) => Err(NoPackage::Text(format!(
                        "directory {dir} is not a package listed in vendor/modules.txt"
                    ))),
                    None => Err(NoPackage::Text(format!(
                        "without -mod=vendor, directory {dir} has no package path"
                    ))),
                };
            }
            let path = format!("{}/{way}", main.path);
            if self.is_in_module(&dir, &main.dir) {
                return Ok(path);
            }
            if lacking.is_none_or(|longest| main.path.len() > longest.len()) {
                lacking = Some(&main.path);
                problem = Some(format!("main module ({}) does not contain package {path}", main.path));
            }
        }
        if let Some(text) = problem {
            return Err(NoPackage::Text(text));
        }
        if let Some(path) =
            dir.strip_prefix(&format!("{}/", self.goroot_src())).filter(|path| !path.contains('@'))
        {
            return match path {
                "builtin" => Err(NoPackage::Special("directory is a package in the standard library")),
                path => Ok(path.to_owned()),
            };
        }
        self.path_in_module_cache(&dir).ok_or_else(|| NoPackage::Outside(self.outside(&dir)))
    }

    /// Whether there is a folder with Go files, be it for other targets.
    fn check_folder(&self, dir: &str) -> Result<(), NoPackage> {
        let selection = self.selection(dir);
        if selection
            .as_ref()
            .is_ok_and(|selection| selection.error.is_none() || !selection.ignored_go.is_empty())
        {
            return Ok(());
        }
        if let Err(error) = self.scans().overlay().check(dir) {
            let text = match error.kind() {
                std::io::ErrorKind::NotFound => format!("stat {dir}: directory not found"),
                _ => format!("stat {dir}: {}", system_words(&error)),
            };
            return Err(NoPackage::Text(text));
        }
        match selection.map(|selection| selection.error) {
            Ok(Some(SelectError::NoGoFiles(_))) => Err(NoPackage::NoGoFiles(dir.to_owned())),
            _ => Ok(()),
        }
    }

    /// Whether no folder between the two begins another module, and the inner one has Go files.
    fn is_in_module(&self, dir: &str, root: &str) -> bool {
        let is_other = |dir: &str| self.scans().overlay().is_file(&format!("{dir}/go.mod"));
        let mut between = file_path::upwards(dir).take_while(|above| above.len() > root.len());
        !between.any(is_other) && self.scans().directory(dir).is_ok_and(|directory| directory.has_go_files())
    }

    /// `pathInModuleCache`
    fn path_in_module_cache(&self, dir: &str) -> Option<String> {
        let others = self.modules.others().unwrap_or_default();
        others.iter().filter(|module| !module.dir.is_empty()).find_map(|module| {
            let way = dir.strip_prefix(&module.dir).filter(|way| way.is_empty() || way.starts_with('/'))?;
            let is_vendored = way.starts_with("/vendor/") || way.contains("/vendor/");
            (!is_vendored && !way.contains('@')).then(|| format!("{}{way}", module.path))
        })
    }

    fn outside(&self, dir: &str) -> String {
        let folder = self.short(dir);
        let folder =
            if folder == "." { "current directory".to_owned() } else { format!("directory {folder}") };
        match self.modules.mains().len() {
            0 | 1 => format!("{folder} outside main module or its selected dependencies"),
            _ => format!("{folder} outside modules listed in go.work or their selected dependencies"),
        }
    }

    fn selection(&self, dir: &str) -> Result<Selection, String> {
        Ok(self.scans().directory(dir)?.select(self.tags()))
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { file_path::join(&self.build.folder, path) }
    }
}
