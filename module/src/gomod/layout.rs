//! Writing the whole list of requirements back, in the three layouts that releases of Go have used.

use std::collections::{HashMap, HashSet};

use super::GoMod;
use super::directive::{Directive, Require};
use super::rule::is_indirect;
use super::syntax::{Block, BlockId, Comments, Line, LineId, Statement, Token};
use super::tied::words;
use super::token::auto_quote;
use crate::space;

/// How requirements are laid out; the go line decides (`cmd/go/internal/modload/init.go:UpdateGoModFromReqs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Before 1.17: blocks stay as they are, new requirements go behind the last one.
    AsFound,
    /// From 1.17: direct and indirect requirements in blocks of their own; blocks with comments, and with both kinds,
    /// are left alone, unless there is just one.
    SeparateIndirect,
    /// From 1.27: everything in at most two blocks, one direct, one indirect; the comments of merged blocks are
    /// gathered.
    AtMostTwo,
}

impl GoMod {
    /// Makes the requirements exactly `wanted`, and sorts all blocks. Call [`cleanup`](Self::cleanup) afterwards.
    ///
    /// The first line of each path keeps its comments; of two in `wanted` with one path, the last counts.
    /// (`File.SetRequire`, `SetRequireSeparateIndirect`, `SetRequireAtMostTwo`)
    pub fn set_requires(&mut self, layout: Layout, wanted: &[Require]) {
        let wanted = Wanted::new(wanted);
        match layout {
            Layout::AsFound => self.set_requires_as_found(&wanted),
            Layout::SeparateIndirect => self.separate_requires(&wanted, false),
            Layout::AtMostTwo => self.separate_requires(&wanted, true),
        }
        self.sort_blocks();
    }

    fn set_requires_as_found(&mut self, wanted: &Wanted<'_>) {
        let kept = self.update_requires(wanted);
        for require in wanted.others(&kept) {
            self.add_new_require(&require.path, &require.version, require.indirect);
        }
    }

    /// Updates the first requirement of every wanted path and takes all others away; the paths that were there.
    fn update_requires(&mut self, wanted: &Wanted<'_>) -> HashSet<String> {
        let mut kept = HashSet::new();
        let syntax = &mut self.syntax;
        self.requires.retain_mut(|require| {
            let line = &mut syntax[require.line];
            let Some(wish) = wanted.of(&require.path).filter(|_| kept.insert(require.path.clone())) else {
                line.mark_removed();
                return false;
            };
            line.set_version(&wish.version);
            line.set_indirect(wish.indirect);
            require.value = wish.clone();
            true
        });
        kept
    }

    fn separate_requires(&mut self, wanted: &Wanted<'_>, at_most_two: bool) {
        let mut found = self.find_requires();
        let remarks = if at_most_two { self.gather_remarks(wanted) } else { Remarks::default() };
        // The remarks are gone from the block by now, so they don't count.
        let alone = found.count == 1 && found.last.is_some_and(|index| !self.has_remarks(index));
        let (direct, indirect) = self.ensure_two_blocks(&mut found);
        self.syntax[direct].comments.before.extend(remarks.direct);
        self.syntax[indirect].comments.before.extend(remarks.indirect);

        let kept = self.update_requires(wanted);
        for index in 0..self.requires.len() {
            let Directive { line, value: Require { indirect: is_indirect, .. }, .. } = self.requires[index];
            let (own, other) = if is_indirect { (indirect, direct) } else { (direct, indirect) };
            if at_most_two || alone || found.block_of.get(&line) == Some(&other) {
                self.requires[index].line = self.move_line(line, own);
            }
        }
        for require in wanted.others(&kept) {
            let tokens = words([&auto_quote(&require.path), &require.version]);
            let line = self.syntax.new_line(Line::in_block(tokens));
            self.syntax[line].set_indirect(require.indirect);
            let block = if require.indirect { indirect } else { direct };
            self.syntax[block].lines.push(line);
            self.requires.push(Directive::added(require.clone(), line));
        }
    }

    /// Looks for the last uncommented blocks, or lines, that are all direct and all indirect.
    fn find_requires(&self) -> Found {
        let mut found = Found::default();
        for (index, statement) in self.syntax.statements.iter().enumerate() {
            if self.syntax.verb(statement) != Some(b"require") {
                continue;
            }
            found.last = Some(index);
            found.count += 1;
            let lines: &[LineId] = match statement {
                Statement::Comments(_) => continue,
                Statement::Line(line) => std::slice::from_ref(line),
                Statement::Block(block) => {
                    found.block_of.extend(self.syntax[*block].lines.iter().map(|line| (*line, *block)));
                    &self.syntax[*block].lines
                }
            };
            let comments = || lines.iter().map(|line| &self.syntax[*line].comments);
            if lines.is_empty() || self.has_remarks(index) || comments().any(has_remarks) {
                continue;
            }
            if comments().all(is_indirect) {
                found.last_indirect = Some(index);
            } else if !comments().any(is_indirect) {
                found.last_direct = Some(index);
            }
        }
        found
    }

