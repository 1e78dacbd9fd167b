//! The packages of a test: the package with its tests, the package beside it, the program that runs both, and copies of
//! what stands between them.
//!
//! A package that imports the tested one must see it with its tests, so everything from there up to the program is
//! copied. Source: `cmd/go/internal/load/test.go`.

mod copies;
mod program;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::embed::{Embedded, all_files};
use super::rules::SIMD_BRIDGE;
use super::{Importing, Loader, Mode, PackageError, Places, Problem, on_a_large_stack};
use crate::package::{Cover, Package, PackageId, Sources};
pub use source::TestSourceError;

/// What the program of every test imports.
const PROGRAM_IMPORTS: [&str; 4] = ["os", "reflect", "testing", "testing/internal/testdeps"];

/// The packages of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestPackages {
    /// The program.
    pub main: PackageId,
    /// The package with its tests; the package itself where nothing differs.
    pub inner: PackageId,
    /// The package beside it.
    pub outer: Option<PackageId>,
}

/// How a test counts coverage (`TestCover`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestCover {
    /// `set`, `count` or `atomic`.
    pub mode: String,
    /// Whether only the tested package is covered.
    pub is_local: bool,
    /// The packages that are covered; those alone that patterns chose.
    pub packages: Vec<PackageId>,
    /// The patterns that chose them, for the summary.
    pub patterns: Option<Vec<String>>,
}

/// What a group of tests imports and embeds.
#[derive(Default)]
struct Needs {
    imported: Vec<PackageId>,
    compiled: Vec<String>,
    embedded: Embedded,
    error: Option<PackageError>,
    is_incomplete: bool,
}

