//! The functions that a file declares, as far as the program of a test wants to know them.

use super::Position;
use super::header::comment_lines;
use super::token::{Kind, Lexer, Token};

/// A function, or a method, that a file declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its declaration begins.
    pub position: Position,
    /// Whether it has a receiver.
    pub is_method: bool,
    /// Whether it has type parameters.
    pub has_type_parameters: bool,
    /// The tokens between the parentheses.
    pub parameters: Vec<String>,
    /// Whether it gives something back.
    pub has_results: bool,
    /// Whether it is written in Go.
    pub has_body: bool,
    /// The text of the last group of comments in its body.
    pub last_comment: Option<String>,
}

impl Function {
    /// Whether its one parameter is a pointer to a type of the name, in whatever package (`isTestFunc`).
    pub fn takes_pointer_to(&self, name: &str) -> bool {
        let tokens: Vec<&str> = self.parameters.iter().map(String::as_str).collect();
        let tokens = tokens.strip_suffix(&[","]).unwrap_or(&tokens);
        let kind = match tokens {
            ["*", kind @ ..] | [_, "*", kind @ ..] => kind,
            _ => return false,
        };
        !self.has_results && matches!(kind, [last] | [_, ".", last] if *last == name)
    }
}

/// The functions of a file, in its order; what can't be read is left to the compiler.
pub fn functions(text: &[u8]) -> Vec<Function> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = Reader { text, lexer: Lexer::new(text), token: None };
    let mut functions = Vec::new();
    let mut is_start = true;
    let mut depth = 0_u32;
    while let Some(token) = reader.next() {
        let word = reader.word(token);
        if is_start && depth == 0 && token.kind == Kind::Keyword && word == b"func" {
            functions.extend(reader.function(token.position));
            is_start = true;
            continue;
        }
        match word {
            b"(" | b"[" | b"{" if token.kind == Kind::Mark => depth += 1,
            b")" | b"]" | b"}" if token.kind == Kind::Mark => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_start = matches!(token.kind, Kind::Newline | Kind::Semicolon);
    }
    functions
}

struct Reader<'a> {
    text: &'a [u8],
    lexer: Lexer<'a>,
    /// A token that was looked at and not taken.
    token: Option<Token>,
}

impl<'a> Reader<'a> {
    /// The next token that is no comment; none at the end.
    fn next(&mut self) -> Option<Token> {
        if let Some(token) = self.token.take() {
            return Some(token);
        }
        loop {
            let token = self.lexer.token();
            match token.kind {
                Kind::Comment => {}
                Kind::End | Kind::Broken(_) => return None,
                _ => return Some(token),
            }
        }
    }

