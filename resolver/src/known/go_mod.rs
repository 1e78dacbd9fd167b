//! What the resolver keeps of a dependency's go.mod.

use std::sync::Arc;

use modkeep_module::gomod::{ParseErrors, Retract, Summary};

use crate::node::{NodeId, Nodes};

/// The go.mod of a module version or of a directory that replaces one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoModFacts {
    /// The path in the module line.
    pub module: Option<String>,
    /// The text after `Deprecated:`; empty when the module is not deprecated.
    pub deprecated: String,
    /// The version in the go line.
    pub go: Option<String>,
    /// The requirements, in order of the file; no excludes applied, no edge to `go`.
    pub requires: Arc<[NodeId]>,
    /// What it retracts.
    pub retracts: Vec<Retract>,
    /// The directories in ignore directives.
    pub ignores: Vec<String>,
}

impl GoModFacts {
    pub(crate) fn read(nodes: &mut Nodes, data: &[u8], file_name: &str) -> Result<Self, ParseErrors> {
        let summary = Summary::parse(file_name, data)?;
        let requires =
            summary.requires.iter().map(|require| nodes.id(&require.path, &require.version)).collect();
        let (path, deprecated) =
            summary.module.map(|module| (module.path.into_owned(), module.deprecated)).unzip();
        Ok(Self {
            module: path,
            deprecated: deprecated.unwrap_or_default(),
            go: summary.go.map(|go| go.into_owned()),
            requires,
            retracts: summary.retracts,
            ignores: summary.ignores.into_iter().map(|ignore| ignore.into_owned()).collect(),
        })
    }
}
