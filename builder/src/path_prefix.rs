//! Paths below others, element by element (`cmd/go/internal/str:path.go`).

/// Whether a path begins with the elements of another.
pub fn has_path_prefix(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/') || prefix.is_empty(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_count_as_a_whole() {
        for (path, prefix, want) in [
            ("a/b", "a", true),
            ("a/b", "a/", true),
            ("a", "a", true),
            ("ab", "a", false),
            ("a", "a/b", false),
            ("a/b", "", true),
        ] {
            assert_eq!(has_path_prefix(path, prefix), want, "{path} {prefix}");
        }
    }
}
