//! The order of Go releases: `1.9` < `1.21` < `1.21rc1` < `1.21.0` < `1.21.1`.
//!
//! This is not semantic versioning: from Go 1.21 on the language version `1.21` comes before its first
//! release candidate, earlier it *is* the first release. Texts that are no versions are equal to each other and below
//! all that are. Source of the rule: `internal/gover/gover.go` and `cmd/go/internal/gover`.

use std::cmp::Ordering;

/// What a go.mod without go line stands for, when it is the main module's.
pub const DEFAULT_GO_MOD: &str = "1.16";
/// What a go.work without go line stands for.
pub const DEFAULT_GO_WORK: &str = "1.18";
/// From here a go.mod lists everything its packages need, so that graphs can be pruned behind it.
pub const EXPLICIT_INDIRECT: &str = "1.17";
/// From here a go line is a requirement, and one above the local release an error.
pub const STRICT: &str = "1.21";
/// From here a go.mod has at most two blocks of requirements.
pub const SIMPLE_REQUIRES: &str = "1.27";
/// From here `all` leaves out the tests of dependencies.
pub const NARROW_ALL: &str = "1.16";
/// From here tidy keeps the go.mod lines of modules whose packages are loaded.
pub const TIDY_KEEPS_GO_MOD: &str = "1.21";
/// From here packages of the vendor directory must stand in modules.txt.
pub const LISTED_VENDORED: &str = "1.23";
/// From here `tool` directives are understood.
pub const TOOLS: &str = "1.24";

/// A Go version as it stands in a `go` line, without the `go` prefix.
///
/// Numbers have no width limit, so they are kept as decimal text without leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoVersion<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    kind: &'a str,
    pre: &'a str,
}

impl<'a> GoVersion<'a> {
    /// Reads `1`, `1.21`, `1.21rc2` or `1.21.3`; `None` for anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (major, rest) = decimal(text)?;
        if rest.is_empty() {
            return Some(Self { major, minor: "0", patch: "0", kind: "", pre: "" });
        }
        let (minor, rest) = decimal(rest.strip_prefix('.')?)?;
        if rest.is_empty() {
            let patch = if by_number(minor, "21").is_ge() { "" } else { "0" };
            return Some(Self { major, minor, patch, kind: "", pre: "" });
        }
        if let Some(rest) = rest.strip_prefix('.') {
            let (patch, rest) = decimal(rest)?;
            return rest.is_empty().then_some(Self { major, minor, patch, kind: "", pre: "" });
        }
        let letters = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        let (kind, pre) = rest.split_at(letters);
        let is_number = pre.is_empty() || decimal(pre).is_some_and(|(_, rest)| rest.is_empty());
        (!kind.is_empty() && is_number).then_some(Self { major, minor, patch: "", kind, pre })
    }

    /// Whether it names a language version rather than a release: `1.21`, but not `1.20`.
    pub fn is_language(&self) -> bool {
        self.patch.is_empty() && self.kind.is_empty() && self.pre.is_empty()
    }

    /// Whether it is a release candidate or a beta.
    pub fn is_prerelease(&self) -> bool {
        !self.kind.is_empty()
    }

    /// The language version: `1.2` of `1.2.3`.
    pub fn language(&self) -> String {
        match (self.major, self.minor) {
            (major, "") | (major @ "1", "0") => major.to_owned(),
            (major, minor) => format!("{major}.{minor}"),
        }
    }
}

impl Ord for GoVersion<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        by_number(self.major, other.major)
            .then_with(|| by_number(self.minor, other.minor))
            .then_with(|| by_number(self.patch, other.patch))
            .then_with(|| self.kind.cmp(other.kind))
            .then_with(|| by_number(self.pre, other.pre))
    }
}

impl PartialOrd for GoVersion<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two texts as Go versions.
pub fn compare(a: &str, b: &str) -> Ordering {
    GoVersion::parse(a).cmp(&GoVersion::parse(b))
}

/// Whether the text is a Go version.
pub fn is_valid(text: &str) -> bool {
    GoVersion::parse(text).is_some()
}

/// The language version of a text: `1.2` of `1.2.3`, nothing of what is no version.
pub fn language(text: &str) -> String {
    GoVersion::parse(text).map(|version| version.language()).unwrap_or_default()
}

/// The language version before: `1.2` of `1.3rc4`. A text that is no version has the empty one before it.
pub fn previous(text: &str) -> String {
    let Some(GoVersion { major, minor, .. }) = GoVersion::parse(text) else { return String::new() };
    match minor.parse::<u128>() {
        Ok(number) if number <= 1 => major.to_owned(),
        Ok(number) => format!("{major}.{}", number - 1),
        Err(_) => major.to_owned(),
    }
}

/// The version in a toolchain's name: `1.21.3` of `go1.21.3-bigcorp`, nothing of other texts.
pub fn of_toolchain(name: &str) -> &str {
    let Some(rest) = name.strip_prefix("go").filter(|_| !name.contains(['/', '\\'])) else { return "" };
    let version = rest.split([' ', '\t', '-']).next().unwrap_or(rest);
    if is_valid(version) { version } else { "" }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_stand_in_gos_order() {
        let order = ["", "1", "1.5", "1.20rc1", "1.20.1", "1.21", "1.21rc1", "1.21rc2", "1.21.0", "1.21.10"];
        for pair in order.windows(2) {
            assert!(compare(pair[0], pair[1]).is_lt(), "{pair:?}");
        }
    }

    #[test]
    fn before_1_21_the_language_version_is_the_first_release() {
        assert_eq!(GoVersion::parse("1.20"), GoVersion::parse("1.20.0"));
        assert!(compare("1.20rc1", "1.20").is_lt());
        assert_ne!(GoVersion::parse("1.21"), GoVersion::parse("1.21.0"));
    }

    #[test]
    fn other_texts_are_no_versions() {
        for text in [
            "",
            "go1.21",
            "1.",
            "01.2",
            "1.2.3.4",
            "1.21rc01",
            "1.21-rc1",
            "1.21RC1",
            "1.21.3rc1",
            "1.600+auto",
        ] {
            assert_eq!(GoVersion::parse(text), None, "{text}");
        }
        assert_eq!(compare("v1.2", "v1.3"), Ordering::Equal);
    }

    #[test]
    fn a_toolchain_may_have_a_suffix() {
        for (name, want) in [
            ("go1.21.3", "1.21.3"),
            ("go1.21.3-bigcorp", "1.21.3"),
            ("go1.21/3", ""),
            ("1.21", ""),
            ("gopher", ""),
        ] {
            assert_eq!(of_toolchain(name), want, "{name}");
        }
    }
}
