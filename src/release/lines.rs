//! The go and toolchain lines of go.work or go.mod, read as go reads them before it knows which release it is: line by
//! line, whatever else the file holds (`internal/gover/mod.go:GoModLookup`).

use std::path::{Path, PathBuf};

use crate::config::Environment;

/// What the file says; empty where it says nothing or there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) file: String,
    pub(super) go: String,
    pub(super) toolchain: String,
}

impl Lines {
    /// Those of the workspace, or else of the module, that the current folder is in.
    pub(super) fn find(environment: &Environment) -> Self {
        let Ok(folder) = std::env::current_dir() else { return Self::default() };
        let workspace = match environment.go_setting("GOWORK").as_deref() {
            Some("off") => None,
            Some(file) if file != "auto" => Some(PathBuf::from(file)).filter(|file| file.is_file()),
            _ => upwards(&folder, "go.work"),
        };
        let file = workspace.or_else(|| upwards(&folder, "go.mod"));
        let text = file.as_deref().map(std::fs::read_to_string).and_then(Result::ok);
        match (file, text) {
            (Some(file), Some(text)) => Self {
                file: file.display().to_string(),
                go: line(&text, "go").to_owned(),
                toolchain: line(&text, "toolchain").to_owned(),
            },
            _ => Self::default(),
        }
    }
}

fn upwards(folder: &Path, name: &str) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn line<'a>(text: &'a str, key: &str) -> &'a str {
    let value = |line: &'a str| line.trim().strip_prefix(key).filter(|rest| rest.starts_with([' ', '\t']));
    let found = text.lines().find_map(value).unwrap_or_default();
    found.split("//").next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_first_key_less_the_comment() {
        let text = "module m\n\ngolang 1\n\tgo 1.21 // old\ngo 1.22\ntoolchain default\n";
        assert_eq!(
            (line(text, "go"), line(text, "toolchain"), line(text, "godebug")),
            ("1.21", "default", "")
        );
    }
}
