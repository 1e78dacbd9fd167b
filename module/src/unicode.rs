//! Which characters are letters, and which are one letter in another case: by the tables of Go, not of Rust.
//!
//! Go 1.27 stands on Unicode 17.0.0, and what a module zip may hold must not change with a compiler, so the tables
//! are our own. `MODKEEP_WRITE=1 cargo test -p modkeep-module --test unicode` writes them from the judge; without
//! the variable the same test compares every character.

use std::borrow::Cow;

mod tables;

/// The version of Unicode that the tables are of.
pub use tables::VERSION;

/// Go's `unicode.IsLetter`.
pub fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    // The table holds where letters begin and where they end, by turns.
    tables::LETTERS.partition_point(|&bound| bound <= u32::from(c)) % 2 == 1
}

/// The character that stands for all that differ from `c` only in case, by Go's `unicode.SimpleFold`.
///
/// It is the least of them, `K` for `k` and for the Kelvin sign, with `A` to `Z` written `a` to `z`, so that most
/// texts fold to themselves (`golang.org/x/mod/zip.strToFold`).
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = u32::from(c);
    let run = tables::FOLDS.partition_point(|&[_, last, ..]| last < code);
    match tables::FOLDS.get(run) {
        Some(&[first, _, step, less]) if first <= code && (code - first).is_multiple_of(step) => {
            char::from_u32(code - less).unwrap_or(c).to_ascii_lowercase()
        }
        _ => c,
    }
}

/// One text for all that Go's `strings.EqualFold` calls equal.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return text.into();
    }
    text.chars().map(fold_char).collect::<String>().into()
}

/// Go's `strings.EqualFold`.
pub fn equal_fold(a: &str, b: &str) -> bool {
    a.chars().map(fold_char).eq(b.chars().map(fold_char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_case_alone_have_one_fold() {
        for (a, b, same) in [
            ("go.mod", "GO.Mod", true),
            ("k", "\u{212a}", true),
            ("ſ", "S", true),
            ("σ", "ς", true),
            ("ǅ", "ǆ", true),
            ("é", "É", true),
            ("ß", "ẞ", true),
            ("ß", "ss", false),
            ("i", "ı", false),
            ("i", "İ", false),
            ("e\u{301}", "é", false),
        ] {
            assert_eq!(fold(a) == fold(b), same, "{a} {b}");
            assert_eq!(equal_fold(a, b), same, "{a} {b}");
        }
        assert_eq!(fold("Go.MOD"), "go.mod");
    }

    #[test]
    fn letters_are_letters_of_any_script_and_nothing_else() {
        for (c, want) in [('a', true), ('é', true), ('ж', true), ('中', true), ('ª', true), ('ˣ', true)]
        {
            assert_eq!(is_letter(c), want, "{c}");
        }
        for c in ['1', '_', '²', 'Ⅷ', '\u{301}', '😀', '٣', '\u{378}', '\u{10ffff}'] {
            assert!(!is_letter(c), "{c}");
        }
    }
}
