//! Lowering: a root that leads to something which may not be is put to the next version that doesn't.
//!
//! Source of the rules: `cmd/go/internal/modload/edit.go:editRequirements`.

use super::tracker::Tracker;
use super::{Conflict, Editor};
use crate::error::Halt;
use crate::module_graph::ModuleGraph;
use crate::node::NodeId;
use crate::world::Pruning;

impl Editor<'_> {
    /// Lowers each root that leads to a problem; whether one was lowered.
    pub(super) fn lower_roots(
        &mut self,
        graph: &ModuleGraph,
        tracker: &Tracker,
        roots: &[NodeId],
    ) -> Result<bool, Halt> {
        let mut has_lowered = false;
        for &root in roots {
            let (path, error) = tracker.path(root, tracker.pruning_of(root).unwrap_or(self.pruning));
            let Some(&last) = path.last() else { continue };
            let constraint = if error.is_some() { None } else { self.wanted.get(&last.path()).copied() };
            let mut conflict = self.conflict(&path, constraint);
            conflict.error = error;
            if self.wanted.get(&root.path()) == Some(&root) {
                self.conflicts.push(conflict);
                continue;
            }
            if let Some(selected) = graph.selected(root.path()).filter(|selected| *selected != root) {
                let pruning = tracker.pruning_of(root).unwrap_or(self.pruning);
                if !tracker.is_disqualified(selected, pruning) && !self.rejected.contains(&selected) {
                    continue;
                }
            }
            let before = self.original.clone().graph(self.world)?.selected(root.path());
            let before = before.unwrap_or_else(|| self.world.known.nodes.at(root.path(), "none"));
            if conflict.error.is_some() && before == root {
                // What was there all along is only given up for a conflict, not because it can't be read now.
                self.conflicts.push(conflict);
                continue;
            }
            self.rejected.insert(root);
            let lower = self.lower(graph, tracker, root, before)?;
            self.roots.insert(root.path(), lower);
            has_lowered = true;
            if conflict.error.is_some() || self.is_verbose {
                let note = self.lowered_note(root, lower, before, &conflict);
                self.world.notes.push(note);
            }
        }
        Ok(has_lowered)
    }

    /// The next version below a root that is not known to be a problem; `before` counts as one of the list.
    fn lower(
        &mut self,
        graph: &ModuleGraph,
        tracker: &Tracker,
        root: NodeId,
        before: NodeId,
    ) -> Result<NodeId, Halt> {
        let is_above_before = self.compare(root, before).is_gt();
        let mut candidate = root;
        loop {
            candidate = match self.world.previous_version(candidate)? {
                Ok(previous) if is_above_before && self.compare(previous, before).is_lt() => before,
                Ok(previous) => previous,
                Err(_) if is_above_before => return Ok(before),
                Err(error) => return Err(error.into()),
            };
            let is_absent = self.world.nodes().is_none(candidate);
            if self.rejected.contains(&candidate) && !is_absent {
                continue;
            }
            // Go looks at the root's own pruning here, not at that of the version it tries.
            let pruning = match graph.look(root) {
                Some(Ok(pruning)) if self.pruning == Pruning::Pruned => *pruning,
                _ => self.pruning,
            };
            if is_absent || !tracker.is_disqualified(candidate, pruning) {
                return Ok(candidate);
            }
            self.rejected.insert(candidate);
        }
    }

    fn lowered_note(&self, root: NodeId, lower: NodeId, before: NodeId, conflict: &Conflict) -> String {
        let nodes = self.world.nodes();
        let action = if nodes.is_none(lower) {
            format!("removing {}", nodes.node(root))
        } else if lower == before {
            format!("restoring {}", nodes.node(lower))
        } else {
            format!("trying {}", nodes.node(lower))
        };
        format!("{}\n\t{action}", conflict.summary())
    }
}
