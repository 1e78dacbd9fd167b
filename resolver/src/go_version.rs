//! The order of Go releases: `1.9` < `1.21rc1` < `1.21.0` < `1.21.1`.
//!
//! This is not semantic versioning: from Go 1.21 on the language version `1.21` comes before its first
//! release candidate, earlier it *is* the first release. Source of the rule: `internal/gover/gover.go`.

use std::cmp::Ordering;

/// A Go version as it stands in a `go` line, without the `go` prefix.
///
/// Numbers have no width limit, so they are kept as decimal text without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoVersion {
    major: String,
    minor: String,
    patch: String,
    kind: String,
    pre: String,
}

impl GoVersion {
    /// Reads `1`, `1.21`, `1.21rc2` or `1.21.3`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, rest) = decimal(text)?;
        if rest.is_empty() {
            return Some(Self::new(major, "0", "0", "", ""));
        }
        let (minor, rest) = decimal(rest.strip_prefix('.')?)?;
        if rest.is_empty() {
            let patch = if at_least(minor, "21") { "" } else { "0" };
            return Some(Self::new(major, minor, patch, "", ""));
        }
        if let Some(rest) = rest.strip_prefix('.') {
            let (patch, rest) = decimal(rest)?;
            return rest.is_empty().then(|| Self::new(major, minor, patch, "", ""));
        }
        let digits = rest.find(|c: char| c.is_ascii_digit())?;
        let (kind, pre) = rest.split_at(digits);
        if kind.contains(['.', '-']) {
            return None;
        }
        let (pre, rest) = decimal(pre)?;
        rest.is_empty().then(|| Self::new(major, minor, "", kind, pre))
    }

    fn new(major: &str, minor: &str, patch: &str, kind: &str, pre: &str) -> Self {
        let own = str::to_owned;
        Self { major: own(major), minor: own(minor), patch: own(patch), kind: own(kind), pre: own(pre) }
    }
}

impl Ord for GoVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        by_number(&self.major, &other.major)
            .then_with(|| by_number(&self.minor, &other.minor))
            .then_with(|| by_number(&self.patch, &other.patch))
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| by_number(&self.pre, &other.pre))
    }
}

impl PartialOrd for GoVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Splits a canonical decimal number off the front of `text`.
fn decimal(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let canonical = !number.is_empty() && (number == "0" || !number.starts_with('0'));
    canonical.then_some((number, rest))
}

/// Canonical decimals order by length first; the empty one comes before all.
fn by_number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn at_least(number: &str, floor: &str) -> bool {
    by_number(number, floor) != Ordering::Less
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_stand_in_gos_order() {
        let order = ["1", "1.5", "1.20rc1", "1.20.1", "1.21", "1.21rc1", "1.21rc2", "1.21.0", "1.21.10"];
        let parsed: Vec<_> = order.iter().map(|text| GoVersion::parse(text).unwrap()).collect();
        for pair in parsed.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
    }

    #[test]
    fn before_1_21_the_language_version_is_the_first_release() {
        assert_eq!(GoVersion::parse("1.20"), GoVersion::parse("1.20.0"));
        assert!(GoVersion::parse("1.20rc1") < GoVersion::parse("1.20"));
        assert_ne!(GoVersion::parse("1.21"), GoVersion::parse("1.21.0"));
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in ["", "go1.21", "1.", "01.2", "1.2.3.4", "1.21rc", "1.21-rc1", "1.x"] {
            assert_eq!(GoVersion::parse(text), None, "{text}");
        }
    }
}
