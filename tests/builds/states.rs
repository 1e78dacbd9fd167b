//! A module as it may lie around: in a repository in each of its states, in a workspace, with a vendor directory.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use modkeep_conformance::go::{Go, RELEASE};
use modkeep_harness::place::{full_run, skip};
use modkeep_harness::tree;

use super::yard::{Row, Yard, compare, settle};
use super::{RELEASES, demo};

#[test]
fn the_revision_is_told_as_go_tells_it() {
    if let Err(missing) = Go::specification() {
        return skip("builds", &missing);
    }
    for release in releases() {
        let yard = Yard::new(!full_run());
        demo::lay(&yard, "tree");
        settle(&compare_revisions(&yard, &Row::new("small", "./cmd/small").by(release)));
    }
}

#[test]
fn a_workspace_and_a_vendor_directory_are_used_as_go_uses_them() {
    if let Err(missing) = Go::specification() {
        return skip("builds", &missing);
    }
    for release in releases() {
        let yard = Yard::new(!full_run());
        demo::lay(&yard, "tree");
        let row = Row::new("small", "./cmd/small").by(release);
        settle(&compare_workspace(&yard, &row, &["./tree", "./tree/quote"]));
        settle(&compare_vendored(&yard, &row));
    }
}

/// What every run looks at is one of them.
fn releases() -> &'static [&'static str] {
    if full_run() { &RELEASES } else { &[RELEASE] }
}

/// A program of the module in `tree`, of which a repository is made.
pub(crate) fn compare_revisions(yard: &Yard, row: &Row<'_>) -> Vec<String> {
    let tree = yard.path("tree");
    let named = |name| Row { name, ..row.clone() };
    let mut differences = compare(yard, &[named("no repository")]);
    git(&tree, &["init", "-q"]);
    differences.extend(compare(yard, &[named("nothing committed")]));
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "-qm", "first"]);
    differences.extend(compare(yard, &[named("clean")]));
    git(&tree, &["tag", "v0.3.0"]);
    let unstamped = named("tagged, not stamped").with(&["-buildvcs=false"]);
    differences.extend(compare(yard, &[named("tagged"), unstamped]));
    write(&tree.join("untracked"), "");
    differences.extend(compare(yard, &[named("dirty")]));
    fs::remove_file(tree.join("untracked")).unwrap();
    tree::remove(&tree.join(".git")).unwrap();
    differences
}

/// A program of the module in `tree` in a workspace of these modules around it, and beside it.
pub(crate) fn compare_workspace(yard: &Yard, row: &Row<'_>, modules: &[&str]) -> Vec<String> {
    let mut text = String::from("go 1.26.0\n\nuse (\n");
    for module in modules {
        writeln!(text, "\t{module}").unwrap();
    }
    write(&yard.path("go.work"), &(text + ")\n"));
    let inside = Row { name: "in a workspace", variables: vec![("GOWORK", "")], ..row.clone() };
    let beside = Row { name: "the workspace off", variables: vec![("GOWORK", "off")], ..row.clone() };
    let differences = compare(yard, &[inside, beside]);
    fs::remove_file(yard.path("go.work")).unwrap();
    differences
}

/// A program of the module in `tree` with a vendor directory that go has made.
pub(crate) fn compare_vendored(yard: &Yard, row: &Row<'_>) -> Vec<String> {
    let row = Row { name: "with a vendor directory", ..row.clone() };
    let mut command = yard.command("go", &row, &yard.cache("go", row.release));
    let output = command.args(["mod", "vendor"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let differences = compare(yard, &[row.with(&["-mod=vendor"])]);
    tree::remove(&yard.path("tree/vendor")).unwrap();
    differences
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
    command.env("GIT_COMMITTER_DATE", "1767323045 +0000").env("GIT_AUTHOR_DATE", "1767323045 +0000");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    assert!(command.current_dir(folder).output().unwrap().status.success(), "git {arguments:?}");
}

#[allow(clippy::disallowed_methods, reason = "a file of the test")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}
