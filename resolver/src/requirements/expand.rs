//! The whole graph, with roots that agree with it.
//!
//! Source of the rules: `cmd/go/internal/modload/buildlist.go` (`expandGraph`, `LoadModGraph`).

use std::sync::Arc;

use super::{Load, Requirements, RootChange};
use crate::error::{Error, Halt};
use crate::go_version;
use crate::module_graph::ModuleGraph;
use crate::world::{Pruning, World};

/// Requirements and the graph behind them.
#[derive(Debug)]
pub struct Expanded {
    /// The requirements; where there is an error, they may disagree with the graph.
    pub requirements: Arc<Requirements>,
    /// The graph, as far as it could be had.
    pub graph: Arc<ModuleGraph>,
    /// Why the graph is not whole, or the requirements not consistent.
    pub error: Option<Error>,
}

impl World {
    /// Reads the whole graph; where a root is not what is selected, other roots are found.
    ///
    /// # Errors
    /// Only for what isn't known yet.
    pub fn expand(&mut self, requirements: &Arc<Requirements>) -> Result<Expanded, Halt> {
        let mut requirements = Arc::clone(requirements);
        let mut graph = requirements.graph(self)?;
        if graph.error().is_none() && !self.all_roots_selected(&graph) {
            let change = RootChange { direct: requirements.direct.clone(), ..RootChange::default() };
            match self.update_roots(&requirements, change) {
                Ok(updated) => requirements = updated,
                Err(Halt::Error(error)) => {
                    return Ok(Expanded { requirements, graph, error: Some(*error) });
                }
                Err(need) => return Err(need),
            }
            graph = requirements.graph(self)?;
        }
        let error = graph.error().cloned().map(Error::from);
        Ok(Expanded { requirements, graph, error })
    }

    /// The graph of `go mod graph`, as `-go` asks for it.
    ///
    /// # Errors
    /// When something isn't known yet, a go.mod can't be had, or that release could not read the main module.
    pub fn module_graph(&mut self, go: Option<&str>) -> Result<Arc<ModuleGraph>, Halt> {
        let requirements = self.load(&Load { only_looks: true, go_version: None })?;
        let Some(go) = go else {
            let Expanded { graph, error, .. } = self.expand(&requirements)?;
            return match error {
                Some(error) => Err(error.into()),
                None => Ok(graph),
            };
        };
        let least = requirements.go_version(self).to_owned();
        let is_strict = go_version::compare(&least, go_version::STRICT).is_ge();
        if is_strict && go_version::compare(go, &least).is_lt() {
            return Err(Error::GraphGoVersion { wanted: go.to_owned(), least }.into());
        }
        if Pruning::of(go) == Pruning::Unpruned && requirements.pruning != Pruning::Unpruned {
            // The roots are shown as they are, even where an older release would find others.
            let (roots, direct) = (requirements.roots.clone(), requirements.direct.clone());
            return Requirements::new(self.nodes(), Pruning::Unpruned, roots, direct).whole_graph(self);
        }
        requirements.whole_graph(self)
    }

    fn all_roots_selected(&self, graph: &ModuleGraph) -> bool {
        if self.main.is_workspace() {
            return self.main.ids().iter().all(|main| graph.selected(main.path()) == Some(*main));
        }
        let roots = graph.required_by(self.main.first()).into_iter().flat_map(|roots| roots.iter());
        roots.copied().all(|root| graph.selected(root.path()) == Some(root))
    }
}
