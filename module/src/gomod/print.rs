//! Writes a syntax tree in the standard style, byte for byte as `golang.org/x/mod/modfile/print.go`.

use super::syntax::{Block, Comments, Line, Statement, Syntax, Token};
use crate::space;

/// The file's text.
pub(crate) fn print(tree: &Syntax) -> Vec<u8> {
    let mut printer = Printer { out: Vec::new(), pending: Vec::new(), margin: 0 };
    printer.file(tree);
    let mut out = printer.out;
    while out.ends_with(b"\n\n") {
        out.pop();
    }
    out
}

struct Printer<'a> {
    out: Vec<u8>,
    /// Comments that wait for the end of the line.
    pending: Vec<&'a Token>,
    /// Indentation, in tabs.
    margin: usize,
}

impl<'a> Printer<'a> {
    fn file(&mut self, tree: &'a Syntax) {
        self.comment_lines(&tree.before);
        for (index, statement) in tree.statements.iter().enumerate() {
            let comments = match statement {
                Statement::Comments(remark) => {
                    self.before(&remark.comments);
                    self.after_expression(&remark.comments);
                    &remark.comments
                }
                Statement::Line(id) => {
                    self.line(&tree[*id]);
                    self.newline();
                    &tree[*id].comments
                }
                Statement::Block(id) => {
                    self.block(tree, &tree[*id]);
                    self.newline();
                    &tree[*id].comments
                }
            };
            self.comment_lines(&comments.after);
            if index + 1 < tree.statements.len() {
                self.newline();
            }
        }
    }

    fn line(&mut self, line: &'a Line) {
        self.before(&line.comments);
        self.tokens(&line.tokens);
        self.after_expression(&line.comments);
    }

    fn block(&mut self, tree: &'a Syntax, block: &'a Block) {
        self.before(&block.comments);
        self.tokens(&block.tokens);
        self.out.push(b' ');
        self.before(&block.open.comments);
        self.out.push(b'(');
        self.after_expression(&block.open.comments);
        self.margin += 1;
        for line in &block.lines {
            self.newline();
            self.line(&tree[*line]);
        }
        self.margin -= 1;
        self.newline();
        self.before(&block.close.comments);
        self.out.push(b')');
        self.after_expression(&block.close.comments);
        self.after_expression(&block.comments);
    }

    /// The whole-line comments above an expression.
    fn before(&mut self, comments: &Comments) {
        if comments.before.is_empty() {
            return;
        }
        self.trim();
        if self.out.last().is_some_and(|byte| *byte != b'\n') {
            self.out.push(b'\n');
        }
        self.indent();
        self.comment_lines(&comments.before);
    }

    fn comment_lines(&mut self, comments: &[Token]) {
        for comment in comments {
            self.out.extend_from_slice(space::trim(comment));
            self.newline();
        }
    }

    fn after_expression(&mut self, comments: &'a Comments) {
        self.pending.extend(&comments.suffix);
    }

    /// Ends the line: comments that wait, no blanks at its end, and no second blank line.
    fn newline(&mut self) {
        for (index, comment) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            if index == 0 {
                self.out.push(b' ');
            } else {
                self.trim();
                self.out.push(b'\n');
                self.indent();
            }
            self.out.extend_from_slice(space::trim(comment));
        }
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with(b"\n\n") {
            self.out.push(b'\n');
        }
        self.indent();
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n(b'\t', self.margin));
    }

    fn trim(&mut self) {
        while let Some(b' ' | b'\t') = self.out.last() {
            self.out.pop();
        }
    }

    fn tokens(&mut self, tokens: &[Token]) {
        let mut separator: &[u8] = b"";
        for token in tokens {
            if matches!(token.as_slice(), b"," | b")" | b"]" | b"}") {
                separator = b"";
            }
            self.out.extend_from_slice(separator);
            self.out.extend_from_slice(token);
            separator = if matches!(token.as_slice(), b"(" | b"[" | b"{") { b"" } else { b" " };
        }
    }
}
