//! The commands that look at text: `stdout`, `stderr`, `grep`, `cmp`, `cmpenv`.

use std::fs;

use regex::RegexBuilder;

use super::End;
use super::state::State;

/// `stdout`, `stderr` and `grep`: whether a pattern, `-count=N` times if that is said, is found.
pub(super) fn search(state: &State, command: &str, words: &[String]) -> Result<(), End> {
    let mut words = words.iter().peekable();
    let count = words.next_if(|word| word.starts_with("-count=")).map(|word| &word["-count=".len()..]);
    words.next_if(|word| *word == "-q");
    let (Some(pattern), file) = (words.next(), words.next()) else {
        return Err(End::Failed("usage".into()));
    };
    let text = match (command, file) {
        ("stdout", None) => state.stdout.clone(),
        ("stderr", None) => state.stderr.clone(),
        ("grep", Some(file)) => read(state, file)?,
        _ => return Err(End::Failed("usage".into())),
    };
    let regex = RegexBuilder::new(&as_rust(pattern)).multi_line(true).build();
    let regex = regex.map_err(|error| End::Failed(format!("pattern {pattern}: {error}")))?;
    let is_found = match count {
        Some(count) => regex.find_iter(&text).count().to_string() == count,
        None => regex.is_match(&text),
    };
    match is_found {
        true => Ok(()),
        false => Err(End::Failed(format!("no match for `{pattern}` in {command}"))),
    }
}

/// Which of the words, counted from 0, is a pattern.
pub(super) fn pattern_at(words: &[String]) -> Option<usize> {
    words.iter().position(|word| !word.starts_with('-'))
}

/// Go takes a brace that begins no count as itself.
fn as_rust(pattern: &str) -> String {
    let mut translated = String::new();
    let mut chars = pattern.chars().peekable();
    let mut is_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                translated.push(c);
                translated.extend(chars.next());
                continue;
            }
            '[' if is_class => translated.push('\\'),
            '[' => is_class = true,
            ']' => is_class = false,
            '{' if !is_class && !chars.peek().is_some_and(char::is_ascii_digit) => translated.push('\\'),
            _ => {}
        }
        translated.push(c);
    }
    translated
}

/// `cmp` and `cmpenv`: whether two texts are equal, variables put in or not.
pub(super) fn compare(state: &State, words: &[String], with_variables: bool) -> Result<(), End> {
    let words = words.strip_prefix(&["-q".to_owned()]).unwrap_or(words);
    let [name, expected] = words else { return Err(End::Failed("usage".into())) };
    let mut texts = [read(state, name)?, fs_text(state, expected)?];
    if with_variables {
        texts = texts.map(|text| state.expand(&text, false));
    }
    let [text, want] = texts;
    match text == want {
        true => Ok(()),
        false if name == "stderr" => Err(End::OtherWords(differ(name, expected, &text, &want))),
        false => Err(End::Failed(differ(name, expected, &text, &want))),
    }
}

fn differ(name: &str, expected: &str, text: &str, want: &str) -> String {
    format!("{name} and {expected} differ\n[{name}]\n{text}\n[{expected}]\n{want}")
}

/// A file, or what the last command said.
pub(super) fn read(state: &State, name: &str) -> Result<String, End> {
    match name {
        "stdout" => Ok(state.stdout.clone()),
        "stderr" => Ok(state.stderr.clone()),
        _ => fs_text(state, name),
    }
}

fn fs_text(state: &State, name: &str) -> Result<String, End> {
    let bytes = fs::read(state.path(name)).map_err(End::io(name))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_that_count_nothing_are_themselves() {
        assert_eq!(as_rust(r"^{$|a{2}[{[]\{"), r"^\{$|a{2}[{\[]\{");
    }
}
