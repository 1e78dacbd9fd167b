//! What is loaded, and how far loading may go.
//!
//! Source of the rules: `cmd/go/internal/modload/load.go:PackageOpts`.

use crate::node::NodeId;

/// What packages are asked for, and what may be done for it.
#[derive(Clone, Debug, Default)]
pub struct PackageOptions {
    /// Which packages.
    pub patterns: Vec<Pattern>,
    /// Which build constraints hold.
    pub tags: Tags,
    /// Whether the requirements become the fewest that load the same packages.
    pub tidy: Option<Tidy>,
    /// Whether modules are added for packages that none provides.
    pub resolves_missing: bool,
    /// Whether the packages asked for are taken to be imported by a main module (`get`).
    pub assumes_roots_imported: bool,
    /// Whether the tests of the packages asked for are loaded as well.
    pub loads_tests: bool,
    /// Whether `all` leaves out the tests of dependencies before Go 1.16 too, as for a vendor directory.
    pub uses_vendor_all: bool,
    /// Whether errors are noted and loading goes on (`-e`).
    pub allows_errors: bool,
    /// Errors that are nobody's business.
    pub silence: Silence,
    /// Whether more is said (`-v`).
    pub is_verbose: bool,
    /// The only main module that patterns are about, if not all are.
    pub main_module: Option<NodeId>,
}

/// What `mod tidy` was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tidy {
    /// The go line that go.mod is to have (`-go`).
    pub go_version: Option<String>,
    /// The oldest release that must load the same (`-compat`).
    pub compatible: Option<String>,
}

/// Which build constraints hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tags {
    /// All but `ignore`.
    Any,
    /// Those of the command's platform and flags.
    #[default]
    Target,
}

/// Errors that are not reported. They stand in the packages in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// All those of packages.
    pub package_errors: bool,
    /// Those about packages that look like ones of the standard library.
    pub missing_standard: bool,
    /// Those about directories without a file that counts.
    pub no_go: bool,
    /// That a pattern matches nothing.
    pub unmatched: bool,
}

/// Which packages, as on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// An import path, with or without `...`, or `all`, `std`, `cmd`, `tool`, `work`.
    Path(String),
    /// A directory, or several with `...`.
    Local {
        /// As written, cleaned.
        text: String,
        /// The import paths of the directories that hold packages, as the caller found them out
        /// (`resolveLocalPackage`).
        packages: Vec<String>,
        /// Why a directory has none, in go's words.
        errors: Vec<String>,
    },
}

impl Pattern {
    /// The text that stands in messages.
    pub fn text(&self) -> &str {
        match self {
            Self::Path(text) | Self::Local { text, .. } => text,
        }
    }

    /// Whether it is the pattern `all`.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::Path(text) if text == "all")
    }

    /// Whether it stands for one package (`search.Match.IsLiteral`).
    pub fn is_literal(&self) -> bool {
        match self {
            Self::Path(text) => !text.contains("...") && !is_meta_package(text),
            Self::Local { text, .. } => !text.contains("..."),
        }
    }
}

/// Whether a text is a name for many packages (`search.IsMetaPackage`).
pub fn is_meta_package(text: &str) -> bool {
    matches!(text, "std" | "cmd" | "tool" | "work" | "all")
}
