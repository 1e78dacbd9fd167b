//! A go.work file and the go.mod files that it uses, read and written as the work verbs do.

use std::fs::OpenOptions;
use std::io::Write;

use modkeep_module::gomod::{GoMod, is_directory_path};
use modkeep_module::gowork::GoWork;
use modkeep_resolver::error::TooNew;
use modkeep_resolver::go_version;
use modkeep_resolver::world::LocalGo;

use crate::goenv::{GoEnv, paths, words};
use crate::locked;
use crate::report::Failure;
use crate::session;

/// What a go.work without a go line counts as.
const OLDEST: &str = "1.18";
/// The release from which on toolchain lines mean something.
const STRICT: &str = "1.21";

/// The file in force, or the error of the verbs that need one.
pub(crate) fn in_force(go: &GoEnv) -> Result<String, Failure> {
    go.go_work()?.ok_or_else(|| {
        Failure::go(
            "no go.work file found\n\t(run 'go work init' first or specify path using GOWORK environment variable)",
        )
    })
}

/// Reads it; the error is without `go: `. (`modload.ReadWorkFile`)
pub(crate) fn read(go: &GoEnv, path: &str, is_edit: bool) -> Result<GoWork, String> {
    let path = go.short(path);
    let data = go
        .seen()
        .content(&go.absolute(&path))
        .map_err(|error| format!("reading go.work: open {path}: {}", words(&error)))?;
    let file = GoWork::parse(&path, &data).map_err(|errors| format!("errors parsing go.work:\n{errors}"))?;
    if !is_edit {
        check_release(go, &path, &file)?;
    }
    Ok(file)
}

/// Refuses a go.work of a newer release; the error is without `go: `.
pub(crate) fn check_release(go: &GoEnv, path: &str, file: &GoWork) -> Result<(), String> {
    match file.go() {
        Some(line) if is_too_new(go, &line.version) => {
            Err(too_new(go, &go.short(path), &line.version).to_string())
        }
        _ => Ok(()),
    }
}

/// The folders that it uses, in order.
pub(crate) fn roots(path: &str, file: &GoWork) -> Vec<String> {
    let home = paths::parent(path).unwrap_or("/");
    file.uses().iter().map(|directive| root(home, &directive.path)).collect()
}

/// A folder that a go.work in `home` uses.
pub(super) fn root(home: &str, used: &str) -> String {
    match used.starts_with('/') {
        true => paths::clean(used),
        false => paths::join(home, used),
    }
}

/// Writes it with its blocks in order.
pub(crate) fn write(path: &str, file: &mut GoWork) -> Result<(), Failure> {
    file.sort_blocks();
    file.cleanup();
    let opened = OpenOptions::new().write(true).create(true).truncate(true).open(path);
    let written = opened.and_then(|mut out| out.write_all(&file.format()));
    // Go's verbs don't look at the outcome; a file that wasn't written is a failure all the same.
    written.map_err(|error| Failure::go(format!("open {path}: {}", words(&error))))
}

/// Raises the go line, and drops a toolchain line that says no more than it. (`modload.UpdateWorkGoVersion`)
pub(crate) fn raise(file: &mut GoWork, version: &str) -> Result<(), Failure> {
    if go_version::compare(of(file), version).is_ge() {
        return Ok(());
    }
    file.add_go(version).map_err(|error| Failure::go(format!("internal error: {error}")))?;
    if let Some(toolchain) = file.toolchain() {
        let release = go_version::of_toolchain(&toolchain.name);
        let is_older = |other| go_version::compare(release, other).is_lt();
        if toolchain.name == format!("go{version}") || is_older(version) || is_older(STRICT) {
            file.drop_toolchain();
        }
    }
    Ok(())
}

/// The go version of a go.work.
pub(crate) fn of(file: &GoWork) -> &str {
    file.go().map_or(OLDEST, |line| &line.version)
}

/// Why a go.mod can't be used, in go's words without `go: `.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    /// For a newer release it could be.
    #[error(transparent)]
    TooNew(TooNew),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The go.mod of a module on disk. (`modload.ReadModFile`)
pub(crate) fn read_module(go: &GoEnv, path: &str) -> Result<GoMod, Unusable> {
    let data = locked::read_seen(go.seen(), path).map_err(|error| Unusable::Other(error.to_string()))?;
    let short = go.short(path);
    let version = |file: &GoMod| file.go().map(|line| line.version.clone()).filter(|v| is_too_new(go, v));
    let file = match GoMod::parse(path, &data) {
        Ok(file) => file,
        Err(errors) => {
            let lax = GoMod::parse_lax(&short, &data).ok().and_then(|file| version(&file));
            return Err(match lax {
                Some(version) => Unusable::TooNew(too_new(go, &short, &version)),
                // Only at the beginning of a line is the name shortened.
                None => {
                    let errors = errors.with_file_name(&short);
                    Unusable::Other(format!("errors parsing {short}:\n{errors}"))
                }
            });
        }
    };
    if let Some(version) = version(&file) {
        return Err(Unusable::TooNew(too_new(go, &short, &version)));
    }
    match file.module() {
        None => Err(Unusable::Other(format!(
            "error reading {short}: missing module declaration. To specify the module path:\n\tgo mod edit -module=example.com/mod"
        ))),
        Some(module) if matches!(module.path.as_str(), "go" | "toolchain") => {
            Err(Unusable::Other(format!("error reading {short}: invalid module path: \"{}\"", module.path)))
        }
        Some(_) => Ok(file),
    }
}

fn is_too_new(go: &GoEnv, version: &str) -> bool {
    go_version::compare(version, go.release()).is_gt()
}

fn too_new(go: &GoEnv, what: &str, version: &str) -> TooNew {
    let LocalGo { version: local, explain } = session::local(go);
    TooNew { what: what.to_owned(), version: version.to_owned(), local, explain }
}

/// A path that reads as a directory: rooted, or beginning with a dot. (`modload.ToDirectoryPath`)
pub(super) fn directory(path: &str) -> String {
    if is_directory_path(path) { path.to_owned() } else { format!("./{}", paths::clean(path)) }
}
