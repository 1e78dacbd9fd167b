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
    if v == w {
        return Ordering::Equal;
    }
    match (parse(v), parse(w)) {
        (Some(a), Some(b)) if a.missing.is_empty() && b.missing.is_empty() => compare_full(v, w),
        (Some(_), Some(_)) => {
            compare_full(&canonical(v).unwrap_or_default(), &canonical(w).unwrap_or_default())
        }
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
    let text = v.as_bytes();
    if text.first() != Some(&b'v') {
        return None;
    }
    let mut parts = Parts { major: "", minor: "0", patch: "0", missing: "", prerelease: "", build: "" };
    let end = number(text, 1)?;
    parts.major = &v[1..end];
    if end == text.len() {
        parts.missing = ".0.0";
        return Some(parts);
    }
    let (start, end) = next_number(text, end)?;
    parts.minor = &v[start..end];
    if end == text.len() {
        parts.missing = ".0";
        return Some(parts);
    }
    let (start, mut end) = next_number(text, end)?;
    parts.patch = &v[start..end];
    if text.get(end) == Some(&b'-') {
        let start = end;
        end = identifiers(text, start + 1, Zeros::NotLeading)?;
        parts.prerelease = &v[start..end];
    }
    if text.get(end) == Some(&b'+') {
        let start = end;
        end = identifiers(text, start + 1, Zeros::Anywhere)?;
        parts.build = &v[start..end];
    }
    (end == text.len()).then_some(parts)
}

/// The parts of a text that is known to be `vMAJOR.MINOR.PATCH…`.
pub(crate) fn cut(v: &str) -> Parts<'_> {
    let (major, rest) = v[1..].split_once('.').unwrap_or_default();
    let (minor, rest) = rest.split_once('.').unwrap_or_default();
    let (patch, rest) = rest.split_at(digits(rest.as_bytes(), 0));
    let (prerelease, build) = rest.split_at(rest.find('+').unwrap_or(rest.len()));
    Parts { major, minor, patch, missing: "", prerelease, build }
}

/// Precedence of two texts that are known to be versions with all three numbers.
///
/// Where they first differ decides, read with the number or the identifier that the difference stands in.
pub(crate) fn compare_full(v: &str, w: &str) -> Ordering {
    let (v, w) = (v.as_bytes(), w.as_bytes());
    let (mut at, mut start, mut is_prerelease) = (1, 1, false);
    while let (Some(&a), Some(&b)) = (v.get(at), w.get(at))
        && a == b
    {
        at += 1;
        match a {
            b'+' => return Ordering::Equal,
            b'-' if !is_prerelease => (start, is_prerelease) = (at, true),
            b'.' => start = at,
            _ => {}
        }
    }
    let compare = if is_prerelease { compare_identifiers } else { compare_numbers };
    compare(&v[start..], &w[start..])
}

/// Two rests of versions that begin with different numbers, or with the same patch.
fn compare_numbers(v: &[u8], w: &[u8]) -> Ordering {
    let (a, b) = (&v[..digits(v, 0)], &w[..digits(w, 0)]);
    // A release is above its pre-releases, and as high as its builds.
    let is_release = |rest: &[u8], number: &[u8]| rest.get(number.len()) != Some(&b'-');
    numerically(a, b).then_with(|| is_release(v, a).cmp(&is_release(w, b)))
}

/// Two rests of pre-releases that begin with different identifiers, or with the last of one or both.
///
/// A number is below a word, and an identifier that another one follows is above itself.
fn compare_identifiers(v: &[u8], w: &[u8]) -> Ordering {
    let end = |rest: &[u8]| rest.iter().position(|b| matches!(b, b'.' | b'+')).unwrap_or(rest.len());
    let (a, b) = (&v[..end(v)], &w[..end(w)]);
    let is_word = |identifier: &[u8]| digits(identifier, 0) < identifier.len();
    let has_next = |rest: &[u8], identifier: &[u8]| rest.get(identifier.len()) == Some(&b'.');
    match (is_word(a), is_word(b)) {
        (false, false) => numerically(a, b),
        (true, true) => a.cmp(b),
        (a, b) => a.cmp(&b),
    }
    .then_with(|| has_next(v, a).cmp(&has_next(w, b)))
}

/// Numbers of any width, without leading zeros.
fn numerically(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The end of a decimal number without leading zeros that begins at `start`.
fn number(text: &[u8], start: usize) -> Option<usize> {
    let end = digits(text, start);
    (end > start && (text[start] != b'0' || end == start + 1)).then_some(end)
}

/// Start and end of the number after a dot.
fn next_number(text: &[u8], dot: usize) -> Option<(usize, usize)> {
    let start = dot + 1;
    (text[dot] == b'.').then(|| number(text, start))?.map(|end| (start, end))
}

/// The end of the digits that begin at `start`.
fn digits(text: &[u8], start: usize) -> usize {
    start + text[start..].iter().take_while(|b| b.is_ascii_digit()).count()
}

#[derive(Clone, Copy, PartialEq)]
enum Zeros {
    /// `01` is no identifier of a pre-release.
    NotLeading,
    /// `01` may stand in build metadata.
    Anywhere,
}

/// The end of the dot-separated identifiers that begin at `start`.
fn identifiers(text: &[u8], mut start: usize, zeros: Zeros) -> Option<usize> {
    loop {
        let mut is_number = true;
        let mut end = start;
        while let Some(b) = text.get(end).filter(|&&b| b.is_ascii_alphanumeric() || b == b'-') {
            is_number &= b.is_ascii_digit();
            end += 1;
        }
        let has_leading_zero = is_number && end > start + 1 && text[start] == b'0';
        if end == start || (has_leading_zero && zeros == Zeros::NotLeading) {
            return None;
        }
        if text.get(end) != Some(&b'.') {
            return Some(end);
        }
        start = end + 1;
    }
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
            "v1.0.0-a-10",
            "v1.0.0-a-9",
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
