//! The nodes of module graphs: paths with versions, as text at the border and as small numbers inside.
//!
//! A version may be one that no module has: empty for a main module or a directory that replaces a module, `none` for
//! a module that is not there. Graphs hold some ten thousand edges between some thousand nodes, so inside the room a
//! node is a [`NodeId`], which [`Nodes`] gives out and explains.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::order;

/// A module path and a version of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// A module path, `go`, `toolchain`, or the directory that replaces a module.
    pub path: Arc<str>,
    /// A version, empty, or `none`.
    pub version: Arc<str>,
}

impl Node {
    /// Pairs a path and a version; nothing is checked.
    pub fn new(path: impl Into<Arc<str>>, version: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), version: version.into() }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.version {
            "" => f.write_str(&self.path),
            version => write!(f, "{}@{version}", self.path),
        }
    }
}

/// A path that [`Nodes`] knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u32);

impl PathId {
    /// For tables with a place for every path.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A node that [`Nodes`] knows. Two ids are equal exactly when path and version are; their order has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    index: u32,
    path: PathId,
}

impl NodeId {
    /// The node's path.
    pub fn path(self) -> PathId {
        self.path
    }

    /// For tables with a place for every node.
    pub(crate) fn index(self) -> usize {
        self.index as usize
    }
}

/// All nodes that were spoken of, each once.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    nodes: Vec<Node>,
    paths: HashMap<Arc<str>, PathId>,
    versions: Vec<Versions>,
}

/// The path with all its versions that were spoken of.
#[derive(Clone, Debug)]
struct Versions {
    path: Arc<str>,
    ids: HashMap<Arc<str>, NodeId>,
}

impl Nodes {
    /// The id of a path.
    pub fn path_id(&mut self, path: &str) -> PathId {
        if let Some(id) = self.paths.get(path) {
            return *id;
        }
        let id = PathId(u32::try_from(self.versions.len()).expect("fewer paths than bytes of go.mod files"));
        let path: Arc<str> = path.into();
        self.versions.push(Versions { path: Arc::clone(&path), ids: HashMap::new() });
        self.paths.insert(path, id);
        id
    }

    /// The id of a node.
    pub fn id(&mut self, path: &str, version: &str) -> NodeId {
        let path = self.path_id(path);
        self.at(path, version)
    }

    /// The id of a version of a path.
    pub fn at(&mut self, path: PathId, version: &str) -> NodeId {
        let versions = &mut self.versions[path.index()];
        if let Some(id) = versions.ids.get(version) {
            return *id;
        }
        let index = u32::try_from(self.nodes.len()).expect("fewer nodes than bytes of go.mod files");
        let (id, version): (_, Arc<str>) = (NodeId { index, path }, version.into());
        versions.ids.insert(Arc::clone(&version), id);
        self.nodes.push(Node { path: Arc::clone(&versions.path), version });
        id
    }

    /// The id of a path that was spoken of.
    pub fn find_path(&self, path: &str) -> Option<PathId> {
        self.paths.get(path).copied()
    }

    /// The id of a node that was spoken of.
    pub fn find(&self, path: &str, version: &str) -> Option<NodeId> {
        self.versions[self.find_path(path)?.index()].ids.get(version).copied()
    }

    /// The text of a node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The version of a node.
    pub fn version(&self, id: NodeId) -> &str {
        &self.node(id).version
    }

    /// The text of a path.
    pub fn path(&self, id: PathId) -> &str {
        &self.versions[id.index()].path
    }

    /// How two versions of one path stand to each other; that of a main module is above all.
    pub fn compare(&self, a: NodeId, b: NodeId) -> Ordering {
        if a == b {
            return Ordering::Equal;
        }
        let (a, b) = (self.node(a), self.node(b));
        order::compare_with_main(&a.path, &a.version, &b.version)
    }

    /// Sorts nodes by path bytewise, then by version (`gover.ModSort`).
    pub fn sort(&self, list: &mut [NodeId]) {
        list.sort_by(|&a, &b| match self.path(a.path).cmp(self.path(b.path)) {
            Ordering::Equal => order::compare(self.path(a.path), self.version(a), self.version(b)),
            order => order,
        });
    }

    /// Whether the node stands for the absence of its module.
    pub fn is_none(&self, id: NodeId) -> bool {
        self.version(id) == "none"
    }

    /// The texts of a list.
    pub fn texts(&self, list: &[NodeId]) -> Vec<Node> {
        list.iter().map(|&id| self.node(id).clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_sorted_by_path_and_then_as_the_path_orders_its_versions() {
        let mut nodes = Nodes::default();
        let pairs = [
            ("z", "v1.1.0"),
            ("a", "v1.10.0"),
            ("a", "v1.9.0"),
            ("go", "1.21.0"),
            ("toolchain", "go1.3"),
            ("go", "1.21rc1"),
        ];
        let mut list: Vec<_> = pairs.iter().map(|(path, version)| nodes.id(path, version)).collect();
        nodes.sort(&mut list);
        let texts: Vec<_> = nodes.texts(&list).iter().map(Node::to_string).collect();
        assert_eq!(
            texts,
            ["a@v1.9.0", "a@v1.10.0", "go@1.21rc1", "go@1.21.0", "toolchain@go1.3", "z@v1.1.0"]
        );
    }

    #[test]
    fn a_node_has_one_id() {
        let mut nodes = Nodes::default();
        let id = nodes.id("m", "v1.0.0");
        assert_eq!(nodes.id("m", "v1.0.0"), id);
        assert_eq!(nodes.find("m", "v1.0.0"), Some(id));
        assert_eq!(nodes.find("m", "v1.0.1"), None);
        assert_ne!(nodes.id("m", ""), id);
    }
}
