//! The major version in a module's path: `/v2` and up, or gopkg.in's `.v1`, and the versions it admits.

use crate::semver;
use crate::version::{VersionError, VersionProblem};

/// Splits a path into what stands before its major version suffix and the suffix (`module.SplitPathVersion`).
///
/// `None` when the last element looks like a version that no path may end in, such as `/v1` or `/v2.0`. The
/// suffix is empty or `/vN` with N at least 2; for `gopkg.in/` paths `.vN` or `.vN-unstable` with any N.
pub fn split_path_version(path: &str) -> Option<(&str, &str)> {
    if path.starts_with("gopkg.in/") {
        return split_gopkg_in(path);
    }
    let before = path.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &path[before.len()..];
    let Some(prefix) = before.strip_suffix("/v").filter(|_| !number.is_empty()) else {
        return Some((path, ""));
    };
    let sound = !number.contains('.') && !number.starts_with('0') && number != "1";
    sound.then(|| path.split_at(prefix.len()))
}

fn split_gopkg_in(path: &str) -> Option<(&str, &str)> {
    let stable = path.strip_suffix("-unstable").unwrap_or(path);
    let prefix = stable.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix(".v")?;
    let (prefix, path_major) = path.split_at(prefix.len());
    // What follows `.v` is not looked at again: `.v-unstable` passes, `.v0-unstable` does not.
    let sound = path_major == ".v0" || (path_major != ".v" && !path_major.starts_with(".v0"));
    sound.then_some((prefix, path_major))
}

/// Checks that a module whose path ends in `path_major` may have the version `v` (`module.CheckPathMajor`).
pub fn check_path_major(v: &str, path_major: &str) -> Result<(), VersionError> {
    let path_major = without_unstable(path_major);
    // Old go commands wrote v0.0.0- pseudo-versions for gopkg.in's .v1 modules.
    if path_major == ".v1" && v.starts_with("v0.0.0-") {
        return Ok(());
    }
    let major = semver::major(v);
    let (admitted, want) = match path_major.strip_prefix(['/', '.']) {
        Some(want) => (major == want, want),
        None if path_major.is_empty() => {
            (matches!(major, "v0" | "v1") || semver::build(v) == "+incompatible", "v0 or v1")
        }
        None => (false, path_major),
    };
    if admitted {
        return Ok(());
    }
    Err(VersionError::new(v, VersionProblem::Major { want: want.to_owned(), got: major.to_owned() }))
}

/// Whether a module whose path ends in `path_major` may have the version `v`.
pub fn match_path_major(v: &str, path_major: &str) -> bool {
    check_path_major(v, path_major).is_ok()
}

/// The major version that tags of such a module begin with: `v2` for `/v2`, empty for no suffix (v0 or v1).
///
/// `path_major` is one that [`split_path_version`] gave (`module.PathMajorPrefix`).
pub fn path_major_prefix(path_major: &str) -> &str {
    without_unstable(path_major).trim_start_matches(['/', '.'])
}

fn without_unstable(path_major: &str) -> &str {
    match path_major.strip_suffix("-unstable") {
        Some(stable) if path_major.starts_with(".v") => stable,
        _ => path_major,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_at_its_major_version() {
        for (path, want) in [
            ("x.y/z", Some(("x.y/z", ""))),
            ("x.y/z/v2", Some(("x.y/z", "/v2"))),
            ("x.y/v2", Some(("x.y", "/v2"))),
            ("x.y/z/v23", Some(("x.y/z", "/v23"))),
            ("x.y/v", Some(("x.y/v", ""))),
            ("x.y/vv2", Some(("x.y/vv2", ""))),
            ("x.y/v1", None),
            ("x.y/v0", None),
            ("x.y/v02", None),
            ("x.y/v2.0", None),
            ("x.y/v.", None),
            ("gopkg.in/yaml.v2", Some(("gopkg.in/yaml", ".v2"))),
            ("gopkg.in/yaml.v0", Some(("gopkg.in/yaml", ".v0"))),
            ("gopkg.in/yaml.v2-unstable", Some(("gopkg.in/yaml", ".v2-unstable"))),
            ("gopkg.in/yaml.v-unstable", Some(("gopkg.in/yaml", ".v-unstable"))),
            ("gopkg.in/yaml.v0-unstable", None),
            ("gopkg.in/yaml.v", None),
            ("gopkg.in/yaml.v02", None),
            ("gopkg.in/yaml/v2", None),
            ("gopkg.in/yaml", None),
        ] {
            assert_eq!(split_path_version(path), want, "{path}");
        }
    }

    #[test]
    fn a_version_fits_the_suffix_of_its_path() {
        for (v, path_major, want) in [
            ("v0.1.0", "", None),
            ("v1.2.3", "", None),
            ("v2.0.0+incompatible", "", None),
            ("v2.0.0", "", Some("version \"v2.0.0\" invalid: should be v0 or v1, not v2")),
            ("v2.0.0", "/v2", None),
            ("v1.0.0", "/v2", Some("version \"v1.0.0\" invalid: should be v2, not v1")),
            ("v2.0.0", ".v2-unstable", None),
            ("v0.0.0-20161208181325-20d25e280405", ".v1", None),
            ("v0.0.1", ".v1", Some("version \"v0.0.1\" invalid: should be v1, not v0")),
            ("x", "/v2", Some("version \"x\" invalid: should be v2, not ")),
        ] {
            let got = check_path_major(v, path_major).err().map(|err| err.to_string());
            assert_eq!(got.as_deref(), want, "{v} {path_major}");
        }
        assert_eq!(path_major_prefix(".v2-unstable"), "v2");
        assert_eq!(path_major_prefix(""), "");
    }
}
