//! `modkeep work use`: which modules on disk a workspace uses.
//!
//! Source of the rules: `cmd/go/internal/workcmd/use.go`.

mod folders;

use modkeep_module::gowork::GoWork;
use modkeep_resolver::error::newest;
use modkeep_resolver::go_version;

use super::file::{self, Unusable};
use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::{GoEnv, paths};
use crate::report::{self, Failure};
use crate::session::{Ground, ModFlags, Session, Wanted};
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
    apply(go, (USAGE.name, &flags), &path, &mut workspace, (&folders, is_recursive))?;
    file::write(&path, &mut workspace)
}

/// Takes the named folders up where they hold a module and lets go of them where they don't, then raises the go line to
/// that of the newest module. Changes nothing on disk. Where a module needs a newer release, that release may have to do it.
pub(super) fn apply(
    go: &GoEnv,
    (verb, flags): (&'static str, &ModFlags),
    path: &str,
    workspace: &mut GoWork,
    (named, is_recursive): (&[String], bool),
) -> Result<(), Failure> {
    let home = paths::parent(path).unwrap_or("/").to_owned();
    let mut folders = Folders::of(go, &home, workspace);
    for folder in named {
        folders.look(folder, is_recursive);
    }
    let has_failed = folders.has_failed();
    let mut errors: Vec<_> = folders.change(workspace).into_iter().map(Unusable::Other).collect();
    let mut version = file::of(workspace).to_owned();
    let used: Vec<String> = workspace.uses().iter().map(|line| line.path.clone()).collect();
    for folder in used.iter().filter(|folder| !folder.is_empty()) {
        match file::read_module(go, &paths::join(&file::root(&home, folder), "go.mod")) {
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
        return Err(fail(go, verb, flags, &errors));
    }
    if has_failed {
        return Err(Failure::told(1));
    }
    file::raise(workspace, &version)?;
    name_modules(go, workspace);
    Ok(())
}

/// The end for some errors: that a newer release is to begin again, or the errors told.
fn fail(go: &GoEnv, verb: &'static str, flags: &ModFlags, errors: &[Unusable]) -> Failure {
    let needs = errors.iter().filter_map(|error| match error {
        Unusable::TooNew(error) => Some(error),
        Unusable::Other(_) => None,
    });
    let tell = |session: &mut Session<'_>| errors.iter().for_each(|error| session.fail(&error.to_string()));
    let change = newest(needs).and_then(|too_new| {
        let wanted = Wanted { verb, is_outside: true, flags: flags.clone(), ..Wanted::default() };
        // Where a session can't be had the errors themselves are what matters.
        Session::start_on(go, &wanted, Ground::Open).ok()?.switch_for(too_new, tell)
    });
    change.unwrap_or_else(|| {
        errors.iter().for_each(|error| report::tell(&format!("go: {error}")));
        Failure::told(1)
    })
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
