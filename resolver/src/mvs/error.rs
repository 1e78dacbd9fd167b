//! An error on the way to a build list, told with the chain of requirements that leads to it.
//!
//! Source of the texts: `cmd/go/internal/mvs/errors.go`.

use std::fmt;

use crate::node::Node;

/// A node on the way to the error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node.
    pub node: Node,
    /// Whether the next node is there because someone asked for another version, not because this one requires it.
    pub is_change: bool,
}

/// Why the requirements of a node can't be had, and how one gets to that node.
#[derive(Clone, Debug)]
pub struct BuildListError<E> {
    /// What happened at the last node.
    pub cause: E,
    /// From a root to the node with the error; never empty.
    pub path: Vec<Step>,
}

impl<E> BuildListError<E> {
    /// The node with the error.
    pub fn node(&self) -> Option<&Node> {
        self.path.last().map(|step| &step.node)
    }

    /// The same way with another cause.
    pub fn map<F>(self, change: impl FnOnce(E) -> F) -> BuildListError<F> {
        BuildListError { cause: change(self.cause), path: self.path }
    }
}

/// An error that may name the module it is about.
pub trait AboutModule: fmt::Display {
    /// The module that the text already names, and the text without it.
    fn about(&self) -> Option<(&Node, String)>;
}

impl<E: AboutModule> fmt::Display for BuildListError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The main module stands first and goes without saying.
        let mut path = &self.path[..];
        while let [first, rest @ ..] = path
            && first.node.version.is_empty()
        {
            path = rest;
        }
        let [steps @ .., last] = path else { return write!(f, "{}", self.cause) };
        for Step { node, is_change } in steps {
            write!(f, "{node} {}\n\t", if *is_change { "updating to" } else { "requires" })?;
        }
        match self.cause.about() {
            Some((actual, _)) if *actual == last.node => write!(f, "{}", self.cause),
            Some((actual, text)) => write!(f, "{} (replaced by {actual}): {text}", last.node),
            None => write!(f, "{}: {}", last.node, self.cause),
        }
    }
}

impl<E: AboutModule + fmt::Debug> std::error::Error for BuildListError<E> {}
