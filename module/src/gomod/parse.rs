//! From a syntax tree to a go.mod, strict or lax. All mistakes of a file are found, not only the first.

use std::sync::Arc;

use super::GoMod;
use super::directive::{Directive, Exclude, Ignore, Module, Require, Retract, Tool};
use super::error::{Fault, ParseError, ParseErrors, Problem};
use super::read;
use super::rule::{self, VersionFixer, Versions};
use super::syntax::{BlockId, LineId, Position, Statement, Syntax, Token};

pub(super) fn parse(
    file_name: &str,
    data: &[u8],
    fix: Option<&mut VersionFixer<'_>>,
    strict: bool,
) -> Result<GoMod, ParseErrors> {
    let syntax = read_tree(file_name, data)?;
    let versions = match fix {
        Some(fix) => Versions::Fixed(fix),
        None => Versions::Canonical,
    };
    let file = GoMod { syntax, ..GoMod::default() };
    let mut parser = Parser { file, file_name, versions, strict, errors: Vec::new(), block_text: None };
    parser.statements();
    parser.fix_retracts();
    if parser.errors.is_empty() { Ok(parser.file) } else { Err(ParseErrors(parser.errors)) }
}

/// The syntax tree of a file, or the one error that stopped the reader.
pub(crate) fn read_tree(file_name: &str, data: &[u8]) -> Result<Syntax, ParseErrors> {
    read::read(data).map_err(|(position, problem)| {
        let problem = Problem::Syntax(problem, file_name.to_owned());
        ParseErrors(vec![Fault::from(problem).at(file_name, position)])
    })
}

struct Parser<'a, 'f> {
    file: GoMod,
    file_name: &'a str,
    versions: Versions<'a, 'f>,
    strict: bool,
    errors: Vec<ParseError>,
    /// The text of the comments on the block that was asked last.
    block_text: Option<(BlockId, Arc<str>)>,
}

impl Parser<'_, '_> {
    fn statements(&mut self) {
        let statements = std::mem::take(&mut self.file.syntax.statements);
        for statement in &statements {
            match statement {
                Statement::Comments(_) => {}
                Statement::Line(line) => self.line(None, *line),
                Statement::Block(block) => self.block(*block),
            }
        }
        self.file.syntax.statements = statements;
    }

    fn block(&mut self, id: BlockId) {
        let block = &self.file.syntax[id];
        if !may_be_block(&block.tokens) {
            if self.strict {
                let fault = Problem::UnknownBlock(block.tokens.join(&b' ')).into();
                let start = block.start;
                self.fault(fault, start);
            }
            return;
        }
        let lines = std::mem::take(&mut self.file.syntax[id].lines);
        for line in &lines {
            self.line(Some(id), *line);
        }
        self.file.syntax[id].lines = lines;
    }

    fn line(&mut self, block: Option<BlockId>, id: LineId) {
        let mut tokens = std::mem::take(&mut self.file.syntax[id].tokens);
        let result = match block {
            Some(block) => {
                let verb = self.file.syntax[block].tokens[0].clone();
                self.directive(&verb, &mut tokens, Some(block), id)
            }
            None => match tokens.split_first_mut() {
                Some((verb, args)) => self.directive(verb, args, None, id),
                None => Ok(()),
            },
        };
        let line = &mut self.file.syntax[id];
        line.tokens = tokens;
        if let Err(fault) = result {
            let start = line.start;
            self.fault(fault, start);
        }
    }

