//! The demo module as it may lie around: in a repository in each of its states, in a workspace, with a vendor directory.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;

use super::yard::{Row, Yard, check_all, copy};

pub(crate) fn lay(yard: &Yard, folder: &str) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("builder/tests/demo"), &yard.path(folder));
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

#[test]
fn the_revision_is_told_as_go_tells_it() {
    let yard = Yard::new(true);
    lay(&yard, "tree");
    let row = |name| Row::new(name, "./cmd/small");
    if let Err(missing) = Go::specification() {
        return skip("builds", &missing);
    }
    check_all(&yard, &[row("no repository")]);
    let tree = yard.path("tree");
    git(&tree, &["init", "-q"]);
    check_all(&yard, &[row("nothing committed")]);
    git(&tree, &["add", "."]);
    git(&tree, &["commit", "-qm", "first"]);
    check_all(&yard, &[row("clean")]);
    git(&tree, &["tag", "v0.3.0"]);
    check_all(&yard, &[row("tagged"), row("tagged, not stamped").with(&["-buildvcs=false"])]);
    write(&tree.join("untracked"), "");
    check_all(&yard, &[row("dirty")]);
}

#[test]
fn a_workspace_and_a_vendor_directory_are_used_as_go_uses_them() {
    if let Err(missing) = Go::specification() {
        return skip("builds", &missing);
    }
    let yard = Yard::new(true);
    lay(&yard, "tree/demo");
    write(&yard.path("tree/go.work"), "go 1.26\n\nuse (\n\t./demo\n\t./demo/quote\n)\n");
    let in_workspace = Row {
        folder: "tree/demo",
        variables: vec![("GOWORK", "")],
        ..Row::new("in a workspace", "./cmd/small")
    };
    let beside = Row { variables: vec![("GOWORK", "off")], ..in_workspace.clone() };
    check_all(&yard, &[in_workspace.clone(), Row { name: "the workspace off", ..beside.clone() }]);
    let vendored = Row { flags: vec!["-trimpath", "-mod=vendor"], ..beside };
    let mut command = yard.command("go", &vendored, &yard.cache("go", vendored.release));
    let output = command.args(["mod", "vendor"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check_all(&yard, &[Row { name: "with a vendor directory", ..vendored }]);
}

#[test]
fn a_build_with_nothing_to_do_does_nothing_and_misses_nothing() {
    if let Err(missing) = Go::specification() {
        return skip("builds", &missing);
    }
    let yard = Yard::new(true);
    lay(&yard, "tree");
    let row = Row::new("nothing to do", "./cmd/small");
    check_all(&yard, std::slice::from_ref(&row));
    let first = yard.again(&row);
    // The first two learn, and what changed in the last two seconds is learned later.
    make_old(&yard.path("tree"));
    for _ in 0..3 {
        assert!(yard.again(&row) == first);
    }
    let source = yard.path("tree/lib/assets/assets.go");
    let before = fs::metadata(&source).unwrap().modified().unwrap();
    let text = fs::read_to_string(&source).unwrap();
    write(&source, &text.replace("return -1", "return -2"));
    File::options().write(true).open(&source).unwrap().set_modified(before).unwrap();
    let second = yard.again(&row);
    assert!(second != first, "a file changed behind its size and time");
    check_all(&yard, &[Row { name: "one file changed", ..row.clone() }]);
    assert!(yard.again(&row) == second);
    // An embedded file is no source.
    write(&yard.path("tree/lib/assets/hello.txt"), "another text\n");
    assert!(yard.again(&row) != second);
    check_all(&yard, &[Row { name: "an embedded file changed", ..row.clone() }]);
    // A program that is damaged in its content is none of go's business; one that is gone is made again.
    let third = yard.again(&row);
    fs::remove_file(yard.path("modkeep.out")).unwrap();
    assert!(yard.again(&row) == third);
}

/// Times of change can't be set back, so that this waits until they are old.
fn make_old(tree: &Path) {
    let newest = File::open(tree.join("go.mod")).unwrap();
    let since = newest.metadata().unwrap().modified().unwrap();
    #[allow(clippy::disallowed_methods, reason = "the files have times of the machine's clock")]
    while since.elapsed().is_ok_and(|age| age.as_millis() < 2100) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
