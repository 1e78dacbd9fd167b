//! Pseudo-versions: versions that name a commit, by its time and its hash, after the tag before it.
//!
//! ```text
//! (1) vX.0.0-yyyymmddhhmmss-abcdef123456                      no tag of that major version before it
//! (2) vX.Y.(Z+1)-0.yyyymmddhhmmss-abcdef123456                after vX.Y.Z
//! (3) vX.Y.(Z+1)-0.yyyymmddhhmmss-abcdef123456+incompatible   after vX.Y.Z+incompatible
//! (4) vX.Y.Z-pre.0.yyyymmddhhmmss-abcdef123456                after vX.Y.Z-pre
//! (5) vX.Y.Z-pre.0.yyyymmddhhmmss-abcdef123456+incompatible   after vX.Y.Z-pre+incompatible
//! ```
//!
//! Each answer is that of `golang.org/x/mod/module/pseudo.go`. Times are UTC, to the second.

use jiff::civil::DateTime;

use crate::semver;
use crate::version::{VersionError, VersionProblem};

/// The pieces of a pseudo-version.
struct Pieces<'a> {
    /// `vX.0.0`, `vX.Y.(Z+1)-0` or `vX.Y.Z-pre.0`.
    base: &'a str,
    time: &'a str,
    revision: &'a str,
    /// With its `+`, or empty.
    build: &'a str,
}

/// The pseudo-version of a revision (usually the first 12 digits of a hash) committed at `time`, after the tag
/// `older`; with an `older` that is no version, the first of `major`, which when empty is `v0`.
pub fn pseudo_version(major: &str, older: &str, time: DateTime, revision: &str) -> String {
    let segment = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}-{revision}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    let Some(canonical) = semver::canonical(older) else {
        return format!("{}.0.0-{segment}", if major.is_empty() { "v0" } else { major });
    };
    let build = semver::build(older);
    let parts = semver::cut(&canonical);
    if !parts.prerelease.is_empty() {
        return format!("{canonical}.0.{segment}{build}");
    }
    format!("v{}.{}.{}-0.{segment}{build}", parts.major, parts.minor, increment(parts.patch))
}

/// A placeholder below every real version of `major`: zero time, zero revision.
pub fn zero_pseudo_version(major: &str) -> String {
    format!("{}.0.0-00010101000000-000000000000", if major.is_empty() { "v0" } else { major })
}

/// Whether `v` has one of the five forms; its time need not exist.
pub fn is_pseudo_version(v: &str) -> bool {
    split(v).is_some()
}

/// Whether `v` is what [`zero_pseudo_version`] gives for its major version.
pub fn is_zero_pseudo_version(v: &str) -> bool {
    v == zero_pseudo_version(semver::major(v))
}

/// The commit time in a pseudo-version.
pub fn pseudo_version_time(v: &str) -> Result<DateTime, VersionError> {
    let pieces = pieces(v)?;
    read_time(pieces.time)
        .ok_or_else(|| VersionError::pseudo(v, VersionProblem::PseudoTime(pieces.time.to_owned())))
}

/// The revision in a pseudo-version.
pub fn pseudo_version_rev(v: &str) -> Result<&str, VersionError> {
    Ok(pieces(v)?.revision)
}

/// The tag that a pseudo-version comes after; `None` for form (1).
pub fn pseudo_version_base(v: &str) -> Result<Option<String>, VersionError> {
    let Pieces { base, build, .. } = pieces(v)?;
    let refuse = |problem| Err(VersionError::pseudo(v, problem));
    let parts = semver::cut(base);
    match parts.prerelease {
        "" if build.is_empty() => Ok(None),
        "" => refuse(VersionProblem::BuildWithoutBase(build.to_owned())),
        "-0" => match decrement(parts.patch) {
            Some(patch) => Ok(Some(format!("v{}.{}.{patch}{build}", parts.major, parts.minor))),
            None => refuse(VersionProblem::NegativePatch(base[..base.len() - 2].to_owned())),
        },
        _ => Ok(Some(format!("{}{build}", base.strip_suffix(".0").unwrap_or(base)))),
    }
}

fn pieces(v: &str) -> Result<Pieces<'_>, VersionError> {
    split(v).ok_or_else(|| VersionError::pseudo(v, VersionProblem::PseudoSyntax))
}

fn split(v: &str) -> Option<Pieces<'_>> {
    // The cheap refusal first: most versions are releases.
    if !v.contains('-') {
        return None;
    }
    let parts = semver::parse(v)?;
    let tagless = &v[..v.len() - parts.build.len()];
    let (before, revision) = tagless.rsplit_once('-')?;
    let (base, time) = before.split_at_checked(before.len().checked_sub(14)?)?;
    let well_formed = time.bytes().all(|b| b.is_ascii_digit())
        && !revision.is_empty()
        && revision.bytes().all(|b| b.is_ascii_alphanumeric());
    let core = 1 + parts.major.len() + 1 + parts.minor.len() + 1 + parts.patch.len();
    let form = base.get(core..).filter(|_| well_formed)?;
    let admitted = match form {
        "-" => parts.minor == "0" && parts.patch == "0",
        "-0." => true,
        _ => form.starts_with('-') && form.ends_with(".0."),
    };
    admitted.then(|| Pieces { base: &base[..base.len() - 1], time, revision, build: parts.build })
}

