//! go.work: the file that ties modules on disk into a workspace. Read, edited and written as go.mod is.
//!
//! The specification is `golang.org/x/mod/modfile/work.go` of Go 1.27. There is no lax reading: nobody reads the go.work
//! of a dependency.

mod change;

use crate::gomod::syntax::{BlockId, LineId, Statement, Syntax, Token};
use crate::gomod::{
    Directive, Fault, Go, Godebug, ParseError, ParseErrors, Problem, Replace, Toolchain, Use, VersionFixer,
    Versions, print, read_tree, rule,
};

/// A go.work file.
#[derive(Debug, Clone, Default)]
pub struct GoWork {
    go: Option<Directive<Go>>,
    toolchain: Option<Directive<Toolchain>>,
    godebugs: Vec<Directive<Godebug>>,
    uses: Vec<Directive<Use>>,
    replaces: Vec<Directive<Replace>>,
    syntax: Syntax,
}

impl GoWork {
    /// An empty file, to be filled by edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a go.work file. Versions must be versions; short ones are made canonical. `file_name` stands in the
    /// errors.
    pub fn parse(file_name: &str, data: &[u8]) -> Result<Self, ParseErrors> {
        parse(file_name, data, Versions::Canonical)
    }

    /// As [`parse`](Self::parse), but `fix` says what the text in each version's place means.
    pub fn parse_with(file_name: &str, data: &[u8], fix: &mut VersionFixer<'_>) -> Result<Self, ParseErrors> {
        parse(file_name, data, Versions::Fixed(fix))
    }

    /// The file's text, byte for byte as `modfile.Format` writes it.
    pub fn format(&self) -> Vec<u8> {
        print(&self.syntax)
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

    /// The use directives.
    pub fn uses(&self) -> &[Directive<Use>] {
        &self.uses
    }

    /// The replace directives.
    pub fn replaces(&self) -> &[Directive<Replace>] {
        &self.replaces
    }
}

fn parse(file_name: &str, data: &[u8], versions: Versions<'_, '_>) -> Result<GoWork, ParseErrors> {
    let file = GoWork { syntax: read_tree(file_name, data)?, ..GoWork::default() };
    let mut parser = Parser { file, versions };
    let mut errors = Vec::new();
    let statements = std::mem::take(&mut parser.file.syntax.statements);
    for statement in &statements {
        errors.extend(parser.statement(file_name, statement));
    }
    parser.file.syntax.statements = statements;
    if errors.is_empty() { Ok(parser.file) } else { Err(ParseErrors(errors)) }
}

struct Parser<'a, 'f> {
    file: GoWork,
    versions: Versions<'a, 'f>,
}

impl Parser<'_, '_> {
    fn statement(&mut self, file_name: &str, statement: &Statement) -> Vec<ParseError> {
        match statement {
            Statement::Comments(_) => Vec::new(),
            Statement::Line(line) => {
                let mut tokens = std::mem::take(&mut self.file.syntax[*line].tokens);
                let verb = tokens[0].clone();
                let result = self.directive(&verb, &mut tokens[1..], *line);
                self.finish(file_name, *line, tokens, result).into_iter().collect()
            }
            Statement::Block(block) => self.block(file_name, *block),
        }
    }

    fn block(&mut self, file_name: &str, id: BlockId) -> Vec<ParseError> {
        let block = &self.file.syntax[id];
        let [verb] = &block.tokens[..] else { return vec![self.unknown_block(file_name, id)] };
        if !matches!(verb.as_slice(), b"godebug" | b"use" | b"replace") {
            return vec![self.unknown_block(file_name, id)];
        }
        let (verb, lines) = (verb.clone(), block.lines.clone());
        let mut errors = Vec::new();
        for line in lines {
            let mut tokens = std::mem::take(&mut self.file.syntax[line].tokens);
            let result = self.directive(&verb, &mut tokens, line);
            errors.extend(self.finish(file_name, line, tokens, result));
        }
        errors
    }

    fn unknown_block(&self, file_name: &str, id: BlockId) -> ParseError {
        let block = &self.file.syntax[id];
        Fault::from(Problem::UnknownBlock(block.tokens.join(&b' '))).at(file_name, block.start)
    }

    /// Puts the words of a line back.
    fn finish(
        &mut self,
        file_name: &str,
        line: LineId,
        tokens: Vec<Token>,
        result: Result<(), Fault>,
    ) -> Option<ParseError> {
        let line = &mut self.file.syntax[line];
        line.tokens = tokens;
        result.err().map(|fault| fault.at(file_name, line.start))
    }

    fn directive(&mut self, verb: &[u8], args: &mut [Token], line: LineId) -> Result<(), Fault> {
        let file = &mut self.file;
        let position = file.syntax[line].start;
        match verb {
            b"go" if file.go.is_some() => return Err(Problem::Repeated("go").into()),
            b"go" => file.go = Some(Directive { value: rule::go(args, true)?, line, position }),
            b"toolchain" if file.toolchain.is_some() => return Err(Problem::Repeated("toolchain").into()),
            b"toolchain" => {
                file.toolchain = Some(Directive { value: rule::toolchain(args)?, line, position })
            }
            b"godebug" => file.godebugs.push(Directive { value: rule::godebug(args)?, line, position }),
            b"use" => {
                let path = rule::path(args, Problem::Usage("use local/dir"))?;
                file.uses.push(Directive { value: Use { path, module_path: String::new() }, line, position });
            }
            b"replace" => {
                let value = rule::replace(args, &mut self.versions)?;
                file.replaces.push(Directive { value, line, position });
            }
            _ => return Err(Problem::UnknownDirective(verb.to_vec()).into()),
        }
        Ok(())
    }
}
