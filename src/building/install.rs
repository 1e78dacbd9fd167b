//! `modkeep install`: programs built and put into GOBIN.
//!
//! Source of the rules: `cmd/go/internal/work:build.go` (`runInstall`, `InstallPackages`).

use modkeep_builder::load::Options;
use modkeep_builder::plan::Linking;

use super::{BuildFlags, Site, build_flags};
use crate::flags::Usage;
use crate::goenv::GoEnv;
use crate::report::Failure;

/// How the verb is used.
pub(crate) const USAGE: Usage =
    Usage { name: "install", line: "go install [build flags] [packages]", flags: build_flags![] };

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = BuildFlags::default();
    let patterns =
        USAGE.parse(words, go.goflags(), |name, value| flags.set(&USAGE, go, name, value).map(|_| ()))?;
    if let Some(pattern) =
        patterns.iter().find(|pattern| pattern.contains('@') && !pattern.starts_with(['.', '/']))
    {
        return Err(Failure::usage(format!(
            "{pattern}: packages of modules that are named with a version can't be installed"
        ))
        .with_hint(format!("the go command can: go install {pattern}")));
    }
    if let Some(folder) = go.get("GOBIN").filter(|folder| !folder.starts_with('/')) {
        return Err(Failure::exact(1, format!("cannot install, GOBIN must be an absolute path: {folder}")));
    }
    let site = Site::find(go, &flags, "install")?;
    let loaded = site.load(&patterns, Options { stamps: true, ..Options::default() })?;
    for loaded in &loaded {
        for &id in &loaded.named {
            let package = &loaded.graph[id];
            if package.name == "main" && package.target.is_empty() {
                let text = format!("no install location for directory {} outside GOPATH", package.dir);
                return Err(Failure::exact(
                    1,
                    format!("go: {text}\n\tFor more details see: 'go help gopath'"),
                ));
            }
        }
    }
    site.perform(
        &loaded,
        |plan| {
            for (goal, loaded) in loaded.iter().enumerate() {
                for &id in &loaded.named {
                    let package = &loaded.graph[id];
                    if package.is_test_only() {
                        continue;
                    }
                    if package.name == "main" {
                        let linking =
                            Linking { target: &package.target, installs: true, ..Linking::default() };
                        plan.link(goal, id, &linking);
                    } else {
                        plan.compile(goal, id);
                    }
                }
            }
            Ok(())
        },
        |_, _| Ok(()),
    )
}
