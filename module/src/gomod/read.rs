//! From lexemes to the syntax tree.
//!
//! Whole-line comments are given to what follows them while reading; comments at the end of a line when the tree is
//! whole. A blank line inside a block is kept as an empty comment above the next line.

use super::error::SyntaxProblem;
use super::lex::{Kind, Lexeme, Lexer, Trailing};
use super::syntax::{Block, Comments, Line, LineId, Paren, Position, Remark, Statement, Syntax, Token};

/// Reads a whole file. The error names where reading stopped; there is never more than one.
pub(super) fn read(source: &[u8]) -> Result<Syntax, (Position, SyntaxProblem)> {
    let mut reader = Reader { lexer: Lexer::new(source), ahead: None, tree: Syntax::default() };
    match reader.file() {
        Ok(()) => {
            let trailing = std::mem::take(&mut reader.lexer.trailing);
            attach(&mut reader.tree, trailing);
            Ok(reader.tree)
        }
        Err(problem) => Err((reader.lexer.position, problem)),
    }
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    /// The lexeme after the current one: Go's reader looks one ahead, and its error positions show it.
    ahead: Option<Lexeme<'a>>,
    tree: Syntax,
}

impl<'a> Reader<'a> {
    fn file(&mut self) -> Result<(), SyntaxProblem> {
        let mut above: Option<Remark> = None;
        self.ahead = Some(self.lexer.next()?);
        loop {
            match self.peek() {
                Kind::Newline => {
                    self.next()?;
                    self.tree.statements.extend(above.take().map(Statement::Comments));
                }
                Kind::LineComment => {
                    let comment = self.next()?;
                    let remark =
                        above.get_or_insert_with(|| Remark { start: comment.start, ..Remark::default() });
                    remark.comments.before.push(comment.text.to_vec());
                }
                Kind::EndOfFile => {
                    self.tree.statements.extend(above.map(Statement::Comments));
                    return Ok(());
                }
                Kind::SuffixComment | Kind::Word | Kind::Punctuation(_) => {
                    let before = above.take().map(|remark| remark.comments.before).unwrap_or_default();
                    let statement = self.statement(before)?;
                    self.tree.statements.push(statement);
                }
            }
        }
    }

    fn statement(&mut self, before: Vec<Token>) -> Result<Statement, SyntaxProblem> {
        let comments = Comments { before, ..Comments::default() };
        let first = self.next()?;
        let mut tokens = vec![first.text.to_vec()];
        let mut end = first.end;
        loop {
            let lexeme = self.next()?;
            match lexeme.kind {
                kind if kind.ends_line() => {
                    let line = Line { comments, tokens, in_block: false, start: first.start, end };
                    return Ok(Statement::Line(self.tree.new_line(line)));
                }
                Kind::Punctuation(b'(') if self.peek().ends_line() => {
                    let open = Paren { start: lexeme.start, ..Paren::default() };
                    let block = Block { comments, tokens, start: first.start, open, ..Block::default() };
                    return self.block(block);
                }
                Kind::Punctuation(b'(') if self.peek() == Kind::Punctuation(b')') => {
                    let close = self.next()?;
                    if self.peek().ends_line() {
                        self.next()?;
                        let open = Paren { start: lexeme.start, ..Paren::default() };
                        let close = Paren { start: close.start, ..Paren::default() };
                        let block =
                            Block { comments, tokens, start: first.start, open, close, ..Block::default() };
                        return Ok(Statement::Block(self.tree.new_block(block)));
                    }
                    tokens.extend([lexeme.text.to_vec(), close.text.to_vec()]);
                }
                Kind::Punctuation(b'(') => tokens.push(lexeme.text.to_vec()),
                _ => {
                    tokens.push(lexeme.text.to_vec());
                    end = lexeme.end;
                }
            }
        }
    }

    /// The rest of a block, after its `(`.
    fn block(&mut self, mut block: Block) -> Result<Statement, SyntaxProblem> {
        let mut above: Vec<Token> = Vec::new();
        loop {
            match self.peek() {
                Kind::SuffixComment => {
                    self.next()?;
                }
                Kind::Newline => {
                    self.next()?;
                    let wanted = match above.last() {
                        Some(comment) => !comment.is_empty(),
                        None => !block.lines.is_empty(),
                    };
                    if wanted {
                        above.push(Token::new());
                    }
                }
                Kind::LineComment => above.push(self.next()?.text.to_vec()),
                Kind::EndOfFile => return Err(SyntaxProblem::UnterminatedBlock(block.start)),
                Kind::Punctuation(b')') => {
                    let close = self.next()?;
                    if above == [Token::new()] {
                        above.clear();
                    }
                    block.close.comments.before = above;
                    block.close.start = close.start;
                    if !self.peek().ends_line() {
                        return Err(SyntaxProblem::AfterBlock);
                    }
                    self.next()?;
                    return Ok(Statement::Block(self.tree.new_block(block)));
                }
                Kind::Word | Kind::Punctuation(_) => {
                    let line = self.block_line(std::mem::take(&mut above))?;
                    block.lines.push(line);
                }
            }
        }
    }

    fn block_line(&mut self, before: Vec<Token>) -> Result<LineId, SyntaxProblem> {
        let first = self.next()?;
        let mut tokens = vec![first.text.to_vec()];
        let mut end = first.end;
        loop {
            let lexeme = self.next()?;
            if lexeme.kind.ends_line() {
                let comments = Comments { before, ..Comments::default() };
                let line = Line { comments, tokens, in_block: true, start: first.start, end };
                return Ok(self.tree.new_line(line));
            }
            tokens.push(lexeme.text.to_vec());
            end = lexeme.end;
        }
    }

