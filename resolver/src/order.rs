//! The order of a module's versions. Modules have semantic versions, but `go` and `toolchain` are modules too.
//!
//! Source of the rules: `cmd/go/internal/gover/mod.go` and `cmd/go/internal/modload/mvs.go:cmpVersion`.

use std::cmp::Ordering;

use modkeep_module::semver;

use crate::go_version::{self, GoVersion};

/// Whether a path names the release or the toolchain instead of a module that could be downloaded.
pub fn is_toolchain(path: &str) -> bool {
    path == "go" || path == "toolchain"
}

/// Compares two versions of one module. Texts that are no versions, `none` and `` among them, are the lowest and equal.
pub fn compare(path: &str, a: &str, b: &str) -> Ordering {
    match path {
        "go" => go_version::compare(a, b),
        "toolchain" => go_version::compare(toolchain_version(a), toolchain_version(b)),
        _ => semver::compare(a, b),
    }
}

/// As [`compare`], but the empty version, that of a main module, is above all others.
pub fn compare_with_main(path: &str, a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (false, false) => compare(path, a, b),
        (a, b) => a.cmp(&b),
    }
}

/// Whether a text is a version of the module, not necessarily a canonical one.
pub fn is_valid(path: &str, version: &str) -> bool {
    match path {
        "go" => go_version::is_valid(version),
        "toolchain" => go_version::is_valid(go_version::of_toolchain(version)),
        _ => semver::is_valid(version),
    }
}

/// Whether a valid version leaves numbers out, so that it stands for all versions that begin so: `v1.2`, `1.21`.
pub fn is_prefix(path: &str, version: &str) -> bool {
    match release(path, version) {
        Some(release) => release.is_some_and(|release| release.is_language()),
        None => !version.contains(['-', '+']) && version.matches('.').count() < 2,
    }
}

/// Whether a valid version is a pre-release.
pub fn is_prerelease(path: &str, version: &str) -> bool {
    match release(path, version) {
        Some(release) => release.is_some_and(|release| release.is_prerelease()),
        None => !semver::prerelease(version).is_empty(),
    }
}

/// The major and minor number of a version: `v1.2` of `v1.2.3`.
pub fn major_minor(path: &str, version: &str) -> String {
    match path {
        "go" => go_version::language(version),
        "toolchain" => format!("go{}", go_version::language(go_version::of_toolchain(version))),
        _ => semver::major_minor(version),
    }
}

/// The Go version, if this is one's path.
fn release<'a>(path: &str, version: &'a str) -> Option<Option<GoVersion<'a>>> {
    match path {
        "go" => Some(GoVersion::parse(version)),
        "toolchain" => Some(GoVersion::parse(go_version::of_toolchain(version))),
        _ => None,
    }
}

fn toolchain_version(name: &str) -> &str {
    if go_version::is_valid(name) { name } else { go_version::of_toolchain(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_own_order() {
        for (path, a, b, want) in [
            ("go", "1.2", "1.3", Ordering::Less),
            ("go", "v1.2", "v1.3", Ordering::Equal),
            ("toolchain", "go1.2", "go1.3", Ordering::Less),
            ("toolchain", "1.2", "go1.2", Ordering::Equal),
            ("toolchain", "go1.21.0", "go1.21rc4", Ordering::Greater),
            ("rsc.io/quote", "v1.10.0", "v1.9.0", Ordering::Greater),
            ("rsc.io/quote", "1.2", "none", Ordering::Equal),
            ("rsc.io/quote", "none", "v0.0.0-0", Ordering::Less),
        ] {
            assert_eq!(compare(path, a, b), want, "{path} {a} {b}");
        }
        assert_eq!(compare_with_main("m", "", "v9.0.0"), Ordering::Greater);
        assert_eq!(compare_with_main("m", "none", ""), Ordering::Less);
    }

    #[test]
    fn a_prefix_stands_for_many() {
        for (path, version, want) in [
            ("m", "v1", true),
            ("m", "v1.2", true),
            ("m", "v1.2.3", false),
            ("m", "v1-pre", false),
            ("go", "1.21", true),
            ("go", "1.20", false),
            ("toolchain", "go1.22", true),
        ] {
            assert_eq!(is_prefix(path, version), want, "{path} {version}");
        }
    }
}
