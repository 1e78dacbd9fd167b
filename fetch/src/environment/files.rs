//! The files in which the go command keeps its settings.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Environment, Provenance, Setting};

/// The settings of the user file and of `$GOROOT/go.env`; the first of equal names counts.
pub(super) struct Files {
    settings: HashMap<String, Setting>,
    /// What the installation's file says by itself.
    installed: HashMap<String, Setting>,
}

impl Files {
    /// Reads both; a file that isn't there or can't be read holds nothing, as for the go command.
    pub(super) fn of(environment: &Environment) -> Self {
        let (mut settings, mut installed) = (HashMap::new(), HashMap::new());
        if let Some(file) = user_file(environment) {
            read(&file, &mut settings);
        }
        let goroot = settings
            .get("GOROOT")
            .map(|setting: &Setting| setting.value.as_str())
            .filter(|goroot| !goroot.is_empty())
            .or_else(|| environment.get("GOROOT"))
            .map(PathBuf::from)
            .or_else(|| goroot_of_path(environment));
        if let Some(goroot) = goroot {
            read(&goroot.join("go.env"), &mut installed);
            for (name, setting) in &installed {
                settings.entry(name.clone()).or_insert_with(|| setting.clone());
            }
        }
        Self { settings, installed }
    }

    /// The value of a setting in the files.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|setting| setting.value.as_str()).filter(|value| !value.is_empty())
    }

    /// What the installation's file says.
    pub(super) fn installed(&self, name: &str) -> Option<&str> {
        self.installed.get(name).map(|setting| setting.value.as_str())
    }

    /// Whether one of the files has a line about it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.settings.contains_key(name)
    }

    /// The value of a setting: the variable first, then the files. An empty one in a file counts as not set.
    pub(super) fn value(&self, environment: &Environment, name: &'static str) -> Option<Setting> {
        if let Some(value) = environment.get(name) {
            return Some(Setting { value: value.to_owned(), from: Provenance::Environment(name) });
        }
        self.settings.get(name).filter(|setting| !setting.value.is_empty()).cloned()
    }
}

/// Go's user file: GOENV, unless it says `off`, or `go/env` in the configuration folder.
pub(super) fn user_file(environment: &Environment) -> Option<PathBuf> {
    match environment.get("GOENV") {
        Some("off") => None,
        Some(file) => Some(PathBuf::from(file)),
        None => Some(configuration_folder(environment)?.join("go/env")),
    }
}

/// As Go's `os.UserConfigDir`.
pub(super) fn configuration_folder(environment: &Environment) -> Option<PathBuf> {
    if cfg!(windows) {
        return environment.get("AppData").map(PathBuf::from);
    }
    if cfg!(target_os = "macos") {
        return Some(environment.home()?.join("Library/Application Support"));
    }
    match environment.get("XDG_CONFIG_HOME") {
        Some(folder) => Some(PathBuf::from(folder)).filter(|folder| folder.is_absolute()),
        None => Some(environment.home()?.join(".config")),
    }
}

/// The GOROOT of the go command that PATH leads to, links followed.
fn goroot_of_path(environment: &Environment) -> Option<PathBuf> {
    let go = super::command::on_path(environment)?.canonicalize().ok()?;
    Some(go.parent()?.parent()?.to_owned())
}

/// Takes `NAME=value` lines; all others are comments.
fn read(file: &Path, settings: &mut HashMap<String, Setting>) {
    let Ok(text) = std::fs::read(file) else { return };
    let mut own = HashMap::new();
    for line in String::from_utf8_lossy(&text).split('\n') {
        if let Some((name, value)) = line.split_once('=')
            && name.starts_with(|first: char| first.is_ascii_uppercase())
        {
            let from = Provenance::File(file.to_owned());
            own.insert(name.to_owned(), Setting { value: value.to_owned(), from });
        }
    }
    for (name, setting) in own {
        settings.entry(name).or_insert(setting);
    }
}
