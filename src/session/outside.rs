//! Packages that are named with the version of their module, built as if there were no module around.
//!
//! Source of the rules: `cmd/go/internal/load/pkg.go:PackagesAndErrorsOutsideModule`.

use std::sync::Arc;

use modkeep_builder::modules::Module;
use modkeep_module::{GoMod, file_path};
use modkeep_resolver::edit::Edit;
use modkeep_resolver::error::Halt;
use modkeep_resolver::node::Node;
use modkeep_resolver::requirements::{Load, Requirements};
use modkeep_resolver::retraction::short_message;
use modkeep_resolver::world::World;

use super::{Session, is_local};
use crate::goenv::words as system_words;
use crate::report::{self, Failure};

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

/// The module that provides the first of the named packages, and with it all of them.
pub(super) struct Root {
    /// `path@version`
    pub(super) name: String,
    path: String,
    version: String,
}

impl Root {
    fn of(module: &Node) -> Self {
        let (path, version) = (module.path.to_string(), module.version.to_string());
        Self { name: format!("{path}@{version}"), path, version }
    }

    /// What is wrong with a named package that another module provides.
    pub(super) fn refuse(&self, package: &str, module: &Module) -> Option<String> {
        let is_same = module.path == self.path && module.version == self.version;
        (!is_same).then(|| {
            format!(
                "package {package} provided by module {}@{}\n\tAll packages must be provided by the same module ({}).",
                module.path, module.version, self.name
            )
        })
    }
}

/// What the module of the first named package requires, itself at that version. `sources` is GOROOT/src.
pub(super) fn requirements(
    session: &mut Session<'_>,
    words: &[String],
    sources: &str,
) -> Result<(Arc<Requirements>, Root), Failure> {
    let paths = without_version(words)?;
    let is_standard = |path: &str| {
        let is_reserved = !path.split('/').next().unwrap_or(path).contains('.');
        let entries = || std::fs::read_dir(format!("{sources}/{path}")).into_iter().flatten().flatten();
        is_reserved
            && !path.contains("...")
            && entries().any(|entry| entry.file_name().to_string_lossy().ends_with(".go"))
    };
    if let Some((word, _)) = words.iter().zip(&paths).find(|(_, path)| is_standard(path)) {
        let problem = "argument must not be a package in the standard library";
        return Err(Failure::go(format!("{word}: {problem}")));
    }
    session.tell_standard(false);
    session.world.allows_missing_imports = true;
    let first = &words[0];
    let version = first.split_once('@').map_or("", |(_, version)| version);
    let initial = session.answer(|world| world.load(&Load::default()))?;
    let id = answer(session, first, |world| world.provider(&paths[0], version))?;
    let root = Root::of(session.world.nodes().node(id));
    let deprecation = session.answer(|world| world.deprecation(id))?;
    let deprecation = deprecation
        .map_err(|error| Failure::go(format!("{first}: loading deprecation for {}: {error}", root.path)))?;
    if !deprecation.is_empty() {
        let message = short_message(&deprecation, "");
        report::tell(&format!("go: module {} is deprecated: {message}", root.path));
    }
    let described = session.describe_nodes(&[id], &initial)?;
    if let Some(file) = described.first().map(|module| &module.go_mod).filter(|file| !file.is_empty()) {
        check_go_mod(file, first, &root.name)?;
    }
    let edit = Edit { select: vec![id], ..Edit::default() };
    let (requirements, _) = answer(session, first, |world| world.edit(&initial, &edit))?;
    Ok((requirements, root))
}

/// An answer about what a word names; an error is told with the word.
fn answer<T>(
    session: &mut Session<'_>,
    word: &str,
    question: impl FnMut(&mut World) -> Result<T, Halt>,
) -> Result<T, Failure> {
    session.ask(question)?.map_err(|error| {
        let newer = session.switch(std::slice::from_ref(&error));
        newer.unwrap_or_else(|| Failure::go(format!("{word}: {error}")))
    })
}

/// Refuses a go.mod that would be read otherwise in a main module.
fn check_go_mod(file: &str, word: &str, name: &str) -> Result<(), Failure> {
    let data = std::fs::read(file)
        .map_err(|error| Failure::go(format!("{word}: open {file}: {}", system_words(&error))))?;
    let file =
        GoMod::parse("go.mod", &data).map_err(|error| Failure::go(format!("{word} (in {name}): {error}")))?;
    let what = match (file.replaces().is_empty(), file.excludes().is_empty()) {
        (false, _) => "replace",
        (_, false) => "exclude",
        _ => return Ok(()),
    };
    Err(Failure::go(format!(
        "{word} (in {name}):\n\tThe go.mod file for the module providing named packages contains one or\n\tmore {what} \
         directives. It must not contain directives that would cause\n\tit to be interpreted differently than if it \
         were the main module."
    )))
}