    fn peek(&self) -> Kind {
        self.ahead.map_or(Kind::EndOfFile, |lexeme| lexeme.kind)
    }

    /// The current lexeme. The one after it is read first, so that its errors come first.
    fn next(&mut self) -> Result<Lexeme<'a>, SyntaxProblem> {
        let current = self.ahead.take();
        self.ahead = Some(self.lexer.next()?);
        Ok(current.expect("`file` reads the first lexeme before anything asks for one"))
    }
}

/// Gives every comment at the end of a line to the last piece of syntax that ends before it and stays on one line.
///
/// Goes backwards over both, outer pieces before inner ones; what is left over goes to the top of the file.
fn attach(tree: &mut Syntax, mut trailing: Vec<Trailing>) {
    if trailing.is_empty() {
        return;
    }
    let mut statements = std::mem::take(&mut tree.statements);
    for statement in statements.iter_mut().rev() {
        match statement {
            Statement::Comments(remark) => take_suffix(&mut remark.comments, remark.start, &mut trailing),
            Statement::Line(id) => attach_to_line(tree, *id, &mut trailing),
            Statement::Block(id) => {
                let block = &mut tree[*id];
                let close = block.close.start;
                if block.start.line == close.line {
                    take_suffix(&mut block.comments, after_paren(close), &mut trailing);
                }
                take_suffix(&mut block.close.comments, after_paren(close), &mut trailing);
                let lines = std::mem::take(&mut block.lines);
                for line in lines.iter().rev() {
                    attach_to_line(tree, *line, &mut trailing);
                }
                let block = &mut tree[*id];
                block.lines = lines;
                take_suffix(&mut block.open.comments, after_paren(block.open.start), &mut trailing);
            }
        }
    }
    tree.statements = statements;
    tree.before = trailing.into_iter().map(|comment| comment.text).collect();
}

fn attach_to_line(tree: &mut Syntax, id: LineId, trailing: &mut Vec<Trailing>) {
    let line = &mut tree[id];
    if line.start.line == line.end.line {
        take_suffix(&mut line.comments, line.end, trailing);
    }
}

fn take_suffix(comments: &mut Comments, end: Position, trailing: &mut Vec<Trailing>) {
    let first =
        trailing.iter().rposition(|comment| comment.start < end.byte).map_or(0, |earlier| earlier + 1);
    comments.suffix.extend(trailing.drain(first..).map(|comment| comment.text));
}

fn after_paren(paren: Position) -> Position {
    Position { byte: paren.byte + 1, rune: paren.rune + 1, ..paren }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use modkeep_harness::judge::x_mod_folder;
    use modkeep_harness::place::skip;

    use super::*;
    use crate::gomod::{GoMod, print};
    use crate::gowork::GoWork;

    #[test]
    fn golden_files_of_x_mod_are_printed_as_they_stand() {
        let folder = match x_mod_folder() {
            Ok(folder) => folder.join("modfile/testdata"),
            Err(missing) => return skip("golden_files_of_x_mod_are_printed_as_they_stand", &missing),
        };
        let go_mod = golden_files(&folder).into_iter().map(|file| (file, false));
        let go_work = golden_files(&folder.join("work")).into_iter().map(|file| (file, true));
        let mut pairs = 0;
        for (golden, work) in go_mod.chain(go_work) {
            let text = std::fs::read(&golden).unwrap();
            assert_eq!(formatted(&text), String::from_utf8_lossy(&text), "{}", golden.display());
            let Ok(given) = std::fs::read(golden.with_extension("in")) else { continue };
            // Some of the files test the printer alone: their directives are nonsense.
            let understood = match work {
                true => GoWork::parse("go.work", &given).map(|file| file.format()).ok(),
                false => GoMod::parse("go.mod", &given).map(|file| file.format()).ok(),
            };
            let written =
                understood.map_or_else(|| formatted(&given), |text| String::from_utf8(text).unwrap());
            assert_eq!(written, String::from_utf8_lossy(&text), "{}", golden.display());
            pairs += 1;
        }
        assert!(pairs >= 15, "{pairs} pairs in {}", folder.display());
    }

    #[test]
    fn punctuation_ends_words() {
        let cases: &[(&str, &[&str])] = &[
            ("a[b]c{d}e,", &["a", "[", "b", "]", "c", "{", "d", "}", "e", ","]),
            ("a () b", &["a", "(", ")", "b"]),
            ("[v1, v2)", &["[", "v1", ",", "v2", ")"]),
            ("\"a b\"c//d", &["\"a b\"", "c"]),
        ];
        for (line, words) in cases {
            let tree = read(line.as_bytes()).unwrap();
            let Statement::Line(id) = tree.statements[0] else { panic!("{line} is a block") };
            assert_eq!(tree[id].tokens, words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_comment_behind_a_string_of_two_lines_goes_to_what_precedes_it() {
        let text = "a\nb \"\\\n\" // c\n";
        assert_eq!(formatted(text.as_bytes()), "a // c\n\nb \"\\\n\"\n");
        let alone = "b \"\\\n\" // c\n";
        assert_eq!(formatted(alone.as_bytes()), "// c\nb \"\\\n\"\n");
    }

    fn golden_files(folder: &Path) -> Vec<PathBuf> {
        let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|file| file.extension().is_some_and(|extension| extension == "golden")).collect()
    }

    fn formatted(text: &[u8]) -> String {
        String::from_utf8(print(&read(text).unwrap())).unwrap()
    }
}
