//! Go's own test tables, read from its source at run time: slices of structs or strings written as plain literals.
//!
//! The cells of a row come as source text, `"x.y/z"` or `true`; whoever asked knows what they mean. Names of fields
//! before a cell are dropped, so a row that names its fields has only the cells that it names.

/// The rows of the first table after `beginning` in Go source; a row of one literal has one cell.
///
/// # Panics
/// When there is no such table, or it is empty or not closed.
pub fn rows(source: &str, beginning: &str) -> Vec<Vec<String>> {
    let (_, after) = source.split_once(beginning).unwrap_or_else(|| panic!("no `{beginning}` in the source"));
    // A table of structs spells its type first: `[]struct { … }{`.
    let opened = match after.trim_start().starts_with("[]struct") {
        true => after.split_once("}{"),
        false => after.split_once('{'),
    };
    let (_, body) = opened.unwrap_or_else(|| panic!("no table after `{beginning}`"));
    let mut reader = Reader { rest: body };
    let mut rows = Vec::new();
    loop {
        match reader.token() {
            Token::Mark('}') => break,
            Token::Mark('{') => rows.push(reader.row()),
            Token::Mark(_) => {}
            Token::Text(cell) => rows.push(vec![cell]),
        }
    }
    assert!(!rows.is_empty(), "the table after `{beginning}` is empty");
    rows
}

struct Reader<'a> {
    rest: &'a str,
}

enum Token {
    /// `{`, `}` or `,`.
    Mark(char),
    /// A literal or a name.
    Text(String),
}

impl Reader<'_> {
    /// The cells up to the `}` of a row whose `{` is read; what is nested in a cell stays in it as text.
    fn row(&mut self) -> Vec<String> {
        let (mut cells, mut cell, mut depth) = (Vec::new(), String::new(), 0);
        loop {
            match self.token() {
                Token::Mark(end @ ('}' | ',')) if depth == 0 => {
                    if !cell.is_empty() {
                        cells.push(std::mem::take(&mut cell));
                    }
                    if end == '}' {
                        return cells;
                    }
                }
                Token::Mark(mark) => {
                    depth += i32::from(mark == '{') - i32::from(mark == '}');
                    cell.push(mark);
                }
                Token::Text(text) => cell += &text,
            }
        }
    }

    fn token(&mut self) -> Token {
        self.skip_blanks();
        let first = self.rest.chars().next().expect("the table is closed");
        let end = match first {
            '{' | '}' | ',' => {
                self.rest = &self.rest[1..];
                return Token::Mark(first);
            }
            '"' => 1 + closing_quote(&self.rest[1..]),
            '`' => 2 + self.rest[1..].find('`').expect("a raw string is closed"),
            _ => self.rest.find(['{', '}', ',', '"', '`', ' ', '\t', '\n']).expect("the table is closed"),
        };
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Token::Text(if text.ends_with(':') { String::new() } else { text.to_owned() })
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
        while self.rest.starts_with("//") {
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        }
    }
}

/// Where the text of an interpreted string ends, which begins after its first quote; the closing quote counts.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    let end = text.bytes().position(|b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    });
    1 + end.expect("a string is closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_literals_of_a_table() {
        let source = r#"
var before = 1
var table = []struct {
	path string
	ok   bool
}{
	{"a", true}, // {"comment", false}
	{`b"}`, false},

	// {"commented out", true},
	{"c\"},\\", true,
	},
	{path: "d"},
	{"e", nested{"f", 1}},
}
var list = []string{
	"g",
	"h",
}
"#;
        assert_eq!(
            rows(source, "var table = "),
            [
                vec![r#""a""#, "true"],
                vec![r#"`b"}`"#, "false"],
                vec![r#""c\"},\\""#, "true"],
                vec![r#""d""#],
                vec![r#""e""#, r#"nested{"f",1}"#],
            ]
        );
        assert_eq!(rows(source, "var list = "), [[r#""g""#], [r#""h""#]]);
    }
}
