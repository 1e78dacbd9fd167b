//! The version of a module at a revision of its repository: the highest tag on it, or a pseudo-version that counts from the
//! highest one before it.
//!
//! Source: `cmd/go/internal/modfetch/coderepo.go` (`newCodeRepo`, `convert`, `findDir`).

use jiff::civil::DateTime;
use modkeep_module::GoMod;
use modkeep_module::gomod::{Interval, module_path};
use modkeep_module::path::major::{match_path_major, path_major_prefix, split_path_version};
use modkeep_module::pseudo::{is_pseudo_version, pseudo_version};
use modkeep_module::semver;

use crate::path_prefix::has_path_prefix;

/// A tag of a revision or of one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: String,
    /// Whether it names the revision itself.
    pub(super) is_own: bool,
}

/// A revision, as far as versions are about it.
pub(super) struct Commit<'a> {
    pub(super) hash: &'a str,
    pub(super) time: DateTime,
    pub(super) tags: &'a [Tag],
    /// The tags of the whole repository, the newest release of which may retract versions.
    pub(super) all_tags: &'a [String],
    /// A file of this or another revision: its path in the repository.
    pub(super) file: &'a dyn Fn(&str, &str) -> Option<Vec<u8>>,
}

/// Where in a repository a module belongs, by its path alone.
struct Module<'a> {
    path: &'a str,
    /// What the paths of all modules in the repository begin with.
    root: &'a str,
    folder: &'a str,
    /// `/v2`, `.v2` or nothing.
    major: &'a str,
}

impl<'a> Module<'a> {
    /// None where a repository whose root is the module `root` can't have this one.
    fn new(root: &'a str, path: &'a str) -> Option<Self> {
        let (root, _) = split_path_version(root).filter(|_| !root.is_empty())?;
        below(path, root)?;
        let (prefix, major) = split_path_version(path)?;
        let folder = if path == root { "" } else { below(prefix, root)?.trim_matches('/') };
        Some(Self { path, root, folder, major })
    }

    /// The tag without what stands before versions of this module.
    fn of_tag<'t>(&self, tag: &'t str) -> Option<&'t str> {
        match self.folder {
            "" => Some(tag),
            folder => tag.strip_prefix(folder)?.strip_prefix('/'),
        }
    }

    fn tag_of(&self, version: &str) -> String {
        if self.folder.is_empty() { version.to_owned() } else { format!("{}/{version}", self.folder) }
    }

    /// The path of a go.mod in a folder of the module.
    fn go_mod_in(&self, folder: &str) -> String {
        let names = [self.folder, folder, "go.mod"];
        names.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join("/")
    }

    /// Its go.mod at a revision, in its folder or in one for its major version, but not in both; empty where it needs none.
    fn find(&self, file: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let here = file(&self.go_mod_in(""));
        // A module may replace one of gopkg.in, whose paths have their own form.
        let is_here = here.as_deref().map(path_of).is_some_and(|path| {
            self.has_major_of(&path) || self.major.is_empty() && path.starts_with("gopkg.in/")
        });
        if let Some(version) = self.major.strip_prefix('/').filter(|_| self.root != self.path)
            && let Some(text) = file(&self.go_mod_in(version))
        {
            return (self.has_major_of(&path_of(&text)) && !is_here).then_some(text);
        }
        let may_lack_go_mod = self.folder.is_empty() && !self.major.starts_with('/');
        match here {
            Some(text) => is_here.then_some(text),
            None => may_lack_go_mod.then(Vec::new),
        }
    }

    /// Whether a module of the path `other` can have the same versions.
    fn has_major_of(&self, other: &str) -> bool {
        let Some((_, major)) = split_path_version(other).filter(|_| !other.is_empty()) else {
            return false;
        };
        match self.major.get(1..) {
            Some(own) => major.get(1..) == Some(own),
            None => ["", "v0", "v1"].contains(&path_major_prefix(major)),
        }
    }
}

impl Commit<'_> {
    /// The version of the module `path` at this commit of a repository whose root is the module `root`; none where it has
    /// no such module.
    pub(super) fn version_of(&self, path: &str, root: &str) -> Option<String> {
        let module = Module::new(root, path)?;
        module.find(|path| (self.file)(self.hash, path))?;
        let retracted = self.retracted(&module);
        let is_allowed = |version: &String| {
            let is_in = |interval: &Interval| {
                semver::compare(&interval.low, version).is_le()
                    && semver::compare(version, &interval.high).is_le()
            };
            (match_path_major(version, module.major) || self.allows_incompatible(&module, version))
                && !retracted.iter().any(is_in)
        };
        // What stands behind a version in a tag makes it none, but does for later revisions to be counted from.
        let version_in = |tag: &Tag, is_own: bool| {
            let name = module.of_tag(&tag.name).filter(|_| !is_pseudo_version(&tag.name))?;
            let version = semver::canonical(name).filter(|version| name.starts_with(version.as_str()))?;
            (!is_own || tag.is_own && version == name).then_some(version)
        };
        let highest = |is_own: bool| {
            let versions = self.tags.iter().filter_map(|tag| version_in(tag, is_own));
            versions.filter(is_allowed).max_by(|a, b| semver::compare(a, b))
        };
        let mut version = highest(true).unwrap_or_else(|| {
            let short = &self.hash[..self.hash.len().min(12)];
            let before = highest(false).unwrap_or_default();
            pseudo_version(path_major_prefix(module.major), &before, self.time, short)
        });
        if !match_path_major(&version, module.major) {
            version.push_str("+incompatible");
        }
        Some(version)
    }

    /// Whether a version of a major that the path doesn't name is one all the same, since nothing says otherwise.
    fn allows_incompatible(&self, module: &Module<'_>, version: &str) -> bool {
        let lacks = |path: &str| (self.file)(self.hash, path).is_none();
        module.folder.is_empty()
            && module.major.is_empty()
            && lacks("go.mod")
            && lacks(&format!("{}/go.mod", semver::major(version)))
    }

    /// What the newest version of the module retracts.
    fn retracted(&self, module: &Module<'_>) -> Vec<Interval> {
        let is_version = |name: &&str| {
            let is_canonical = semver::canonical(name).is_some_and(|version| version == *name);
            is_canonical && !is_pseudo_version(name) && match_path_major(name, module.major)
        };
        let versions = self.all_tags.iter().filter_map(|tag| module.of_tag(tag)).filter(is_version);
        // A release counts as newer than all that come before releases.
        let newest = versions.max_by(|a, b| {
            let is_release = |version: &str| semver::prerelease(version).is_empty();
            is_release(a).cmp(&is_release(b)).then_with(|| semver::compare(a, b))
        });
        let text = newest.and_then(|version| {
            let revision = module.tag_of(version);
            module.find(|path| (self.file)(&revision, path))
        });
        let file = text.and_then(|text| GoMod::parse_lax("go.mod", &text).ok());
        let retracts = file.iter().flat_map(|file| file.retracts());
        retracts.map(|retract| retract.interval.clone()).collect()
    }
}

