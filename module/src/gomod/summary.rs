//! What the go.mod of a dependency says to the module graph, read without a syntax tree.
//!
//! The module graph reads thousands of these files, nearly all of them plain: words without quotes and brackets, one
//! directive a line. Those are read in one pass that borrows from the source. At the first sign of anything else, a mistake
//! or a rare spelling, the file is read again by [`GoMod::parse_lax`], which decides.

mod plain;

use std::borrow::Cow;

use super::GoMod;
use super::directive::Retract;
use super::error::ParseErrors;

/// The directives that count in a dependency, as [`GoMod::parse_lax`] understands them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary<'a> {
    /// `None` without a module directive.
    pub module: Option<Module<'a>>,
    /// The version in the go line.
    pub go: Option<Cow<'a, str>>,
    /// In order of the file, as all lists here.
    pub requires: Vec<Require<'a>>,
    /// Versions as they stand in the file: nothing has checked them.
    pub retracts: Vec<Retract>,
    /// The directories in ignore directives.
    pub ignores: Vec<Cow<'a, str>>,
}

/// The module directive of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module<'a> {
    /// The path.
    pub path: Cow<'a, str>,
    /// The text after `Deprecated:` in the comments; empty if not deprecated.
    pub deprecated: String,
}

/// A requirement of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require<'a> {
    /// The path.
    pub path: Cow<'a, str>,
    /// Canonical.
    pub version: Cow<'a, str>,
    /// Whether the line says `// indirect`.
    pub indirect: bool,
}

impl<'a> Summary<'a> {
    /// Reads the go.mod of a dependency.
    pub fn parse(file_name: &str, data: &'a [u8]) -> Result<Self, ParseErrors> {
        match plain::read(data) {
            Some(summary) => Ok(summary),
            None => GoMod::parse_lax(file_name, data).map(Summary::from),
        }
    }
}

impl From<GoMod> for Summary<'_> {
    fn from(file: GoMod) -> Self {
        let module = file.module.map(|module| module.value);
        let requires = file.requires.into_iter().map(|require| require.value);
        Self {
            module: module.map(|module| Module { path: module.path.into(), deprecated: module.deprecated }),
            go: file.go.map(|go| go.value.version.into()),
            requires: requires
                .map(|require| Require {
                    path: require.path.into(),
                    version: require.version.into(),
                    indirect: require.indirect,
                })
                .collect(),
            retracts: file.retracts.into_iter().map(|retract| retract.value).collect(),
            ignores: file.ignores.into_iter().map(|ignore| ignore.value.path.into()).collect(),
        }
    }
}
