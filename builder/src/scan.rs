//! What a source file says before its declarations: for which targets it is, its package, imports and directives.
//!
//! Reading stops after the imports; only a file that imports `embed` is read to its end, for its patterns. Nothing
//! here depends on a target, so that a file is read once for all of them; [`crate::select`] does the choosing.
//! Errors are those of `go/build/read.go` and, for the first of a file, of `go/parser`. `//line` comments are not
//! minded in positions.

mod condition;
mod doc;
mod embed;
mod functions;
mod header;
mod syntax;
mod token;

pub use condition::{Condition, ConditionError};
pub use functions::{Function, functions};
pub use syntax::is_well_formed;

/// A place in a file; lines and columns are counted from one, columns in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// What a Go file says.
#[derive(Clone, Debug)]
pub struct GoFile {
    /// For which targets the file is.
    pub condition: Result<Condition, ConditionError>,
    /// The name in the package clause; empty where that is malformed.
    pub package: String,
    /// The first sentence of the comment above the package clause.
    pub doc: String,
    /// What the file imports, in its order; nothing when there is a syntax error.
    pub imports: Vec<Import>,
    /// The patterns of its `//go:embed` comments; nothing where it doesn't import `embed`.
    pub embeds: Vec<Embed>,
    /// The `//go:` comments before the package clause.
    pub directives: Vec<Directive>,
    /// The first error in the package clause or the imports.
    pub error: Option<SyntaxError>,
}

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The path as it is written, unquoted.
    pub path: String,
    /// Where the import begins, its name included.
    pub position: Position,
    /// The lines of the comment above that begin with `#cgo`; only for the path `C`.
    pub cgo: Vec<String>,
}

/// One pattern of a `//go:embed` comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embed {
    /// The pattern, unquoted.
    pub pattern: String,
    /// Where it stands.
    pub position: Position,
}

/// One `//go:` comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The whole comment.
    pub text: String,
    /// Where it begins.
    pub position: Position,
}

/// An error in the package clause or the imports, in the words of `go/parser`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {text}", position.line, position.column)]
pub struct SyntaxError {
    /// Where it is.
    pub position: Position,
    /// What is wrong.
    pub text: String,
    /// Whether the parser would take the file all the same.
    pub is_parsed: bool,
}

/// A file that isn't text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unexpected NUL in input")]
pub struct NulError;

/// Reads a Go file (`go/build/read.go:readGoInfo`, `go/build/build.go:parseFileHeader`).
///
/// # Errors
/// For a NUL before the end of the imports.
pub fn go_file(text: &[u8]) -> Result<GoFile, NulError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let header = header::Header::read(text);
    if memchr::memchr(0, &text[..header.end]).is_some() {
        return Err(NulError);
    }
    let embeds = if header.imports.iter().any(|import| import.path == "embed") {
        embed::patterns(text)
    } else {
        Vec::new()
    };
    Ok(GoFile {
        condition: Condition::read(text),
        package: header.package,
        doc: header.doc.map_or_else(String::new, |comments| doc::synopsis(&text[comments])),
        imports: header.imports,
        embeds,
        directives: header.directives,
        error: header.error,
    })
}

/// For which targets a file of another language is, by its leading comments (`go/build/read.go:readComments`).
///
/// A file whose comments can't be read is for all, as in go.
pub fn other_file(text: &[u8]) -> Result<Condition, ConditionError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match condition::leading_comments(text) {
        Some(comments) => Condition::read(comments),
        None => Ok(Condition::Always),
    }
}

#[cfg(test)]
mod tests;
