//! Patterns of import paths: `...` stands for any text.
//!
//! `a/...` matches `a` as well, and no wildcard reaches into a `vendor` directory that the pattern does not name.
//! Source of the rules: `cmd/internal/pkgpattern`.

/// A pattern, read.
#[derive(Clone, Debug)]
pub struct Wildcard {
    text: String,
    alternatives: Vec<Vec<Token>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    Any,
}

/// Stands for a `vendor` that something follows; no import path holds it.
const VENDOR: &str = "\0";

impl Wildcard {
    /// Reads a pattern.
    pub fn new(text: &str) -> Self {
        let alternatives = if text.contains(VENDOR) { Vec::new() } else { alternatives(text) };
        let alternatives = alternatives.iter().map(|text| tokens(text)).collect();
        Self { text: text.to_owned(), alternatives }
    }

    /// Whether a path matches (`MatchPattern`).
    pub fn matches(&self, path: &str) -> bool {
        if path.contains(VENDOR) {
            return false;
        }
        let path: Vec<char> = with_vendor_marked(path).chars().collect();
        self.alternatives.iter().any(|tokens| is_match(tokens, &path))
    }

    /// Whether something below a path, or the path itself, could match (`TreeCanMatchPattern`).
    pub fn can_match_below(&self, path: &str) -> bool {
        let (literal, is_wild) = match self.text.find("...") {
            Some(at) => (&self.text[..at], true),
            None => (self.text.as_str(), false),
        };
        is_path_prefix(literal, path) || (is_wild && path.starts_with(literal))
    }
}

/// Whether a path begins with all elements of another (`str.HasPathPrefix`).
pub(crate) fn is_path_prefix(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix) {
        Some("") => true,
        Some(rest) => rest.starts_with('/') || (prefix.ends_with('/') && !prefix.is_empty()),
        None => false,
    }
}

fn alternatives(text: &str) -> Vec<String> {
    let marked = with_vendor_marked(text);
    let in_vendor = format!("/{VENDOR}/...");
    if let Some(before) = marked.strip_suffix(&in_vendor) {
        return vec![format!("{before}/vendor"), marked.clone()];
    }
    if marked == in_vendor[1..] {
        return vec!["/vendor".to_owned(), in_vendor];
    }
    match marked.strip_suffix("/...") {
        Some(before) => vec![before.to_owned(), marked.clone()],
        None => vec![marked],
    }
}

fn with_vendor_marked(path: &str) -> String {
    if !path.contains("vendor") {
        return path.to_owned();
    }
    let mut elements: Vec<&str> = path.split('/').collect();
    let last = elements.len() - 1;
    elements[..last].iter_mut().filter(|element| **element == "vendor").for_each(|element| *element = VENDOR);
    elements.join("/")
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (at, literal) in text.split("...").enumerate() {
        if at > 0 {
            tokens.push(Token::Any);
        }
        tokens.extend(literal.chars().map(Token::Char));
    }
    tokens
}

/// Follows all ways through the tokens at once, so that no pattern takes exponential time.
fn is_match(tokens: &[Token], path: &[char]) -> bool {
    let mut alive = vec![false; tokens.len() + 1];
    alive[0] = true;
    skip_any(tokens, &mut alive);
    for &c in path {
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| alive[*at]) {
            match token {
                Token::Any if c != '\0' => next[at] = true,
                Token::Char(wanted) if *wanted == c => next[at + 1] = true,
                _ => {}
            }
        }
        skip_any(tokens, &mut next);
        alive = next;
    }
    alive[tokens.len()]
}

fn skip_any(tokens: &[Token], alive: &mut [bool]) {
    for at in 0..tokens.len() {
        if alive[at] && tokens[at] == Token::Any {
            alive[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_go_documents_it() {
        for (pattern, path, want) in [
            ("net", "net", true),
            ("net", "net/http", false),
            ("net...", "netchan", true),
            ("net/...", "net", true),
            ("net/...", "net/http", true),
            ("net/...", "netchan", false),
            ("...", "vendor", true),
            ("...", "foo/vendor", true),
            ("...", "foo/vendor/bar", false),
            ("foo/vendor/...", "foo/vendor", true),
            ("foo/vendor/...", "foo/vendor/bar", true),
            ("foo/vendor/...", "foo/bar", false),
            ("vendor/...", "foo/vendor/bar", false),
            ("a...b...c", "a-b-b-c", true),
            ("a...b", "abc", false),
            ("...g...", "f/g/h", true),
        ] {
            assert_eq!(Wildcard::new(pattern).matches(path), want, "{pattern} {path}");
        }
    }

    #[test]
    fn trees_are_left_out_that_can_hold_no_match() {
        for (pattern, path, want) in [
            ("net/http", "net", true),
            ("net/http", "net/http/x", false),
            ("net/...", "net/http", true),
            ("net...", "netchan", true),
            ("net...", "fmt", false),
            ("rsc.io/quote/...", "rsc.io", true),
        ] {
            assert_eq!(Wildcard::new(pattern).can_match_below(path), want, "{pattern} {path}");
        }
    }
}
