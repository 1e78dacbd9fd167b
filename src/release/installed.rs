//! The Go that is installed, known without running it.

use std::path::PathBuf;

use super::of_toolchain;
use crate::config::Environment;

/// The release of GOROOT, or of the go on PATH, as its `VERSION` file says.
pub(super) fn release(environment: &Environment) -> Option<String> {
    let root = environment.get("GOROOT").map(PathBuf::from).or_else(|| on_path(environment))?;
    let version = std::fs::read_to_string(root.join("VERSION")).ok()?;
    of_toolchain(version.lines().next()?).map(str::to_owned)
}

/// GOROOT of the go on PATH: two levels above the program, links followed.
fn on_path(environment: &Environment) -> Option<PathBuf> {
    root_on(environment.get("PATH")?)
}

/// GOROOT of the go on a PATH.
pub(super) fn root_on(path: &std::ffi::OsStr) -> Option<PathBuf> {
    let folders = std::env::split_paths(path);
    let program = folders.map(|folder| folder.join("go")).find(|file| file.is_file())?;
    Some(program.canonicalize().ok()?.parent()?.parent()?.to_owned())
}
