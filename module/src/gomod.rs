//! go.mod: read with positions, understood as directives, edited with its comments kept, written in Go's style.
//!
//! The specification is `golang.org/x/mod/modfile` of Go 1.27: same values, same error texts, same bytes written.
//! A [`GoMod`] is a syntax tree and the directives found in it; every edit changes both. Dropping and replacing leaves
//! dead lines in the tree until [`GoMod::cleanup`], as in Go, because later edits still find their place by them.
//! The module graph reads thousands of files of which it needs the requirements only: [`Summary`] is for that.
//!
//! Paths and versions are plain text here. What Go accepts in a file is wider than what a `ModulePath` or `Version` can
//! hold, and the errors of a file must be Go's. Files may hold bytes that are no UTF-8: the tree keeps them, values
//! show U+FFFD in their place.

mod change;
mod directive;
mod edit;
mod error;
mod layout;
mod lex;
pub(crate) mod order;
mod parse;
mod path;
mod print;
mod read;
pub(crate) mod rule;
pub mod summary;
pub(crate) mod syntax;
pub(crate) mod tied;
mod token;

pub use self::directive::{
    Directive, Exclude, Go, Godebug, Ignore, Interval, Module, Replace, Require, Retract, Tool, Toolchain,
    Use,
};
pub use self::error::{
    EditError, FixError, ParseError, ParseErrors, Problem, StringProblem, Subject, SyntaxProblem,
};
pub use self::layout::Layout;
pub use self::path::module_path;
pub use self::rule::VersionFixer;
pub use self::summary::Summary;
pub use self::syntax::Position;
pub use self::token::{auto_quote, is_directory_path, is_go_version, is_toolchain_name, must_quote};

pub(crate) use self::edit::Hint;
pub(crate) use self::error::Fault;
pub(crate) use self::parse::read_tree;
pub(crate) use self::print::print;
pub(crate) use self::rule::Versions;
use self::syntax::Syntax;

/// A go.mod file.
#[derive(Debug, Clone, Default)]
pub struct GoMod {
    module: Option<Directive<Module>>,
    go: Option<Directive<Go>>,
    toolchain: Option<Directive<Toolchain>>,
    godebugs: Vec<Directive<Godebug>>,
    requires: Vec<Directive<Require>>,
    excludes: Vec<Directive<Exclude>>,
    replaces: Vec<Directive<Replace>>,
    retracts: Vec<Directive<Retract>>,
    tools: Vec<Directive<Tool>>,
    ignores: Vec<Directive<Ignore>>,
    syntax: Syntax,
}

impl GoMod {
    /// An empty file, to be filled by edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the go.mod of a main module: everything in it must be known and right. Versions must be versions; short
    /// ones are made canonical. `file_name` stands in the errors.
    pub fn parse(file_name: &str, data: &[u8]) -> Result<Self, ParseErrors> {
        parse::parse(file_name, data, None, true)
    }

    /// As [`parse`](Self::parse), but `fix` says what the text in each version's place means, in order of the file
    /// (retractions last). The file keeps the answers.
    pub fn parse_with(file_name: &str, data: &[u8], fix: &mut VersionFixer<'_>) -> Result<Self, ParseErrors> {
        parse::parse(file_name, data, Some(fix), true)
    }

    /// Reads the go.mod of a dependency: unknown directives and those that only count in a main module are skipped.
    pub fn parse_lax(file_name: &str, data: &[u8]) -> Result<Self, ParseErrors> {
        parse::parse(file_name, data, None, false)
    }

    /// As [`parse_lax`](Self::parse_lax), with a fixer.
    pub fn parse_lax_with(
        file_name: &str,
        data: &[u8],
        fix: &mut VersionFixer<'_>,
    ) -> Result<Self, ParseErrors> {
        parse::parse(file_name, data, Some(fix), false)
    }

    /// The file's text, byte for byte as `modfile.Format` writes it.
    pub fn format(&self) -> Vec<u8> {
        print::print(&self.syntax)
    }

    /// The module directive.
    pub fn module(&self) -> Option<&Directive<Module>> {
        self.module.as_ref()
    }

    /// The go directive.
    pub fn go(&self) -> Option<&Directive<Go>> {
        self.go.as_ref()
    }

    /// The toolchain directive.
    pub fn toolchain(&self) -> Option<&Directive<Toolchain>> {
        self.toolchain.as_ref()
    }

    /// The godebug directives, in order of the file, as all lists here; what edits add comes last.
    pub fn godebugs(&self) -> &[Directive<Godebug>] {
        &self.godebugs
    }

    /// The require directives.
    pub fn requires(&self) -> &[Directive<Require>] {
        &self.requires
    }

    /// The exclude directives.
    pub fn excludes(&self) -> &[Directive<Exclude>] {
        &self.excludes
    }

    /// The replace directives.
    pub fn replaces(&self) -> &[Directive<Replace>] {
        &self.replaces
    }

    /// The retract directives.
    pub fn retracts(&self) -> &[Directive<Retract>] {
        &self.retracts
    }

    /// The tool directives.
    pub fn tools(&self) -> &[Directive<Tool>] {
        &self.tools
    }

    /// The ignore directives.
    pub fn ignores(&self) -> &[Directive<Ignore>] {
        &self.ignores
    }
}
