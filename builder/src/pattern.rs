//! Patterns of import paths: `...` stands for any text, and nothing else is special.
//!
//! Source of the rules: `cmd/internal/pkgpattern`.

/// Stands for an element `vendor` that is not the last, which no wildcard matches.
const VENDOR: char = '\0';

/// A pattern, read.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The pattern matches what one of these matches.
    alternatives: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// Any text without [`VENDOR`].
    Wild,
}

impl Pattern {
    /// Reads a pattern (`MatchPattern`).
    pub fn new(pattern: &str) -> Self {
        if pattern.contains(VENDOR) {
            return Self { alternatives: Vec::new() };
        }
        let text = hide_vendor(pattern);
        let texts = match text.strip_suffix("\0/...") {
            Some(before) if before.is_empty() || before.ends_with('/') => {
                let before = before.strip_suffix('/').unwrap_or(before);
                vec![format!("{before}/vendor"), format!("{before}/\0/...")]
            }
            _ => match text.strip_suffix("/...") {
                Some(before) => vec![before.to_owned(), text.clone()],
                None => vec![text],
            },
        };
        Self { alternatives: texts.iter().map(|text| parts(text)).collect() }
    }

    /// Whether the path matches.
    pub fn matches(&self, path: &str) -> bool {
        let path = hide_vendor(path);
        self.alternatives.iter().any(|alternative| matches(alternative, &path))
    }
}

/// Whether a path or one below it can match the pattern (`TreeCanMatchPattern`).
pub fn tree_can_match(pattern: &str, path: &str) -> bool {
    let (start, is_wild) = match pattern.find("...") {
        Some(at) => (&pattern[..at], true),
        None => (pattern, false),
    };
    path.len() <= start.len() && has_path_prefix(start, path) || is_wild && path.starts_with(start)
}

/// Whether a path begins with the elements of another.
pub fn has_path_prefix(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/') || prefix.is_empty(),
        None => false,
    }
}

fn hide_vendor(path: &str) -> String {
    if !path.contains("vendor") {
        return path.to_owned();
    }
    let count = path.split('/').count();
    let hidden = path
        .split('/')
        .enumerate()
        .map(|(index, element)| if element == "vendor" && index + 1 < count { "\0" } else { element });
    hidden.collect::<Vec<_>>().join("/")
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (index, piece) in text.split("...").enumerate() {
        if index > 0 {
            parts.push(Part::Wild);
        }
        if !piece.is_empty() {
            parts.push(Part::Text(piece.to_owned()));
        }
    }
    parts
}

/// Follows all ways at once, so that no pattern takes long.
fn matches(parts: &[Part], path: &str) -> bool {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for part in parts {
        let mut next = vec![false; path.len() + 1];
        match part {
            Part::Text(text) => {
                for at in (0..=path.len()).filter(|at| reached[*at]) {
                    if path.as_bytes()[at..].starts_with(text.as_bytes()) {
                        next[at + text.len()] = true;
                    }
                }
            }
            Part::Wild => {
                let mut is_open = false;
                for at in 0..=path.len() {
                    is_open = reached[at] || is_open && path.as_bytes()[at - 1] != VENDOR as u8;
                    next[at] = is_open;
                }
            }
        }
        reached = next;
    }
    reached[path.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_any_text_but_vendor() {
        for (pattern, matching, others) in [
            ("net/...", &["net", "net/http", "net/vendor"][..], &["nets", "net/vendor/x"][..]),
            ("...", &["a", "a/b", ""], &["a/vendor/b"]),
            ("a.../b", &["a/b", "ax/y/b"], &["a/b/c", "b"]),
            ("./vendor/...", &["./vendor", "./vendor/x"], &["./vendor/x/vendor/y", "."]),
            ("vendor/...", &["/vendor", "/vendor/x"], &["vendor"]),
            ("a/b", &["a/b"], &["a/b/c", "a"]),
            ("...x...y", &["xy", "axbyy"], &["xay/"]),
        ] {
            let pattern_read = Pattern::new(pattern);
            for path in matching {
                assert!(pattern_read.matches(path), "{pattern} must match {path}");
            }
            for path in others {
                assert!(!pattern_read.matches(path), "{pattern} must not match {path}");
            }
        }
    }

    #[test]
    fn a_tree_may_hold_a_match() {
        for (pattern, path, expected) in [
            ("a/b/...", "a", true),
            ("a/b/...", "a/b/c", true),
            ("a/b/...", "a/c", false),
            ("a/b", "a/b/c", false),
            ("...", "a", true),
        ] {
            assert_eq!(tree_can_match(pattern, path), expected, "{pattern} {path}");
        }
    }
}
