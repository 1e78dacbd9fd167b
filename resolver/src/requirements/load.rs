//! The requirements as they stand in go.mod, or in the files of a workspace.
//!
//! Source of the rules: `cmd/go/internal/modload/init.go` (`loadModFile`, `requirementsFromModFiles`).

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::{Requirements, RootChange};
use crate::error::Halt;
use crate::go_version;
use crate::module_graph::ModuleGraph;
use crate::mvs::Graph;
use crate::node::{Node, NodeId, Nodes, PathId};
use crate::world::{Pruning, World};

/// What a command wants of its requirements.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Whether the command only looks, so that a missing go line stays missing (`mod graph`, `mod why`).
    pub only_looks: bool,
    /// What a missing go line becomes, if not the local release (`mod tidy -go`).
    pub go_version: Option<String>,
}

impl World {
    /// The requirements that a command begins with (`loadModFile`).
    ///
    /// # Errors
    /// When something isn't known yet, or the roots can't be made consistent with each other.
    pub fn load(&mut self, load: &Load) -> Result<Arc<Requirements>, Halt> {
        let mut requirements = self.as_written();
        if let Some(vendored) = self.vendored() {
            let modules = vendored.modules.clone();
            self.vendor_graph(&requirements, &modules)?;
        }
        if self.main.is_workspace() || self.main.module(self.main.first()).is_none() {
            return Ok(requirements);
        }
        if requirements.has_redundant_root(self) {
            let direct = requirements.direct.clone();
            requirements =
                self.update_roots(&requirements, RootChange { direct, ..RootChange::default() })?;
        }
        if self.main.go_line().is_some() || !self.is_mod() || load.only_looks {
            return Ok(requirements);
        }
        // The file is as Go 1.11 to 1.16 wrote it; the release that will write it now prunes graphs.
        let version = load.go_version.clone().unwrap_or_else(|| self.local.version.clone());
        let go = self.id("go", &version);
        let requirements = self.override_roots(&requirements, &[go]);
        match Pruning::of(&version) {
            Pruning::Unpruned => Ok(requirements),
            pruning => self.convert_pruning(&requirements, pruning),
        }
    }

    /// The roots with other versions of some paths.
    pub(crate) fn override_roots(&self, requirements: &Requirements, others: &[NodeId]) -> Arc<Requirements> {
        let is_kept = |root: &&NodeId| others.iter().all(|other| other.path() != root.path());
        let mut roots: Vec<_> = requirements.roots.iter().filter(is_kept).copied().collect();
        roots.extend(others);
        self.nodes().sort(&mut roots);
        Requirements::new(self.nodes(), requirements.pruning, roots, requirements.direct.clone())
    }

    fn as_written(&mut self) -> Arc<Requirements> {
        let main = self.main.first();
        let go = self.main.go_version(&self.local.version).to_owned();
        let (pruning, mut roots, direct) = match (self.main.workspace(), self.main.module(main)) {
            (Some(workspace), _) => {
                let toolchain = workspace.file.toolchain().map(|toolchain| toolchain.name.clone());
                let mut roots = self.main.ids();
                let mut direct = BTreeSet::new();
                if self.main.module(main).is_none() {
                    direct.insert(self.path("go"));
                    let local = format!("go{}", self.local.version);
                    self.add_toolchain(&mut roots, &go, Some(&local));
                } else {
                    self.add_toolchain(&mut roots, &go, toolchain.as_deref());
                }
                for main in self.main.ids() {
                    direct.extend(self.written_requirements(main).into_iter().filter_map(is_direct));
                }
                (Pruning::Workspace, roots, direct)
            }
            (None, Some(module)) => {
                let toolchain = module.file.toolchain().map(|toolchain| toolchain.name.clone());
                let (mut roots, direct) = self.roots_of(main);
                self.add_toolchain(&mut roots, &go, toolchain.as_deref());
                (Pruning::of(&go), roots, direct)
            }
            (None, None) => {
                let mut roots = Vec::new();
                let local = format!("go{}", self.local.version);
                self.add_toolchain(&mut roots, &go, Some(&local));
                (Pruning::of(&go), roots, BTreeSet::from([self.path("go")]))
            }
        };
        self.nodes().sort(&mut roots);
        Requirements::new(self.nodes(), pruning, roots, direct)
    }

