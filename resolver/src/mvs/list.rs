//! Build lists: as required, with some modules upgraded, with all modules upgraded.
//!
//! Source of the rules: `cmd/go/internal/mvs/mvs.go` (`BuildList`, `Upgrade`, `UpgradeAll`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{BuildListError, Graph, Override, Source, Step, Stop, max};
use crate::node::{NodeId, PathId};

/// Who also knows newer versions.
pub trait UpgradeSource: Source {
    /// The version that a module is upgraded to when all are; the node itself where there is none.
    ///
    /// # Errors
    /// When no version of the module is known.
    fn upgrade(&mut self, node: NodeId) -> Result<NodeId, Stop<Self::Error>>;

    /// The absent node of a path.
    fn absent(&mut self, path: PathId) -> NodeId;
}

/// The build list of targets: they stand first, all else is sorted.
///
/// # Errors
/// The first failure on a shortest way from the targets.
pub fn build_list<S: Source>(
    source: &mut S,
    targets: &[NodeId],
) -> Result<Vec<NodeId>, Stop<BuildListError<S::Error>>> {
    let graph = collect(source, targets, |_, node| Ok(node))?;
    Ok(graph.build_list(source.nodes()))
}

/// The build list of a target in which every module is at its latest version.
///
/// # Errors
/// As [`build_list`], and where a module has no version.
pub fn upgrade_all<S: UpgradeSource>(
    source: &mut S,
    target: NodeId,
) -> Result<Vec<NodeId>, Stop<BuildListError<S::Error>>> {
    let graph = collect(source, &[target], |source, node| {
        if node.path() == target.path() { Ok(target) } else { source.upgrade(node) }
    })?;
    Ok(graph.build_list(source.nodes()))
}

/// The build list of a target in which some modules are upgraded.
///
/// # Errors
/// As [`build_list`].
pub fn upgrade<S: UpgradeSource>(
    source: &mut S,
    target: NodeId,
    upgrades: &[NodeId],
) -> Result<Vec<NodeId>, Stop<BuildListError<S::Error>>> {
    let alone = Step { node: source.nodes().node(target).clone(), is_change: false };
    let required = source.required(target);
    let required = required.map_err(|stop| stop.map(|cause| BuildListError { cause, path: vec![alone] }));
    let mut list = required?.to_vec();
    let paths: HashSet<_> = list.iter().map(|node| node.path()).collect();
    let mut upgrade_to: HashMap<PathId, NodeId> = HashMap::new();
    for &upgrade in upgrades {
        if !paths.contains(&upgrade.path()) {
            list.push(source.absent(upgrade.path()));
        }
        let highest = upgrade_to.get(&upgrade.path()).map_or(upgrade, |&before| max(source, before, upgrade));
        upgrade_to.insert(upgrade.path(), highest);
    }
    let mut overridden = Override { source, target, list: list.into() };
    let graph = collect(&mut overridden, &[target], |_, node| {
        Ok(upgrade_to.get(&node.path()).copied().unwrap_or(node))
    })?;
    Ok(graph.build_list(source.nodes()))
}

/// Walks everything reachable; `upgraded` may put another version beside each node.
fn collect<S: Source>(
    source: &mut S,
    targets: &[NodeId],
    mut upgraded: impl FnMut(&mut S, NodeId) -> Result<NodeId, Stop<S::Error>>,
) -> Result<Graph, Stop<BuildListError<S::Error>>> {
    let order = source.order();
    let mut graph = Graph::new(source.nodes(), order, targets.to_vec());
    let mut changes = HashMap::new();
    let mut failures = HashMap::new();
    let mut is_missing = false;
    let mut seen: HashSet<NodeId> = targets.iter().copied().collect();
    let mut waiting = targets.to_vec();
    while let Some(node) = waiting.pop() {
        let mut required: Arc<[NodeId]> = Arc::default();
        let mut note = |stop| match stop {
            Stop::Missing => is_missing = true,
            Stop::Failed(error) => drop(failures.entry(node).or_insert(error)),
        };
        if !source.nodes().is_none(node) {
            match source.required(node) {
                Ok(known) => required = known,
                Err(stop) => note(stop),
            }
        }
        match upgraded(source, node) {
            Ok(other) if other != node => {
                changes.insert(node, other);
                required = [other].into_iter().chain(required.iter().copied()).collect();
            }
            Ok(_) => {}
            Err(stop) => note(stop),
        }
        waiting.extend(required.iter().copied().filter(|node| seen.insert(*node)));
        graph.require(source.nodes(), node, required);
    }
    if is_missing {
        return Err(Stop::Missing);
    }
    let Some(path) = graph.find_path(|node| failures.contains_key(&node)) else { return Ok(graph) };
    let last = path[path.len() - 1];
    let cause = failures.remove(&last).expect("the path ends at a failure");
    let step = |(at, &node): (usize, &NodeId)| Step {
        node: source.nodes().node(node).clone(),
        is_change: path.get(at + 1).is_some_and(|next| changes.get(&node) == Some(next)),
    };
    let path = path.iter().enumerate().map(step).collect();
    Err(Stop::Failed(BuildListError { cause, path }))
}
