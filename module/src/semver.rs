//! Semantic versions as Go reads them: free functions on text, each as `golang.org/x/mod/semver` answers it.
//!
//! `vMAJOR[.MINOR[.PATCH[-PRERELEASE][+BUILD]]]` with the leading `v`. Numbers have no width limit, `v1` and
//! `v1.2` are short for `v1.0.0` and `v1.2.0`, and build metadata does not order. A text that is no version is
//! less than every version and equal to every other such text.

use std::cmp::Ordering;

/// The parts of a valid version, borrowed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) major: &'a str,
    pub(crate) minor: &'a str,
    pub(crate) patch: &'a str,
    /// What a short form lacks: `.0.0`, `.0` or nothing.
    pub(crate) missing: &'static str,
    /// With its `-`, or empty.
    pub(crate) prerelease: &'a str,
    /// With its `+`, or empty.
    pub(crate) build: &'a str,
}

/// Whether `v` is a version at all.
pub fn is_valid(v: &str) -> bool {
    parse(v).is_some()
}

/// `v` with missing numbers filled in and without build metadata; `None` for a text that is no version.
pub fn canonical(v: &str) -> Option<String> {
    let parts = parse(v)?;
    Some(format!("{}{}", &v[..v.len() - parts.build.len()], parts.missing))
}

/// `v2` of `v2.1.0`; empty for a text that is no version.
pub fn major(v: &str) -> &str {
    parse(v).map_or("", |parts| &v[..1 + parts.major.len()])
}

/// `v2.1` of `v2.1.0`, also of `v2.1`, and `v2.0` of `v2`; empty for a text that is no version.
pub fn major_minor(v: &str) -> String {
    parse(v).map_or_else(String::new, |parts| format!("v{}.{}", parts.major, parts.minor))
}

/// `-pre` of `v2.1.0-pre+meta`; empty where there is none, and for a text that is no version.
pub fn prerelease(v: &str) -> &str {
    parse(v).map_or("", |parts| parts.prerelease)
}

/// `+meta` of `v2.1.0-pre+meta`; empty where there is none, and for a text that is no version.
pub fn build(v: &str) -> &str {
    parse(v).map_or("", |parts| parts.build)
}

