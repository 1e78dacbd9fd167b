//! Packages that are named with the version of their module, built as if there were no module around.
//!
//! Source of the rules: `cmd/go/internal/load/pkg.go:PackagesAndErrorsOutsideModule`.

use std::sync::Arc;

use modkeep_builder::modules::Module;
use modkeep_module::{GoMod, file_path};
use modkeep_resolver::get::{Argument, GetOptions};
use modkeep_resolver::requirements::Requirements;

use super::{Session, is_local};
use crate::report::Failure;

/// Whether a word names packages with a version.
pub(crate) fn has_version(word: &str) -> bool {
    word.contains('@') && !is_local(word)
}

/// The words less their version, which all of them share.
pub(super) fn without_version(words: &[String]) -> Result<Vec<String>, Failure> {
    let Some(first) = words.iter().find(|word| word.contains('@')) else { return Ok(words.to_vec()) };
    let version = &first[first.find('@').unwrap_or_default() + 1..];
    if version.is_empty() {
        return Err(Failure::go(format!("{first}: version must not be empty")));
    }
    let suffix = format!("@{version}");
    words.iter().map(|word| cut(word, &suffix)).collect()
}

fn cut(word: &str, suffix: &str) -> Result<String, Failure> {
    let wrong = |problem: &str| Err(Failure::go(format!("{word}: argument must be a {problem}")));
    let Some(path) = word.strip_suffix(suffix) else {
        return Err(Failure::go(format!(
            "{word}: all arguments must refer to packages in the same module at the same version ({suffix})"
        )));
    };
    match path {
        _ if path.starts_with('/') => wrong("package path, not an absolute path"),
        _ if is_local(path) => wrong("package path, not a relative path"),
        "std" | "cmd" | "tool" | "work" | "all" => wrong("package path, not a meta-package"),
        _ if file_path::clean(path) != path => wrong("clean package path"),
        _ => Ok(path.to_owned()),
    }
}

/// What the module of the named packages requires, itself at that version.
pub(super) fn requirements(
    session: &mut Session<'_>,
    words: &[String],
) -> Result<Arc<Requirements>, Failure> {
    without_version(words)?;
    session.tell_standard(false);
    session.world.allows_missing_imports = true;
    let arguments = words.iter().map(|word| Argument { text: word.clone(), absolute: None });
    let options = GetOptions { arguments: arguments.collect(), ..GetOptions::default() };
    Ok(session.answer_each(|world| world.get(&options))?.requirements)
}

/// Refuses a go.mod that would be read otherwise in a main module.
pub(super) fn check_go_mod(module: &Module) -> Result<(), Failure> {
    let Ok(data) = std::fs::read(&module.go_mod) else { return Ok(()) };
    let Ok(file) = GoMod::parse("go.mod", &data) else { return Ok(()) };
    let what = match (file.replaces().is_empty(), file.excludes().is_empty()) {
        (false, _) => "replace",
        (_, false) => "exclude",
        _ => return Ok(()),
    };
    let name = format!("{}@{}", module.path, module.version);
    Err(Failure::go(format!(
        "{name} (in {name}):\n\tThe go.mod file for the module providing named packages contains one or\n\tmore {what} \
         directives. It must not contain directives that would cause\n\tit to be interpreted differently than if it \
         were the main module."
    )))
}
