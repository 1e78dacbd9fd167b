//! Everything that an answer depends on: the main modules, the mode, the local release, and what is known.

use std::collections::HashSet;
use std::sync::Arc;

use hashbrown::HashMap;
use modkeep_module::GoSum;

use crate::error::{DirtyReason, Error, Fault, Halt, ModuleError, TooNew};
use crate::go_version;
use crate::known::{GoModFacts, Known, Scan};
use crate::main_modules::{MainModule, MainModules, Workspace};
use crate::module_graph::Memo;
use crate::mvs::{Source, Stop};
use crate::node::{Node, NodeId, Nodes, PathId};
use crate::vendored::Vendored;

/// What may be changed and downloaded (`-mod`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// go.mod may be changed.
    Mod,
    /// go.mod must be right as it is.
    Readonly(DirtyReason),
    /// As readonly, and the vendor directory is all there is.
    Vendor(DirtyReason, Box<Vendored>),
}

/// The release whose rules hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalGo {
    /// Without `go`: `1.27.3`.
    pub version: String,
    /// How it was chosen, for errors: empty, or `; GOTOOLCHAIN=local` and the like.
    pub explain: String,
}

/// The standard library of the local release, and its commands.
#[derive(Clone, Debug, Default)]
pub struct Standard {
    /// The import paths of all directories in `GOROOT/src` that hold `.go` files, `cmd/…` and `vendor/…` among them.
    pub packages: HashSet<String>,
    /// What packages and their tests import from each other, `vendor/…` written out. Packages that are missing here
    /// import nothing; only `mod why` of a standard package and the pattern `all` can tell the difference.
    pub scans: std::collections::HashMap<String, Scan>,
    /// Where the sources are, for errors: `GOROOT/src`.
    pub directory: String,
}

/// Whether the graph goes on behind a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pruning {
    /// Requirements of modules at 1.17 or higher end the graph.
    Pruned,
    /// All requirements are followed.
    Unpruned,
    /// Those of the modules of a workspace are followed, behind them each module decides.
    Workspace,
}

impl Pruning {
    /// What a module with that go line stands for.
    pub fn of(go_version: &str) -> Self {
        match go_version::compare(go_version, go_version::EXPLICIT_INDIRECT).is_lt() {
            true => Self::Unpruned,
            false => Self::Pruned,
        }
    }
}

/// What a go line means.
#[derive(Clone, Copy, Debug)]
struct GoLine {
    pruning: Pruning,
    /// Whether it is a requirement.
    is_strict: bool,
}

/// What a node says to the graph: replacements and excludes applied.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) pruning: Pruning,
    pub(crate) required: Arc<[NodeId]>,
}

/// Everything an answer depends on. Its methods are the resolver.
#[derive(Debug)]
pub struct World {
    /// The main modules.
    pub main: MainModules,
    /// The mode.
    pub mode: Mode,
    /// The local release.
    pub local: LocalGo,
    /// Whether the caller would begin again as a newer release, if something needs one.
    pub may_switch: bool,
    /// The lines of go.sum, where every module in use must have one: with a main module, readonly, outside of
    /// workspaces.
    pub required_sums: Option<Arc<GoSum>>,
    /// The standard library of the local release.
    pub standard: Standard,
    /// Whether packages may be looked for outside of the build even where go.mod must stay as it is (`get`).
    pub allows_missing_imports: bool,
    /// The main module in whose directory the command runs.
    pub here: Option<NodeId>,
    /// The main module that is the standard library itself: its packages have no prefix.
    pub standard_module: Option<NodeId>,
    /// What was told.
    pub known: Known,
    /// What go prints on the way, without `go: `; [`World::attempt`] begins it anew.
    pub notes: Vec<String>,
    /// The same of what is looked at once, whether or not that attempt had an answer.
    pub lasting_notes: Vec<String>,
    /// Errors after which go goes on, only to fail in the end.
    pub faults: Vec<String>,
    summaries: HashMap<NodeId, Result<Arc<Summary>, ModuleError>>,
    actuals: HashMap<NodeId, NodeId>,
    /// What go lines mean, by their text: thousands of files have a few dozen.
    go_lines: HashMap<String, GoLine>,
    pub(crate) queries: HashMap<crate::query::Asked, Result<Arc<crate::known::Revision>, Error>>,
    pub(crate) walks: HashMap<crate::packages::WalkKey, crate::packages::Walk>,
    pub(crate) graphs: HashMap<crate::module_graph::Key, Memo>,
}

