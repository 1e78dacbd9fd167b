//! `modkeep work use`: which modules on disk a workspace uses.
//!
//! Source of the rules: `cmd/go/internal/workcmd/use.go`.

mod folders;

use modkeep_module::gowork::GoWork;
use modkeep_resolver::go_version;

use super::file;
use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::{GoEnv, paths};
use crate::report::Failure;
use crate::session::ModFlags;
use folders::Folders;

/// How the verb is used.
pub(crate) const USAGE: Usage =
    Usage { name: "work use", line: "go work use [-r] [moddirs]", flags: module_flags![("r", Kind::Bool),] };

/// The version that a go.mod without a go line counts as.
const OLDEST_MODULE: &str = "1.16";

/// Changes the go.work in force.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let (mut is_recursive, mut flags) = (false, ModFlags::default());
    let folders = USAGE.parse(words, go.goflags(), |name, value| {
        match name {
            "r" => is_recursive = value == "true",
            _ => drop(flags.set(name, value)?),
        }
        Ok(())
    })?;
    go.lay_over(&flags.overlay)?;
    let path = file::in_force(go)?;
    let mut workspace = file::read(go, &path, false).map_err(Failure::go)?;
    apply(go, &path, &mut workspace, &folders, is_recursive)?;
    file::write(&path, &mut workspace)
}

/// Takes the named folders up where they hold a module and lets go of them where they don't, then raises the go line to
/// that of the newest module. Changes nothing on disk.
pub(super) fn apply(
    go: &GoEnv,
    path: &str,
    workspace: &mut GoWork,
    named: &[String],
    is_recursive: bool,
) -> Result<(), Failure> {
    let home = paths::parent(path).unwrap_or("/").to_owned();
    let mut folders = Folders::of(go, &home, workspace);
    for folder in named {
        folders.look(folder, is_recursive);
    }
    let mut errors = folders.change(workspace);
    let mut version = file::of(workspace).to_owned();
    let used: Vec<String> = workspace.uses().iter().map(|line| line.path.clone()).collect();
    for folder in used.iter().filter(|folder| !folder.is_empty()) {
        let folder = if folder.starts_with('/') { paths::clean(folder) } else { paths::join(&home, folder) };
        match file::read_module(go, &paths::join(&folder, "go.mod")) {
            Ok(module) => {
                let line = module.go().map_or(OLDEST_MODULE, |line| &line.version);
                if go_version::compare(line, &version).is_gt() {
                    line.clone_into(&mut version);
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        let lines: Vec<_> = errors.iter().map(|error| format!("go: {error}")).collect();
        return Err(Failure::exact(1, lines.join("\n")));
    }
    file::raise(workspace, &version)?;
    name_modules(go, workspace);
    Ok(())
}

/// Go writes the module path of each folder down where it knows it, which no file shows yet.
pub(super) fn name_modules(go: &GoEnv, workspace: &mut GoWork) {
    let unnamed: Vec<String> = workspace
        .uses()
        .iter()
        .filter(|line| line.module_path.is_empty() && !line.path.is_empty())
        .map(|line| line.path.clone())
        .collect();
    for folder in unnamed {
        if let Ok(module) = file::read_module(go, &paths::join(&folder, "go.mod")) {
            workspace.add_use(&folder, module.module().map_or("", |module| &module.path));
        }
    }
}