fn read_time(digits: &str) -> Option<DateTime> {
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i8>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    let (month, day) = (number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(8..10)?, number(10..12)?, number(12..14)?);
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// The decimal number after this one, of any width.
fn increment(decimal: &str) -> String {
    let kept = decimal.trim_end_matches('9');
    let mut digits = kept.as_bytes().to_vec();
    match digits.last_mut() {
        Some(digit) => *digit += 1,
        None => digits.push(b'1'),
    }
    digits.resize(digits.len() + decimal.len() - kept.len(), b'0');
    digits.into_iter().map(char::from).collect()
}

/// The decimal number before this one, of any width; `None` before zero.
fn decrement(decimal: &str) -> Option<String> {
    let kept = decimal.trim_end_matches('0');
    let mut digits = kept.as_bytes().to_vec();
    *digits.last_mut()? -= 1;
    digits.resize(decimal.len(), b'9');
    let digits: String = digits.into_iter().map(char::from).collect();
    Some(match digits.strip_prefix('0') {
        Some(shorter) if !shorter.is_empty() => shorter.to_owned(),
        _ => digits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: &str = "abcdef123456";

    #[test]
    fn each_tag_has_its_form_and_each_form_gives_back_its_parts() {
        let time: DateTime = "2016-12-08T18:13:25".parse().unwrap();
        for (major, older, want, base) in [
            ("", "", "v0.0.0-20161208181325-abcdef123456", None),
            ("v2", "", "v2.0.0-20161208181325-abcdef123456", None),
            ("v1", "v1.2.3", "v1.2.4-0.20161208181325-abcdef123456", Some("v1.2.3")),
            ("v1", "v1.2.99", "v1.2.100-0.20161208181325-abcdef123456", Some("v1.2.99")),
            (
                "v1",
                "v1.2.199999999999999999999",
                "v1.2.200000000000000000000-0.20161208181325-abcdef123456",
                Some("v1.2.199999999999999999999"),
            ),
            ("v1", "v1.2.3-pre", "v1.2.3-pre.0.20161208181325-abcdef123456", Some("v1.2.3-pre")),
            (
                "v2",
                "v2.2.3+incompatible",
                "v2.2.4-0.20161208181325-abcdef123456+incompatible",
                Some("v2.2.3+incompatible"),
            ),
            (
                "v2",
                "v2.2.3-pre+incompatible",
                "v2.2.3-pre.0.20161208181325-abcdef123456+incompatible",
                Some("v2.2.3-pre+incompatible"),
            ),
        ] {
            let got = pseudo_version(major, older, time, REVISION);
            assert_eq!(got, want);
            assert_eq!(pseudo_version_base(&got).unwrap().as_deref(), base, "{got}");
            assert_eq!(pseudo_version_time(&got).unwrap(), time);
            assert_eq!(pseudo_version_rev(&got).unwrap(), REVISION);
        }
    }

    #[test]
    fn near_misses_are_no_pseudo_versions() {
        for v in [
            "v1.0.0",
            "v1.0.0-20161208181325",
            "v1.2.3-20161208181325-abcdef123456",
            "v1.0.0-2016120818132-abcdef123456",
            "v1.0.0-1.20161208181325-abcdef123456",
            "v1.0.0-pre0.20161208181325-abcdef123456",
            "v1.0.0-0.020161208181325-abcdef123456",
            "v1.0.0-20161208181325-",
            "20161208181325-abcdef123456",
        ] {
            assert!(!is_pseudo_version(v), "{v}");
        }
    }

    #[test]
    fn a_pseudo_version_without_a_possible_base_or_time_says_so() {
        let base = |v| pseudo_version_base(v).unwrap_err().to_string();
        assert_eq!(
            base("v1.0.0-20161208181325-abcdef123456+incompatible"),
            "pseudo-version \"v1.0.0-20161208181325-abcdef123456+incompatible\" invalid: lacks base version, but has build metadata \"+incompatible\""
        );
        assert_eq!(
            base("v1.2.0-0.20161208181325-abcdef123456"),
            "pseudo-version \"v1.2.0-0.20161208181325-abcdef123456\" invalid: version before v1.2.0 would have negative patch number"
        );
        assert_eq!(base("v1.2.0"), "pseudo-version \"v1.2.0\" invalid: syntax error");
        assert_eq!(
            pseudo_version_time("v1.0.0-20161301000000-abcdef123456").unwrap_err().to_string(),
            "pseudo-version \"v1.0.0-20161301000000-abcdef123456\" invalid: malformed time \"20161301000000\""
        );
        assert!(is_zero_pseudo_version("v3.0.0-00010101000000-000000000000"));
        assert!(!is_zero_pseudo_version("v3.0.0-00010101000000-000000000001"));
    }
}
