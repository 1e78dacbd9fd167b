//! A package as it was loaded for one target, and the graph of them.
//!
//! Fields carry the names that `go list` gives them; what it doesn't show stands below ("for the build"). All file
//! names are relative to the package's directory. Source: `cmd/go/internal/load/pkg.go:Package`.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::load::PackageError;
use crate::modules::Module;
use crate::scan::Directive;
use crate::select::{CgoFlags, Places};

mod build_info;

pub use build_info::{BuildInfo, BuildModule};

/// A package's place in its [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(u32);

/// A package.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// Where its files are.
    pub dir: String,
    /// Its path; `command-line-arguments` for files named on the command line.
    pub import_path: String,
    /// The name in its package clauses.
    pub name: String,
    /// The first sentence of its documentation.
    pub doc: String,
    /// Where `install` puts it; empty where it doesn't.
    pub target: String,
    /// GOROOT, or the root of its module.
    pub root: String,
    /// The folder that hides it from importers, without modules.
    pub conflict_dir: String,
    /// The package whose tests it was copied for; empty for none.
    pub for_test: String,
    /// The module that provides it; none for the standard library.
    pub module: Option<Arc<Module>>,
    /// The patterns of the command line that match it.
    pub matches: Vec<String>,
    /// Whether it lies in GOROOT.
    pub goroot: bool,
    /// Whether it is one of the standard library or of the commands.
    pub standard: bool,
    /// Whether something is wrong with it or with what it imports.
    pub incomplete: bool,
    /// The GODEBUG settings that are built into a program, as `key=value` with commas.
    pub default_godebug: String,

    /// `.go` files that don't import `C`; for test copies with the tests.
    pub go_files: Vec<String>,
    /// `.go` files that import `C`.
    pub cgo_files: Vec<String>,
    /// `.go` files for other targets.
    pub ignored_go_files: Vec<String>,
    /// `.go` files with something wrong.
    pub invalid_go_files: Vec<String>,
    /// Files of other languages for other targets.
    pub ignored_other_files: Vec<String>,
    /// `.c`
    pub c_files: Vec<String>,
    /// `.cc`, `.cpp`, `.cxx`
    pub cxx_files: Vec<String>,
    /// `.m`
    pub m_files: Vec<String>,
    /// `.h`, `.hh`, `.hpp`, `.hxx`
    pub h_files: Vec<String>,
    /// `.f`, `.F`, `.for`, `.f90`
    pub f_files: Vec<String>,
    /// `.s`, and `.S` with cgo
    pub s_files: Vec<String>,
    /// `.swig`
    pub swig_files: Vec<String>,
    /// `.swigcxx`
    pub swig_cxx_files: Vec<String>,
    /// `.syso`
    pub syso_files: Vec<String>,

    /// The patterns of `//go:embed` lines.
    pub embed_patterns: Vec<String>,
    /// The files that those match, sorted.
    pub embed_files: Vec<String>,

    /// The flags of `#cgo` lines.
    pub cgo_flags: CgoFlags,

    /// What it imports, resolved, in order of the raw paths; what is implied follows in `imported` only.
    pub imports: Vec<String>,

    /// `_test.go` files of the package itself.
    pub test_go_files: Vec<String>,
    /// What those import, as written until the tests are loaded.
    pub test_imports: Vec<String>,
    /// The patterns of their `//go:embed` lines.
    pub test_embed_patterns: Vec<String>,
    /// The files that those match; filled in with the tests.
    pub test_embed_files: Vec<String>,
    /// `_test.go` files of the package beside it.
    pub x_test_go_files: Vec<String>,
    /// What those import, as written until the tests are loaded.
    pub x_test_imports: Vec<String>,
    /// The patterns of their `//go:embed` lines.
    pub x_test_embed_patterns: Vec<String>,
    /// The files that those match; filled in with the tests.
    pub x_test_embed_files: Vec<String>,

    /// What is wrong with it, less what is wrong with its imports.
    pub error: Option<PackageError>,

    // For the build.
    /// The packages that it needs, in go's order: the imports in order of their raw paths, without `C`, then those that
    /// cgo implies, then those of the linker; doubles are possible in tests.
    pub imported: Vec<PackageId>,
    /// Paths that are imported by code that cgo or the simd rewriter makes (`CompiledImports`).
    pub compiled_imports: Vec<String>,
    /// The import paths as they are written; the first of `imports` in the same order (`RawImports`).
    pub raw_imports: Vec<String>,
    /// Whether it is built as a library even if it is named `main`.
    pub force_library: bool,
    /// Whether it consists of files named on the command line.
    pub cmdline_files: bool,
    /// What its relative imports are relative to; empty where none are allowed, which is everywhere with modules.
    pub local_prefix: String,
    /// Whether the command line names it.
    pub cmdline_package: bool,
    /// Whether the command line names it without a wildcard.
    pub cmdline_literal: bool,
    /// Whether the linker leaves out debug information.
    pub omit_debug: bool,
    /// What is wrong with its `//go:debug` lines, a line each.
    pub debug_mistakes: Vec<String>,
    /// Whether it is instrumented for fuzzing.
    pub fuzz_instrument: bool,
    /// How coverage is counted in it.
    pub cover: Option<Cover>,
    /// What a program tells about how it was built.
    pub build_info: Option<Arc<BuildInfo>>,
    /// The text of `_testmain.go`, for the program of a test.
    pub testmain: Option<Arc<str>>,
    /// The files that each `//go:embed` pattern matches.
    pub embed: BTreeMap<String, Vec<String>>,
    /// The path without what the name of a test package adds.
    pub orig_import_path: String,
    /// A profile that the compiler is guided by; an absolute path.
    pub pgo_profile: Option<String>,
    /// The program that it was copied for, where programs have profiles of their own.
    pub for_main: Option<String>,
    /// `-asmflags` for it.
    pub asmflags: Vec<String>,
    /// `-gcflags` for it.
    pub gcflags: Vec<String>,
    /// `-ldflags` for it.
    pub ldflags: Vec<String>,
    /// What a build told of it, for lists.
    pub built: Option<Built>,
    /// Why `install` would do something for it; empty where it wouldn't, or nobody asked.
    pub stale: String,
    /// What of its sources only loading and testing ask for.
    pub sources: Arc<Sources>,
}

