//! Versions of modules: canonical semantic versions, alone and paired with the module they are of.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use crate::escape;
use crate::path::major::{check_path_major, split_path_version};
use crate::path::{ModulePath, check_path};
use crate::{pseudo, semver};

mod error;

pub use error::{ModuleError, VersionError, VersionProblem};

/// A canonical version: all three numbers, no build metadata but `+incompatible`. Cheap to clone.
///
/// Ordered by precedence, then by text, which puts `v2.0.0` before `v2.0.0+incompatible`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version {
    rank: u64,
    text: Arc<str>,
}

impl Version {
    /// Reads a text that equals its own canonical form (`module.CanonicalVersion(v) == v`).
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let problem = match semver::parse(text) {
            None => VersionProblem::NotSemantic,
            Some(parts) if parts.missing.is_empty() && matches!(parts.build, "" | "+incompatible") => {
                return Ok(Self { rank: rank(&parts), text: text.into() });
            }
            Some(_) => VersionProblem::NotCanonical(canonical_version(text).unwrap_or_default()),
        };
        Err(VersionError::new(text, problem))
    }

    /// Reads the escaped form that stands in URLs and file names; `None` when it is no canonical version.
    pub fn from_escaped(escaped: &str) -> Option<Self> {
        Self::parse(&escape::unescape_version(escaped).ok()?).ok()
    }

    /// The version as people write it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form for URLs and file names: `v1.0.0-!r!c1` for `v1.0.0-RC1`.
    pub fn escaped(&self) -> String {
        escape::escape_ascii(&self.text)
    }

    /// `v2` of `v2.1.0`.
    pub fn major(&self) -> &str {
        &self.text[..1 + semver::cut(&self.text).major.len()]
    }

    /// Whether it names a commit rather than a tag.
    pub fn is_pseudo(&self) -> bool {
        pseudo::is_pseudo_version(&self.text)
    }

    /// Whether it has a pre-release part; every pseudo-version has one.
    pub fn is_prerelease(&self) -> bool {
        !semver::cut(&self.text).prerelease.is_empty()
    }

    /// Whether it is v2 or above of a module whose path does not say so.
    pub fn is_incompatible(&self) -> bool {
        self.text.ends_with("+incompatible")
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank
            .cmp(&other.rank)
            .then_with(|| semver::compare_full(&self.text, &other.text))
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.text)
    }
}

impl AsRef<str> for Version {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// A number that never orders two versions against their precedence: most comparisons end at it.
///
/// From the top 12 bits of the major version, 20 of the minor, 31 of the patch, one for a release. A number that does
/// not fit is as great as possible and leaves what follows it to the texts.
fn rank(parts: &semver::Parts<'_>) -> u64 {
    let (mut rank, mut bits_left) = (0, 64);
    for (number, bits) in [(parts.major, 12), (parts.minor, 20), (parts.patch, 31)] {
        bits_left -= bits;
        let greatest = (1 << bits) - 1;
        let number = number.parse().unwrap_or(greatest).min(greatest);
        rank |= number << bits_left;
        if number == greatest {
            return rank;
        }
    }
    rank | u64::from(parts.prerelease.is_empty())
}

/// One version of one module, whose path and version fit together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleVersion {
    /// The module.
    pub path: ModulePath,
    /// Its version.
    pub version: Version,
}

impl ModuleVersion {
    /// Pairs a path and a version that the path admits.
    pub fn new(path: ModulePath, version: Version) -> Result<Self, ModuleError> {
        let (_, path_major) = path.split_major();
        match check_path_major(version.as_str(), path_major) {
            Ok(()) => Ok(Self { path, version }),
            Err(error) => Err(ModuleError::Version { path: path.as_str().to_owned(), error }),
        }
    }

    /// Reads both and pairs them.
    pub fn parse(path: &str, version: &str) -> Result<Self, ModuleError> {
        let path = ModulePath::parse(path)?;
        match Version::parse(version) {
            Ok(version) => Self::new(path, version),
            Err(error) => Err(ModuleError::Version { path: path.as_str().to_owned(), error }),
        }
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.path, self.version)
    }
}

/// The canonical form of a version: all three numbers, and of build metadata only `+incompatible`
/// (`module.CanonicalVersion`). `None` for a text that is no version.
pub fn canonical_version(v: &str) -> Option<String> {
    let mut canonical = semver::canonical(v)?;
    if semver::build(v) == "+incompatible" {
        canonical.push_str("+incompatible");
    }
    Some(canonical)
}

/// Checks that a module may have a version, canonical or not (`module.Check`).
pub fn check(path: &str, version: &str) -> Result<(), ModuleError> {
    check_path(path)?;
    let (_, path_major) = split_path_version(path).unwrap_or((path, ""));
    let checked = if semver::is_valid(version) {
        check_path_major(version, path_major)
    } else {
        Err(VersionError::new(version, VersionProblem::NotSemantic))
    };
    checked.map_err(|error| ModuleError::Version { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_versions_parse() {
        for (text, want) in [
            ("v1.2.3", None),
            ("v1.2.3-pre", None),
            ("v2.0.0+incompatible", None),
            ("v1.2", Some("version \"v1.2\" invalid: not canonical (should be \"v1.2.0\")")),
            ("v1.2.3+meta", Some("version \"v1.2.3+meta\" invalid: not canonical (should be \"v1.2.3\")")),
            ("master", Some("version \"master\" invalid: not a semantic version")),
        ] {
            assert_eq!(Version::parse(text).err().map(|err| err.to_string()).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn order_is_precedence_and_then_text() {
        let rising = [
            "v1.9.0",
            "v1.10.0-rc.1",
            "v1.10.0",
            "v2.0.0",
            "v2.0.0+incompatible",
            "v4094.1048574.2147483646-rc.1",
            "v4094.1048574.2147483646",
            "v4094.1048574.2147483647-rc.1",
            "v4094.1048574.2147483647",
            "v4094.1048574.18446744073709551616",
            "v4094.1048575.1",
            "v4094.1048575.2147483648-rc.1",
            "v4094.1048576.0",
            "v4095.0.0-rc.1",
            "v4095.0.0",
            "v18446744073709551616.0.0",
        ]
        .map(|text| Version::parse(text).unwrap());
        for (i, v) in rising.iter().enumerate() {
            for (j, w) in rising.iter().enumerate() {
                assert_eq!(v.cmp(w), i.cmp(&j), "{v} {w}");
            }
        }
    }

    #[test]
    fn a_pair_that_does_not_fit_says_so_in_the_words_of_go() {
        for (path, version, want) in [
            ("x.y/z", "v1.0.0", None),
            ("x.y/z", "v2.0.0+incompatible", None),
            ("x.y/z", "v2.0.0", Some("x.y/z@v2.0.0: invalid version: should be v0 or v1, not v2")),
            ("x.y/z/v2", "v1.0.0", Some("x.y/z/v2@v1.0.0: invalid version: should be v2, not v1")),
            ("x.y/z", "master", Some("x.y/z@master: invalid version: not a semantic version")),
            ("x", "v1.0.0", Some("malformed module path \"x\": missing dot in first path element")),
        ] {
            let got = ModuleVersion::parse(path, version).err().map(|err| err.to_string());
            assert_eq!(got.as_deref(), want);
            assert_eq!(check(path, version).err().map(|err| err.to_string()).as_deref(), want);
        }
    }
}