/// Precedence of two versions; build metadata does not count.
pub fn compare(v: &str, w: &str) -> Ordering {
    match (parse(v), parse(w)) {
        (Some(a), Some(b)) => compare_parts(&a, &b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Precedence first, then the bytes of the text: the order of [`sort`].
pub fn compare_then_text(v: &str, w: &str) -> Ordering {
    compare(v, w).then_with(|| v.cmp(w))
}

/// The canonical form of the greater of two versions; empty when neither is one.
pub fn max(v: &str, w: &str) -> String {
    let (v, w) = (canonical(v).unwrap_or_default(), canonical(w).unwrap_or_default());
    if compare(&v, &w) == Ordering::Greater { v } else { w }
}

/// Sorts by precedence, and by text where precedence is equal.
pub fn sort<S: AsRef<str>>(list: &mut [S]) {
    list.sort_by(|v, w| compare_then_text(v.as_ref(), w.as_ref()));
}

pub(crate) fn parse(v: &str) -> Option<Parts<'_>> {
    let (major, rest) = number(v.strip_prefix('v')?)?;
    let mut parts = Parts { major, minor: "0", patch: "0", missing: "", prerelease: "", build: "" };
    if rest.is_empty() {
        parts.missing = ".0.0";
        return Some(parts);
    }
    let (minor, rest) = number(rest.strip_prefix('.')?)?;
    parts.minor = minor;
    if rest.is_empty() {
        parts.missing = ".0";
        return Some(parts);
    }
    let (patch, rest) = number(rest.strip_prefix('.')?)?;
    parts.patch = patch;
    let (before_build, build) = rest.split_at(rest.find('+').unwrap_or(rest.len()));
    if let Some(identifiers) = before_build.strip_prefix('-') {
        identifiers.split('.').all(|id| is_identifier(id) && !has_leading_zero(id)).then_some(())?;
    } else if !before_build.is_empty() {
        return None;
    }
    if let Some(identifiers) = build.strip_prefix('+') {
        identifiers.split('.').all(is_identifier).then_some(())?;
    }
    parts.prerelease = before_build;
    parts.build = build;
    Some(parts)
}

/// Precedence of two texts that are known to be full versions, without checking them again.
pub(crate) fn compare_valid(v: &str, w: &str) -> Ordering {
    compare_parts(&cut(v), &cut(w))
}

/// The parts of a text that is known to be `vMAJOR.MINOR.PATCH…`.
pub(crate) fn cut(v: &str) -> Parts<'_> {
    let (major, rest) = digits(&v[1..]);
    let (minor, rest) = digits(&rest[1..]);
    let (patch, rest) = digits(&rest[1..]);
    let (prerelease, build) = rest.split_at(rest.bytes().position(|b| b == b'+').unwrap_or(rest.len()));
    Parts { major, minor, patch, missing: "", prerelease, build }
}

fn compare_parts(a: &Parts<'_>, b: &Parts<'_>) -> Ordering {
    compare_numbers(a.major, b.major)
        .then_with(|| compare_numbers(a.minor, b.minor))
        .then_with(|| compare_numbers(a.patch, b.patch))
        .then_with(|| compare_prereleases(a.prerelease, b.prerelease))
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A release is above its pre-releases; identifiers compare one by one, a number is below a word.
fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (Some(a), Some(b)) = (a.get(1..), b.get(1..)) else {
        return a.is_empty().cmp(&b.is_empty());
    };
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (is_numeric(a), is_numeric(b)) {
                (true, true) => compare_numbers(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A decimal number without leading zeros, and what follows it.
fn number(text: &str) -> Option<(&str, &str)> {
    let (number, rest) = digits(text);
    (!number.is_empty() && (number.len() == 1 || !number.starts_with('0'))).then_some((number, rest))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_numeric(identifier: &str) -> bool {
    identifier.bytes().all(|b| b.is_ascii_digit())
}

fn has_leading_zero(identifier: &str) -> bool {
    identifier.len() > 1 && identifier.starts_with('0') && is_numeric(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_fills_in_numbers_and_drops_build_metadata() {
        let cases = [
            ("bad", None),
            ("v1", Some("v1.0.0")),
            ("v1.2", Some("v1.2.0")),
            ("v1.2.3-pre+meta", Some("v1.2.3-pre")),
            ("v1.2-pre", None),
            ("v1.2+meta", None),
            ("v01.2.3", None),
            ("v1.2.3-01", None),
            ("v1.2.3-01a", Some("v1.2.3-01a")),
            ("v1.2.3-", None),
            ("v1.2.3-a..b", None),
            ("v1.2.3+01", Some("v1.2.3")),
            ("v1.2.3+", None),
            ("v1.2.3+a+b", None),
            ("v123456789012345678901234567890.0.0", Some("v123456789012345678901234567890.0.0")),
        ];
        for (text, want) in cases {
            assert_eq!(canonical(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn versions_in_rising_order_compare_as_less() {
        let rising = [
            "bad",
            "v0.0.0-20200101000000-abcdefabcdef",
            "v0.0.0",
            "v1.0.0-0",
            "v1.0.0-9",
            "v1.0.0-10",
            "v1.0.0-18446744073709551616",
            "v1.0.0-alpha",
            "v1.0.0-alpha.1",
            "v1.0.0-alpha.beta",
            "v1.0.0-alpha-",
            "v1",
            "v1.0.1",
            "v1.2",
            "v2.0.0",
            "v18446744073709551616.0.0",
        ];
        for (i, v) in rising.iter().enumerate() {
            for (j, w) in rising.iter().enumerate() {
                assert_eq!(compare(v, w), i.cmp(&j), "{v} {w}");
            }
        }
    }

    #[test]
    fn build_metadata_orders_only_when_sorting() {
        assert_eq!(compare("v1.0.0+b", "v1.0.0+a"), Ordering::Equal);
        let mut list = ["v1.0.0+b", "v1", "v1.0.0+a", "x", "v1.0.0-rc"];
        sort(&mut list);
        assert_eq!(list, ["x", "v1.0.0-rc", "v1", "v1.0.0+a", "v1.0.0+b"]);
    }

    #[test]
    fn parts_of_short_and_full_forms() {
        for (v, want) in [
            ("v1.2.3-pre+meta", ("v1", "v1.2", "-pre", "+meta")),
            ("v1.2", ("v1", "v1.2", "", "")),
            ("v1", ("v1", "v1.0", "", "")),
            ("1.2.3", ("", "", "", "")),
        ] {
            assert_eq!((major(v), major_minor(v).as_str(), prerelease(v), build(v)), want, "{v}");
        }
        assert_eq!(max("v1.2", "v1.1.9+x"), "v1.2.0");
        assert_eq!(max("bad", "worse"), "");
    }
}