/// What only a build can tell of a package.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// Its archive.
    pub export: String,
    /// Its build ID.
    pub build_id: String,
    /// The Go files that were compiled: names in its folder, or absolute paths of those that were made.
    pub files: Vec<String>,
}

/// Places of imports and patterns, and directives, by the group of files.
#[derive(Debug, Default)]
pub struct Sources {
    /// Where each path is imported, in files that are no tests.
    pub imports: Arc<Places>,
    /// The same for tests of the package.
    pub test_imports: Arc<Places>,
    /// The same for tests beside it.
    pub x_test_imports: Arc<Places>,
    /// Where each pattern stands, in files that are no tests.
    pub embeds: Arc<Places>,
    /// The same for tests of the package.
    pub test_embeds: Arc<Places>,
    /// The same for tests beside it.
    pub x_test_embeds: Arc<Places>,
    /// `//go:` lines above package clauses, with their files.
    pub directives: Vec<(String, Directive)>,
    /// The same for tests of the package.
    pub test_directives: Vec<(String, Directive)>,
    /// The same for tests beside it.
    pub x_test_directives: Vec<(String, Directive)>,
}

/// How a package is instrumented for coverage (`CoverSetup`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// `set`, `count`, `atomic`, `regonly`, or `testmain` for the program of a test.
    pub mode: String,
    /// Whether the cover tool writes what it knows to a file of its own.
    pub writes_meta: bool,
}

impl Package {
    /// Whether cgo is needed.
    pub fn uses_cgo(&self) -> bool {
        !self.cgo_files.is_empty()
    }

    /// Whether swig is needed.
    pub fn uses_swig(&self) -> bool {
        !self.swig_files.is_empty() || !self.swig_cxx_files.is_empty()
    }

    /// Whether the compiler itself has it, so that nothing of it is compiled (`work/action.go:CompileAction`).
    pub fn is_built_in(&self) -> bool {
        self.standard && matches!(self.import_path.as_str(), "unsafe" | "builtin")
    }

    /// What messages call it (`Package.Desc`).
    pub fn description(&self) -> String {
        if !self.for_test.is_empty() {
            format!("{} [{}.test]", self.import_path, self.for_test)
        } else if let Some(main) = &self.for_main {
            format!("{} [{main}]", self.import_path)
        } else {
            self.import_path.clone()
        }
    }

