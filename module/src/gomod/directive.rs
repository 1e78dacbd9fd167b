//! The directives as values, and the tie between a value and its line.

use std::ops::Deref;
use std::sync::Arc;

use super::syntax::{LineId, Position};

/// A directive and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive<T> {
    pub(crate) value: T,
    pub(crate) line: LineId,
    /// Where its line began when the file was parsed; line 0 for one that an edit added.
    pub position: Position,
}

impl<T> Deref for Directive<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// `module example.com/m`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Module {
    /// Empty where the directive has none.
    pub path: String,
    /// The text after `Deprecated:` in the comments; empty if not deprecated.
    pub deprecated: String,
}

/// `go 1.27.0`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Go {
    /// Without `go` or `v`.
    pub version: String,
}

/// `toolchain go1.27.3`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// With `go`, or `default`.
    pub name: String,
}

/// `godebug key=value`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Godebug {
    /// Before the first `=`.
    pub key: String,
    /// After it.
    pub value: String,
}

/// `require example.com/m v1.2.3 // indirect`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Require {
    /// The module path.
    pub path: String,
    /// The version, canonical after parsing.
    pub version: String,
    /// Whether the line says `// indirect`.
    pub indirect: bool,
}

/// `exclude example.com/m v1.2.3`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exclude {
    /// The module path.
    pub path: String,
    /// The version, canonical after parsing.
    pub version: String,
}

/// `replace example.com/m v1.2.3 => ../m`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replace {
    /// The path of the module that is replaced.
    pub old_path: String,
    /// The one version that is replaced; `None` for all.
    pub old_version: Option<String>,
    /// The path of the module to use, or a directory.
    pub new_path: String,
    /// The version to use; `None` for a directory.
    pub new_version: Option<String>,
}

/// Versions from `low` to `high`, both included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The lowest version.
    pub low: String,
    /// The highest version.
    pub high: String,
}

/// `retract [v1.0.0, v1.2.3] // why`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retract {
    /// What is retracted. Without a fixer, versions are taken as they stand.
    pub interval: Interval,
    /// The text of the comments, line by line. The lines of a block that have none share that of the block: there may
    /// be many, and it may be long.
    pub rationale: Arc<str>,
}

/// `tool example.com/m/cmd/x`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// A package path.
    pub path: String,
}

/// `ignore ./testdata`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// A directory: `./x` at the module's root only, `x` at any depth.
    pub path: String,
}

/// `use ./m` of a go.work file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The directory, relative to the file unless absolute.
    pub path: String,
    /// The path of the module there, where an edit gave it; parsing leaves it empty.
    pub module_path: String,
}
