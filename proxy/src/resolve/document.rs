//! What is sent and what comes back, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The text of a go.mod.
    pub(crate) go_mod: String,
    /// The text of a go.work that uses this module.
    #[serde(default)]
    pub(crate) go_work: String,
    /// The text of a go.sum; hashes that it has must be right.
    #[serde(default)]
    pub(crate) go_sum: String,
}

/// Why there is no answer.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    pub(crate) error: String,
}

/// An answer.
#[derive(Debug, Serialize)]
pub(crate) struct Resolution {
    /// The modules that `go list -m all` names, in its order; the main module has no version.
    pub(crate) build_list: Vec<Module>,
    /// Who requires what, as `go mod graph` prints it.
    pub(crate) edges: Vec<[String; 2]>,
    /// Why a module is at its version, by path.
    pub(crate) reasons: BTreeMap<String, Reason>,
    /// The lines that go.sum needs so that all of this can be had again.
    pub(crate) go_sum: String,
}

/// A module of the build list.
#[derive(Debug, Serialize)]
pub(crate) struct Module {
    pub(crate) path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replace: Option<Replacement>,
    pub(crate) indirect: bool,
    /// The reasons that authors gave; none at all for a version that is not retracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retracted: Option<Vec<String>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) deprecated: String,
    /// Why nobody knows whether it is retracted or deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unknown: Option<String>,
}

/// What is read in the place of a module.
#[derive(Debug, Serialize)]
pub(crate) struct Replacement {
    pub(crate) path: String,
    pub(crate) version: String,
}

/// Why a module is at its version.
#[derive(Debug, Serialize)]
pub(crate) struct Reason {
    /// Shortest ways from the main module to each that requires exactly this version.
    pub(crate) raised_by: Vec<Vec<String>>,
    /// What would be selected without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// Shortest ways to each that requires exactly that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) next_held_by: Vec<Vec<String>>,
}