    fn word(&self, token: Token) -> &'a [u8] {
        &self.text[token.start..token.end]
    }

    /// What follows `func` at the top of a file.
    fn function(&mut self, position: Position) -> Option<Function> {
        let mut function = Function { position, ..Function::default() };
        let mut token = self.next()?;
        if self.word(token) == b"(" {
            function.is_method = true;
            self.balanced();
            token = self.next()?;
        }
        function.name = String::from_utf8_lossy(self.word(token)).into_owned();
        token = self.next()?;
        if self.word(token) == b"[" {
            function.has_type_parameters = true;
            self.balanced();
            token = self.next()?;
        }
        if self.word(token) == b"(" {
            function.parameters = self.balanced();
        }
        self.results(&mut function);
        Some(function)
    }

    /// The tokens up to the mark that closes what is open.
    fn balanced(&mut self) -> Vec<String> {
        let mut tokens = Vec::new();
        let mut depth = 1_u32;
        while let Some(token) = self.next() {
            let word = self.word(token);
            match word {
                b"(" | b"[" | b"{" if token.kind == Kind::Mark => depth += 1,
                b")" | b"]" | b"}" if token.kind == Kind::Mark => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if token.kind != Kind::Newline {
                tokens.push(String::from_utf8_lossy(word).into_owned());
            }
        }
        tokens
    }

    /// What follows the parameters: types, and the body.
    fn results(&mut self, function: &mut Function) {
        let mut is_type = false;
        let mut is_empty_list = false;
        while let Some(token) = self.next() {
            let word = self.word(token);
            match (token.kind, word) {
                (Kind::Newline | Kind::Semicolon, _) => {
                    self.token = Some(token);
                    return;
                }
                (Kind::Mark, b"{") if !is_type => {
                    function.has_body = true;
                    function.has_results &= !is_empty_list;
                    function.last_comment = self.body();
                    return;
                }
                (Kind::Mark, b"(" | b"[" | b"{") => {
                    let inner = self.balanced();
                    is_empty_list = !function.has_results && word == b"(" && inner.is_empty();
                    function.has_results = true;
                    is_type = false;
                }
                (kind, word) => {
                    function.has_results = true;
                    is_type = kind == Kind::Keyword && matches!(word, b"struct" | b"interface");
                }
            }
        }
    }

    /// Passes the body; gives the text of the last group of comments in it.
    fn body(&mut self) -> Option<String> {
        let mut depth = 1_u32;
        let mut group: Option<std::ops::Range<usize>> = None;
        // The line where the group, or the token before it, ends; and whether the group stands beside a token.
        let (mut last_line, mut is_open, mut is_beside) = (self.lexer.line(), false, false);
        loop {
            let token = self.lexer.token();
            match token.kind {
                Kind::End | Kind::Broken(_) => return None,
                Kind::Comment => {
                    let reach = if is_open && !is_beside { last_line + 1 } else { last_line };
                    match &mut group {
                        Some(range) if is_open && token.position.line <= reach => range.end = token.end,
                        _ => {
                            is_beside = !is_open && token.position.line == last_line;
                            group = Some(token.start..token.end);
                        }
                    }
                    is_open = true;
                    last_line = self.lexer.line();
                }
                Kind::Newline => {}
                kind => {
                    match self.word(token) {
                        b"{" if kind == Kind::Mark => depth += 1,
                        b"}" if kind == Kind::Mark => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        return group.map(|range| group_text(&self.text[range]));
                    }
                    is_open = false;
                    last_line = self.lexer.line();
                }
            }
        }
    }
}

/// `go/ast.CommentGroup.Text`
fn group_text(comments: &[u8]) -> String {
    let mut text = String::new();
    let mut is_blank = true;
    for line in comment_lines(comments) {
        let line = line.trim_end_matches([' ', '\t', '\n', '\r']);
        if !(line.is_empty() && is_blank) {
            text.push_str(line);
            text.push('\n');
        }
        is_blank = line.is_empty();
    }
    match text.strip_suffix("\n\n") {
        Some(rest) => format!("{rest}\n"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "package p\n\nimport \"testing\"\n\nvar f = func(t *testing.T) {}\n\nfunc TestA(t *testing.T) {\n\t\
                        if true {\n\t}\n}\n\nfunc (x T) TestB(t *testing.T) {}\n\nfunc Example() {\n\tp(`{`) // not this\n\t\
                        // Output: a\n\t//  b\n\t//\n}\n\nfunc G[T any](t *testing.T) interface{ m() } { return nil }\n\
                        func asm() (int, error)\nfunc TestC(tb, _ *M,) () {}\n";

    #[test]
    fn declarations_are_told_from_literals() {
        let functions = functions(FILE.as_bytes());
        let names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["TestA", "TestB", "Example", "G", "asm", "TestC"]);
        let [a, b, example, generic, asm, c] = &functions[..] else { panic!("six functions") };
        assert!(a.takes_pointer_to("T") && !a.takes_pointer_to("B") && a.position.line == 7);
        assert!(b.is_method && !a.is_method);
        assert_eq!(example.last_comment.as_deref(), Some("Output: a\n b\n"));
        assert!(generic.has_type_parameters && generic.has_results && generic.has_body);
        assert!(!asm.has_body && asm.has_results);
        assert!(!c.takes_pointer_to("M") && !c.has_results);
    }
}