impl World {
    /// A world of main modules, of which nothing else is known.
    ///
    /// # Errors
    /// When the main modules contradict each other.
    pub fn new(
        modules: Vec<MainModule>,
        workspace: Option<Workspace>,
        mode: Mode,
        local: LocalGo,
    ) -> Result<Self, Error> {
        let mut known = Known::default();
        let main = MainModules::new(&mut known.nodes, modules, workspace)?;
        Ok(Self {
            main,
            mode,
            local,
            may_switch: false,
            required_sums: None,
            standard: Standard::default(),
            allows_missing_imports: false,
            here: None,
            standard_module: None,
            known,
            notes: Vec::new(),
            lasting_notes: Vec::new(),
            faults: Vec::new(),
            summaries: HashMap::new(),
            actuals: HashMap::new(),
            go_lines: HashMap::new(),
            queries: HashMap::new(),
            walks: HashMap::new(),
            graphs: HashMap::new(),
        })
    }

    /// Runs a resolution from its beginning; what an earlier attempt noted is forgotten.
    ///
    /// # Errors
    /// Those of `resolve`.
    pub fn attempt<T>(&mut self, resolve: impl FnOnce(&mut Self) -> Result<T, Halt>) -> Result<T, Halt> {
        self.notes.clear();
        resolve(self)
    }

    /// The texts of nodes.
    pub fn nodes(&self) -> &Nodes {
        &self.known.nodes
    }

    /// The id of a node.
    pub fn id(&mut self, path: &str, version: &str) -> NodeId {
        self.known.nodes.id(path, version)
    }

    /// The id of a path.
    pub fn path(&mut self, path: &str) -> PathId {
        self.known.nodes.path_id(path)
    }

    /// The id of a version of a path.
    pub fn at(&mut self, path: PathId, version: &str) -> NodeId {
        self.known.nodes.at(path, version)
    }

    pub(crate) fn is_mod(&self) -> bool {
        self.mode == Mode::Mod
    }

    pub(crate) fn vendored(&self) -> Option<&Vendored> {
        match &self.mode {
            Mode::Vendor(_, vendored) => Some(vendored),
            _ => None,
        }
    }

    /// Whether go.mod must be right as it is (`mustHaveCompleteRequirements`).
    pub(crate) fn must_be_complete(&self) -> bool {
        !self.is_mod() && !self.main.is_workspace()
    }

    /// go.mod would have to change, and may not.
    pub(crate) fn dirty(&self) -> Halt {
        let reason = match &self.mode {
            Mode::Mod => DirtyReason::default(),
            Mode::Readonly(reason) | Mode::Vendor(reason, _) => reason.clone(),
        };
        Error::GoModDirty(reason).into()
    }

    /// What a version needs that the local release is too old for.
    pub(crate) fn too_new(&self, what: String, version: &str) -> TooNew {
        let LocalGo { version: local, explain } = self.local.clone();
        TooNew { what, version: version.to_owned(), local, explain }
    }

    /// What is read for a module: its replacement or itself.
    pub fn actual(&mut self, module: NodeId) -> NodeId {
        if let Some(&actual) = self.actuals.get(&module) {
            return actual;
        }
        let node = self.known.nodes.node(module).clone();
        let actual = match self.replacement(&node) {
            Some(node) => self.known.nodes.id(&node.path, &node.version),
            None => module,
        };
        self.actuals.insert(module, actual);
        actual
    }

    /// What is read in place of a module, if it is replaced. Modules of a workspace that disagree are a fault.
    pub fn replacement(&mut self, module: &Node) -> Option<Node> {
        self.faults.extend(self.main.contradiction(module));
        self.main.replacement(module)
    }

    /// Whether there is a main module with a file.
    pub(crate) fn has_main(&self) -> bool {
        self.main.module(self.main.first()).is_some()
    }

    /// What a node says to the graph (`goModSummary`). Not to be asked of the main module outside of a workspace.
    pub(crate) fn summary(&mut self, module: NodeId) -> Result<Arc<Summary>, Stop<ModuleError>> {
        if let Some(summary) = self.summaries.get(&module) {
            return summary.clone().map_err(Stop::Failed);
        }
        let summary = match self.read_summary(module) {
            Err(Stop::Missing) => return Err(Stop::Missing),
            Err(Stop::Failed(error)) => Err(error),
            Ok(summary) => Ok(Arc::new(summary)),
        };
        self.summaries.insert(module, summary.clone());
        summary.map_err(Stop::Failed)
    }

