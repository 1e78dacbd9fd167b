//! The fewest requirements that give the same build list.
//!
//! Any smallest set would do for selection; which one is written to go.mod is decided by walking post-order backwards,
//! after the paths that must be there. Source of the rule: `cmd/go/internal/mvs/mvs.go:Req`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{BuildListError, Source, Step, Stop, build_list};
use crate::node::{NodeId, PathId};

/// The smallest requirements of a main module that keep its build list and name every path of `base`, sorted by path.
///
/// # Errors
/// As [`build_list`].
pub fn minimal_requirements<S: Source>(
    source: &mut S,
    main: NodeId,
    base: &[PathId],
) -> Result<Vec<NodeId>, Stop<BuildListError<S::Error>>> {
    let list = build_list(source, &[main])?;
    let selected: HashMap<PathId, NodeId> = list.iter().map(|node| (node.path(), *node)).collect();
    let mut required = HashMap::from([(main, Arc::default())]);
    let post_order = post_order(source, &list, &mut required)?;

    let mut implied = HashSet::new();
    let mut smallest = Vec::new();
    let mut named = HashSet::new();
    let base = base.iter().filter(|path| named.insert(**path)).filter_map(|path| selected.get(path));
    for &node in base {
        smallest.push(node);
        imply(node, &required, &mut implied);
    }
    for &node in post_order.iter().rev() {
        if selected.get(&node.path()) == Some(&node) && !implied.contains(&node) {
            smallest.push(node);
            imply(node, &required, &mut implied);
        }
    }
    let nodes = source.nodes();
    smallest.sort_by(|a, b| nodes.path(a.path()).cmp(nodes.path(b.path())));
    Ok(smallest)
}

/// Every node behind `list` after all that it requires, with the requirements learned on the way.
fn post_order<S: Source>(
    source: &mut S,
    list: &[NodeId],
    known: &mut HashMap<NodeId, Arc<[NodeId]>>,
) -> Result<Vec<NodeId>, Stop<BuildListError<S::Error>>> {
    let mut order = Vec::new();
    for &start in list {
        // A stack of its own: graphs are deeper than threads.
        let mut open: Vec<(NodeId, usize)> = Vec::new();
        enter(source, start, known, &mut open)?;
        while let Some((node, next)) = open.last_mut() {
            let (node, at) = (*node, *next);
            *next += 1;
            match known[&node].get(at) {
                Some(&required) => enter(source, required, known, &mut open)?,
                None => {
                    order.push(node);
                    open.pop();
                }
            }
        }
    }
    Ok(order)
}

fn enter<S: Source>(
    source: &mut S,
    node: NodeId,
    known: &mut HashMap<NodeId, Arc<[NodeId]>>,
    open: &mut Vec<(NodeId, usize)>,
) -> Result<(), Stop<BuildListError<S::Error>>> {
    if known.contains_key(&node) {
        return Ok(());
    }
    let required = if source.nodes().is_none(node) { Ok(Arc::default()) } else { source.required(node) };
    let required = required.map_err(|stop| {
        let step = Step { node: source.nodes().node(node).clone(), is_change: false };
        stop.map(|cause| BuildListError { cause, path: vec![step] })
    })?;
    known.insert(node, required);
    open.push((node, 0));
    Ok(())
}

/// Marks a node and all that comes with it.
fn imply(node: NodeId, required: &HashMap<NodeId, Arc<[NodeId]>>, implied: &mut HashSet<NodeId>) {
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        if implied.insert(node) {
            waiting.extend(required.get(&node).into_iter().flat_map(|required| required.iter()));
        }
    }
}
