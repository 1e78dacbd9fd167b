//! Packages as `go list` shows them: its fields, in its order, with the names that test copies get.
//!
//! Source: `cmd/go/internal/list/list.go`.

mod field;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::load::{Loader, PackageError};
use crate::package::{Graph, Package, PackageId};
pub use field::Field;

/// Packages that are shown together.
pub struct Listing<'a> {
    graph: &'a Graph,
    /// Whether a package was named, rather than needed by one that was.
    named: BTreeSet<PackageId>,
    /// What is shown of a package that differs from what is built.
    shown: HashMap<PackageId, Shown>,
}

#[derive(Default)]
struct Shown {
    path: String,
    imports: Vec<String>,
    test_imports: Vec<String>,
    x_test_imports: Vec<String>,
    deps: Vec<String>,
    /// The packages whose errors are shown.
    broken: Vec<PackageId>,
}

impl<'a> Listing<'a> {
    /// Prepares what the command line names, and what that needs, to be shown. `renames` tells whether test copies and
    /// copies with profiles get names of their own.
    pub fn new(loader: &'a Loader<'_>, named: &[PackageId], renames: bool) -> Self {
        let graph = loader.graph();
        let order = graph.with_dependencies(named);
        let mut listing = Self {
            graph,
            named: named.iter().copied().collect(),
            shown: HashMap::with_capacity(order.len()),
        };
        for &id in &order {
            let package = &graph[id];
            let shown = Shown {
                path: if renames { package.description() } else { package.import_path.clone() },
                imports: package.imports.clone(),
                test_imports: loader.resolved(package, &package.test_imports),
                x_test_imports: loader.resolved(package, &package.x_test_imports),
                ..Shown::default()
            };
            listing.shown.insert(id, shown);
        }
        if renames {
            order.iter().for_each(|id| listing.rename_imports(*id));
        }
        listing.collect_deps(&order);
        listing
    }

    /// The path by which a package is shown.
    pub fn path(&self, id: PackageId) -> &str {
        &self.shown[&id].path
    }

    fn rename_imports(&mut self, id: PackageId) {
        let copies: HashMap<&str, String> = (self.graph[id].imported.iter())
            .map(|import| (self.graph[*import].import_path.as_str(), self.path(*import).to_owned()))
            .filter(|(path, shown)| path != shown)
            .collect();
        if copies.is_empty() {
            return;
        }
        if let Some(shown) = self.shown.get_mut(&id) {
            for import in &mut shown.imports {
                if let Some(copy) = copies.get(import.as_str()) {
                    import.clone_from(copy);
                }
            }
        }
    }

    /// What each package needs, by path, and which of that is broken; imports come before importers.
    fn collect_deps(&mut self, order: &[PackageId]) {
        let words = self.graph.len().div_ceil(64);
        let mut sets: Vec<Vec<u64>> = vec![Vec::new(); self.graph.len()];
        for &id in order {
            let mut set = vec![0; words];
            for import in self.graph[id].imported.iter().map(|import| import.index()) {
                set[import / 64] |= 1 << (import % 64);
                set.iter_mut().zip(&sets[import]).for_each(|(word, more)| *word |= more);
            }
            let members = (0..self.graph.len()).filter(|index| set[index / 64] >> (index % 64) & 1 == 1);
            let members: Vec<PackageId> = members.map(PackageId::at).collect();
            let mut deps: Vec<String> = members.iter().map(|member| self.path(*member).to_owned()).collect();
            deps.sort_unstable();
            deps.dedup();
            let mut broken = members;
            broken.retain(|member| self.graph[*member].error.is_some());
            broken.sort_by_cached_key(|member| self.error_key(*member));
            if let Some(shown) = self.shown.get_mut(&id) {
                (shown.deps, shown.broken) = (deps, broken);
            }
            sets[id.index()] = set;
        }
    }

    /// Errors without a stack come first, in order of their texts; the others in order of their packages.
    fn error_key(&self, id: PackageId) -> (bool, String) {
        let error = self.graph[id].error.as_ref();
        match error.and_then(|error| error.import_stack.last()) {
            Some(top) => (true, top.package.clone()),
            None => (false, error.map_or_else(String::new, |error| error.problem.to_string())),
        }
    }

