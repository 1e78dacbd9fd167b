//! What a program tells about how it was built: its modules, the settings, and the revision of its repository.
//!
//! Source: `cmd/go/internal/load/pkg.go:setBuildInfo`.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use modkeep_module::semver;

use super::repository::{Repository, Revision};
use super::{Loader, PackageError, Problem};
use crate::build::{Build, BuildMode, Stamp};
use crate::modules::Module;
use crate::package::{BuildInfo, BuildModule, Package, PackageId};
use crate::path_prefix::has_path_prefix;
use crate::tags::Instrument;

impl Loader<'_> {
    /// Tells the program how it is built. A repository that can't be asked is the package's error.
    pub(super) fn stamp(&mut self, id: PackageId) {
        let is_vendored = self.source.modules.vendor().is_some();
        let package = &self.graph[id];
        let main =
            package.module.as_deref().map(|module| build_module(module, is_vendored)).unwrap_or_default();
        let mut info = BuildInfo {
            path: if package.cmdline_files { "command-line-arguments" } else { &package.import_path }
                .to_owned(),
            deps: self.modules_below(id, &main.path, is_vendored),
            main,
            settings: settings(self.source.build, package),
        };
        match self.revision(id) {
            Ok(Some(revision)) => self.add_revision(id, &mut info, &revision),
            Ok(None) => {}
            Err(text) => {
                let hint = "\n\tUse -buildvcs=false to disable VCS stamping.";
                let problem = Problem::Stamp(format!("error obtaining VCS status: {text}{hint}"));
                self.set_error(id, PackageError::new(problem, &Vec::new()));
                return;
            }
        }
        self.graph[id].build_info = Some(Arc::new(info));
    }

    /// The modules of what a program needs, less its own, in go's order.
    fn modules_below(&self, id: PackageId, main: &str, is_vendored: bool) -> Vec<BuildModule> {
        let mut found: BTreeMap<(&str, Precedence<'_>), BuildModule> = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut pending: VecDeque<PackageId> = self.graph[id].imported.iter().copied().collect();
        while let Some(next) = pending.pop_front() {
            if !seen.insert(next) {
                continue;
            }
            let package = &self.graph[next];
            if let Some(module) = package.module.as_deref().filter(|module| module.path != main) {
                let key = (module.path.as_str(), Precedence(&module.version));
                found.entry(key).or_insert_with(|| build_module(module, is_vendored));
            }
            pending.extend(package.imported.iter().copied());
        }
        found.into_values().collect()
    }

    /// The revision of the repository that the program comes from; none where it isn't to be told.
    fn revision(&self, id: PackageId) -> Result<Option<Arc<Revision>>, String> {
        let build = self.source.build;
        let release = build.toolchain.release;
        let package = &self.graph[id];
        let is_wanted = match build.vcs {
            Stamp::Always => true,
            Stamp::Auto => self.options.stamps && !package.is_test_only(),
            Stamp::Never => false,
        };
        let Some(module) = package.module.as_ref().filter(|module| module.version.is_empty()) else {
            return Ok(None);
        };
        if !is_wanted || package.standard {
            return Ok(None);
        }
        let Some(repository) = Repository::around(&build.folder, release)? else {
            return Ok(None);
        };
        let root = repository.root.as_str();
        if !has_path_prefix(&module.dir, root) && !has_path_prefix(root, &module.dir)
            || build.vcs == Stamp::Auto && !repository.tool.is_installed()
        {
            return Ok(None);
        }
        for (what, folder) in [("package", &package.dir), ("module", &module.dir)] {
            let other = Repository::around(folder, release)?.map(|other| other.root);
            let other = other
                .ok_or_else(|| format!("directory {folder:?} is not using a known version control system"))?;
            if other == root {
                continue;
            }
            return match build.vcs {
                Stamp::Auto => Ok(None),
                _ => Err(format!(
                    "main {what} is in repository {other:?} but current directory is in repository {root:?}"
                )),
            };
        }
        self.source.scans().revision(&repository).map(Some)
    }

    fn add_revision(&self, id: PackageId, info: &mut BuildInfo, revision: &Revision) {
        let mut add = |key: &str, value: String| info.settings.push((key.to_owned(), value));
        add("vcs", revision.repository.tool.command().to_owned());
        if let Some((hash, time)) = &revision.commit {
            add("vcs.revision", hash.clone());
            add("vcs.time", time.clone());
        }
        add("vcs.modified", revision.is_modified.to_string());
        let module = self.graph[id].module.as_deref();
        if let Some(version) = module.and_then(|module| revision.version_of(&module.path)) {
            info.main.version = version;
        }
    }
}

/// Orders versions as go does, without one first.
#[derive(PartialEq, Eq)]
struct Precedence<'a>(&'a str);

impl Ord for Precedence<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        semver::compare(self.0, other.0).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Precedence<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn build_module(module: &Module, is_vendored: bool) -> BuildModule {
    let version = if module.version.is_empty() { "(devel)" } else { &module.version }.to_owned();
    let replace = module.replace.as_deref().map(|replace| Box::new(build_module(replace, is_vendored)));
    let has_sum = replace.is_none() && !module.version.is_empty() && !is_vendored;
    let sum = if has_sum { module.sum.clone() } else { String::new() };
    BuildModule { path: module.path.clone(), version, sum, replace }
}

/// What is told of flags and variables, in go's order.
fn settings(build: &Build, package: &Package) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: &str| settings.push((key.to_owned(), value.replace('\n', " ")));
    if build.instrument == Some(Instrument::Address) {
        add("-asan", "true");
    }
    if build.asmflags.is_present() {
        add("-asmflags", build.asmflags.as_str());
    }
    add("-buildmode", if build.mode == BuildMode::Default { "exe" } else { build.mode.as_str() });
    add("-compiler", "gc");
    if !build.gcflags.as_str().is_empty() {
        add("-gcflags", build.gcflags.as_str());
    }
    // It may name files of the machine.
    if !build.ldflags.as_str().is_empty() && !build.trimpath {
        add("-ldflags", build.ldflags.as_str());
    }
    if build.cover {
        add("-cover", "true");
    }
    match build.instrument {
        Some(Instrument::Memory) => add("-msan", "true"),
        Some(Instrument::Race) => add("-race", "true"),
        Some(Instrument::Address) | None => {}
    }
    if !build.tags.is_empty() {
        add("-tags", &build.tags.join(","));
    }
    if build.trimpath {
        add("-trimpath", "true");
    }
    if !package.default_godebug.is_empty() {
        add("DefaultGODEBUG", &package.default_godebug);
    }
    add("CGO_ENABLED", if build.cgo { "1" } else { "0" });
    if build.cgo && !build.trimpath {
        for name in ["CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS"] {
            add(name, build.c_variables.get(name).map_or("", String::as_str));
        }
    }
    add("GOARCH", &build.target.arch);
    if !build.experiments.is_empty() {
        add("GOEXPERIMENT", &build.experiments);
    }
    add("GOOS", &build.target.os);
    if let Some((name, value)) = build.level_variable()
        && !value.is_empty()
    {
        add(name, value);
    }
    settings
}
