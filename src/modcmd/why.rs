//! `modkeep mod why`: the shortest way of imports to a package, or to some package of a module.
//!
//! Source of the rules: `cmd/go/internal/modcmd/why.go`.

use std::collections::HashMap;

use modkeep_resolver::packages::{PackageOptions, Packages, Pattern, Silence, Tags};
use modkeep_resolver::requirements::Load;

use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::GoEnv;
use crate::list::modules::{Listing, Mode};
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "mod why",
    line: "go mod why [-m] [-vendor] packages...",
    flags: module_flags![("m", Kind::Bool), ("vendor", Kind::Bool),],
};

/// Prints the ways.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let (mut is_about_modules, mut is_about_vendor) = (false, false);
    let words = USAGE.parse(words, go.goflags(), |name, value| {
        match name {
            "m" => is_about_modules = value == "true",
            "vendor" => is_about_vendor = value == "true",
            _ => drop(flags.set(name, value)?),
        }
        Ok(())
    })?;
    let wanted = Wanted { verb: "mod why", needs_root: true, flags, ..Wanted::default() };
    let mut session = Session::start(go, &wanted)?;
    let options = PackageOptions {
        patterns: vec![Pattern::Path("all".to_owned())],
        tags: Tags::Any,
        loads_tests: !is_about_vendor,
        uses_vendor_all: is_about_vendor,
        silence: Silence { package_errors: true, ..Silence::default() },
        ..PackageOptions::default()
    };
    let purpose = if is_about_vendor { " to vendor" } else { "" };
    let blocks = match is_about_modules {
        true => modules(&mut session, &words, &options, purpose)?,
        false => packages(&mut session, &words, &options, purpose)?,
    };
    report::out(&blocks.join("\n"))
}

fn modules(
    session: &mut Session<'_>,
    words: &[String],
    options: &PackageOptions,
    purpose: &str,
) -> Result<Vec<String>, Failure> {
    if let Some(word) = words.iter().find(|word| word.contains('@')) {
        let text = format!("{word}: 'go mod why' requires a module path, not a version query");
        return Err(Failure::go(text));
    }
    let Listing { modules, error, requirements } = session.list_modules(words, &Mode::default())?;
    if let Some(error) = error {
        return Err(Failure::go(error.to_string()));
    }
    let loaded = session.load_packages(&requirements, options)?;
    let packages = &loaded.packages;
    let nodes = session.world.nodes();
    let mut by_module: HashMap<&str, Vec<&str>> = HashMap::new();
    for path in packages.paths() {
        if let Some(module) = packages.module(path) {
            by_module.entry(&nodes.node(module).path).or_default().push(path);
        }
    }
    let block = |path: &str| {
        let candidates = by_module.get(path).into_iter().flatten();
        let best = candidates.min_by_key(|path| depth(packages, path));
        let why = best.and_then(|path| packages.why(path));
        let why = why.unwrap_or_else(|| format!("(main module does not need{purpose} module {path})\n"));
        format!("# {path}\n{why}")
    };
    Ok(modules.iter().map(|module| block(&module.path)).collect())
}

fn depth(packages: &Packages, path: &str) -> usize {
    packages.find(path).map_or(usize::MAX, |id| packages.stack(id).len())
}

fn packages(
    session: &mut Session<'_>,
    words: &[String],
    options: &PackageOptions,
    purpose: &str,
) -> Result<Vec<String>, Failure> {
    let requirements = session.answer(|world| world.load(&Load { only_looks: true, go_version: None }))?;
    let patterns = session.patterns(words)?;
    let named = PackageOptions { patterns, ..options.clone() };
    let loaded = session.load_packages(&requirements, &named)?;
    let matches = loaded.matches.clone();
    let loaded = session.load_packages(&loaded.requirements, options)?;
    let mut blocks = Vec::new();
    for path in matches.iter().flat_map(|found| &found.packages) {
        let why = loaded.packages.why(path);
        let why = why.unwrap_or_else(|| format!("(main module does not need{purpose} package {path})\n"));
        blocks.push(format!("# {path}\n{why}"));
    }
    Ok(blocks)
}
