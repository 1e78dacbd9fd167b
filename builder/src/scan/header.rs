//! The package clause and the imports.
//!
//! Go reads a header twice: once leniently, to find where it ends, and once with its parser. What the lenient pass
//! leaves out the parser never sees, so that `package p; var x` and `import "a" "b"` are no errors; the rules of both
//! passes are folded into one here.

use std::ops::Range;

use modkeep_module::quote;

use super::token::{Kind, Lexer, Token};
use super::{Directive, Import, Position, SyntaxError};

/// What stands before the declarations.
pub(super) struct Header {
    pub(super) package: String,
    /// The comments just above the package clause.
    pub(super) doc: Option<Range<usize>>,
    pub(super) imports: Vec<Import>,
    pub(super) directives: Vec<Directive>,
    pub(super) error: Option<SyntaxError>,
    /// How much of the text was read, in bytes.
    pub(super) end: usize,
}

/// Why reading stops.
enum Stop {
    /// What follows is none of a header's business.
    Rest,
    Error(SyntaxError),
}

impl Header {
    pub(super) fn read(text: &[u8]) -> Self {
        let mut reader = Reader::new(text);
        let error = match reader.read() {
            Ok(()) | Err(Stop::Rest) => None,
            Err(Stop::Error(error)) => Some(error),
        };
        let (mut imports, mut directives) = (reader.imports, reader.directives);
        if error.is_some() {
            imports.clear();
            directives.clear();
        }
        let end = (reader.token.end).min(text.len());
        Self { package: reader.package, doc: reader.doc, imports, directives, error, end }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    token: Token,
    /// The comments that end on the line above the token.
    lead: Option<Range<usize>>,
    before_package: bool,
    package: String,
    doc: Option<Range<usize>>,
    imports: Vec<Import>,
    directives: Vec<Directive>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        let start = Position { line: 0, column: 0 };
        Self {
            text,
            lexer: Lexer::new(text),
            token: Token { kind: Kind::End, start: 0, end: 0, position: start },
            lead: None,
            before_package: true,
            package: String::new(),
            doc: None,
            imports: Vec::new(),
            directives: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<(), Stop> {
        self.advance()?;
        if !self.is(Kind::Keyword, b"package") {
            return Err(self.expected("'package'"));
        }
        self.before_package = false;
        self.doc.clone_from(&self.lead);
        self.advance()?;
        if self.token.kind != Kind::Name {
            return Err(self.expected("'IDENT'"));
        }
        let name = String::from_utf8_lossy(self.bytes()).into_owned();

        self.advance()?;
        self.package = name;
        let end = self.end_declaration();
        if matches!(end, Err(Stop::Error(_))) {
            // For the parser a clause without its end is none.
            self.package.clear();
        }
        end?;
        while self.is(Kind::Keyword, b"import") {
            self.declaration()?;
        }
        self.check_imports()
    }

    fn declaration(&mut self) -> Result<(), Stop> {
        let above = self.lead.clone();
        self.advance()?;
        if !self.is(Kind::Mark, b"(") {
            self.import(above)?;
            return self.end_declaration();
        }
        self.advance()?;
        let first = self.imports.len();
        while !self.is(Kind::Mark, b")") && self.token.kind != Kind::End {
            let above = self.lead.clone();
            self.import(above)?;
            self.end_import()?;
        }
        if let (Some(above), [import]) = (above, &mut self.imports[first..])
            && import.path == "C"
            && import.cgo.is_empty()
        {
            import.cgo = cgo_lines(&self.text[above]);
        }
        if self.token.kind == Kind::End {
            return Err(self.expected("')'"));
        }
        self.advance()?;
        self.end_declaration()
    }

    fn import(&mut self, above: Option<Range<usize>>) -> Result<(), Stop> {
        let position = self.token.position;
        if self.token.kind == Kind::Name || self.is(Kind::Mark, b".") {
            self.advance()?;
        }
        match self.token.kind {
            Kind::Text => {}
            Kind::OtherLiteral => return Err(error(self.token.position, "import path must be a string")),
            _ => return Err(error(self.token.position, "missing import path")),
        }
        let literal = self.bytes();
        let path = match literal.strip_prefix(b"`") {
            Some(raw) => Some(raw[..raw.len() - 1].to_vec()),
            None => quote::unquote(literal),
        };
        let path = path.ok_or_else(|| error(self.token.position, "unknown escape sequence"))?;
        let path = String::from_utf8_lossy(&path).into_owned();
        let cgo = match above {
            Some(above) if path == "C" => cgo_lines(&self.text[above]),
            _ => Vec::new(),
        };
        self.imports.push(Import { path, position, cgo });
        self.advance()
    }

    /// Among the imports of a group every end of line counts.
    fn end_import(&mut self) -> Result<(), Stop> {
        match self.token.kind {
            Kind::Semicolon | Kind::Newline => self.advance(),
            _ if self.is(Kind::Mark, b")") || self.is(Kind::Mark, b"}") => Ok(()),
            _ => Err(self.expected("';'")),
        }
    }

    /// After a declaration what doesn't begin as `import` does is never looked at.
    fn end_declaration(&mut self) -> Result<(), Stop> {
        match self.token.kind {
            Kind::Semicolon | Kind::Newline => self.advance(),
            _ if self.text.get(self.token.start) == Some(&b'i') => Err(self.expected("';'")),
            _ => {
                self.check_imports()?;
                Err(Stop::Rest)
            }
        }
    }

    /// The parser takes any path; `go/build` asks for more.
    fn check_imports(&self) -> Result<(), Stop> {
        match self.imports.iter().find(|import| !is_valid_path(&import.path)) {
            Some(import) => Err(Stop::Error(SyntaxError {
                position: import.position,
                text: format!("invalid import path: {}", import.path),
                is_parsed: true,
            })),
            None => Ok(()),
        }
    }

    /// Goes to the next token that is no comment, and keeps the comments just above it.
    fn advance(&mut self) -> Result<(), Stop> {
        let line = self.token.position.line;
        self.lead = None;
        self.next()?;
        if self.token.kind == Kind::Comment && self.token.position.line == line {
            self.comment_group(0)?;
        }
        while self.token.kind == Kind::Comment {
            let (group, last) = self.comment_group(1)?;
            self.lead = (last + 1 == self.token.position.line).then_some(group);
        }
        Ok(())
    }

    /// Passes comments that are at most so many lines apart; says where they are and on which line they end.
    fn comment_group(&mut self, apart: u32) -> Result<(Range<usize>, u32), Stop> {
        let mut group = self.token.start..self.token.end;
        let mut last = self.token.position.line;
        while self.token.kind == Kind::Comment && self.token.position.line <= last + apart {
            group.end = self.token.end;
            last = self.lexer.line();
            self.keep_directive();
            self.next()?;
        }
        Ok((group, last))
    }

    fn next(&mut self) -> Result<(), Stop> {
        self.token = self.lexer.token();
        match self.token.kind {
            Kind::Broken(text) => Err(error(self.token.position, text)),
            _ => Ok(()),
        }
    }

    fn keep_directive(&mut self) {
        let comment = self.bytes();
        if self.before_package && comment.starts_with(b"//go:") {
            let comment = comment.strip_suffix(b"\r").unwrap_or(comment);
            let text = String::from_utf8_lossy(comment).into_owned();
            self.directives.push(Directive { text, position: self.token.position });
        }
    }

    fn is(&self, kind: Kind, text: &[u8]) -> bool {
        self.token.kind == kind && self.bytes() == text
    }

    fn bytes(&self) -> &'a [u8] {
        &self.text[self.token.start..self.token.end]
    }

    fn expected(&self, what: &str) -> Stop {
        let found = match self.token.kind {
            Kind::Newline => "newline".to_owned(),
            Kind::Name | Kind::Text | Kind::OtherLiteral => {
                String::from_utf8_lossy(self.bytes()).into_owned()
            }
            Kind::End => "'EOF'".to_owned(),
            _ => format!("'{}'", String::from_utf8_lossy(self.bytes())),
        };
        error(self.token.position, format!("expected {what}, found {found}"))
    }
}

fn error(position: Position, text: impl Into<String>) -> Stop {
    Stop::Error(SyntaxError { position, text: text.into(), is_parsed: false })
}

/// `go/build/read.go:isValidImport`.
fn is_valid_path(path: &str) -> bool {
    let is_illegal = |c: char| c == ' ' || c == '\u{fffd}' || "!\"#$%&'()*,:;<=>?[\\]^{|}`".contains(c);
    !path.is_empty() && path.chars().all(|c| quote::is_print(c) && !is_illegal(c))
}

/// The lines among comments that begin with `#cgo`, without blanks at their ends.
fn cgo_lines(comments: &[u8]) -> Vec<String> {
    let text = comment_lines(comments);
    let cgo = text.iter().filter(|line| line.trim_start().starts_with("#cgo"));
    cgo.map(|line| line.trim_end_matches([' ', '\t', '\n']).to_owned()).collect()
}

/// The lines of comments, without what makes them comments (`go/ast.CommentGroup.Text`).
pub(super) fn comment_lines(comments: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut lexer = Lexer::new(comments);
    loop {
        let token = lexer.token();
        if token.kind != Kind::Comment {
            return lines;
        }
        let comment = String::from_utf8_lossy(&comments[token.start..token.end]).replace('\r', "");
        let inner = match comment.strip_prefix("/*") {
            Some(inner) => inner.strip_suffix("*/").unwrap_or(inner),
            None => {
                let inner = &comment["//".len()..];
                inner.strip_prefix(' ').unwrap_or(inner)
            }
        };
        if !comment.strip_prefix("//").is_some_and(is_directive) {
            lines.extend(inner.split('\n').map(str::to_owned));
        }
    }
}

/// Whether a comment is for a tool, such as `go:generate x` (`go/ast/ast.go:isDirective`).
fn is_directive(comment: &str) -> bool {
    if ["line ", "extern ", "export "].iter().any(|word| comment.starts_with(word)) {
        return true;
    }
    let is_word = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    comment
        .split_once(':')
        .is_some_and(|(tool, rest)| !tool.is_empty() && is_word(tool) && rest.get(..1).is_some_and(is_word))
}