    /// Whether it is there for tests only (`Package.IsTestOnly`).
    pub fn is_test_only(&self) -> bool {
        !self.for_test.is_empty()
            || self.testmain.is_some()
            || (!self.test_go_files.is_empty() || !self.x_test_go_files.is_empty())
                && self.go_files.is_empty()
                && self.cgo_files.is_empty()
    }

    /// Whether who matches it by a wildcard, or names its files, doesn't mean it, because there is nothing to compile
    /// (`omitTestOnly`).
    pub fn is_passed_over(&self) -> bool {
        self.go_files.is_empty() && self.cgo_files.is_empty() && !self.cmdline_literal
    }

    /// The imports that are resolved to another path (`ImportMap`).
    pub fn import_map(&self) -> BTreeMap<&str, &str> {
        let pairs = self.raw_imports.iter().zip(&self.imports);
        pairs.filter(|(raw, path)| raw != path).map(|(raw, path)| (raw.as_str(), path.as_str())).collect()
    }

    /// All files that are considered, those for other targets included (`Package.AllFiles`).
    pub fn all_files(&self) -> Vec<&str> {
        let lists = [
            &self.go_files,
            &self.cgo_files,
            &self.ignored_go_files,
            &self.ignored_other_files,
            &self.c_files,
            &self.cxx_files,
            &self.m_files,
            &self.h_files,
            &self.f_files,
            &self.s_files,
            &self.swig_files,
            &self.swig_cxx_files,
            &self.syso_files,
            &self.test_go_files,
            &self.x_test_go_files,
        ];
        let mut files: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
        let own = files.len();
        for file in &self.embed_files {
            if file.contains('/') || !files[..own].contains(&file.as_str()) {
                files.push(file);
            }
        }
        files
    }

    /// Whether its path is that of a folder or of files (`Internal.Local`).
    pub fn is_local(&self) -> bool {
        let is_outer_test = self.import_path.strip_suffix("_test").is_some_and(|path| path == self.for_test);
        self.cmdline_files || !self.local_prefix.is_empty() && !is_outer_test
    }

    /// The name of its program (`Package.DefaultExecName`), without an ending.
    pub fn program_name(&self) -> &str {
        if self.cmdline_files {
            let first = self.go_files.first().or(self.cgo_files.first());
            let name = first.map_or("", |file| file.rsplit('/').next().unwrap_or(file));
            return name.strip_suffix(".go").unwrap_or(name);
        }
        let mut elements = self.import_path.rsplit('/');
        let last = elements.next().unwrap_or_default();
        match elements.next() {
            Some(before) if is_major_version(last) => before,
            _ => last,
        }
    }
}

/// Whether an element of a path is `v2` or above.
fn is_major_version(element: &str) -> bool {
    element.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
            && digits != "1"
    })
}

/// The packages of one target.
#[derive(Debug, Default)]
pub struct Graph {
    packages: Vec<Package>,
}

impl Graph {
    /// Adds a package.
    pub fn add(&mut self, package: Package) -> PackageId {
        let id = PackageId::at(self.packages.len());
        self.packages.push(package);
        id
    }

    /// All packages, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (PackageId, &Package)> {
        (0..).map(PackageId).zip(&self.packages)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// What the roots need and the roots themselves, each after what it needs (`PackageList`).
    pub fn with_dependencies(&self, roots: &[PackageId]) -> Vec<PackageId> {
        let mut seen = vec![false; self.packages.len()];
        let mut list = Vec::new();
        // The packages that are being visited, each with how many of its imports are done.
        let mut path: Vec<(PackageId, usize)> = Vec::new();
        for &root in roots {
            if !std::mem::replace(&mut seen[root.index()], true) {
                path.push((root, 0));
            }
            while let Some((id, next)) = path.last_mut() {
                match self[*id].imported.get(*next) {
                    Some(&import) => {
                        *next += 1;
                        if !std::mem::replace(&mut seen[import.index()], true) {
                            path.push((import, 0));
                        }
                    }
                    None => {
                        list.push(*id);
                        path.pop();
                    }
                }
            }
        }
        list
    }
}

impl PackageId {
    pub(crate) fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^32 packages"))
    }

    /// Its position in the order of the graph.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Index<PackageId> for Graph {
    type Output = Package;

    fn index(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }
}

impl IndexMut<PackageId> for Graph {
    fn index_mut(&mut self, id: PackageId) -> &mut Package {
        &mut self.packages[id.index()]
    }
}
