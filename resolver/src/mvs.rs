//! Minimal version selection: of every module, the highest version that anything reachable asks for.
//!
//! The algorithms know no go.mod: they ask a [`Source`] what a node requires, and go on past nodes whose requirements
//! are not known yet, so that the source hears of a whole frontier at once. Versions are opaque but for `none`, the
//! version of an absent module. The specification is `cmd/go/internal/mvs`.

mod downgrade;
mod error;
mod graph;
mod list;
mod requirements;

use std::cmp::Ordering;
use std::sync::Arc;

pub use self::downgrade::{DowngradeSource, downgrade};
pub use self::error::{AboutModule, BuildListError, Step};
pub use self::graph::Graph;
pub use self::list::{UpgradeSource, build_list, upgrade, upgrade_all};
pub use self::requirements::minimal_requirements;
use crate::node::{NodeId, Nodes};

/// How two versions of one path stand to each other.
pub type Order = fn(&Nodes, NodeId, NodeId) -> Ordering;

/// Who knows what nodes require.
pub trait Source {
    /// Why requirements can't be had.
    type Error;

    /// The texts of nodes.
    fn nodes(&self) -> &Nodes;

    /// What a node requires, in order. It is not asked about absent modules.
    ///
    /// # Errors
    /// [`Stop::Missing`] when the answer isn't known yet: the source remembers that it was asked.
    fn required(&mut self, node: NodeId) -> Result<Arc<[NodeId]>, Stop<Self::Error>>;

    /// The order of versions.
    fn order(&self) -> Order {
        Nodes::compare
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Stop<E> {
    /// Something has to be learned first; the source knows what.
    Missing,
    /// There will be none.
    Failed(E),
}

impl<E> Stop<E> {
    /// Changes what a failure says.
    pub fn map<F>(self, change: impl FnOnce(E) -> F) -> Stop<F> {
        match self {
            Self::Missing => Stop::Missing,
            Self::Failed(error) => Stop::Failed(change(error)),
        }
    }
}

/// The higher of two versions of a path; the first when they are equal.
fn max<S: Source + ?Sized>(source: &S, a: NodeId, b: NodeId) -> NodeId {
    if source.order()(source.nodes(), a, b).is_lt() { b } else { a }
}

/// A source whose target requires something else.
struct Override<'a, S> {
    source: &'a mut S,
    target: NodeId,
    list: Arc<[NodeId]>,
}

impl<S: Source> Source for Override<'_, S> {
    type Error = S::Error;

    fn nodes(&self) -> &Nodes {
        self.source.nodes()
    }

    fn required(&mut self, node: NodeId) -> Result<Arc<[NodeId]>, Stop<Self::Error>> {
        if node == self.target { Ok(Arc::clone(&self.list)) } else { self.source.required(node) }
    }

    fn order(&self) -> Order {
        self.source.order()
    }
}
