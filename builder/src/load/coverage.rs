//! Which packages count coverage.
//!
//! Source: `cmd/go/internal/load/pkg.go` (`PrepareForCoverageBuild`, `SelectCoverPackages`).

use super::{Loader, Mode, TestCover, on_a_large_stack};
use crate::package::{Cover, Package, PackageId};
use crate::package_flags::PackagePattern;
use crate::tags::Instrument;

/// Packages of the runtime, which the race detector can't bear to be instrumented
/// (`cmd/internal/objabi/pkgspecial.go`).
const RUNTIME: [&str; 24] = [
    "internal/abi",
    "internal/bytealg",
    "internal/byteorder",
    "internal/chacha8rand",
    "internal/coverage/rtcov",
    "internal/cpu",
    "internal/goarch",
    "internal/godebugs",
    "internal/goexperiment",
    "internal/goos",
    "internal/profilerecord",
    "internal/runtime/atomic",
    "internal/runtime/cgroup",
    "internal/runtime/exithook",
    "internal/runtime/gc",
    "internal/runtime/gc/scan",
    "internal/runtime/maps",
    "internal/runtime/math",
    "internal/runtime/sys",
    "internal/runtime/syscall/linux",
    "internal/runtime/syscall/windows",
    "internal/strconv",
    "internal/stringslite",
    "runtime",
];

/// What is not instrumented for fuzzing, since fuzzing itself uses it (`cmd/go/internal/test/test.go:runTest`).
const USED_BY_FUZZING: [&str; 12] = [
    "context",
    "internal/fuzz",
    "internal/godebug",
    "internal/runtime/maps",
    "internal/sync",
    "reflect",
    "runtime",
    "sync",
    "sync/atomic",
    "syscall",
    "testing",
    "time",
];

