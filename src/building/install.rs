//! `modkeep install`: programs built and put into GOBIN.
//!
//! Source of the rules: `cmd/go/internal/work:build.go` (`runInstall`, `InstallPackages`).

use modkeep_builder::load::Options;
use modkeep_builder::package::Package;
use modkeep_builder::plan::Linking;

use super::{BuildFlags, Site, build_flags};
use crate::flags::Usage;
use crate::goenv::GoEnv;
use crate::report::{self, Failure};
use crate::session::has_version;

/// How the verb is used.
pub(crate) const USAGE: Usage =
    Usage { name: "install", line: "go install [build flags] [packages]", flags: build_flags![] };

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = BuildFlags::default();
    let patterns =
        USAGE.parse(words, go.goflags(), |name, value| flags.set(&USAGE, go, name, value).map(|_| ()))?;
    let site = Site::find(go, &flags, "install")?;
    // What has a version of its own is nothing but programs (`installOutsideModule`).
    let programs_only = patterns.iter().any(|pattern| has_version(pattern));
    let loaded = site.load(&patterns, Options { stamps: true, programs_only, ..Options::default() })?;
    if go.get("GOBIN").is_some_and(|folder| !folder.starts_with('/')) {
        return Err(Failure::exact(1, "cannot install, GOBIN must be an absolute path"));
    }
    let mut has_failed = false;
    for loaded in &loaded {
        site.check_mode(loaded, false)?;
        for &id in &loaded.named {
            let package = &loaded.graph[id];
            if let Some(reason) = no_place(go, package) {
                report::tell(&format!("go: {reason}"));
                has_failed = true;
            }
        }
    }
    if has_failed {
        return Err(Failure::told(1));
    }
    site.perform(
        &loaded,
        |plan| {
            for (goal, loaded) in loaded.iter().enumerate() {
                for &id in &loaded.named {
                    let package = &loaded.graph[id];
                    if package.is_passed_over() {
                        continue;
                    }
                    if package.name == "main" {
                        let linking =
                            Linking { target: &package.target, installs: true, ..Linking::default() };
                        plan.link(goal, id, &linking);
                    } else {
                        let node = plan.compile(goal, id);
                        if !package.target.is_empty() {
                            plan.install(node, &package.target);
                        }
                    }
                }
            }
            Ok(())
        },
        |_, _| Ok(()),
    )
}

/// Why a package that should be put somewhere can't be (`InstallPackages`).
fn no_place(go: &GoEnv, package: &Package) -> Option<String> {
    let is_program = package.name == "main";
    if !package.target.is_empty() || package.is_passed_over() {
        return None;
    }
    let dir = &package.dir;
    if !is_program && (package.module.is_some() || package.standard) {
        return None;
    }
    if !is_program && package.is_local() && package.conflict_dir.is_empty() {
        return None;
    }
    if package.cmdline_files {
        return Some("no install location for .go files listed on command line (GOBIN not set)".to_owned());
    }
    if !package.conflict_dir.is_empty() {
        return Some(format!("no install location for {dir}: hidden by {}", package.conflict_dir));
    }
    if is_program && go.get("GOBIN").is_some() {
        return Some("cannot install cross-compiled binaries when GOBIN is set".to_owned());
    }
    let hint = "For more details see: 'go help gopath'";
    Some(format!("no install location for directory {dir} outside GOPATH\n\t{hint}"))
}
