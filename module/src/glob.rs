//! The patterns of GOPRIVATE and its kin: globs matched against the leading elements of a module path.
//!
//! A glob is Go's `path.Match`: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, `\` takes the next
//! character as it is. Text is bytes, as in Go: after a `*` a match may begin inside a character.

use crate::quote::decode;

/// A glob that has no meaning, whatever it is matched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether any leading part of a path matches one of the comma-separated globs (`module.MatchPrefixPatterns`).
///
/// A glob of N elements is matched with the first N elements of the path. Empty and malformed globs match nothing;
/// a slash at the end of a glob is ignored, spaces are not.
pub fn match_prefix_patterns(globs: &str, path: &str) -> bool {
    globs.split(',').any(|glob| {
        let glob = glob.strip_suffix('/').unwrap_or(glob);
        let more_elements = glob.matches('/').count();
        let prefix = match path.match_indices('/').nth(more_elements) {
            Some((end, _)) => &path[..end],
            None if path.matches('/').count() == more_elements => path,
            None => return false,
        };
        !glob.is_empty() && path_match(glob, prefix) == Ok(true)
    })
}

/// Whether the whole name matches the glob (`path.Match`).
///
/// # Errors
/// For a malformed pattern, in the cases in which Go finds it out.
pub fn path_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let (mut pattern, mut name) = (pattern.as_bytes(), name.as_bytes());
    while !pattern.is_empty() {
        let (starred, chunk, rest) = first_chunk(pattern);
        if starred && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        // The last chunk must use up the name; another leaves the rest to the chunks after it.
        let fits = |left: &[u8]| left.is_empty() || !rest.is_empty();
        let mut left = match_chunk(chunk, name)?.filter(|left| fits(left));
        if starred && left.is_none() {
            let skippable = name.iter().position(|&b| b == b'/').unwrap_or(name.len());
            for skipped in 1..=skippable {
                left = match_chunk(chunk, &name[skipped..])?.filter(|left| fits(left));
                if left.is_some() {
                    break;
                }
            }
        }
        pattern = rest;
        match left {
            Some(left) => name = left,
            None => {
                check_syntax(pattern)?;
                return Ok(false);
            }
        }
    }
    Ok(name.is_empty())
}

/// Reads the chunks that were not needed for a verdict.
fn check_syntax(mut pattern: &[u8]) -> Result<(), BadPattern> {
    while !pattern.is_empty() {
        let (_, chunk, rest) = first_chunk(pattern);
        match_chunk(chunk, b"")?;
        pattern = rest;
    }
    Ok(())
}

/// Whether the pattern begins with stars, what follows up to the next star, and the rest.
fn first_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|&&b| b == b'*').count();
    let pattern = &pattern[stars..];
    let (mut in_class, mut escaped) = (false, false);
    let end = pattern.iter().position(|&b| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match b {
            b'\\' => escaped = true,
            b'[' => in_class = true,
            b']' => in_class = false,
            _ => {}
        }
        b == b'*' && !in_class
    });
    let (chunk, rest) = pattern.split_at(end.unwrap_or(pattern.len()));
    (stars > 0, chunk, rest)
}

/// Matches a chunk with the beginning of a name: what of the name is left, or `None`.
///
/// A chunk is read to its end even when the match has failed, to find its errors.
fn match_chunk<'a>(mut chunk: &[u8], name: &'a [u8]) -> Result<Option<&'a [u8]>, BadPattern> {
    let mut left = Some(name);
    while let Some((&first, after)) = chunk.split_first() {
        left = left.filter(|left| !left.is_empty());
        match first {
            b'[' => {
                let (char, width) = left.map_or(('\0', 0), decode);
                let (matched, rest) = match_class(after, char)?;
                left = left.filter(|_| matched).map(|left| &left[width..]);
                chunk = rest;
            }
            b'?' => {
                left = left.filter(|left| left[0] != b'/').map(|left| &left[decode(left).1..]);
                chunk = after;
            }
            _ => {
                let (literal, rest) = match first {
                    b'\\' => after.split_first().ok_or(BadPattern)?,
                    _ => (&first, after),
                };
                left = left.filter(|left| left[0] == *literal).map(|left| &left[1..]);
                chunk = rest;
            }
        }
    }
    Ok(left)
}

/// Reads a class after its `[`: whether it holds for the character, and what follows its `]`.
fn match_class(class: &[u8], char: char) -> Result<(bool, &[u8]), BadPattern> {
    let (negated, mut rest) = match class.strip_prefix(b"^") {
        Some(rest) => (true, rest),
        None => (false, class),
    };
    let mut matched = false;
    for ranges in 0.. {
        if let (Some(after), true) = (rest.strip_prefix(b"]"), ranges > 0) {
            rest = after;
            break;
        }
        let (low, after) = class_char(rest)?;
        let (high, after) = match after.strip_prefix(b"-") {
            Some(after) => class_char(after)?,
            None => (low, after),
        };
        matched |= (low..=high).contains(&char);
        rest = after;
    }
    Ok((matched != negated, rest))
}

/// One character of a class, which something must follow.
fn class_char(class: &[u8]) -> Result<(char, &[u8]), BadPattern> {
    let class = match class.first() {
        None | Some(b'-' | b']') => return Err(BadPattern),
        Some(b'\\') => &class[1..],
        Some(_) => class,
    };
    if class.is_empty() {
        return Err(BadPattern);
    }
    let (char, width) = decode(class);
    let rest = &class[width..];
    if rest.is_empty() { Err(BadPattern) } else { Ok((char, rest)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_a_whole_name() {
        let bad = Err(BadPattern);
        for (pattern, name, want) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*", "a/b", Ok(false)),
            ("*c", "abc", Ok(true)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[^b-d]", "abc", Ok(false)),
            ("a\\*b", "a*b", Ok(true)),
            ("a?b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[^a]", "/", Ok(true)),
            ("[]a]", "]", bad),
            ("[-]", "-", bad),
            ("[x-]", "x", bad),
            ("[a-b-c]", "a", bad),
            ("[", "a", bad),
            ("a[", "ab", bad),
            ("*x[", "ab", bad),
            ("a\\", "a", bad),
            ("", "", Ok(true)),
            ("", "a", Ok(false)),
        ] {
            assert_eq!(path_match(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_covers_the_modules_below_it() {
        for (globs, path, want) in [
            ("corp.example", "corp.example/a", true),
            ("corp.example/", "corp.example/a", true),
            ("corp.example/a", "corp.example/ab", false),
            ("corp.example/a", "corp.example", false),
            ("*.corp.example", "git.corp.example/x", true),
            ("*.corp.example", "corp.example/x", false),
            ("corp.example/*/secret", "corp.example/team/secret/v2", true),
            (",[,x.y", "x.y/z", true),
            (" x.y", "x.y/z", false),
            ("none", "x.y/z", false),
            ("", "x.y/z", false),
        ] {
            assert_eq!(match_prefix_patterns(globs, path), want, "{globs} {path}");
        }
    }
}
