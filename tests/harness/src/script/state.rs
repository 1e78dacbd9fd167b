//! What a script changes as it goes: variables, the current folder, the last output.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::line::{Fragment, Want};
use super::process::Process;

/// The state of one running script.
pub(super) struct State {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) folder: PathBuf,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) background: Vec<(Want, Process)>,
    /// Whether what is slow is left out.
    pub(super) is_short: bool,
    /// What happened, for whoever looks into a failure.
    pub(super) log: String,
}

impl State {
    pub(super) fn new(variables: BTreeMap<String, String>, folder: &Path) -> Self {
        let mut state = Self {
            variables,
            folder: folder.to_owned(),
            stdout: String::new(),
            stderr: String::new(),
            background: Vec::new(),
            is_short: false,
            log: String::new(),
        };
        state.enter(folder.to_owned());
        state
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn get(&self, name: &str) -> &str {
        match name {
            "/" => "/",
            ":" => ":",
            _ => self.variables.get(name).map(String::as_str).unwrap_or_default(),
        }
    }

    pub(super) fn enter(&mut self, folder: PathBuf) {
        self.set("PWD", &folder.to_string_lossy());
        self.folder = folder;
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for part in self.folder.join(name).components() {
            match part {
                std::path::Component::ParentDir => drop(path.pop()),
                std::path::Component::CurDir => {}
                part => path.push(part),
            }
        }
        path
    }

    pub(super) fn word(&self, fragments: &[Fragment], is_pattern: bool) -> String {
        let piece = |piece: &Fragment| match piece.is_quoted {
            true => piece.text.clone(),
            false => self.expand(&piece.text, is_pattern),
        };
        fragments.iter().map(piece).collect()
    }

    /// Puts values in the place of `$NAME` and `${NAME}`; in a pattern they stand for themselves. (`os.Expand`)
    pub(super) fn expand(&self, text: &str, is_pattern: bool) -> String {
        let value = |name: &str| match is_pattern {
            true => regex::escape(self.get(name)),
            false => self.get(name).to_owned(),
        };
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            expanded.push_str(before);
            if let Some((name, behind)) = behind.strip_prefix('{').and_then(|behind| behind.split_once('}')) {
                expanded.push_str(&value(name));
                rest = behind;
                continue;
            }
            let is_special = behind
                .starts_with(|c: char| matches!(c, '*' | '#' | '$' | '@' | '!' | '?' | '-' | '0'..='9'));
            let end = match is_special {
                true => 1,
                false => {
                    behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len())
                }
            };
            if end == 0 {
                expanded.push('$');
            } else {
                expanded.push_str(&value(&behind[..end]));
            }
            rest = &behind[end..];
        }
        expanded + rest
    }

    pub(super) fn note(&mut self, text: &str) {
        self.log.push_str(text);
        if !text.ends_with('\n') {
            self.log.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_and_stand_for_themselves_in_patterns() {
        let variables = [("A", "x.y"), ("B_1", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let state = State::new(variables.into(), Path::new("/w/d"));
        for (text, plain, pattern) in [
            ("$A/${A}z$B_1", "x.y/x.yzb", "x\\.y/x\\.yzb"),
            ("a$", "a$", "a$"),
            ("^a$|b$/", "^a$|b$/", "^a$|b$/"),
            ("${/}$NONE.", "/.", "/."),
        ] {
            assert_eq!(
                (state.expand(text, false).as_str(), state.expand(text, true).as_str()),
                (plain, pattern)
            );
        }
        assert_eq!(state.path("../../x/./y"), Path::new("/x/y"));
    }
}
