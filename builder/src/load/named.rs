//! A package of files that the command line names, and the choice of programs among packages.
//!
//! Source: `cmd/go/internal/load/pkg.go` (`GoFilesPackage`, `mainPackagesOnly`).

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use modkeep_module::file_path;

use super::data::Data;
use super::scans::system_words;
use super::{Loader, Match, PackageError, Problem, on_a_large_stack};
use crate::overlay::Overlay;
use crate::package::{Package, PackageId};
use crate::select::Directory;

/// The path of a package of named files.
const NAMED: &str = "command-line-arguments";

/// Why files can't be a package; the words are go's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamedFilesError {
    /// A name of another ending stands beside names of Go files.
    #[error("named files must be .go files: {0}")]
    NotGo(String),
    /// A file isn't there.
    #[error("stat {0}: {1}")]
    Missing(String, String),
    /// A folder has the name of a Go file.
    #[error("{0} is a directory, should be a Go file")]
    Folder(String),
    /// Files of two folders.
    #[error("named files must all be in one directory; have {0} and {1}")]
    TwoFolders(String, String),
}

/// Whether the words of a command line name Go files rather than packages.
pub fn are_files(words: &[String], folder: &str, overlay: &Overlay) -> bool {
    words.iter().any(|word| word.ends_with(".go") && overlay.is_file(&absolute(folder, word)))
}

impl Loader<'_> {
    /// Loads the package that some Go files make up, whatever targets they are for.
    ///
    /// # Errors
    /// For names that can't be one package.
    pub fn load_files(&mut self, files: &[String]) -> Result<PackageId, NamedFilesError> {
        let build = self.source.build;
        let (dir, names) = match split(files, &build.folder, self.source.scans().overlay()) {
            Ok(split) => split,
            Err(NamedFilesError::NotGo(file)) => return Ok(self.add_other_file(file)),
            Err(error) => return Err(error),
        };
        let directory = Directory::of_files(Path::new(&dir), &names, self.source.scans().overlay());
        // A folder has no path of its own outside of GOROOT.
        let in_goroot = dir.strip_prefix(&format!("{}/", self.source.goroot_src()));
        let path = in_goroot.unwrap_or(".").to_owned();
        let root = in_goroot.map_or_else(String::new, |_| build.toolchain.root.clone());
        let (path, root) = match self.source.modules.gopath() {
            Some(folders) if root.is_empty() => {
                let (called, root) = self.source.place_in_folders(&dir, folders);
                (if called.is_empty() { path } else { called }, root)
            }
            _ => (path, root),
        };
        let mut data = Data { path, root, goroot: in_goroot.is_some(), dir, ..Data::default() };
        self.source.select(&mut data, directory.select_all(self.source.tags()));
        let paths: Vec<String> = data.selection.requests.imports.keys().cloned().collect();
        let is_in_folders = self.source.modules.gopath().is_some();
        if !is_in_folders {
            self.source.prefetch(&paths, false);
        }
        let data = Arc::new(data);
        let id = self.add(Package { cmdline_files: true, ..Package::default() });
        on_a_large_stack(|| self.load_one(id, NAMED, &[], &data, ""));
        let package = &mut self.graph[id];
        NAMED.clone_into(&mut package.import_path);
        package.target.clear();
        if is_in_folders {
            package.local_prefix = format!("_{}", package.dir);
        }
        package.matches = files.to_vec();
        if package.name == "main" {
            let suffix = if build.target.os == "windows" { ".exe" } else { "" };
            let folder = match build.gobin.is_empty() {
                true => format!("{}/bin", build.gopath),
                false => build.gobin.clone(),
            };
            if !is_in_folders || !build.gobin.is_empty() {
                package.target = format!("{folder}/{}{suffix}", package.program_name());
            }
        }
        self.set_flags();
        Ok(id)
    }

    /// Stands for a file that is no Go file.
    fn add_other_file(&mut self, file: String) -> PackageId {
        let problem = Problem::Pattern(NamedFilesError::NotGo(file.clone()).to_string());
        self.add_finished(Package {
            name: file,
            cmdline_files: true,
            incomplete: true,
            error: Some(PackageError::new(problem, &Vec::new())),
            ..Package::default()
        })
    }

    /// What some Go files import, tests included, sorted.
    ///
    /// # Errors
    /// For names that can't be one package.
    pub fn imports_of_files(&self, files: &[String]) -> Result<Vec<String>, NamedFilesError> {
        let (dir, names) = match split(files, &self.source.build.folder, self.source.scans().overlay()) {
            Ok(split) => split,
            Err(NamedFilesError::NotGo(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let directory = Directory::of_files(Path::new(&dir), &names, self.source.scans().overlay());
        let selection = directory.select_all(self.source.tags());
        let lists = [&selection.requests, &selection.test_requests, &selection.outer_test_requests];
        let mut imports: Vec<String> =
            lists.iter().flat_map(|requests| requests.imports.keys().cloned()).collect();
        imports.sort_unstable();
        imports.dedup();
        Ok(imports)
    }

    /// The programs among packages. Another package that is named without a wildcard gets an error and stays; patterns
    /// that match no program are given as well.
    pub fn programs(&mut self, roots: &[PackageId], matches: &[Match]) -> (Vec<PackageId>, Vec<String>) {
        let literal = matches.iter().filter(|found| found.is_literal());
        let mut taken: HashSet<String> = literal.flat_map(|found| found.paths.iter().cloned()).collect();
        let mut programs = Vec::new();
        for &id in roots {
            let package = &mut self.graph[id];
            let path = package.import_path.clone();
            let is_main = package.name == "main" || package.name.is_empty() && package.error.is_some();
            if is_main || !package.invalid_go_files.is_empty() {
                taken.insert(path.clone());
            }
            if !is_main && taken.contains(&path) && package.error.is_none() {
                package.error = Some(PackageError::new(Problem::NotMain(path.clone()), &Vec::new()));
                package.incomplete = true;
            }
            if taken.contains(&path) {
                programs.push(id);
            }
        }
        let without = matches.iter().filter(|found| {
            !found.is_literal()
                && !found.paths.is_empty()
                && !found.paths.iter().any(|path| taken.contains(path))
        });
        (programs, without.map(|found| found.pattern.clone()).collect())
    }
}

fn absolute(folder: &str, path: &str) -> String {
    if path.starts_with('/') { file_path::clean(path) } else { file_path::join(folder, path) }
}

/// The one folder of the files, and their names in it.
fn split(
    files: &[String],
    folder: &str,
    overlay: &Overlay,
) -> Result<(String, Vec<String>), NamedFilesError> {
    if let Some(other) = files.iter().find(|file| !file.ends_with(".go")) {
        return Err(NamedFilesError::NotGo(other.clone()));
    }
    let mut shown: Option<String> = None;
    let mut names = Vec::new();
    for file in files {
        let path = absolute(folder, file);
        overlay.check(&path).map_err(|error| NamedFilesError::Missing(file.clone(), system_words(&error)))?;
        if overlay.is_folder(&path) {
            return Err(NamedFilesError::Folder(file.clone()));
        }
        let (above, name) = file.rsplit_once('/').unwrap_or((".", file));
        let above = file_path::clean(if above.is_empty() { "/" } else { above });
        match &shown {
            Some(first) if *first != above => return Err(NamedFilesError::TwoFolders(first.clone(), above)),
            _ => shown = Some(above),
        }
        names.push(name.to_owned());
    }
    Ok((absolute(folder, &shown.unwrap_or_else(|| ".".to_owned())), names))
}
