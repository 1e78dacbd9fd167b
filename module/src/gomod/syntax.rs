//! The syntax tree of a go.mod or go.work file: statements in order, each line with its tokens and comments.
//!
//! Lines and blocks live in two arenas and are named by ids, so that directives can point at their line while edits
//! move lines between blocks. A line without tokens is dead: it stays in its place until [`Syntax::cleanup`].
//! Tokens and comments are bytes, because Go reads files that are no UTF-8 and writes them back unchanged.

use std::ops::{Index, IndexMut};

/// One word of a line, quotes included.
pub(crate) type Token = Vec<u8>;

/// A place in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Byte in the file, from 0.
    pub byte: usize,
    /// Line in the file, from 1; 0 for what was added by an edit.
    pub line: usize,
    /// Character in the line, from 1; a byte that is no UTF-8 counts as one.
    pub rune: usize,
}

/// The comments around a piece of syntax, each from its `//` to the end of the line; an empty one is a blank line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Comments {
    /// Whole lines above.
    pub(crate) before: Vec<Token>,
    /// At the end of the line. More than one only where syntax behind which no comment can stay precedes it.
    pub(crate) suffix: Vec<Token>,
    /// Whole lines below; only the collapse of a block leaves them.
    pub(crate) after: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LineId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockId(usize);

/// A line of tokens: the verb first, unless a block has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) comments: Comments,
    pub(crate) tokens: Vec<Token>,
    pub(crate) in_block: bool,
    pub(crate) start: Position,
    pub(crate) end: Position,
}

/// `verb ( … )`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) comments: Comments,
    pub(crate) tokens: Vec<Token>,
    pub(crate) start: Position,
    pub(crate) open: Paren,
    pub(crate) lines: Vec<LineId>,
    pub(crate) close: Paren,
}

/// `(` or `)` of a block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paren {
    pub(crate) comments: Comments,
    pub(crate) start: Position,
}

/// What stands at the top level of a file.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    /// Comments with a blank line below them.
    Comments(Remark),
    Line(LineId),
    Block(BlockId),
}

/// Comments that belong to no statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remark {
    pub(crate) comments: Comments,
    pub(crate) start: Position,
}

/// A whole file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Syntax {
    /// Suffix comments that no statement could take.
    pub(crate) before: Vec<Token>,
    pub(crate) statements: Vec<Statement>,
    lines: Vec<Line>,
    blocks: Vec<Block>,
}

impl Syntax {
    pub(crate) fn new_line(&mut self, line: Line) -> LineId {
        self.lines.push(line);
        LineId(self.lines.len() - 1)
    }

    pub(crate) fn new_block(&mut self, block: Block) -> BlockId {
        self.blocks.push(block);
        BlockId(self.blocks.len() - 1)
    }

    /// The first token of a statement: its verb. `None` for comments and dead lines.
    pub(crate) fn verb(&self, statement: &Statement) -> Option<&[u8]> {
        let tokens = match statement {
            Statement::Comments(_) => return None,
            Statement::Line(id) => &self[*id].tokens,
            Statement::Block(id) => &self[*id].tokens,
        };
        tokens.first().map(Vec::as_slice)
    }
}

impl Line {
    /// A top-level line.
    pub(crate) fn of(tokens: Vec<Token>) -> Self {
        Self { tokens, ..Self::default() }
    }

    /// A line inside a block: the tokens after the block's verb.
    pub(crate) fn in_block(tokens: Vec<Token>) -> Self {
        Self { tokens, in_block: true, ..Self::default() }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Makes the line, and its suffix comments, go away at the next cleanup.
    pub(crate) fn mark_removed(&mut self) {
        self.tokens.clear();
        self.comments.suffix.clear();
    }

    /// Replaces the tokens; `tokens` begins with the verb.
    pub(crate) fn update(&mut self, mut tokens: Vec<Token>) {
        if self.in_block {
            tokens.remove(0);
        }
        self.tokens = tokens;
    }
}

impl Index<LineId> for Syntax {
    type Output = Line;
    fn index(&self, id: LineId) -> &Line {
        &self.lines[id.0]
    }
}

impl IndexMut<LineId> for Syntax {
    fn index_mut(&mut self, id: LineId) -> &mut Line {
        &mut self.lines[id.0]
    }
}

impl Index<BlockId> for Syntax {
    type Output = Block;
    fn index(&self, id: BlockId) -> &Block {
        &self.blocks[id.0]
    }
}

impl IndexMut<BlockId> for Syntax {
    fn index_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id.0]
    }
}
