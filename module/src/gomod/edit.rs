//! Edits of the syntax tree that keep comments: add a line where its like stands, collapse what emptied.

use std::collections::HashSet;

use super::rule::is_indirect;
use super::syntax::{Block, BlockId, Comments, Line, LineId, Statement, Syntax, Token};
use crate::space;

/// Where a new line goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hint {
    /// Behind the last line or block with the same verb, or at the end of the file.
    SameVerb,
    /// Behind this line: in its block, or in a new block around both, if the verb is the same.
    After(LineId),
    /// At the end of the file.
    End,
}

impl Syntax {
    /// Adds a line; `tokens` begins with the verb. (`FileSyntax.addLine`)
    pub(crate) fn add_line(&mut self, hint: Hint, mut tokens: Vec<Token>) -> LineId {
        let Some((index, after)) = self.find_place(hint, &tokens[0]) else {
            let id = self.new_line(Line::of(tokens));
            self.statements.push(Statement::Line(id));
            return id;
        };
        if self.verb(&self.statements[index]) != Some(&tokens[0]) {
            let id = self.new_line(Line::of(tokens));
            self.statements.insert(index + 1, Statement::Line(id));
            return id;
        }
        tokens.remove(0);
        let id = self.new_line(Line::in_block(tokens));
        let block = self.ensure_block(index);
        let lines = &mut self[block].lines;
        let place = after.and_then(|after| lines.iter().position(|line| *line == after));
        lines.insert(place.map_or(lines.len(), |place| place + 1), id);
        id
    }

    /// The statement to add to, and the line in it to stand behind.
    fn find_place(&self, hint: Hint, verb: &[u8]) -> Option<(usize, Option<LineId>)> {
        match hint {
            Hint::End => None,
            Hint::SameVerb => {
                let last =
                    self.statements.iter().rposition(|statement| self.verb(statement) == Some(verb))?;
                Some((last, None))
            }
            Hint::After(line) => {
                let holds = |statement: &Statement| match statement {
                    Statement::Comments(_) => false,
                    Statement::Line(id) => *id == line,
                    Statement::Block(id) => self[*id].lines.contains(&line),
                };
                Some((self.statements.iter().position(holds)?, Some(line)))
            }
        }
    }

    /// The block at `index`; a line there becomes the only one of a new block.
    pub(crate) fn ensure_block(&mut self, index: usize) -> BlockId {
        let line = match self.statements[index] {
            Statement::Block(block) => return block,
            Statement::Line(line) => line,
            Statement::Comments(_) => unreachable!("callers name a line or block"),
        };
        let verb = self[line].tokens.remove(0);
        self[line].in_block = true;
        let block = self.new_block(Block { tokens: vec![verb], lines: vec![line], ..Block::default() });
        self.statements[index] = Statement::Block(block);
        block
    }

    /// Drops dead lines and the blocks that emptied, and makes one-line blocks lines, unless a comment stands above
    /// their `)`. (`FileSyntax.Cleanup`)
    pub(crate) fn cleanup(&mut self) {
        let statements = std::mem::take(&mut self.statements);
        for statement in statements {
            let kept = match statement {
                Statement::Comments(_) => Some(statement),
                Statement::Line(line) => (!self[line].is_dead()).then_some(statement),
                Statement::Block(block) => self.cleanup_block(block),
            };
            self.statements.extend(kept);
        }
    }

    fn cleanup_block(&mut self, id: BlockId) -> Option<Statement> {
        let mut lines = std::mem::take(&mut self[id].lines);
        lines.retain(|line| !self[*line].is_dead());
        match lines[..] {
            [] => None,
            [line] if self[id].close.comments.before.is_empty() => {
                let Block { comments, tokens, .. } = std::mem::take(&mut self[id]);
                let inner = std::mem::take(&mut self[line]);
                self[line] = Line {
                    comments: Comments {
                        before: [comments.before, inner.comments.before].concat(),
                        suffix: [inner.comments.suffix, comments.suffix].concat(),
                        after: [inner.comments.after, comments.after].concat(),
                    },
                    tokens: [tokens, inner.tokens].concat(),
                    ..Line::default()
                };
                Some(Statement::Line(line))
            }
            _ => {
                self[id].lines = lines;
                Some(Statement::Block(id))
            }
        }
    }

    /// Takes lines out, and the blocks that have none.
    pub(crate) fn remove_lines(&mut self, removed: &HashSet<LineId>) {
        let statements = std::mem::take(&mut self.statements);
        for statement in statements {
            let keep = match statement {
                Statement::Comments(_) => true,
                Statement::Line(line) => !removed.contains(&line),
                Statement::Block(block) => {
                    let lines = &mut self[block].lines;
                    lines.retain(|line| !removed.contains(line));
                    !lines.is_empty()
                }
            };
            if keep {
                self.statements.push(statement);
            }
        }
    }
}

impl Line {
    /// Replaces the version of a require line. In a block, a blank line above it goes away.
    pub(crate) fn set_version(&mut self, version: &str) {
        if self.in_block && self.comments.before == [Token::new()] {
            self.comments.before.clear();
        }
        let index = if self.in_block { 1 } else { 2 };
        if let Some(token) = self.tokens.get_mut(index) {
            *token = version.as_bytes().to_vec();
        }
    }

    /// Adds or takes away `// indirect`, keeping what else the comment says.
    pub(crate) fn set_indirect(&mut self, indirect: bool) {
        if is_indirect(&self.comments) == indirect {
            return;
        }
        let Some(comment) = self.comments.suffix.first_mut() else {
            self.comments.suffix.push(b"// indirect".to_vec());
            return;
        };
        let text = space::trim(comment.strip_prefix(b"//").unwrap_or(comment));
        if !indirect {
            if text == b"indirect" {
                self.comments.suffix.clear();
            } else {
                let mark = b"indirect;";
                let start = comment.windows(mark.len()).position(|window| window == mark).unwrap_or(0);
                *comment = [b"//", &comment[start + mark.len()..]].concat();
            }
        } else if text.is_empty() {
            *comment = b"// indirect".to_vec();
        } else {
            *comment = [b"// indirect; ", text].concat();
        }
    }
}
