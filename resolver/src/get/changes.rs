//! The lines about what a `get` changed.
//!
//! Only modules that were named, or that go.mod lists, are told of. Source of the rules:
//! `cmd/go/internal/modget/get.go:reportChanges`.

use std::collections::BTreeMap;

use modkeep_module::GoMod;

use super::Getter;
use crate::go_version;
use crate::order;
use crate::world::World;
use crate::written::Written;

/// What a module was and is; empty if it was not there.
type Changes = BTreeMap<String, (String, String)>;

impl Getter<'_> {
    /// The lines, without `go: `.
    pub(super) fn changes(&self, world: &World, written: Option<&Written>) -> Vec<String> {
        let Some(before) = world.main.module(world.main.first()) else { return Vec::new() };
        let Some(written) = written else { return Vec::new() };
        let (before, after) = (&before.file, &written.file);
        let nodes = world.nodes();
        let version = |versions: &std::collections::HashMap<_, _>, path: &str| {
            let found = nodes.find_path(path).and_then(|path| versions.get(&path));
            found.map_or(String::new(), |node| nodes.version(*node).to_owned())
        };
        let mut changes = Changes::new();
        for reason in self.resolved.values() {
            let node = nodes.node(reason.version);
            let old = version(&self.initial, &node.path);
            let is_change = *old != *node.version && !(old.is_empty() && &*node.version == "none");
            if is_change && !order::is_toolchain(&node.path) {
                changes.insert(node.path.to_string(), (old, node.version.to_string()));
            }
        }
        for require in before.requires() {
            let new = version(&self.selected, &require.path);
            if new != require.version {
                changes.insert(require.path.clone(), (require.version.clone(), new));
            }
        }
        for require in after.requires() {
            let old = version(&self.initial, &require.path);
            if old != require.version {
                changes.insert(require.path.clone(), (old, require.version.clone()));
            }
        }
        let mut lines: Vec<_> =
            toolchains(before, after, &world.local.version).iter().filter_map(line).collect();
        lines.extend(
            changes.iter().filter_map(|(path, (old, new))| line(&(path, old.as_str(), new.as_str()))),
        );
        lines
    }
}

/// The go line and the toolchain line. A missing go line became that of the local release when the file was read.
fn toolchains<'a>(
    before: &'a GoMod,
    after: &'a GoMod,
    local: &'a str,
) -> [(&'static str, &'a str, &'a str); 2] {
    let go = |file: &'a GoMod| file.go().map_or(local, |go| go.version.as_str());
    let toolchain = |file: &'a GoMod| file.toolchain().map_or("", |toolchain| toolchain.name.as_str());
    [("go", go(before), go(after)), ("toolchain", toolchain(before), toolchain(after))]
}

fn line<P: AsRef<str>>((path, old, new): &(P, &str, &str)) -> Option<String> {
    let path = path.as_ref();
    if old == new {
        return None;
    }
    Some(if old.is_empty() {
        format!("added {path} {new}")
    } else if matches!(*new, "none" | "") {
        format!("removed {path} {old}")
    } else if order::compare(path, new, old).is_gt() {
        let since = go_version::EXPLICIT_INDIRECT;
        let is_expanded = path == "go"
            && go_version::compare(old, since).is_lt()
            && go_version::compare(new, since).is_ge();
        let note = format!(
            "\n\tnote: expanded dependencies to upgrade to go {since} or higher; run 'go mod tidy' to clean up"
        );
        format!("upgraded {path} {old} => {new}{}", if is_expanded { note.as_str() } else { "" })
    } else {
        format!("downgraded {path} {old} => {new}")
    })
}
