//! Loading: from paths to a graph of packages for one target, with what is wrong said in go's words.
//!
//! A [`Loader`] walks imports depth first in go's order, since errors, import stacks and the order of dependencies
//! depend on it; the files have been read ahead by then, on all processors. What is wrong with a package is part of the
//! package, never the end of loading. Source: `cmd/go/internal/load/pkg.go`.

mod arguments;
mod coverage;
mod data;
mod embed;
mod error;
mod files;
mod godebug;
mod gopath;
mod import;
mod named;
mod one;
mod profile;
mod repository;
mod rules;
mod scans;
mod stamp;
mod testing;

use std::collections::HashMap;
use std::sync::Arc;

use crate::build::Build;
use crate::modules::Modules;
use crate::package::{Graph, Package, PackageId};
use crate::select::Places;
use crate::tags::TagsError;
pub use arguments::{Match, MatchError};
use data::{Importer, Source};
pub use embed::embedded_files;
pub use error::{ImportStack, Importing, PackageError, Problem};
pub use named::{NamedFilesError, are_files};
pub use scans::Scans;
pub(crate) use scans::system_words;
pub use testing::{TestCover, TestPackages, TestSourceError};

/// How much is loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Imports are not followed.
    pub ignores_imports: bool,
    /// Programs don't tell how they were built.
    pub suppresses_build_info: bool,
    /// Patterns of `//go:embed` are not looked up.
    pub suppresses_embeds: bool,
    /// Programs tell their revision where `-buildvcs` doesn't say.
    pub stamps: bool,
    /// Only programs are wanted (`MainOnly`).
    pub programs_only: bool,
    /// What tests import is read ahead as well.
    pub reads_tests: bool,
}

/// Loads packages for one target into one graph.
pub struct Loader<'a> {
    source: Source<'a>,
    options: Options,
    graph: Graph,
    by_path: HashMap<String, PackageId>,
    /// The packages whose imports have been followed.
    finished: Vec<bool>,
    /// The first path of each spelling.
    folded: HashMap<String, String>,
    stack: ImportStack,
    /// The table of settings, read when the first program asks for it.
    godebugs: Option<Arc<crate::godebugs::Table>>,
}

/// How an import is to be taken.
#[derive(Clone, Copy, Debug, Default)]
struct Mode {
    /// Whether the path stands in a source file, and vendored paths are refused.
    resolves: bool,
    cmdline_package: bool,
    cmdline_literal: bool,
    /// Whether the bridge of `simd` may be imported.
    allows_bridge: bool,
}

/// Stack for the deepest chain of imports that can be met; it is not touched before it is needed.
const STACK: usize = 512 << 20;

impl<'a> Loader<'a> {
    /// A loader for the target of the build. `scans` may be shared with the loaders of other targets.
    ///
    /// # Errors
    /// For an unknown experiment or level of the architecture.
    pub fn new(
        build: &'a Build,
        modules: &'a dyn Modules,
        scans: &'a Scans,
        options: Options,
    ) -> Result<Self, TagsError> {
        let source = Source::new(build, modules, scans, build.build_tags()?);
        Ok(Self {
            source,
            options,
            graph: Graph::default(),
            by_path: HashMap::new(),
            finished: Vec::new(),
            folded: HashMap::new(),
            stack: Vec::new(),
            godebugs: None,
        })
    }

    /// The packages that the patterns of a command line match.
    pub fn matches(&self, patterns: &[String]) -> Vec<Match> {
        self.source.matches(patterns)
    }

    /// Has a pattern that was matched without a target match what is there for it.
    pub fn complete(&self, found: &mut Match) {
        self.source.complete(found);
    }

    /// Loads what patterns match and all that it needs; each package is given once, in order (`PackagesAndErrors`).
    pub fn load(&mut self, matches: &[Match]) -> Vec<PackageId> {
        let paths: Vec<String> = matches.iter().flat_map(|found| found.paths.iter().cloned()).collect();
        if !self.options.ignores_imports {
            self.source.prefetch(&paths, self.options.reads_tests);
        }
        let mut loaded = Vec::new();
        on_a_large_stack(|| {
            for found in matches {
                self.load_match(found, &mut loaded);
            }
        });
        self.set_flags();
        loaded
    }

    fn load_match(&mut self, found: &Match, loaded: &mut Vec<PackageId>) {
        for path in &found.paths {
            let mode = Mode { cmdline_package: true, cmdline_literal: found.is_literal(), ..Mode::default() };
            let (id, _) = self.import(path, None, &[], mode);
            self.graph[id].matches.push(found.pattern.clone());
            if !loaded.contains(&id) {
                loaded.push(id);
            }
        }
        if let Some(error) = found.errors.first() {
            loaded.push(self.add_unmatched(found, error));
        }
    }

    /// The packages loaded so far.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The same, to be changed.
    pub fn graph_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }

    /// The packages, once all are loaded.
    pub fn into_graph(self) -> Graph {
        self.graph
    }

    /// Import paths of a package as they are resolved, sorted (`Package.Resolve`).
    pub fn resolved(&self, package: &Package, paths: &[String]) -> Vec<String> {
        let importer = Importer::of(package);
        let resolve = |path: &String| self.source.resolve(path, &importer, true);
        let mut resolved: Vec<String> = paths.iter().map(resolve).collect();
        resolved.sort_unstable();
        resolved.dedup();
        resolved
    }

    /// The build that is loaded for.
    pub fn build(&self) -> &'a Build {
        self.source.build
    }

    /// Gives each package its flags, now that it is known which of them the command line names.
    fn set_flags(&mut self) {
        let build = self.source.build;
        for index in 0..self.graph.len() {
            let package = &mut self.graph[PackageId::at(index)];
            let is_tool = self.source.modules.tools().contains(&package.import_path);
            package.asmflags = build.asmflags.with_tools(package, is_tool);
            package.gcflags = build.gcflags.with_tools(package, is_tool);
            package.ldflags = build.ldflags.with_tools(package, is_tool);
        }
    }
}

fn on_a_large_stack(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("load".to_owned()).stack_size(STACK);
        let thread = builder.spawn_scoped(scope, work).expect("a thread can be started");
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}
