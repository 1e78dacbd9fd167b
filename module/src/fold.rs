//! Names that differ only in case, by Unicode's simple folding as Go has it.
//!
//! A character stands for its whole class when it is the smallest member, and `A` to `Z` are written `a` to
//! `z`, so that most names fold to themselves. Lower-casing would not do: it keeps `ſ` apart from `s`.
//! The tables are those of Unicode 17, which Go 1.27 has; the standard library may be newer.

mod table;

use std::borrow::Cow;

use table::FOLDS;

/// A text that is equal for texts which `strings.EqualFold` calls equal (`golang.org/x/mod/zip.strToFold`).
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold_char).collect())
}

/// The character that stands for all that differ from `c` only in case.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = c as u32;
    let next = FOLDS.partition_point(|&(_, last, _, _)| last < code);
    match FOLDS.get(next) {
        Some(&(first, _, stride, down)) if first <= code && (code - first).is_multiple_of(stride) => {
            let folded = char::from_u32(code - down).unwrap_or(c);
            folded.to_ascii_lowercase()
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_only_in_case_fold_to_one() {
        for (one, other) in [
            ("README.md", "readme.MD"),
            ("straße", "ſtraẞe"),
            ("Kelvin", "\u{212a}elvin"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("Ǆ", "ǅ"),
            ("µ", "Μ"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn names_that_are_not_equal_in_go_stay_apart() {
        for (one, other) in [("ß", "ss"), ("İ", "i"), ("ı", "i"), ("ﬁ", "fi"), ("é", "e")] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for c in '\0'..=char::MAX {
            assert_eq!(fold_char(fold_char(c)), fold_char(c), "{c:?}");
        }
    }
}
