//! Which nodes can't be in the graph, and through which requirement.
//!
//! A node has two verdicts: what it requires may only be a problem where the graph is not pruned. Verdicts travel
//! backwards along requirements, and a root that is disqualified takes everything with it that requires it, because it
//! would be looked at in any case. Source of the rules: `cmd/go/internal/modload/edit.go:dqTracker`.

use std::collections::HashMap;

use crate::error::ModuleError;
use crate::node::NodeId;
use crate::world::Pruning;

/// Why a node is disqualified.
#[derive(Clone, Debug)]
pub(super) enum Reason {
    /// Its go.mod can't be had.
    Error(ModuleError),
    /// It is, or requires, this node.
    Through(NodeId),
}

#[derive(Debug, Default)]
struct Verdicts {
    pruned: Option<Reason>,
    unpruned: Option<Reason>,
}

impl Verdicts {
    fn at(&self, pruning: Pruning) -> Option<&Reason> {
        if pruning == Pruning::Unpruned { self.unpruned.as_ref() } else { self.pruned.as_ref() }
    }
}

#[derive(Debug)]
pub(super) struct Tracker {
    /// How each root is pruned by its own go.mod.
    roots: HashMap<NodeId, Pruning>,
    verdicts: HashMap<NodeId, Verdicts>,
    required_by: HashMap<NodeId, Vec<NodeId>>,
}

impl Tracker {
    pub(super) fn new(roots: HashMap<NodeId, Pruning>) -> Self {
        Self { roots, verdicts: HashMap::new(), required_by: HashMap::new() }
    }

    /// How a root is pruned.
    pub(super) fn pruning_of(&self, root: NodeId) -> Option<Pruning> {
        self.roots.get(&root).copied()
    }

    pub(super) fn is_disqualified(&self, node: NodeId, pruning: Pruning) -> bool {
        self.reason(node, pruning).is_some()
    }

    fn reason(&self, node: NodeId, pruning: Pruning) -> Option<&Reason> {
        self.verdicts.get(&node)?.at(pruning)
    }

    /// Notes a requirement; false when nothing more can be learned from the node's requirements.
    pub(super) fn require(&mut self, node: NodeId, required: NodeId) -> bool {
        if let Some(pruning) = self.pruning_of(required)
            && self.is_disqualified(required, pruning)
        {
            self.disqualify(node, Pruning::Pruned, Reason::Through(required));
            return false;
        }
        if self.is_disqualified(required, Pruning::Unpruned) {
            self.disqualify(node, Pruning::Unpruned, Reason::Through(required));
            if !self.roots.contains_key(&node) {
                return false;
            }
        }
        self.required_by.entry(required).or_default().push(node);
        true
    }

    /// Disqualifies a node where the graph is pruned so, and all that it takes with it. The first reason stays.
    pub(super) fn disqualify(&mut self, node: NodeId, pruning: Pruning, reason: Reason) {
        let mut waiting = vec![(node, pruning, reason)];
        while let Some((node, from, reason)) = waiting.pop() {
            let root = self.pruning_of(node);
            let verdicts = self.verdicts.entry(node).or_default();
            if verdicts.at(from).is_some() {
                continue;
            }
            let reaches_all = root.is_some() && (from == Pruning::Pruned || root == Some(Pruning::Unpruned));
            if from == Pruning::Pruned || reaches_all {
                verdicts.pruned.get_or_insert_with(|| reason.clone());
            }
            verdicts.unpruned.get_or_insert(reason);
            let reached = if reaches_all { Pruning::Pruned } else { Pruning::Unpruned };
            let required_by = self.required_by.get(&node).into_iter().flatten().rev();
            waiting.extend(required_by.map(|&by| (by, reached, Reason::Through(node))));
        }
    }

    /// The way from a node to its problem, and the error if that is one; empty when the node is fine.
    pub(super) fn path(&self, start: NodeId, mut pruning: Pruning) -> (Vec<NodeId>, Option<ModuleError>) {
        let mut path = Vec::new();
        let mut node = start;
        // A way visits no node twice under one pruning.
        for _ in 0..=2 * self.verdicts.len() {
            if self.pruning_of(node) == Some(Pruning::Unpruned) {
                pruning = Pruning::Unpruned;
            }
            let Some(reason) = self.reason(node, pruning) else { break };
            path.push(node);
            match reason {
                Reason::Error(error) => return (path, Some(error.clone())),
                Reason::Through(next) if *next == node => break,
                Reason::Through(next) => node = *next,
            }
        }
        (path, None)
    }
}