    /// The fields of a package; those that are empty are left out by whoever prints them.
    pub fn fields(&self, id: PackageId) -> Vec<(&'static str, Field<'a>)> {
        let package = &self.graph[id];
        let shown = &self.shown[&id];
        let mut fields = self.head(id, package, shown);
        fields.extend(files(package));
        fields.extend([
            ("Imports", Field::Texts(shown.imports.clone())),
            ("ImportMap", Field::Map(import_map(package, shown))),
            ("Deps", Field::Texts(shown.deps.clone())),
            ("Error", Field::Error(package.error.as_ref())),
            ("DepsErrors", Field::Errors(self.errors(shown))),
            ("TestGoFiles", Field::List(&package.test_go_files)),
            ("TestImports", Field::Texts(shown.test_imports.clone())),
            ("TestEmbedPatterns", Field::List(&package.test_embed_patterns)),
            ("TestEmbedFiles", Field::List(&package.test_embed_files)),
            ("XTestGoFiles", Field::List(&package.x_test_go_files)),
            ("XTestImports", Field::Texts(shown.x_test_imports.clone())),
            ("XTestEmbedPatterns", Field::List(&package.x_test_embed_patterns)),
            ("XTestEmbedFiles", Field::List(&package.x_test_embed_files)),
        ]);
        fields
    }

    /// What a package imports besides what is written.
    pub fn compiled_imports(&self, id: PackageId) -> &'a [String] {
        &self.graph[id].compiled_imports
    }

    fn head(&self, id: PackageId, package: &'a Package, shown: &Shown) -> Vec<(&'static str, Field<'a>)> {
        vec![
            ("Dir", Field::Text(package.dir.clone())),
            ("ImportPath", Field::Text(shown.path.clone())),
            ("ImportComment", Field::Text(String::new())),
            ("Name", Field::Text(package.name.clone())),
            ("Doc", Field::Text(package.doc.clone())),
            ("Target", Field::Text(package.target.clone())),
            ("Shlib", Field::Text(String::new())),
            ("Root", Field::Text(package.root.clone())),
            ("ConflictDir", Field::Text(package.conflict_dir.clone())),
            ("ForTest", Field::Text(package.for_test.clone())),
            (
                "Export",
                Field::Text(package.built.as_ref().map_or_else(String::new, |built| built.export.clone())),
            ),
            (
                "BuildID",
                Field::Text(package.built.as_ref().map_or_else(String::new, |built| built.build_id.clone())),
            ),
            ("Module", Field::Module(package.module.as_deref())),
            ("Match", Field::List(&package.matches)),
            ("Goroot", Field::Flag(package.goroot)),
            ("Standard", Field::Flag(package.standard)),
            ("DepOnly", Field::Flag(!self.named.contains(&id))),
            ("BinaryOnly", Field::Flag(false)),
            ("Incomplete", Field::Flag(package.incomplete)),
            ("DefaultGODEBUG", Field::Text(package.default_godebug.clone())),
            ("Stale", Field::Flag(!package.stale.is_empty())),
            ("StaleReason", Field::Text(package.stale.clone())),
        ]
    }

    fn errors(&self, shown: &Shown) -> Vec<&'a PackageError> {
        shown.broken.iter().filter_map(|id| self.graph[*id].error.as_ref()).collect()
    }
}

fn files(package: &Package) -> [(&'static str, Field<'_>); 23] {
    let flags = &package.cgo_flags;
    [
        ("GoFiles", Field::List(&package.go_files)),
        ("CgoFiles", Field::List(&package.cgo_files)),
        ("CompiledGoFiles", Field::List(package.built.as_ref().map_or(&[], |built| built.files.as_slice()))),
        ("IgnoredGoFiles", Field::List(&package.ignored_go_files)),
        ("InvalidGoFiles", Field::List(&package.invalid_go_files)),
        ("IgnoredOtherFiles", Field::List(&package.ignored_other_files)),
        ("CFiles", Field::List(&package.c_files)),
        ("CXXFiles", Field::List(&package.cxx_files)),
        ("MFiles", Field::List(&package.m_files)),
        ("HFiles", Field::List(&package.h_files)),
        ("FFiles", Field::List(&package.f_files)),
        ("SFiles", Field::List(&package.s_files)),
        ("SwigFiles", Field::List(&package.swig_files)),
        ("SwigCXXFiles", Field::List(&package.swig_cxx_files)),
        ("SysoFiles", Field::List(&package.syso_files)),
        ("EmbedPatterns", Field::List(&package.embed_patterns)),
        ("EmbedFiles", Field::List(&package.embed_files)),
        ("CgoCFLAGS", Field::List(&flags.c)),
        ("CgoCPPFLAGS", Field::List(&flags.preprocessor)),
        ("CgoCXXFLAGS", Field::List(&flags.cxx)),
        ("CgoFFLAGS", Field::List(&flags.fortran)),
        ("CgoLDFLAGS", Field::List(&flags.linker)),
        ("CgoPkgConfig", Field::List(&flags.packages)),
    ]
}

/// Paths as they are written, where the package is called otherwise.
fn import_map(package: &Package, shown: &Shown) -> BTreeMap<String, String> {
    let written = package.raw_imports.iter().chain(&package.compiled_imports);
    let pairs = written.zip(&shown.imports).filter(|(written, shown)| written != shown);
    pairs.map(|(written, shown)| (written.clone(), shown.clone())).collect()
}