fn path_of(go_mod: &[u8]) -> String {
    module_path(go_mod).unwrap_or_default()
}

/// What is left of a path below a prefix of whole elements.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    has_path_prefix(path, prefix).then(|| &path[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const MADE_UP: &str = "20260102030405-0123456789ab";

    /// What a commit with these modules, each with its folder and the rest of its module line, says of some.
    fn check(root: &str, modules: &[(&str, &str)], tags: &[(&str, bool)], expected: &[(&str, Option<&str>)]) {
        let tag = |(name, is_own): &(&str, bool)| Tag { name: (*name).to_owned(), is_own: *is_own };
        let tags: Vec<Tag> = tags.iter().map(tag).collect();
        let all_tags: Vec<String> = tags.iter().map(|tag| tag.name.clone()).collect();
        let file = |_: &str, wanted: &str| {
            let mut paths = modules.iter().filter(|(folder, _)| format!("{folder}go.mod") == wanted);
            paths.next().map(|(_, path)| format!("module {path}\n").into_bytes())
        };
        let commit = Commit {
            hash: "0123456789abcdef0123456789abcdef01234567",
            time: date(2026, 1, 2).at(3, 4, 5, 0),
            tags: &tags,
            all_tags: &all_tags,
            file: &file,
        };
        for (path, expected) in expected {
            let expected = expected.map(|version| version.replace('*', MADE_UP));
            assert_eq!(commit.version_of(path, root), expected, "{path}");
        }
    }

    #[test]
    fn tags_give_a_module_its_version() {
        let modules = [
            ("", "ex.com/m"),
            ("v2/", "ex.com/m/v2"),
            ("sub/", "ex.com/m/sub"),
            ("other/", "ex.com/m/other/v3"),
            ("lost/", "ex.com/m/found/v2"),
        ];
        let tags =
            [("v1.2.0", false), ("v1.3.0-rc.1", false), ("sub/v0.1.0", true), ("v2.0.0", true), ("x", true)];
        let expected = [
            ("ex.com/m", Some("v1.3.0-rc.1.0.*")),
            ("ex.com/m/v2", Some("v2.0.0")),
            ("ex.com/m/sub", Some("v0.1.0")),
            ("ex.com/m/other/v3", Some("v3.0.0-*")),
            ("ex.com/m/found/v2", None),
            ("ex.com/m/lost", None),
            ("ex.org/m", None),
        ];
        check("ex.com/m", &modules, &tags, &expected);
    }

    #[test]
    fn a_tag_with_more_behind_the_version_is_no_version() {
        let tags = [("v1.5.0+meta", false), ("v1.3.1", false), ("v1.4", true), ("v1.3.0+x", true)];
        check("ex.com/m", &[("", "ex.com/m")], &tags, &[("ex.com/m", Some("v1.5.1-0.*"))]);
    }

    #[test]
    fn what_is_retracted_is_not_told() {
        let modules = [("", "ex.com/m\n\nretract (\n\tv1.1.0\n\t[v0.1.0, v0.9.0]\n)")];
        let tags = [("v1.1.0", true), ("v0.2.0", true), ("v0.1.0", true), ("v1.0.0", false)];
        check("ex.com/m", &modules, &tags, &[("ex.com/m", Some("v1.0.1-0.*"))]);
    }

    #[test]
    fn a_module_is_in_one_place_and_its_path_says_which() {
        let both = [("", "ex.com/m/v2"), ("v2/", "ex.com/m/v2")];
        check("ex.com/m/v2", &both, &[], &[("ex.com/m/v2", None)]);
        let dotted = [("", "gopkg.in/m.v2")];
        check("gopkg.in/m.v2", &dotted, &[("v2.0.0", true)], &[("gopkg.in/m.v2", None)]);
        check("ex.com/m // a comment", &[("", "ex.com/m")], &[], &[("ex.com/m", None)]);
    }

    #[test]
    fn without_a_go_mod_another_major_version_is_incompatible() {
        let tags = [("v2.0.0", true), ("v1.0.0", false), ("v3.1.0", true)];
        check("ex.com/m", &[("v3/", "x")], &tags, &[("ex.com/m", Some("v2.0.0+incompatible"))]);
        let before = [("v2.0.0", false), ("v1.0.0", false)];
        check("ex.com/m", &[], &before, &[("ex.com/m", Some("v2.0.1-0.*+incompatible"))]);
    }
}