    fn read_summary(&mut self, module: NodeId) -> Result<Summary, Stop<ModuleError>> {
        let Node { path, version } = self.nodes().node(module).clone();
        match &*path {
            "go" => {
                let is_strict = go_version::compare(&version, go_version::STRICT).is_ge();
                let toolchain = is_strict.then(|| self.id("toolchain", &format!("go{version}")));
                return Ok(Summary { pruning: Pruning::Pruned, required: toolchain.into_iter().collect() });
            }
            "toolchain" => return Ok(Summary { pruning: Pruning::Pruned, required: Arc::default() }),
            _ => {}
        }
        if self.main.find(module.path()) == Some(module) && self.main.module(module).is_none() {
            return Ok(Summary { pruning: Pruning::Pruned, required: Arc::default() });
        }
        if let Some(vendored) = self.vendored() {
            // Nobody knows what vendored modules rely on, so each may rely on all.
            let is_vendored = vendored.version_of(&path) == Some(&*version);
            let modules = if is_vendored { vendored.modules.clone() } else { Vec::new() };
            let required =
                modules.iter().map(|node| self.known.nodes.id(&node.path, &node.version)).collect();
            return Ok(Summary { pruning: Pruning::Pruned, required });
        }
        let actual = self.actual(module);
        let (go, required) = match self.main.module(actual) {
            Some(main) => {
                let requires = main.file.requires().iter();
                let required = requires.map(|require| self.known.nodes.id(&require.path, &require.version));
                (main.file.go().map(|go| go.version.clone()), required.collect())
            }
            None => {
                let facts = self.checked_go_mod(module, actual)?;
                (facts.go.clone(), Arc::clone(&facts.requires))
            }
        };
        self.finish_summary(actual, go.as_deref(), required).map_err(Stop::Failed)
    }

    /// The go.mod of what is read for a module; its line in go.sum and its path are checked.
    fn checked_go_mod(
        &mut self,
        module: NodeId,
        actual: NodeId,
    ) -> Result<Arc<GoModFacts>, Stop<ModuleError>> {
        let Node { path, .. } = self.nodes().node(module).clone();
        let read = self.nodes().node(actual).clone();
        if let Some(sums) = &self.required_sums
            && !read.version.is_empty()
            && sums.hashes_of(&read.path, &read.version, true).next().is_none()
        {
            let text = format!("missing go.sum entry for go.mod file; to add it:\n\tgo mod download {path}");
            return Err(Stop::Failed(ModuleError {
                module: Some(read),
                invalid: None,
                text,
                kind: Fault::MissingSum,
            }));
        }
        let facts = self.known.go_mod(actual).ok_or(Stop::Missing)?.map_err(Stop::Failed)?;
        if let Some(go) = &facts.go {
            self.check_release(actual, go).map_err(Stop::Failed)?;
        }
        if read.version.is_empty() {
            return Ok(facts);
        }
        let text = match &facts.module {
            None => "parsing go.mod: missing module line".to_owned(),
            Some(declared) if **declared == *path || **declared == *read.path => return Ok(facts),
            Some(declared) => format!(
                "parsing go.mod:\n\tmodule declares its path as: {declared}\n\t        but was required as: {path}"
            ),
        };
        Err(Stop::Failed(ModuleError::about(read, text)))
    }

    fn go_line(&mut self, go: &str) -> GoLine {
        if let Some(line) = self.go_lines.get(go) {
            return *line;
        }
        let is_strict = go_version::compare(go, go_version::STRICT).is_ge();
        let line = GoLine { pruning: Pruning::of(go), is_strict };
        self.go_lines.insert(go.to_owned(), line);
        line
    }

    /// Refuses a go line above the local release.
    fn check_release(&mut self, actual: NodeId, go: &str) -> Result<(), ModuleError> {
        if self.go_line(go).is_strict && go_version::compare(go, &self.local.version).is_gt() {
            return Err(self.too_new(format!("module {}", self.nodes().node(actual)), go).into());
        }
        Ok(())
    }

    /// Adds the edge to `go`, drops excluded requirements.
    fn finish_summary(
        &mut self,
        actual: NodeId,
        go: Option<&str>,
        mut required: Arc<[NodeId]>,
    ) -> Result<Summary, ModuleError> {
        let line = go.map(|go| (go, self.go_line(go)));
        let pruning = line.map_or(Pruning::Unpruned, |(_, line)| line.pruning);
        if let Some((go, _)) = line.filter(|(_, line)| line.is_strict) {
            self.check_release(actual, go)?;
            let edge = self.id("go", go);
            required = required.iter().copied().chain([edge]).collect();
        }
        if !self.main.excludes_nothing() && required.iter().any(|node| self.main.is_excluded(*node)) {
            required = required.iter().copied().filter(|node| !self.main.is_excluded(*node)).collect();
        }
        Ok(Summary { pruning, required })
    }
}

/// The graph that minimal version selection sees: the main modules require `roots`, all others what they say.
pub(crate) struct WithRoots<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) roots: Arc<[NodeId]>,
}

impl Source for WithRoots<'_> {
    type Error = ModuleError;

    fn nodes(&self) -> &Nodes {
        self.world.nodes()
    }

    fn required(&mut self, node: NodeId) -> Result<Arc<[NodeId]>, Stop<ModuleError>> {
        if self.world.main.find(node.path()) == Some(node) {
            return Ok(Arc::clone(&self.roots));
        }
        Ok(Arc::clone(&self.world.summary(node)?.required))
    }
}
