//! Package loading: which packages are needed, which modules provide them, and which requirements follow from that.
//!
//! A function of everything told: packages are walked with the requirements at hand, requirements are corrected by what
//! the packages need, and so on until nothing changes. Source of the rules: `cmd/go/internal/modload/load.go`.

mod compatible;
mod graph;
mod load;
mod missing;
mod options;
mod pattern;
mod report;
mod tidy;
mod update;
mod walk;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use self::graph::{Package, PackageId, Packages};
pub use self::options::{PackageOptions, Pattern, Silence, Tags, Tidy, is_meta_package};
pub(crate) use self::walk::{Walk, WalkKey};
use crate::error::Error;
use crate::node::Node;
use crate::requirements::Requirements;
use crate::sums::LoadedPackages;

/// What was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The requirements that follow from the packages.
    pub requirements: Arc<Requirements>,
    /// The packages.
    pub packages: Arc<Packages>,
    /// What each pattern matches, in order of the patterns.
    pub matches: Vec<Match>,
    /// What has to be reported; the command fails unless errors are allowed, and then these are notes already.
    pub errors: Vec<Error>,
    /// The packages for [`World::kept_sums`](crate::world::World::kept_sums), which all commands but tidy ask.
    pub sums: LoadedPackages,
    /// For tidy: the lines of go.sum to keep, in the form of [`World::kept_sums`](crate::world::World::kept_sums); all
    /// others are dropped.
    pub kept_sums: Option<BTreeSet<Node>>,
    /// For `tidy -diff`: the lines of go.sum that it shows to be kept.
    pub kept_for_diff: Option<BTreeSet<Node>>,
    /// For tidy with `-v`: the modules that are not needed any more.
    pub unused: Vec<String>,
    /// For tidy: text to print on stderr, as it is, after the errors.
    pub advice: String,
}

/// What a pattern matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// The pattern.
    pub pattern: String,
    /// The import paths.
    pub packages: Vec<String>,
    /// Why there may be more.
    pub errors: Vec<String>,
}
