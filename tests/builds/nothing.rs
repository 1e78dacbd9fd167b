//! Builds with nothing to do, and what must not be missed by them.

use std::fs::{self, File};
use std::path::Path;

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;

use super::demo;
use super::yard::{Row, Yard, compare, settle};

#[test]
fn a_build_with_nothing_to_do_does_nothing_and_misses_nothing() {
    if let Err(missing) = Go::specification() {
        return skip("builds", &missing);
    }
    let yard = Yard::new(true);
    demo::lay(&yard, "tree");
    let row = Row::new("nothing to do", "./cmd/small");
    settle(&compare(&yard, std::slice::from_ref(&row)));
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
    settle(&compare(&yard, &[Row { name: "one file changed", ..row.clone() }]));
    assert!(yard.again(&row) == second);
    // An embedded file is no source.
    write(&yard.path("tree/lib/assets/hello.txt"), "another text\n");
    assert!(yard.again(&row) != second);
    settle(&compare(&yard, &[Row { name: "an embedded file changed", ..row.clone() }]));
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

#[allow(clippy::disallowed_methods, reason = "a file of the test")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}
