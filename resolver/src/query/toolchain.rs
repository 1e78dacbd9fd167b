//! The versions of Go itself: the module `golang.org/toolchain` has one version for each release and platform.
//!
//! Every release up to the local one is taken to exist without asking anybody, for the go command can stand in for all
//! of them. Source of the rules: `cmd/go/internal/modfetch/toolchain.go`.

use std::collections::HashSet;
use std::sync::Arc;

use super::repository::Answer;
use crate::error::{Fault, Halt, ModuleError};
use crate::go_version::{self, GoVersion};
use crate::known::Revision;
use crate::order;
use crate::world::World;

/// The module of which each version is a release for a platform.
const TOOLCHAIN: &str = "golang.org/toolchain";

impl World {
    /// All releases that can be had, lowest first; `path` is `go` or `toolchain`.
    pub(super) fn toolchain_versions(
        &mut self,
        path: &str,
    ) -> Result<Result<Arc<[String]>, ModuleError>, Halt> {
        let told = self.known.versions(TOOLCHAIN);
        let listed = match self.known.or_halt(told)? {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        let releases = releases(&listed, &self.local.version);
        Ok(Ok(releases.iter().map(|release| format!("{}{release}", prefix(path))).collect()))
    }

    /// What one may write for a release, made canonical.
    pub(super) fn toolchain_revision(&mut self, path: &str, revision: &str) -> Result<Answer, Halt> {
        let failure =
            |text: String| Ok(Err(ModuleError { module: None, invalid: None, text, kind: Fault::Other }));
        let release = revision.strip_prefix("go").unwrap_or(revision);
        let Some(parsed) = GoVersion::parse(release) else {
            return failure(format!("invalid {path} version {revision}"));
        };
        let version = format!("{}{release}", prefix(path));
        let is_local = match path {
            "go" => go_version::compare(release, &self.local.version).is_le(),
            _ => release == self.local.version,
        };
        if is_local {
            return Ok(Ok(Arc::new(Revision { version, time: None })));
        }
        if parsed.is_language() {
            return failure(format!("go language version {revision} is not a toolchain version"));
        }
        // Whatever the platform: this one was always built.
        let told = self.known.revision(TOOLCHAIN, &format!("v0.0.1-go{release}.linux-amd64"));
        let answer = self.known.or_halt(told)?;
        Ok(answer.map(|told| Arc::new(Revision { version, time: told.time.clone() })))
    }

    pub(super) fn latest_toolchain(&mut self, path: &str) -> Result<Answer, Halt> {
        let versions = match self.toolchain_versions(path)? {
            Ok(versions) => versions,
            Err(error) => return Ok(Err(error)),
        };
        let highest = versions.iter().max_by(|a, b| order::compare(path, a, b)).cloned();
        self.toolchain_revision(path, &highest.unwrap_or_default())
    }
}

/// The releases in the list of versions of `golang.org/toolchain`, and the local one: lowest first, each once.
pub fn releases<'a>(listed: &'a [String], local: &'a str) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    let releases = listed.iter().filter_map(|version| release_of(version)).chain([local]);
    let mut releases: Vec<_> = releases.filter(|release| seen.insert(*release)).collect();
    releases.sort_by(|a, b| go_version::compare(a, b));
    releases
}

/// The release to change to where `needed` is above the local one.
///
/// `releases` are sorted. Of each family the latest counts, and of two families that do, the one before the newest
/// (`cmd/go/internal/toolchain/switch.go:newerToolchain`).
pub fn newer<'a>(needed: &str, releases: &[&'a str]) -> Option<&'a str> {
    let mut latest: Option<&str> = None;
    for &release in releases.iter().rev() {
        if go_version::compare(release, needed).is_lt() {
            break;
        }
        if latest.is_some_and(|latest| go_version::language(latest) == go_version::language(release)) {
            continue;
        }
        let before = latest.replace(release);
        if before.and_then(GoVersion::parse).is_some_and(|newest| !newest.is_prerelease()) {
            break;
        }
    }
    latest
}

fn prefix(path: &str) -> &'static str {
    if path == "toolchain" { "go" } else { "" }
}

/// The release in `v0.0.1-go1.21.3.linux-amd64`.
fn release_of(version: &str) -> Option<&str> {
    let (_, name) = version.split_once('-')?;
    let (release, platform) = name.rsplit_once('.')?;
    platform.contains('-').then(|| release.strip_prefix("go").unwrap_or(release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_before_the_newest_is_taken_where_it_is_new_enough() {
        let settled = ["1.39.0", "1.39.2", "1.40.0"];
        let patched = ["1.39.0", "1.39.2", "1.40.0", "1.40.2"];
        let candidate = ["1.39.0", "1.39.2", "1.40.0", "1.40.2", "1.41rc1"];
        for (needed, releases, want) in [
            ("1.30", &settled[..], Some("1.39.2")),
            ("1.39.2", &patched, Some("1.39.2")),
            ("1.39", &candidate, Some("1.39.2")),
            ("1.39.3", &settled, Some("1.40.0")),
            ("1.40.1", &settled, None),
            ("1.40", &candidate, Some("1.40.2")),
            ("1.41rc1", &candidate, Some("1.41rc1")),
            ("1.41", &candidate, Some("1.41rc1")),
            ("1.41.0", &candidate, None),
            ("1.30", &[], None),
        ] {
            assert_eq!(newer(needed, releases), want, "{needed} of {releases:?}");
        }
    }

    #[test]
    fn a_release_is_read_out_of_a_version() {
        for (version, want) in [
            ("v0.0.1-go1.21.3.linux-amd64", Some("1.21.3")),
            ("v0.0.1-go1.21rc2.darwin-arm64", Some("1.21rc2")),
            ("v0.0.1-go1.9.2rc2.windows-386", Some("1.9.2rc2")),
            ("v0.0.1", None),
            ("v0.0.1-go1.21", None),
        ] {
            assert_eq!(release_of(version), want, "{version}");
        }
    }
}
