//! `modkeep vet`: likely mistakes in packages and their tests, found by the vet tool.
//!
//! Source of the rules: `cmd/go/internal/vet/vet.go`.

mod findings;
mod fixes;
mod flags;
mod tool;

use modkeep_builder::load::Options;
use modkeep_builder::package::PackageId;
use modkeep_builder::perform::Outcome;
use modkeep_builder::vet::Vetting;

use self::flags::{Mode, VetFlags};
use super::Site;
use crate::flags::{Kind, Usage, go_build_flags};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};

/// How the verb is used; what the tool has for flags comes to these.
pub(crate) const USAGE: Usage = Usage {
    name: "vet",
    line: "go vet [build flags] [-vettool prog] [vet flags] [packages]",
    flags: go_build_flags![
        ("c", Kind::Text),
        ("cache-verify", Kind::Text),
        ("debug-actiongraph", Kind::Text),
        ("debug-cache", Kind::Bool),
        ("diff", Kind::Bool),
        ("fix", Kind::Bool),
        ("json", Kind::Bool),
        ("mod", Kind::Text),
        ("remote", Kind::Text),
        ("remote-mode", Kind::Text),
        ("vettool", Kind::Text),
    ],
};

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let flags = VetFlags::parse(go, words)?;
    let (mode, to_tool) = flags.mode()?;
    let site = Site::find(go, &flags.build, "vet")?;
    let build = &site.builds[0];
    let options = Options { reads_tests: true, ..Options::default() };
    let patterns = if flags.packages.is_empty() { vec![".".to_owned()] } else { flags.packages.clone() };
    let mut has_failed = false;
    let (loaded, vetted) = site.load_with(build, &patterns, options, |loader, named| {
        if named.is_empty() {
            return Err(Failure::exact(1, "no packages to vet"));
        }
        let mut vetted: Vec<PackageId> = Vec::new();
        for &id in named {
            let package = &loader.graph()[id];
            let is_elsewhere = package.standard && package.import_path.starts_with("vendor/")
                || package.module.as_ref().is_some_and(|module| !module.main);
            if mode == Mode::Fix && is_elsewhere {
                continue;
            }
            let packages = loader.test_packages(id, None);
            if let Some(broken) = loader.test_error(&packages) {
                has_failed = true;
                let error = loader.graph()[broken].error.as_ref();
                report::tell(&error.map_or_else(String::new, ToString::to_string));
                continue;
            }
            let package = &loader.graph()[packages.inner];
            let has_inner = !package.go_files.is_empty() || !package.cgo_files.is_empty();
            if !has_inner && packages.outer.is_none() {
                has_failed = true;
                let (path, dir) = (&package.import_path, &package.dir);
                report::tell(&format!("go: can't vet {path}: no Go files in {dir}"));
                continue;
            }
            vetted.extend(has_inner.then_some(packages.inner).into_iter().chain(packages.outer));
        }
        Ok(vetted)
    })?;
    let vetting = Vetting {
        tool: flags.tool.as_deref().map(|tool| tool::identify(go, tool)).transpose()?,
        flags: to_tool,
        is_explicit: !flags.to_tool.is_empty(),
        is_test: false,
        keeps_fixes: mode == Mode::Fix,
    };
    let mut nodes = Vec::new();
    let all_nodes = std::cell::RefCell::new(&mut nodes);
    site.perform(
        &[loaded],
        |plan| {
            plan.vet_by(vetting);
            all_nodes.borrow_mut().extend(vetted.iter().map(|&id| plan.vet(0, id)));
            Ok(())
        },
        |_, outcome| {
            let has_found = tell(go, &flags, mode, outcome, &all_nodes.borrow())?;
            if has_found || has_failed { Err(Failure::told(1)) } else { Ok(()) }
        },
    )
}

/// Tells what was found in the order in which packages were named; says whether that makes a failure of it.
fn tell(
    go: &GoEnv,
    flags: &VetFlags,
    mode: Mode,
    outcome: &Outcome,
    nodes: &[usize],
) -> Result<bool, Failure> {
    let mut has_failed = false;
    let mut fixes = fixes::Fixes::default();
    for vetted in nodes.iter().filter_map(|&node| outcome.vetted(node)) {
        match mode {
            Mode::Findings => has_failed |= findings::tell(go, flags.context, &vetted.findings),
            Mode::Json => report::out_bytes(&vetted.findings)?,
            Mode::Diff => {
                has_failed |= !vetted.findings.is_empty();
                report::out_bytes(&vetted.findings)?;
            }
            Mode::Fix => {
                report::out_bytes(&vetted.findings)?;
                if let Some(archive) = &vetted.fixes {
                    fixes.add(archive)?;
                }
            }
        }
    }
    fixes.apply()?;
    Ok(has_failed)
}
