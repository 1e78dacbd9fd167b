//! Which files count as vendored packages, with the two mistakes that the hashes of old modules depend on.
//!
//! Modules whose go.mod says less than `go 1.24` keep `vendor/modules.txt`, and in them the package below a
//! nested `vendor` is looked for at the wrong place (`golang.org/x/mod/zip.isVendoredPackage`, golang/go#37397).

use memchr::memmem;

use crate::gomod::GoMod;

/// By which rule files are vendored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendoring {
    /// With both mistakes: no go.mod, no go line, or less than 1.24.
    Old,
    /// As meant.
    Go124,
}

impl Vendoring {
    /// The rule for a module with this go.mod, which need not be one.
    pub(super) fn of(go_mod: &[u8]) -> Self {
        let go_mod = GoMod::parse_lax("go.mod", go_mod).ok();
        let is_new = go_mod.is_some_and(|go_mod| go_mod.go().is_some_and(|go| is_at_least_124(&go.version)));
        if is_new { Self::Go124 } else { Self::Old }
    }

    /// Whether a file or folder is in a vendored package.
    pub(super) fn omits(self, name: &[u8]) -> bool {
        const VENDOR: &[u8] = b"vendor/";
        const NESTED: &[u8] = b"/vendor/";
        if self == Self::Go124 && name == b"vendor/modules.txt" {
            return true;
        }
        let package = if name.starts_with(VENDOR) {
            VENDOR.len()
        } else if let Some(at) = memmem::find(name, NESTED) {
            match self {
                Self::Go124 => at + NESTED.len(),
                Self::Old => NESTED.len(),
            }
        } else {
            return false;
        };
        name[package..].contains(&b'/')
    }
}

/// Whether a language version is 1.24 or newer; text that is no Go version is not (`go/version.Lang`).
fn is_at_least_124(version: &str) -> bool {
    let parse = || {
        let (major, rest) = number(version)?;
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        is_release_or_prerelease(rest).then_some((major, minor))
    };
    let Some((major, minor)) = parse() else { return false };
    let is_less = |one: &str, other: &str| (one.len(), one) < (other.len(), other);
    major != "0" && (major != "1" || !is_less(minor, "24"))
}

/// Whether this may follow a language version: nothing, `.3`, or `rc1`.
fn is_release_or_prerelease(rest: &str) -> bool {
    let is_number = |text: &str| number(text).is_some_and(|(_, rest)| rest.is_empty());
    if let Some(patch) = rest.strip_prefix('.') {
        return is_number(patch);
    }
    let count = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
    rest.is_empty() || count.len() < rest.len() && (count.is_empty() || is_number(count))
}

/// The decimal number that a text begins with, without needless zeros, and what follows.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (!number.is_empty() && (number == "0" || !number.starts_with('0'))).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_go_line_chooses_the_rule() {
        for (version, is_new) in [
            ("1.23", false),
            ("1.23.9", false),
            ("1.9", false),
            ("1.24", true),
            ("1.24rc1", true),
            ("1.24.0", true),
            ("1.24.0rc1", false),
            ("1.99999999999999999999", true),
            ("1.100", true),
            ("2.0", true),
            ("1", false),
        ] {
            assert_eq!(is_at_least_124(version), is_new, "{version}");
        }
        for (go_mod, rule) in [
            ("module m\n\ngo 1.24\n", Vendoring::Go124),
            ("module m\n\ngo 1.23\n", Vendoring::Old),
            ("module m\n", Vendoring::Old),
            ("", Vendoring::Old),
            ("no go.mod (\n", Vendoring::Old),
            ("unknown x\ngo 1.25 // comment\n", Vendoring::Go124),
        ] {
            assert_eq!(Vendoring::of(go_mod.as_bytes()), rule, "{go_mod}");
        }
    }

    #[test]
    fn packages_below_vendor_are_vendored() {
        // The name, and whether it is omitted by the old rule and by the new one.
        for (name, old, new) in [
            ("vendor/foo/foo.go", true, true),
            ("pkg/vendor/foo/foo.go", true, true),
            ("longpackagename/vendor/foo/foo.go", true, true),
            ("vendor/vendor.go", false, false),
            ("vendor/foo/modules.txt", true, true),
            ("modules.txt", false, false),
            ("vendor/amodules.txt", false, false),
            ("vendor/modules.txt", false, true),
            ("pkg/vendor/vendor.go", true, false),
            ("longpackagename/vendor/vendor.go", true, false),
            ("vendor", false, false),
            ("vendor/foo", false, false),
            ("vendored/foo/foo.go", false, false),
        ] {
            assert_eq!(Vendoring::Old.omits(name.as_bytes()), old, "{name}, old");
            assert_eq!(Vendoring::Go124.omits(name.as_bytes()), new, "{name}, new");
        }
    }
}
