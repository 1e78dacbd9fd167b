//! What can be wrong with a go.mod or go.work file, in the words of `golang.org/x/mod/modfile`.

use std::error::Error;
use std::fmt;

use super::syntax::Position;
use crate::quote::{lossy, quote, quote_char};
use crate::version::{VersionError, VersionProblem};

/// Everything that is wrong with one file, in the order found; a file with an error of syntax has just that one.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ParseErrors(pub Vec<ParseError>);

impl ParseErrors {
    /// The same errors under another name of the file, as the go command shortens paths before it prints.
    pub fn with_file_name(mut self, file_name: &str) -> Self {
        for error in &mut self.0 {
            error.file_name = file_name.to_owned();
        }
        self
    }
}

/// One mistake in a file. Displays as `go.mod:3:2: require example.com/m: problem`.
#[derive(Debug)]
pub struct ParseError {
    /// As given to the parser.
    pub file_name: String,
    /// Where the line begins; for an error of syntax, where reading stopped.
    pub position: Position,
    /// The directive, where the text names it.
    pub subject: Option<Subject>,
    /// What is wrong.
    pub problem: Problem,
}

/// The directive that a mistake is in: its verb, and the module path if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `require`, `replace` …
    pub verb: &'static str,
    /// Empty where there is none.
    pub module_path: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, rune, .. } = self.position;
        write!(f, "{}:{line}", self.file_name)?;
        if rune > 1 {
            write!(f, ":{rune}")?;
        }
        f.write_str(": ")?;
        if let Some(Subject { verb, module_path }) = &self.subject {
            let space = if module_path.is_empty() { "" } else { " " };
            write!(f, "{verb}{space}{module_path}: ")?;
        }
        write!(f, "{}", self.problem)
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.problem.source()
    }
}

/// What can be wrong with a directive. Texts that are shown as they stand in the file are bytes where they need not
/// be UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file can't be read as lines and blocks.
    #[error("{}", .0.text(.1))]
    Syntax(SyntaxProblem, String),
    /// A verb that strict parsing doesn't know.
    #[error("unknown directive: {}", lossy(.0))]
    UnknownDirective(Vec<u8>),
    /// A block whose head isn't one verb that may have a block.
    #[error("unknown block type: {}", lossy(.0))]
    UnknownBlock(Vec<u8>),
    /// `module`, `go` and `toolchain` stand once.
    #[error("repeated {0} statement")]
    Repeated(&'static str),
    /// Too few or too many words.
    #[error("{0} directive expects exactly one argument")]
    OneArgument(&'static str),
    /// Words that don't fit the directive: how it is written.
    #[error("usage: {0}")]
    Usage(&'static str),
    /// Not `1.N`, `1.N.P` or `1.NrcM`.
    #[error("invalid go version '{}': must match format 1.23.0", lossy(.0))]
    GoVersion(Vec<u8>),
    /// Neither `default` nor `go1…`.
    #[error("invalid toolchain version '{}': must match format go1.23.0 or default", lossy(.0))]
    Toolchain(Vec<u8>),
    /// A word with quotes that isn't a Go string.
    #[error("invalid quoted string: {0}")]
    QuotedString(StringProblem),
    /// The same in the place of a version.
    #[error("version {} invalid: {problem}", quote(version))]
    QuotedVersion {
        /// The word.
        version: Vec<u8>,
        /// What is wrong with its quotes.
        problem: StringProblem,
    },
    /// Not a version, and nothing was asked to look it up.
    #[error("version {} invalid: must be of the form v1.2.3", quote(.0))]
    NoVersion(Vec<u8>),
    /// The version and the major version in the path disagree.
    #[error("version {} invalid: {problem}", quote(version))]
    PathMajor {
        /// As it is after fixing.
        version: Vec<u8>,
        /// Which major version it should have.
        problem: VersionProblem,
    },
    /// The path ends in something that no version can agree with, as `/v1` or `/v02`.
    #[error("invalid module path")]
    ModulePath,
    /// The version fixer's own error.
    #[error(transparent)]
    Fix(Box<dyn Error + Send + Sync>),
    /// `=> path@version`.
    #[error("replacement module must match format 'path version', not 'path@version'")]
    ReplacementAtVersion,
    /// `=> path` that is neither rooted nor starts with a dot.
    #[error("replacement module without version must be directory path (rooted or starting with . or ..)")]
    ReplacementWithoutVersion,
    /// A backslash in a directory path.
    #[error("replacement directory appears to be Windows path (on a non-windows system)")]
    ReplacementForWindows,
    /// `=> ../dir v1.2.3`.
    #[error("replacement module directory path {} cannot have version", quote(.0))]
    ReplacementWithVersion(Vec<u8>),
    /// A retract directive breaks off.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A retract directive goes on.
    #[error("unexpected token after version: {}", quote(.0))]
    AfterVersion(Vec<u8>),
    /// A retraction whose versions can't be fixed, because no module directive names their module.
    #[error("no module directive found, so retract cannot be used")]
    RetractWithoutModule,
}

/// What stops the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxProblem {
    /// `/*`
    BlockComment,
    /// A string that never ends.
    EndOfFileInString,
    /// A string that doesn't end on its line.
    NewlineInString,
    /// A character that can't begin a word.
    UnexpectedCharacter(char),
    /// A block that never ends, and where it began.
    UnterminatedBlock(Position),
    /// Words after the `)` of a block.
    AfterBlock,
}

impl SyntaxProblem {
    fn text(self, file_name: &str) -> String {
        match self {
            Self::BlockComment => "mod files must use // comments (not /* */ comments)".to_owned(),
            Self::EndOfFileInString => "unexpected EOF in string".to_owned(),
            Self::NewlineInString => "unexpected newline in string".to_owned(),
            Self::UnexpectedCharacter(c) => format!("unexpected input character {}", quote_char(c)),
            Self::UnterminatedBlock(Position { line, rune, .. }) => {
                format!("syntax error (unterminated block started at {file_name}:{line}:{rune})")
            }
            Self::AfterBlock => "syntax error (expected newline after closing paren)".to_owned(),
        }
    }
}

/// What can be wrong with a quoted word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StringProblem {
    /// Not a Go string literal.
    #[error("invalid syntax")]
    Literal,
    /// A quote inside a word without quotes, or one of the kinds that are reserved.
    #[error("unquoted string cannot contain quote")]
    StrayQuote,
}