impl Loader<'_> {
    /// Makes the packages of a test; what is wrong is part of them (`TestPackagesAndErrors`).
    pub fn test_packages(&mut self, id: PackageId, cover: Option<&TestCover>) -> TestPackages {
        let mut made = None;
        on_a_large_stack(|| made = Some(self.make_test(id, cover)));
        made.expect("the thread has ended")
    }

    /// The package whose error keeps the test from being built (`TestPackagesFor`).
    pub fn test_error(&self, packages: &TestPackages) -> Option<PackageId> {
        let list = [Some(packages.inner), packages.outer, Some(packages.main)];
        let broken = list.into_iter().flatten().find(|id| {
            let package = &self.graph[*id];
            package.error.is_some() || package.incomplete
        })?;
        if self.graph[broken].error.is_some() {
            return Some(broken);
        }
        self.graph.with_dependencies(&[broken]).into_iter().find(|id| self.graph[*id].error.is_some())
    }

    fn make_test(&mut self, id: PackageId, cover: Option<&TestCover>) -> TestPackages {
        let sources = Arc::clone(&self.graph[id].sources);
        let path = self.graph[id].import_path.clone();
        let (inner_written, outer_written) =
            (self.graph[id].test_imports.clone(), self.graph[id].x_test_imports.clone());

        self.stack.push(Importing { package: format!("{path} (test)"), file: None });
        let patterns = self.graph[id].test_embed_patterns.clone();
        let needs = self.needs(id, &inner_written, &sources.test_imports, &patterns, &sources.test_embeds);
        self.stack.pop();
        self.graph[id].test_imports = self.paths(&needs.imported[..inner_written.len()]);
        self.graph[id].test_embed_files = all_files(&needs.embedded);

        self.stack.push(Importing { package: format!("{path}_test"), file: None });
        let patterns = self.graph[id].x_test_embed_patterns.clone();
        let outer_needs =
            self.needs(id, &outer_written, &sources.x_test_imports, &patterns, &sources.x_test_embeds);
        self.stack.pop();
        self.graph[id].x_test_imports = self.paths(&outer_needs.imported[..outer_written.len()]);
        self.graph[id].x_test_embed_files = all_files(&outer_needs.embedded);

        let inner = self.add_inner(id, needs, inner_written, cover);
        let has_outer = !self.graph[id].x_test_go_files.is_empty();
        let outer = has_outer.then(|| self.add_outer(id, inner, outer_needs, outer_written));
        let main = self.add_program(id, inner, outer, cover);
        TestPackages { main, inner, outer }
    }

    fn paths(&self, ids: &[PackageId]) -> Vec<String> {
        ids.iter().map(|id| self.graph[*id].import_path.clone()).collect()
    }

    /// Loads what tests import, in order, and what they embed.
    fn needs(
        &mut self,
        id: PackageId,
        written: &[String],
        places: &Places,
        patterns: &[String],
        embeds: &Places,
    ) -> Needs {
        let mut needs = Needs::default();
        for path in written {
            let places = places.get(path).map_or(&[][..], Vec::as_slice);
            self.need(id, path, places, Mode { resolves: true, ..Mode::default() }, &mut needs);
        }
        let build = self.source.build;
        let has_bridge = build.toolchain.release.has_simd_bridge(&build.target.arch);
        if has_bridge && written.iter().any(|path| path == "simd") {
            let mode = Mode { resolves: true, allows_bridge: true, ..Mode::default() };
            self.need(id, SIMD_BRIDGE, &[], mode, &mut needs);
            needs.compiled.push(SIMD_BRIDGE.to_owned());
        }
        if self.options.suppresses_embeds {
            return needs;
        }
        let dir = self.graph[id].dir.clone();
        match self.embeds(&dir, patterns, embeds) {
            Ok(embedded) => needs.embedded = embedded,
            Err(error) => {
                needs.error.get_or_insert(error);
                needs.is_incomplete = true;
            }
        }
        needs
    }

    fn need(
        &mut self,
        id: PackageId,
        path: &str,
        places: &[crate::select::Place],
        mode: Mode,
        needs: &mut Needs,
    ) {
        let (import, error) = self.import(path, Some(id), places, mode);
        needs.is_incomplete |= error.is_some() || self.graph[import].incomplete;
        if needs.error.is_none() {
            needs.error = error;
        }
        needs.imported.push(import);
    }

    /// The package with its tests.
    fn add_inner(
        &mut self,
        id: PackageId,
        needs: Needs,
        written: Vec<String>,
        cover: Option<&TestCover>,
    ) -> PackageId {
        let package = &self.graph[id];
        let is_covered = cover.is_some_and(|cover| cover.is_local);
        if package.test_go_files.is_empty() && package.name != "main" && !is_covered {
            return id;
        }
        let mut inner = package.clone();
        if inner.error.is_none() {
            inner.error = needs.error;
        }
        inner.incomplete |= needs.is_incomplete;
        inner.for_test.clone_from(&package.import_path);
        inner.go_files.extend(package.test_go_files.iter().cloned());
        inner.target.clear();
        // What tests import stands first, so that it stays beside the written paths.
        inner.imports.splice(0..0, package.test_imports.iter().cloned());
        inner.imported.splice(0..0, needs.imported);
        inner.raw_imports.splice(0..0, written);
        let compiled = needs.compiled.into_iter().filter(|path| !package.compiled_imports.contains(path));
        inner.compiled_imports.extend(compiled);
        inner.force_library = true;
        inner.build_info = None;
        let mut embed = needs.embedded;
        embed.extend(package.embed.iter().map(|(pattern, files)| (pattern.clone(), files.clone())));
        inner.embed = embed;
        inner.embed_files.extend(package.test_embed_files.iter().cloned());
        inner.sources = Arc::new(with_tests(&package.sources));
        self.add_finished(inner)
    }

    /// The package beside the tested one.
    fn add_outer(
        &mut self,
        id: PackageId,
        inner: PackageId,
        needs: Needs,
        written: Vec<String>,
    ) -> PackageId {
        let package = &self.graph[id];
        let needs_inner = needs.imported.contains(&id);
        let mut imported = needs.imported;
        imported.retain(|import| *import != id);
        imported.extend(needs_inner.then_some(inner));
        let outer = Package {
            name: format!("{}_test", package.name),
            import_path: format!("{}_test", package.import_path),
            local_prefix: package.local_prefix.clone(),
            root: package.root.clone(),
            dir: package.dir.clone(),
            goroot: package.goroot,
            go_files: package.x_test_go_files.clone(),
            imports: package.x_test_imports.clone(),
            for_test: package.import_path.clone(),
            module: package.module.clone(),
            error: needs.error,
            incomplete: needs.is_incomplete,
            embed_files: package.x_test_embed_files.clone(),
            imported,
            raw_imports: written,
            compiled_imports: needs.compiled,
            asmflags: package.asmflags.clone(),
            gcflags: package.gcflags.clone(),
            ldflags: package.ldflags.clone(),
            embed: needs.embedded,
            orig_import_path: package.orig_import_path.clone(),
            pgo_profile: package.pgo_profile.clone(),
            sources: Arc::new(Sources {
                imports: package.sources.x_test_imports.clone(),
                directives: package.sources.x_test_directives.clone(),
                ..Sources::default()
            }),
            ..Package::default()
        };
        self.add_finished(outer)
    }

    pub(super) fn add_finished(&mut self, mut package: Package) -> PackageId {
        package.debug_mistakes = self.debug_mistakes(&package.dir, &package.sources.directives);
        let id = self.add(package);
        self.finished[id.index()] = true;
        id
    }

    /// The program that runs the tests.
    fn add_program(
        &mut self,
        id: PackageId,
        inner: PackageId,
        outer: Option<PackageId>,
        cover: Option<&TestCover>,
    ) -> PackageId {
        let package = &self.graph[id];
        let mut ldflags = package.ldflags.clone();
        ldflags.extend(["-X".to_owned(), "testing.testBinary=1".to_owned()]);
        let main = Package {
            name: "main".to_owned(),
            dir: package.dir.clone(),
            go_files: vec!["_testmain.go".to_owned()],
            import_path: format!("{}.test", package.import_path),
            root: package.root.clone(),
            imports: PROGRAM_IMPORTS.map(str::to_owned).to_vec(),
            module: package.module.clone(),
            build_info: package.build_info.clone(),
            asmflags: package.asmflags.clone(),
            gcflags: package.gcflags.clone(),
            ldflags,
            orig_import_path: package.orig_import_path.clone(),
            pgo_profile: package.pgo_profile.clone(),
            ..Package::default()
        };
        let tested = Arc::clone(&package.sources);
        let main = self.add_finished(main);
        let lists = [&tested.directives, &tested.test_directives, &tested.x_test_directives];
        self.graph[main].default_godebug = self.default_godebug(main, &lists.map(Vec::as_slice));
        let is_stale = self.graph[main].build_info.is_none()
            || self.graph[main].default_godebug != self.graph[id].default_godebug;
        let stamps_late = self.source.build.toolchain.release.stamps_each_test();
        let stamps = !self.options.suppresses_build_info;
        if stamps && !stamps_late && is_stale {
            self.stamp(main);
        }
        self.import_for_program(id, main, inner, cover);
        self.write_program(id, main, inner, outer, cover);
        if let Some(error) = self.copy_for_test(main, id, inner, outer) {
            let inner = &mut self.graph[inner];
            inner.error = Some(error);
            inner.incomplete = true;
        }
        if stamps && stamps_late {
            self.stamp(main);
        }
        self.set_test_cover(id, main, inner, cover);
        main
    }

    /// What every such program imports, and what the linker wants.
    fn import_for_program(
        &mut self,
        id: PackageId,
        main: PackageId,
        inner: PackageId,
        cover: Option<&TestCover>,
    ) {
        self.stack.push(Importing { package: "testmain".to_owned(), file: None });
        let mut paths = PROGRAM_IMPORTS.to_vec();
        paths.extend(cover.map(|_| "internal/coverage/cfile"));
        match self.linker_dependencies(&self.graph[id]) {
            Ok(more) => paths.extend(more),
            Err(problem) => {
                self.graph[main].error = Some(PackageError::new(problem, &Vec::new()));
            }
        }
        for path in paths {
            let import = match path == self.graph[inner].import_path {
                true => inner,
                false => self.import(path, None, &[], Mode::default()).0,
            };
            self.graph[main].imported.push(import);
        }
        self.stack.pop();
    }

    /// Adds the tests to the program, and its text.
    fn write_program(
        &mut self,
        id: PackageId,
        main: PackageId,
        inner: PackageId,
        outer: Option<PackageId>,
        cover: Option<&TestCover>,
    ) {
        let parser =
            format!("{}/bin/gofmt{}", self.source.build.toolchain.root, std::env::consts::EXE_SUFFIX);
        let seen = self.source.scans().overlay();
        let (mut found, error) = source::functions_of(&self.graph[id], seen, &parser);
        if let Some(error) = error {
            let error = self.source_error(&self.graph[id].import_path, error);
            super::one::first_error_of(&mut self.graph[main], error);
        }
        let has_inner = !self.graph[inner].go_files.is_empty() || !self.graph[inner].cgo_files.is_empty();
        found.imports_inner |= has_inner;
        found.imports_outer |= outer.is_some();
        for import in has_inner.then_some(inner).into_iter().chain(outer) {
            let path = self.graph[import].import_path.clone();
            let program = &mut self.graph[main];
            program.imported.push(import);
            program.imports.push(path);
        }
        let covered = cover.map(|cover| {
            let paths = cover.packages.iter().map(|id| self.graph[*id].import_path.clone());
            (cover, paths.collect::<Vec<_>>())
        });
        let text = program::text(
            &self.graph[id],
            &found,
            covered.as_ref().map(|(cover, paths)| (*cover, paths.as_slice())),
        );
        let program = &mut self.graph[main];
        program.imports.sort_unstable();
        program.imports.dedup();
        program.raw_imports.clone_from(&program.imports);
        program.testmain = Some(text.into());
    }

    fn source_error(&self, path: &str, error: TestSourceError) -> PackageError {
        let TestSourceError::Syntax { path: file, line, column, text } = error else {
            return PackageError::new(Problem::Source(error.to_string()), &Vec::new());
        };
        let stack = vec![Importing { package: path.to_owned(), file: None }];
        let column = column.map(|column| format!(":{column}")).unwrap_or_default();
        let position = format!("{}:{line}{column}", self.short(&file));
        PackageError { position, ..PackageError::new(Problem::Source(text), &stack) }
    }

    fn set_test_cover(
        &mut self,
        id: PackageId,
        main: PackageId,
        inner: PackageId,
        cover: Option<&TestCover>,
    ) {
        let Some(cover) = cover else { return };
        let own = self.graph[id].cover.clone();
        self.graph[inner].cover = own;
        self.graph[main].cover = Some(Cover { mode: "testmain".to_owned(), writes_meta: false });
        if cover.is_local {
            self.graph[inner].cover = Some(Cover { mode: cover.mode.clone(), writes_meta: false });
        }
    }
}

/// The sources of a package with those of its tests.
fn with_tests(sources: &Sources) -> Sources {
    let mut imports: Places = BTreeMap::new();
    for (path, places) in sources.imports.iter().chain(sources.test_imports.iter()) {
        imports.entry(path.clone()).or_default().extend(places.iter().cloned());
    }
    Sources {
        imports: Arc::new(imports),
        directives: [sources.directives.as_slice(), sources.test_directives.as_slice()].concat(),
        embeds: sources.embeds.clone(),
        ..Sources::default()
    }
}
