//! One package: what its files say, what it implies, and its imports (`Package.load`).

use std::sync::Arc;

use modkeep_module::unicode;

use super::data::{Data, DataError, is_standard_path};
use super::error::step;
use super::files;
use super::rules::SIMD_BRIDGE;
use super::{Loader, Mode, PackageError, Problem};
use crate::package::{Package, PackageId, Sources};
use crate::platform;
use crate::select::{Language, Place, Requests};
use crate::tags::Instrument;

/// Paths that a package imports; what is implied stands behind what is written.
struct Paths {
    list: Vec<String>,
    written: usize,
    allows_bridge: bool,
}

impl Loader<'_> {
    pub(super) fn load_one(
        &mut self,
        id: PackageId,
        path: &str,
        places: &[Place],
        data: &Arc<Data>,
        parent_dir: &str,
    ) {
        self.take_data(id, data);
        if let Some(error) = &data.error {
            self.take_data_error(id, error, path, places, parent_dir);
        }
        self.graph[id].target = self.target_of(&self.graph[id]);
        let paths = match self.paths_of(id) {
            Ok(paths) => paths,
            Err(problem) => return self.blame_importer(id, problem, path, places, parent_dir),
        };
        if let Some(problem) = self.path_problem(id) {
            return self.blame_importer(id, problem, path, places, parent_dir);
        }
        self.stack.push(step(path, places));
        self.load_inside(id, data, &paths);
        self.stack.pop();
    }

    /// What can be said of it without its imports, then those.
    fn load_inside(&mut self, id: PackageId, data: &Data, paths: &Paths) {
        self.graph[id].module.clone_from(&data.module);
        self.graph[id].default_godebug = self.default_godebug(id, &[]);
        let (dir, sources) = (self.graph[id].dir.clone(), Arc::clone(&self.graph[id].sources));
        self.graph[id].debug_mistakes = self.debug_mistakes(&dir, &sources.directives);
        if !self.options.suppresses_embeds {
            self.resolve_embeds(id);
        }
        if let Some(problem) = files::problem(&self.graph[id]) {
            let error = self.error(problem);
            return self.set_error(id, error);
        }
        self.follow(id, paths);
        let package = &self.graph[id];
        let is_program = package.name == "main" && !package.force_library;
        if is_program && !package.incomplete && !self.options.suppresses_build_info {
            self.stamp(id);
        }
        if let Some(problem) = files::without_cgo(&self.graph[id]) {
            let error = self.error(problem);
            self.set_error(id, error);
        }
    }

    /// Loads the imports.
    fn follow(&mut self, id: PackageId, paths: &Paths) {
        let sources = Arc::clone(&self.graph[id].sources);
        let mut imported = Vec::with_capacity(paths.list.len());
        for (index, path) in paths.list.iter().enumerate().filter(|(_, path)| *path != "C") {
            let places = sources.imports.get(path).map_or(&[][..], Vec::as_slice);
            let mode = Mode { resolves: true, allows_bridge: paths.allows_bridge, ..Mode::default() };
            let (import, error) = self.import(path, Some(id), places, mode);
            let is_incomplete = self.graph[import].incomplete;
            let resolved = self.graph[import].import_path.clone();
            let package = &mut self.graph[id];
            if let Some(error) = error {
                first_error_of(package, error);
            }
            package.incomplete |= is_incomplete;
            if index < paths.written {
                package.imports[index] = resolved;
            }
            imported.push(import);
        }
        self.graph[id].imported = imported;
        self.finished[id.index()] = true;
    }

    fn take_data(&mut self, id: PackageId, data: &Data) {
        let selection = &data.selection;
        let other = |language| selection.other.get(&language).cloned().unwrap_or_default();
        let paths = |requests: &Requests| requests.imports.keys().cloned().collect::<Vec<_>>();
        let patterns = |requests: &Requests| requests.embeds.keys().cloned().collect::<Vec<_>>();
        let imports = |requests: &Requests| match self.options.ignores_imports {
            true => Vec::new(),
            false => paths(requests),
        };
        let is_memory = self.source.build.instrument == Some(Instrument::Memory);
        let before = &self.graph[id];
        self.graph[id] = Package {
            dir: data.dir.clone(),
            import_path: data.path.clone(),
            orig_import_path: data.path.clone(),
            name: selection.name.clone(),
            doc: selection.doc.clone(),
            root: data.root.clone(),
            goroot: data.goroot,
            standard: data.goroot && is_standard_path(&data.path),
            go_files: selection.go.clone(),
            cgo_files: selection.cgo.clone(),
            ignored_go_files: selection.ignored_go.clone(),
            invalid_go_files: selection.invalid_go.clone(),
            ignored_other_files: selection.ignored_other.clone(),
            c_files: other(Language::C),
            cxx_files: other(Language::Cxx),
            m_files: other(Language::ObjectiveC),
            h_files: other(Language::Header),
            f_files: other(Language::Fortran),
            s_files: other(Language::Assembly),
            swig_files: other(Language::Swig),
            swig_cxx_files: other(Language::SwigCxx),
            // An object can't be built both with and without the sanitizer.
            syso_files: if is_memory { Vec::new() } else { other(Language::Object) },
            embed_patterns: patterns(&selection.requests),
            cgo_flags: selection.flags.clone(),
            imports: imports(&selection.requests),
            raw_imports: imports(&selection.requests),
            test_go_files: selection.test.clone(),
            test_imports: imports(&selection.test_requests),
            test_embed_patterns: patterns(&selection.test_requests),
            x_test_go_files: selection.outer_test.clone(),
            x_test_imports: imports(&selection.outer_test_requests),
            x_test_embed_patterns: patterns(&selection.outer_test_requests),
            conflict_dir: data.conflict.clone(),
            local_prefix: before.local_prefix.clone(),
            cmdline_package: before.cmdline_package,
            cmdline_literal: before.cmdline_literal,
            cmdline_files: before.cmdline_files,
            sources: Arc::new(sources_of(data)),
            ..Package::default()
        };
    }

    /// `setLoadPackageDataError`
    fn take_data_error(
        &mut self,
        id: PackageId,
        error: &DataError,
        path: &str,
        places: &[Place],
        parent_dir: &str,
    ) {
        let package = &self.graph[id];
        let dir = package.dir.clone();
        let (problem, position, is_inside) = match error {
            DataError::NoGoFiles => (files::no_go_files(package), String::new(), true),
            DataError::Syntax(file, error) => {
                let position =
                    format!("{}:{}:{}", self.short(file), error.position.line, error.position.column);
                (Problem::Source(error.text.clone()), position, true)
            }
            DataError::Other(text) => (Problem::Source(text.clone()), String::new(), false),
            DataError::Place(text) => (Problem::Place(text.clone()), String::new(), false),
            DataError::Missing(text) => (Problem::Missing(text.clone()), String::new(), false),
        };
        debug_assert!(!is_inside || !dir.is_empty(), "files come from a folder");
        if is_inside {
            self.stack.push(step(path, places));
        }
        let mut error = PackageError { position, ..self.error(problem) };
        let is_importers = self.stack.last().is_some_and(|top| top.package != path);
        if is_importers && let Some(position) = self.position(parent_dir, places) {
            error.position = position;
        }
        if is_inside {
            self.stack.pop();
        }
        let package = &mut self.graph[id];
        package.error = Some(error);
        package.incomplete = true;
    }

    /// An error that is shown where the package is imported; its own imports are not followed.
    fn blame_importer(
        &mut self,
        id: PackageId,
        problem: Problem,
        path: &str,
        places: &[Place],
        parent_dir: &str,
    ) {
        let mut error = self.error(problem);
        if self.stack.last().is_some_and(|top| top.package != path) {
            error = self.with_position(error, parent_dir, places);
        }
        self.set_error(id, error);
    }

    /// What it imports, with what cgo, simd and the linker imply.
    fn paths_of(&mut self, id: PackageId) -> Result<Paths, Problem> {
        let build = self.source.build;
        let package = &self.graph[id];
        let mut list = package.imports.clone();
        let written = list.len();
        let mut compiled = Vec::new();
        let mut add = |path: &str, for_compiler: bool| {
            if !list.iter().any(|other| other == path) {
                list.push(path.to_owned());
                if for_compiler {
                    compiled.push(path.to_owned());
                }
            }
        };
        let allows_bridge = build.toolchain.release.has_simd_bridge(&build.target.arch)
            && package.imports.iter().any(|path| path == "simd");
        if allows_bridge {
            add(SIMD_BRIDGE, true);
        }
        if !self.options.ignores_imports {
            let path = package.import_path.as_str();
            if package.uses_cgo() {
                add("unsafe", true);
                if !package.standard || path != "runtime/cgo" {
                    add("runtime/cgo", true);
                }
                let excluded = ["runtime/cgo", "runtime/race", "runtime/msan", "runtime/asan"];
                if !package.standard || !excluded.contains(&path) {
                    add("syscall", true);
                }
            }
            if package.uses_swig() {
                ["unsafe", "runtime/cgo", "syscall", "sync"].iter().for_each(|path| add(path, true));
            }
            if package.name == "main" && !package.force_library {
                self.linker_dependencies(package)?.iter().for_each(|path| add(path, false));
            }
        }
        self.graph[id].compiled_imports = compiled;
        Ok(Paths { list, written, allows_bridge })
    }

    /// What every program of the build needs (`LinkerDeps`).
    pub(super) fn linker_dependencies(&self, package: &Package) -> Result<Vec<&'static str>, Problem> {
        let build = self.source.build;
        let mut paths = vec!["runtime"];
        if let Some(reason) = platform::external_linking_reason(build, &build.ldflags.of(package)) {
            if !build.cgo {
                return Err(Problem::ExternalLinking { reason });
            }
            paths.push("runtime/cgo");
        }
        // for floating point in software
        if build.target.arch == "arm" {
            paths.push("math");
        }
        paths.extend(build.instrument.map(|instrument| match instrument {
            Instrument::Race => "runtime/race",
            Instrument::Memory => "runtime/msan",
            Instrument::Address => "runtime/asan",
        }));
        if build.cover {
            paths.push("runtime/coverage");
        }
        Ok(paths)
    }

    /// What is wrong with the path itself.
    fn path_problem(&mut self, id: PackageId) -> Option<Problem> {
        let path = &self.graph[id].import_path;
        let first = self.folded.entry(unicode::fold(path).into_owned()).or_insert_with(|| path.clone());
        if first != path {
            return Some(Problem::PathCollision(path.clone(), first.clone()));
        }
        (!files::is_safe_argument(path)).then(|| Problem::ImportPath(path.clone()))
    }

    /// Where `install` puts it.
    fn target_of(&self, package: &Package) -> String {
        let build = self.source.build;
        let is_in_folders = self.source.modules.gopath().is_some();
        if package.name != "main" {
            let is_installed = is_in_folders && !package.goroot && !package.root.is_empty();
            return match is_installed && package.local_prefix.is_empty() {
                true => format!(
                    "{}/pkg/{}_{}{}/{}.a",
                    package.root,
                    build.target.os,
                    build.target.arch,
                    build.instrument.map_or_else(String::new, |kind| format!("_{}", kind.word())),
                    package.import_path
                ),
                false => String::new(),
            };
        }
        let (os, arch) = (&build.target.os, &build.target.arch);
        let suffix = if os == "windows" { ".exe" } else { "" };
        let name = format!("{}{suffix}", package.program_name());
        let below = format!("{os}_{arch}/{name}");
        let path = package.import_path.as_str();
        if package.goroot && path.starts_with("cmd/") && !matches!(path, "cmd/go" | "cmd/gofmt") {
            return format!("{}/pkg/tool/{below}", build.toolchain.root);
        }
        let (folder, has_gobin) = match (package.goroot, build.gobin.is_empty()) {
            (true, _) => (format!("{}/bin", build.toolchain.root), false),
            (false, false) => (build.gobin.clone(), true),
            (false, true) if is_in_folders && package.root.is_empty() => return String::new(),
            (false, true) if is_in_folders => (format!("{}/bin", package.root), false),
            (false, true) if build.gopath.is_empty() => return String::new(),
            (false, true) => (format!("{}/bin", build.gopath), false),
        };
        match build.is_native() {
            true => format!("{folder}/{name}"),
            false if has_gobin => String::new(),
            false => format!("{folder}/{below}"),
        }
    }
}

/// Keeps the first error.
pub(super) fn first_error_of(package: &mut Package, error: PackageError) {
    if package.error.is_none() {
        package.error = Some(error);
        package.incomplete = true;
    }
}

fn sources_of(data: &Data) -> Sources {
    let selection = &data.selection;
    let directives = |requests: &Requests| requests.directives.clone();
    Sources {
        imports: selection.requests.imports.clone(),
        test_imports: selection.test_requests.imports.clone(),
        x_test_imports: selection.outer_test_requests.imports.clone(),
        embeds: selection.requests.embeds.clone(),
        test_embeds: selection.test_requests.embeds.clone(),
        x_test_embeds: selection.outer_test_requests.embeds.clone(),
        directives: directives(&selection.requests),
        test_directives: directives(&selection.test_requests),
        x_test_directives: directives(&selection.outer_test_requests),
    }
}