    fn add_toolchain(&mut self, roots: &mut Vec<NodeId>, go: &str, toolchain: Option<&str>) {
        roots.push(self.id("go", go));
        roots.extend(toolchain.map(|name| self.id("toolchain", name)));
    }

    /// What a main module's file requires, with whether it is direct.
    fn written_requirements(&mut self, main: NodeId) -> Vec<(NodeId, bool)> {
        let Some(module) = self.main.module(main) else { return Vec::new() };
        let requires = module.file.requires().iter();
        let nodes = &mut self.known.nodes;
        requires.map(|require| (nodes.id(&require.path, &require.version), !require.indirect)).collect()
    }

    /// What a main module's file requires and does not exclude, and the paths of what is direct; `go` is.
    fn roots_of(&mut self, main: NodeId) -> (Vec<NodeId>, BTreeSet<PathId>) {
        let mut written = self.written_requirements(main);
        let dropping = if self.is_mod() { "dropping" } else { "ignoring" };
        written.retain(|(node, _)| {
            let is_excluded = self.main.excludes(&self.known.nodes, main, *node);
            if is_excluded {
                let Node { path, version } = self.known.nodes.node(*node);
                self.notes.push(format!("{dropping} requirement on excluded version {path} {version}"));
            }
            !is_excluded
        });
        let mut direct: BTreeSet<_> = written.iter().copied().filter_map(is_direct).collect();
        direct.insert(self.path("go"));
        (written.into_iter().map(|(node, _)| node).collect(), direct)
    }

    /// The graph of vendor mode: what is in the vendor directory is all there is (`initVendor`).
    fn vendor_graph(&mut self, requirements: &Requirements, vendored: &[Node]) -> Result<(), Halt> {
        let list: Vec<_> = vendored.iter().map(|node| self.id(&node.path, &node.version)).collect();
        let is_workspace = self.main.is_workspace();
        let starts = if is_workspace { requirements.roots.clone() } else { self.main.ids() };
        let mut graph = Graph::new(self.nodes(), Nodes::compare, starts);
        let main = self.main.first();
        if requirements.pruning == Pruning::Pruned {
            let missing: Vec<_> =
                list.iter().filter(|node| requirements.root(self, node.path()) != Some(**node)).collect();
            for &&node in &missing {
                let text = format!(
                    "vendored module {} should be required explicitly in go.mod",
                    self.nodes().node(node)
                );
                self.notes.push(text);
            }
            if !missing.is_empty() {
                return Err(self.dirty());
            }
            graph.require(self.nodes(), main, requirements.roots.clone().into());
        } else {
            // Nobody knows how the roots lead to the list: a node of its own stands between.
            let all = self.id("vendor/modules.txt", "");
            for main in self.main.ids() {
                let mut roots = requirements.roots.clone();
                if is_workspace {
                    let module = self.main.module(main).and_then(|module| module.file.go());
                    let go = module.map_or(go_version::DEFAULT_GO_MOD, |go| &go.version).to_owned();
                    roots = self.roots_of(main).0;
                    roots.push(self.id("go", &go));
                }
                roots.push(all);
                graph.require(self.nodes(), main, roots.into());
            }
            graph.require(self.nodes(), all, list.into());
        }
        let graph = Arc::new(ModuleGraph::told(graph));
        // A set that was just made has no graph yet.
        let _: &Arc<ModuleGraph> = OnceLock::get_or_init(&requirements.graph, || graph);
        Ok(())
    }
}

fn is_direct((node, is_direct): (NodeId, bool)) -> Option<PathId> {
    is_direct.then(|| node.path())
}
