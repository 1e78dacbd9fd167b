//! Lists of words as go joins and prints them.
//!
//! Sources: `cmd/internal/quoted`, `cmd/go/internal/work:shell.go:joinUnambiguously`.

use modkeep_module::quote::quote;

/// An argument that holds both kinds of quotes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argument {} contains both single and double quotes and cannot be quoted", quote(.0))]
pub(crate) struct Unquotable(String);

/// Joins words so that [`crate::package_flags::split`] gives them back (`quoted.Join`).
///
/// # Errors
/// For a word that holds both kinds of quotes.
pub(crate) fn join(words: &[String]) -> Result<String, Unquotable> {
    let quoted = words.iter().map(|word| {
        let has = |c: char| word.contains(c);
        if !word.contains([' ', '\t', '\n', '\r', '\'', '"']) {
            Ok(word.clone())
        } else if !has('\'') {
            Ok(format!("'{word}'"))
        } else if !has('"') {
            Ok(format!("\"{word}\""))
        } else {
            Err(Unquotable(word.clone()))
        }
    });
    quoted.collect::<Result<Vec<_>, _>>().map(|words| words.join(" "))
}

/// A list as `%q` prints it.
pub(crate) fn quoted_list(words: &[String]) -> String {
    let quoted: Vec<String> = words.iter().map(quote).collect();
    format!("[{}]", quoted.join(" "))
}

/// A command line for `-n` and `-x`, quoted where it could be misread.
pub(crate) fn shown<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let shown: Vec<String> = words
        .into_iter()
        .map(|word| {
            let quoted = quote(word);
            let is_special = word.is_empty() || word.contains([' ', '(', ')', '>', ';']);
            if is_special || quoted.len() > word.len() + 2 { quoted } else { word.to_owned() }
        })
        .collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined() {
        let words: Vec<String> = ["a", "b c", "d'e"].map(String::from).into();
        assert_eq!(join(&words).unwrap(), "a 'b c' \"d'e\"");
        assert!(join(&["'\"".to_owned()]).is_err());
    }

    #[test]
    fn what_could_be_misread_is_shown_in_quotes() {
        assert_eq!(shown(["a", "", "b c", "x=>y", "\\"]), r#"a "" "b c" "x=>y" "\\""#);
        assert_eq!(quoted_list(&["a".into(), "b".into()]), r#"["a" "b"]"#);
    }
}
