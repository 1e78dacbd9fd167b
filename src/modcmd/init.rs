//! `modkeep mod init`: a go.mod for the current folder.
//!
//! Source of the rules: `cmd/go/internal/modload/init.go:CreateModFile`.

mod guess;
mod suggestion;

use modkeep_module::gomod::GoMod;
use modkeep_module::path::major::split_path_version;
use modkeep_module::path::{PathKind, check_import_path};
use modkeep_module::quote::quote;

use super::main_module::check_modfile;
use crate::flags::{Usage, module_flags};
use crate::goenv::{GoEnv, paths};
use crate::locked;
use crate::report::{self, Failure};
use crate::session::ModFlags;

/// How the verb is used.
pub(crate) const USAGE: Usage =
    Usage { name: "mod init", line: "go mod init [module-path]", flags: module_flags![] };

/// Writes the file.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| flags.set(name, value).map(drop))?;
    let modfile = &flags.modfile;
    if words.len() > 1 {
        return Err(Failure::go("'go mod init' accepts at most one argument"));
    }
    go.check_modules_enabled()?;
    go.lay_over(&flags.overlay)?;
    check_modfile(modfile)?;
    let file = if modfile.is_empty() { paths::join(go.folder(), "go.mod") } else { modfile.clone() };
    if go.seen().check(&file).is_ok() {
        return Err(Failure::go(format!("{file} already exists")));
    }
    let path = match words.first().filter(|path| !path.is_empty()) {
        Some(path) => path.clone(),
        None => guess::module_path(go)?,
    };
    check(&path)?;
    let where_to = match modfile.is_empty() || go.is_before("1.27") {
        true => String::new(),
        false => format!(" (using -modfile path {})", go.short(&file)),
    };
    report::tell(&format!("go: creating new go.mod{where_to}: module {path}"));
    write(&file, &path, go.release())?;
    if has_code(go.folder()) {
        report::tell("go: to add module requirements and sums:\n\tgo mod tidy");
    }
    Ok(())
}

fn write(file: &str, path: &str, release: &str) -> Result<(), Failure> {
    let mut module = GoMod::new();
    module.add_module(path);
    module.add_go(release).map_err(|error| Failure::go(format!("internal error: {error}")))?;
    module.cleanup();
    locked::change(file, b"", &module.format()).map_err(Failure::go)
}

fn check(path: &str) -> Result<(), Failure> {
    if let Err(mut error) = check_import_path(path) {
        error.kind = PathKind::Module;
        let is_local = matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../");
        return Err(Failure::go(match is_local {
            true => format!("malformed module path {}: is a local import path", quote(path)),
            false => error.to_string(),
        }));
    }
    if matches!(path, "go" | "toolchain") {
        return Err(Failure::go(format!("invalid module path {}: ", quote(path))));
    }
    if split_path_version(path).is_some() {
        return Ok(());
    }
    let (rule, better) = match path.starts_with("gopkg.in/") {
        true => (
            "module paths beginning with gopkg.in/ must always have a major version suffix in the form of .vN",
            suggestion::for_gopkg_in(path),
        ),
        false => (
            "major version suffixes must be in the form of /vN and are only allowed for v2 or later",
            suggestion::for_others(path),
        ),
    };
    Err(Failure::go(format!("invalid module path \"{path}\": {rule}:\n\tgo mod init {better}")))
}

/// Whether there is a project in the folder already: a go file or a folder that isn't hidden.
fn has_code(folder: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        !name.starts_with(['.', '_']) && (name.ends_with(".go") || is_folder)
    })
}