impl Loader<'_> {
    /// Marks what tests cover, before their packages are made (`cmd/go/internal/test/test.go:runTest`). Gives how they
    /// count, and the patterns of `-coverpkg` that match nothing.
    pub fn cover_tests(&mut self, named: &[PackageId]) -> (TestCover, Vec<String>) {
        let build = self.source.build;
        let mode = build.cover_mode.clone();
        let is_local = build.cover_packages.is_empty();
        let mut unmatched = Vec::new();
        let mut packages = Vec::new();
        if !is_local {
            let list = self.test_list(named);
            (packages, unmatched) = self.cover_chosen(&list);
            for &id in &packages {
                self.graph[id].cover.iter_mut().for_each(|cover| cover.writes_meta = true);
            }
        }
        for &id in named {
            let package = &self.graph[id];
            let has_tests = !package.test_go_files.is_empty() || !package.x_test_go_files.is_empty();
            if mode == "atomic" && package.import_path != "sync/atomic" {
                self.ensure_import(id, "sync/atomic");
            }
            let writes_meta = self.graph[id].cover.as_ref().is_some_and(|cover| cover.writes_meta);
            if writes_meta || (is_local && !has_tests) {
                self.graph[id].cover = Some(Cover { mode: mode.clone(), writes_meta: true });
            }
        }
        let patterns = (!is_local).then(|| build.cover_packages.clone());
        (TestCover { mode, is_local, packages, patterns }, unmatched)
    }

    /// Marks what is instrumented for fuzzing, before the packages of the test are made.
    pub fn instrument_for_fuzzing(&mut self, named: &[PackageId]) {
        for id in self.test_list(named) {
            let package = &mut self.graph[id];
            package.fuzz_instrument = !USED_BY_FUZZING.contains(&package.import_path.as_str());
        }
    }

    /// Packages with all that they and their tests need (`TestPackageList`).
    fn test_list(&mut self, named: &[PackageId]) -> Vec<PackageId> {
        let mut roots = Vec::new();
        on_a_large_stack(|| {
            for &id in named {
                roots.push(id);
                let package = &self.graph[id];
                let paths = [package.test_imports.as_slice(), &package.x_test_imports].concat();
                for path in paths {
                    let places = self.graph[id].sources.test_imports.get(&path).cloned().unwrap_or_default();
                    let mode = Mode { resolves: true, ..Mode::default() };
                    let (import, error) = self.import(&path, Some(id), &places, mode);
                    if let Some(error) = error.filter(|_| self.graph[id].error.is_none()) {
                        self.graph[id].error = Some(error);
                        self.graph[id].incomplete = true;
                    }
                    roots.extend(self.graph[import].error.is_none().then_some(import));
                }
            }
        });
        self.graph.with_dependencies(&roots)
    }

    /// Marks what is covered among packages and what they need, for `build -cover` and friends.
    /// Gives the patterns of `-coverpkg` that match nothing.
    pub fn cover_builds(&mut self, roots: &[PackageId]) -> Vec<String> {
        let list = self.graph.with_dependencies(roots);
        if self.source.build.cover_packages.is_empty() {
            let is_meant = |package: &Package| {
                let is_main = package.module.as_ref().is_some_and(|module| module.main);
                package.cmdline_files || package.cmdline_package || is_main
            };
            self.cover(&list, &[&is_meant]);
            return Vec::new();
        }
        self.cover_chosen(&list).1
    }

    /// Marks what `-coverpkg` chooses; gives it, and the patterns that match nothing.
    pub fn cover_chosen(&mut self, list: &[PackageId]) -> (Vec<PackageId>, Vec<String>) {
        let build = self.source.build;
        let patterns: Vec<PackagePattern> =
            build.cover_packages.iter().map(|pattern| PackagePattern::new(pattern, &build.folder)).collect();
        let claims: Vec<_> =
            patterns.iter().map(|pattern| move |package: &Package| pattern.matches(package)).collect();
        let claims: Vec<&dyn Fn(&Package) -> bool> = claims.iter().map(|claim| claim as _).collect();
        let unmatched = self.unmatched(list, &claims);
        (self.cover(list, &claims), unmatched)
    }

    fn unmatched(&self, list: &[PackageId], claims: &[&dyn Fn(&Package) -> bool]) -> Vec<String> {
        let is_unmatched = |claim: &&dyn Fn(&Package) -> bool| !list.iter().any(|id| claim(&self.graph[*id]));
        let patterns = self.source.build.cover_packages.iter().zip(claims);
        patterns.filter(|(_, claim)| is_unmatched(claim)).map(|(pattern, _)| pattern.clone()).collect()
    }

    fn cover(&mut self, list: &[PackageId], claims: &[&dyn Fn(&Package) -> bool]) -> Vec<PackageId> {
        let build = self.source.build;
        let mut covered = Vec::new();
        for &id in list {
            let package = &self.graph[id];
            let path = package.import_path.as_str();
            let has_files = !package.go_files.is_empty() || !package.cgo_files.is_empty();
            let is_atomic = build.cover_mode == "atomic"
                && package.standard
                && matches!(path, "sync/atomic" | "internal/runtime/atomic");
            if !claims.iter().any(|claim| claim(package)) || path == "unsafe" || !has_files || is_atomic {
                continue;
            }
            let is_race = build.instrument == Some(Instrument::Race);
            let mode = match is_race && package.standard && RUNTIME.contains(&path) {
                true => "regonly".to_owned(),
                false => build.cover_mode.clone(),
            };
            self.graph[id].cover = Some(Cover { mode, writes_meta: false });
            covered.push(id);
            if build.cover_mode == "atomic" {
                self.ensure_import(id, "sync/atomic");
            }
        }
        covered
    }

    /// Makes a package need another one (`EnsureImport`).
    pub fn ensure_import(&mut self, id: PackageId, path: &str) {
        // Names are compared with a path, as go does: `sync/atomic` is added even where it is imported.
        let has_it = self.graph[id].imported.iter().any(|import| self.graph[*import].name == path);
        if !has_it {
            let (import, _) = self.import(path, Some(id), &[], Mode::default());
            self.graph[id].imported.push(import);
        }
    }
}