/// Why a version could not be fixed.
#[derive(Debug)]
pub enum FixError {
    /// About the module itself: the parser shows the cause after the directive's verb and path.
    Module(Box<dyn Error + Send + Sync>),
    /// Anything else: shown as it is.
    Other(Box<dyn Error + Send + Sync>),
}

/// A problem and, where the text names it, the directive.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) subject: Option<Subject>,
    pub(crate) problem: Problem,
}

impl Fault {
    pub(crate) fn of(verb: &'static str, module_path: &str, problem: Problem) -> Self {
        Self { subject: Some(Subject { verb, module_path: module_path.to_owned() }), problem }
    }

    pub(crate) fn at(self, file_name: &str, position: Position) -> ParseError {
        ParseError { file_name: file_name.to_owned(), position, subject: self.subject, problem: self.problem }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { subject: None, problem }
    }
}

/// An edit that would leave a file nobody could read.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Not a version that a go line can have.
    #[error("invalid language version {}", quote(.0))]
    GoVersion(String),
    /// Not a name that a toolchain line can have.
    #[error("invalid toolchain name {}", quote(.0))]
    Toolchain(String),
    /// Not canonical; `form` is what the path asks for.
    #[error("version {} invalid: must be of the form {form}", quote(version))]
    NotCanonical {
        /// As given.
        version: String,
        /// `v1.2.3`, or `v2.2.3` for a path that ends in `/v2`.
        form: String,
    },
    /// A version above v1 for a path without major version.
    #[error(
        "version {} invalid: should be {version}+incompatible (or module {module_path}/{major})",
        quote(version)
    )]
    Incompatible {
        /// As given.
        version: String,
        /// As given.
        module_path: String,
        /// `v2` of `v2.3.4`.
        major: String,
    },
    /// The version and the major version in the path disagree.
    #[error(transparent)]
    PathMajor(#[from] VersionError),
}