    /// Takes the comments off all require blocks, those of blocks without a direct requirement apart.
    fn gather_remarks(&mut self, wanted: &Wanted<'_>) -> Remarks {
        let wishes =
            self.requires.iter().filter_map(|require| Some((require.line, wanted.of(&require.path)?)));
        let direct: HashSet<LineId> =
            wishes.filter(|(_, wish)| !wish.indirect).map(|(line, _)| line).collect();
        let mut remarks = Remarks::default();
        for index in 0..self.syntax.statements.len() {
            let Statement::Block(block) = self.syntax.statements[index] else { continue };
            let block = &mut self.syntax[block];
            if block.tokens[0] != b"require" {
                continue;
            }
            let is_direct = block.lines.is_empty() || block.lines.iter().any(|line| direct.contains(line));
            let target = if is_direct { &mut remarks.direct } else { &mut remarks.indirect };
            if !target.is_empty() && !block.comments.before.is_empty() {
                target.push(b"//".to_vec());
            }
            target.append(&mut block.comments.before);
        }
        remarks
    }

    fn has_remarks(&self, index: usize) -> bool {
        has_remarks(match &self.syntax.statements[index] {
            Statement::Comments(remark) => &remark.comments,
            Statement::Line(line) => &self.syntax[*line].comments,
            Statement::Block(block) => &self.syntax[*block].comments,
        })
    }

    /// The blocks for direct and for indirect requirements. One that stays empty goes away at cleanup.
    fn ensure_two_blocks(&mut self, found: &mut Found) -> (BlockId, BlockId) {
        let (direct_index, direct) = match found.last_direct {
            Some(index) => (index, self.syntax.ensure_block(index)),
            None => {
                let behind = found.last.map_or(self.syntax.statements.len(), |index| index + 1);
                let index = found.last_indirect.unwrap_or(behind);
                found.last_indirect = found.last_indirect.map(|index| index + 1);
                (index, self.insert_require_block(index))
            }
        };
        let indirect = match found.last_indirect {
            Some(index) => self.syntax.ensure_block(index),
            None => self.insert_require_block(direct_index + 1),
        };
        (direct, indirect)
    }

    fn insert_require_block(&mut self, index: usize) -> BlockId {
        let block = self.syntax.new_block(Block { tokens: words(["require"]), ..Block::default() });
        self.syntax.statements.insert(index, Statement::Block(block));
        block
    }

    /// Copies a require line, comments included, to the end of a block; the old line is dead.
    fn move_line(&mut self, old: LineId, block: BlockId) -> LineId {
        let mut line = self.syntax[old].clone();
        self.syntax[old].tokens.clear();
        if !line.in_block {
            line.tokens.remove(0);
            line.in_block = true;
        }
        let moved = self.syntax.new_line(line);
        self.syntax[block].lines.push(moved);
        moved
    }
}

/// The requirements to write: each path once, in the order of its last mention.
struct Wanted<'a> {
    of_path: HashMap<&'a str, &'a Require>,
    list: &'a [Require],
}

impl<'a> Wanted<'a> {
    fn new(list: &'a [Require]) -> Self {
        Self { of_path: list.iter().map(|require| (require.path.as_str(), require)).collect(), list }
    }

    fn of(&self, path: &str) -> Option<&'a Require> {
        self.of_path.get(path).copied()
    }

    /// Those whose path isn't in `kept`.
    fn others(&self, kept: &HashSet<String>) -> impl Iterator<Item = &'a Require> {
        self.list.iter().filter(|require| {
            let counts = self.of(&require.path).is_some_and(|counting| std::ptr::eq(counting, *require));
            counts && !kept.contains(&require.path)
        })
    }
}

#[derive(Default)]
struct Found {
    last_direct: Option<usize>,
    last_indirect: Option<usize>,
    /// The last require line or block, whatever is in it.
    last: Option<usize>,
    /// Lines and blocks.
    count: usize,
    block_of: HashMap<LineId, BlockId>,
}

#[derive(Default)]
struct Remarks {
    direct: Vec<Token>,
    indirect: Vec<Token>,
}

/// Whether there are comments other than `// indirect`.
fn has_remarks(comments: &Comments) -> bool {
    let says_more =
        |comment: &Token| space::trim(comment.strip_prefix(b"//").unwrap_or(comment)) != b"indirect";
    !comments.before.is_empty()
        || !comments.after.is_empty()
        || comments.suffix.len() > 1
        || comments.suffix.first().is_some_and(says_more)
}
