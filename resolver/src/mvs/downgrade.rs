//! A build list in which some modules are lowered, and with them everything that would raise them again.
//!
//! Source of the rule: `cmd/go/internal/mvs/mvs.go:Downgrade`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{BuildListError, Override, Source, Step, Stop, build_list, max};
use crate::node::{NodeId, PathId};

/// Who also knows older versions.
pub trait DowngradeSource: Source {
    /// The version right before this one; the absent one where there is none.
    ///
    /// # Errors
    /// When the versions of the module can't be had.
    fn previous(&mut self, node: NodeId) -> Result<NodeId, Stop<Self::Error>>;
}

/// The build list of a target in which modules are lowered to the versions in `downgrades`, or further.
///
/// # Errors
/// As [`build_list`], and where the older versions of a module can't be had.
pub fn downgrade<S: DowngradeSource>(
    source: &mut S,
    target: NodeId,
    downgrades: &[NodeId],
) -> Result<Vec<NodeId>, Stop<BuildListError<S::Error>>> {
    let list = build_list(source, &[target])?[1..].to_vec();
    let mut limits: HashMap<PathId, NodeId> = list.iter().map(|node| (node.path(), *node)).collect();
    for &wanted in downgrades {
        let limit = limits.entry(wanted.path()).or_insert(wanted);
        if max(source, *limit, wanted) != wanted {
            *limit = wanted;
        }
    }
    let mut tracker = Tracker { limits, ..Tracker::default() };
    let mut lowered = vec![target];
    for &node in &list {
        if let Some(kept) = tracker.lower(source, node)? {
            lowered.push(kept);
        }
    }

    // What `previous` skips, as pseudo-versions, may still be what is selected; then the requirements of the versions
    // that were tried first must not stay behind.
    let actual = build_list(&mut Override { source, target, list: lowered.into() }, &[target])?;
    let actual: HashMap<PathId, NodeId> = actual.iter().map(|node| (node.path(), *node)).collect();
    let lowered: Arc<[NodeId]> = list.iter().filter_map(|node| actual.get(&node.path()).copied()).collect();
    build_list(&mut Override { source, target, list: lowered }, &[target])
}

/// Which nodes can't stay, because they are above a limit or require one that is.
#[derive(Default)]
struct Tracker {
    limits: HashMap<PathId, NodeId>,
    added: HashSet<NodeId>,
    excluded: HashSet<NodeId>,
    required_by: HashMap<NodeId, Vec<NodeId>>,
}

impl Tracker {
    /// The highest version at or below `node` that can stay.
    fn lower<S: DowngradeSource>(
        &mut self,
        source: &mut S,
        node: NodeId,
    ) -> Result<Option<NodeId>, Stop<BuildListError<S::Error>>> {
        let mut tried = node;
        self.add(source, tried)?;
        while self.excluded.contains(&tried) {
            let mut previous = source.previous(tried).map_err(|stop| {
                let step = Step { node: source.nodes().node(tried).clone(), is_change: false };
                stop.map(|cause| BuildListError { cause, path: vec![step] })
            })?;
            // The limit itself may be a version that `previous` does not list.
            if let Some(&limit) = self.limits.get(&node.path())
                && max(source, limit, tried) != limit
                && max(source, previous, limit) != previous
            {
                previous = limit;
            }
            if source.nodes().is_none(previous) {
                return Ok(None);
            }
            self.add(source, previous)?;
            tried = previous;
        }
        Ok(Some(tried))
    }

    /// Looks at a node and all behind it. The first excluded requirement of a node excludes it and ends its list.
    fn add<S: Source>(&mut self, source: &mut S, node: NodeId) -> Result<(), Stop<BuildListError<S::Error>>> {
        let mut open = Vec::new();
        self.enter(source, node, &mut open)?;
        while let Some((node, required, next)) = open.last_mut() {
            let node = *node;
            let before = next.checked_sub(1).map(|before| required[before]);
            let requirement = required.get(*next).copied();
            *next += 1;
            if let Some(before) = before {
                if self.excluded.contains(&before) {
                    self.exclude(node);
                    open.pop();
                    continue;
                }
                self.required_by.entry(before).or_default().push(node);
            }
            match requirement {
                Some(requirement) => self.enter(source, requirement, &mut open)?,
                None => drop(open.pop()),
            }
        }
        Ok(())
    }

    fn enter<S: Source>(
        &mut self,
        source: &mut S,
        node: NodeId,
        open: &mut Vec<(NodeId, Arc<[NodeId]>, usize)>,
    ) -> Result<(), Stop<BuildListError<S::Error>>> {
        if !self.added.insert(node) {
            return Ok(());
        }
        let is_too_high =
            self.limits.get(&node.path()).is_some_and(|&limit| max(source, node, limit) != limit);
        if is_too_high {
            self.exclude(node);
            return Ok(());
        }
        match source.required(node) {
            Ok(required) => open.push((node, required, 0)),
            Err(Stop::Missing) => return Err(Stop::Missing),
            // Older versions often have no go.mod that could be read.
            Err(Stop::Failed(_)) => self.exclude(node),
        }
        Ok(())
    }

    fn exclude(&mut self, node: NodeId) {
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            if self.excluded.insert(node) {
                waiting.extend(self.required_by.get(&node).into_iter().flatten());
            }
        }
    }
}
