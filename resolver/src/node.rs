//! The nodes of module graphs: paths with versions, as text at the border and as small numbers inside.
//!
//! A version may be one that no module has: empty for a main module or a directory that replaces a module, `none` for
//! a module that is not there. Graphs hold some ten thousand edges between some thousand nodes, so inside the room a
//! node is a [`NodeId`], which [`Nodes`] gives out and explains.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;

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
    /// The numbers of each release like `v1.2.3`, by which most comparisons are decided.
    releases: Vec<Option<[u32; 3]>>,
    paths: HashMap<Arc<str>, PathId>,
    versions: Vec<Versions>,
}

/// The path with all its versions that were spoken of.
#[derive(Clone, Debug)]
struct Versions {
    path: Arc<str>,
    /// Releases like `v1.2.3` by their numbers, sorted: of them there are many lookups and seldom many versions.
    releases: Vec<([u32; 3], NodeId)>,
    /// All other texts.
    others: HashMap<Arc<str>, NodeId>,
}

impl Versions {
    /// The node of a version, or where it belongs among the releases if it is one.
    fn find(&self, version: &str) -> Result<NodeId, Option<([u32; 3], usize)>> {
        match release(version) {
            None => self.others.get(version).copied().ok_or(None),
            Some(release) => match self.releases.binary_search_by_key(&release, |(numbers, _)| *numbers) {
                Ok(at) => Ok(self.releases[at].1),
                Err(at) => Err(Some((release, at))),
            },
        }
    }
}

impl Nodes {
    /// The id of a path.
    pub fn path_id(&mut self, path: &str) -> PathId {
        if let Some(id) = self.paths.get(path) {
            return *id;
        }
        let id = PathId(u32::try_from(self.versions.len()).expect("fewer paths than bytes of go.mod files"));
        let path: Arc<str> = path.into();
        let versions = Versions { path: Arc::clone(&path), releases: Vec::new(), others: HashMap::new() };
        self.versions.push(versions);
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
        let place = match versions.find(version) {
            Ok(id) => return id,
            Err(place) => place,
        };
        let index = u32::try_from(self.nodes.len()).expect("fewer nodes than bytes of go.mod files");
        let (id, version): (_, Arc<str>) = (NodeId { index, path }, version.into());
        match place {
            Some((release, at)) => versions.releases.insert(at, (release, id)),
            None => drop(versions.others.insert(Arc::clone(&version), id)),
        }
        self.releases.push(place.map(|(release, _)| release));
        self.nodes.push(Node { path: Arc::clone(&versions.path), version });
        id
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The id of a path that was spoken of.
    pub fn find_path(&self, path: &str) -> Option<PathId> {
        self.paths.get(path).copied()
    }

    /// The id of a node that was spoken of.
    pub fn find(&self, path: &str, version: &str) -> Option<NodeId> {
        self.versions[self.find_path(path)?.index()].find(version).ok()
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
        if let (Some(a), Some(b)) = (self.releases[a.index()], self.releases[b.index()]) {
            return a.cmp(&b);
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

/// The numbers of `v1.2.3`; nothing of what is longer, written otherwise, or no module's version.
fn release(version: &str) -> Option<[u32; 3]> {
    let mut numbers = version.strip_prefix('v')?.split('.');
    let mut number = || {
        let text = numbers.next()?;
        let is_canonical = text == "0" || !text.starts_with('0');
        let is_plain = is_canonical && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain { text.parse().ok() } else { None }
    };
    let release = [number()?, number()?, number()?];
    numbers.next().is_none().then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_their_numbers_and_all_else_by_the_rules() {
        for (version, want) in [
            ("v1.2.3", Some([1, 2, 3])),
            ("v0.10.0", Some([0, 10, 0])),
            ("v1.2", None),
            ("v1.02.3", None),
            ("v1.2.3-pre", None),
            ("v1.2.3+incompatible", None),
            ("v1.2.3.4", None),
            ("v1.2.", None),
            ("1.2.3", None),
            ("v9999999999.0.0", None),
        ] {
            assert_eq!(release(version), want, "{version}");
        }
    }

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
