//! What came of a plan, by its nodes.

use std::collections::HashMap;

use crate::compile::{Archive, Compiled};
use crate::link::Linked;
use crate::package::PackageId;
use crate::plan::NodeId;
use crate::vet::Vetted;

/// What came of a plan.
#[derive(Debug)]
pub struct Outcome {
    /// Whether all of it was done.
    pub succeeded: bool,
    /// Whether something failed that all depends on: nothing more is to begin.
    pub is_cut_short: bool,
    /// The packages of the nodes that are for the first target.
    pub(super) packages: Vec<Option<PackageId>>,
    pub(super) products: Vec<Option<Product>>,
    /// Files of packages' counters, by node.
    pub(super) coverage: HashMap<NodeId, String>,
    /// What keeps nodes from being done: the first that failed of what they need, or themselves.
    pub(super) culprits: HashMap<NodeId, PackageId>,
}

/// What a node leaves.
#[derive(Clone, Debug)]
pub(super) enum Product {
    Compiled(Compiled),
    Linked(Linked),
    Profile(Archive),
    Vetted(Vetted),
    Installed,
}

impl Outcome {
    /// What came of compiling a package; none where that failed.
    pub fn compiled(&self, node: usize) -> Option<&Compiled> {
        match self.products.get(node)?.as_ref()? {
            Product::Compiled(compiled) => Some(compiled),
            _ => None,
        }
    }

    /// The packages of the first target that were compiled, not found.
    pub fn made(&self) -> impl Iterator<Item = PackageId> {
        let pairs = self.packages.iter().zip(&self.products);
        pairs.filter_map(|(package, product)| match product {
            Some(Product::Compiled(compiled)) if !compiled.is_cached => *package,
            _ => None,
        })
    }

    /// The file in which the cover tool says what a package has to cover; none where it was not asked to.
    pub fn coverage(&self, node: usize) -> Option<&str> {
        self.coverage.get(&node).map(String::as_str)
    }

    /// The package that a node of the first target was not done for; none where it was, or nobody can be blamed.
    pub fn culprit(&self, node: usize) -> Option<PackageId> {
        self.culprits.get(&node).copied()
    }

    /// What came of vetting a package; none where that failed.
    pub fn vetted(&self, node: usize) -> Option<&Vetted> {
        match self.products.get(node)?.as_ref()? {
            Product::Vetted(vetted) => Some(vetted),
            _ => None,
        }
    }

    /// What came of linking a program; none where that failed.
    pub fn linked(&self, node: usize) -> Option<&Linked> {
        match self.products.get(node)?.as_ref()? {
            Product::Linked(linked) => Some(linked),
            _ => None,
        }
    }
}