    fn directive(
        &mut self,
        verb: &[u8],
        args: &mut [Token],
        block: Option<BlockId>,
        line: LineId,
    ) -> Result<(), Fault> {
        if !self.strict && !matches!(verb, b"go" | b"module" | b"retract" | b"require" | b"ignore") {
            return Ok(());
        }
        let position = self.file.syntax[line].start;
        match verb {
            b"module" => self.module(args, block, line)?,
            b"go" if self.file.go.is_some() => return Err(Problem::Repeated("go").into()),
            b"go" => self.file.go = Some(Directive { value: rule::go(args, self.strict)?, line, position }),
            b"toolchain" if self.file.toolchain.is_some() => {
                return Err(Problem::Repeated("toolchain").into());
            }
            b"toolchain" => {
                self.file.toolchain = Some(Directive { value: rule::toolchain(args)?, line, position });
            }
            b"godebug" => self.file.godebugs.push(Directive { value: rule::godebug(args)?, line, position }),
            b"require" => {
                let (path, version) = rule::path_version("require", args, &mut self.versions)?;
                let indirect = rule::is_indirect(&self.file.syntax[line].comments);
                self.file.requires.push(Directive {
                    value: Require { path, version, indirect },
                    line,
                    position,
                });
            }
            b"exclude" => {
                let (path, version) = rule::path_version("exclude", args, &mut self.versions)?;
                self.file.excludes.push(Directive { value: Exclude { path, version }, line, position });
            }
            b"replace" => {
                let value = rule::replace(args, &mut self.versions)?;
                self.file.replaces.push(Directive { value, line, position });
            }
            b"retract" => self.retract(args, block, line)?,
            b"tool" => {
                let value = Tool { path: rule::path(args, Problem::OneArgument("tool"))? };
                self.file.tools.push(Directive { value, line, position });
            }
            b"ignore" => {
                let value = Ignore { path: rule::path(args, Problem::OneArgument("ignore"))? };
                self.file.ignores.push(Directive { value, line, position });
            }
            _ => return Err(Problem::UnknownDirective(verb.to_vec()).into()),
        }
        Ok(())
    }

    /// A module directive counts, for those after it, even when its path is wrong.
    fn module(&mut self, args: &mut [Token], block: Option<BlockId>, line: LineId) -> Result<(), Fault> {
        if self.file.module.is_some() {
            return Err(Problem::Repeated("module").into());
        }
        let deprecated = rule::deprecation(&self.comment_text(block, line)).to_owned();
        let position = self.file.syntax[line].start;
        let module = Module { path: String::new(), deprecated };
        let module = self.file.module.insert(Directive { value: module, line, position });
        module.value.path = rule::path(args, Problem::Usage("module module/path"))?;
        Ok(())
    }

    /// Versions are taken as they stand until [`Self::fix_retracts`]; a dependency's mistakes are skipped, because
    /// later releases of Go may know more forms.
    fn retract(&mut self, args: &mut [Token], block: Option<BlockId>, line: LineId) -> Result<(), Fault> {
        let rationale = self.comment_text(block, line);
        let (interval, taken) = match rule::interval("", args, &mut Versions::AsWritten) {
            Ok(found) => found,
            Err(_) if !self.strict => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if let Some(next) = args.get(taken).filter(|_| self.strict) {
            return Err(Problem::AfterVersion(next.clone()).into());
        }
        let position = self.file.syntax[line].start;
        self.file.retracts.push(Directive { value: Retract { interval, rationale }, line, position });
        Ok(())
    }

    /// Fixes the versions of retractions when all is read: the module directive, which a fixer needs, may come last.
    fn fix_retracts(&mut self) {
        if !matches!(self.versions, Versions::Fixed(_)) {
            return;
        }
        let module_path = self.file.module.as_ref().map(|module| module.path.clone()).unwrap_or_default();
        for index in 0..self.file.retracts.len() {
            let Directive { line, position, .. } = self.file.retracts[index];
            if module_path.is_empty() {
                return self.fault(Problem::RetractWithoutModule.into(), position);
            }
            let tokens = &mut self.file.syntax[line].tokens;
            let args = if tokens[0] == b"retract" { &mut tokens[1..] } else { &mut tokens[..] };
            match rule::interval(&module_path, args, &mut self.versions) {
                Ok((interval, _)) => self.file.retracts[index].value.interval = interval,
                Err(fault) => self.fault(fault, position),
            }
        }
    }

    /// The text of the comments on a line; of those on its block, where the line has none of its own.
    fn comment_text(&mut self, block: Option<BlockId>, line: LineId) -> Arc<str> {
        let syntax = &self.file.syntax;
        let comments = &syntax[line].comments;
        let Some(block) = block.filter(|_| comments.before.is_empty() && comments.suffix.is_empty()) else {
            return rule::comment_text(comments);
        };
        match &self.block_text {
            Some((known, text)) if *known == block => text.clone(),
            _ => {
                let text = rule::comment_text(&syntax[block].comments);
                self.block_text = Some((block, text.clone()));
                text
            }
        }
    }

    fn fault(&mut self, fault: Fault, position: Position) {
        self.errors.push(fault.at(self.file_name, position));
    }
}

fn may_be_block(tokens: &[Token]) -> bool {
    let [verb] = tokens else { return false };
    matches!(
        verb.as_slice(),
        b"module" | b"godebug" | b"require" | b"exclude" | b"replace" | b"retract" | b"tool" | b"ignore"
    )
}
