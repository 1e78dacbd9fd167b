//! Programs that are gone while everything they consist of is known.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use crate::clock::Cost;
use crate::side::{Side, run};
use crate::table::Goal;
use crate::{TIMES, rounds};

/// Programs of the module that has several.
const PROGRAMS: usize = 3;
const GOAL: Goal = Goal { cpu: None, wall: None, within: Some(0.05) };

/// Has programs put in place again.
pub(crate) fn measure(sides: &[Side; 2], root: &Path) {
    let is_gone = |side: &Side| fs::remove_file(side.output()).expect("a program");
    rounds("only the program is gone", sides, GOAL, TIMES, is_gone, |side| side.build(1, &[]));
    branches(sides, root);
    several(sides);
}

/// The source of the program itself is now of one branch, now of the other; both were built.
fn branches(sides: &[Side; 2], root: &Path) {
    let path = root.join("src/cmd/go/main.go");
    let text = fs::read_to_string(&path).expect("the source of the go command");
    let other = format!("{text}\n// Branch is what another branch adds.\nfunc Branch() int {{ return 1 }}\n");
    let is_other = Cell::new(false);
    let switch = |_: &Side| {
        is_other.set(!is_other.get());
        fs::write(&path, if is_other.get() { &other } else { &text }).expect("the copy can be written to");
    };
    for _ in 0..2 {
        switch(&sides[0]);
        for side in sides {
            side.build(1, &[]);
        }
    }
    // An even number, so that each branch is built by both.
    let work = |side: &Side| {
        let first = side.build(1, &[]);
        switch(side);
        Cost::sum(&[first, side.build(1, &[])]).divided(2.0)
    };
    rounds("a branch is switched back", sides, GOAL, 1, switch, work);
    fs::write(&path, &text).expect("the copy can be written to");
    for side in sides {
        side.build(1, &[]);
    }
}

/// A module with several programs, all of them gone.
fn several(sides: &[Side; 2]) {
    let folder = sides[0].path("programs");
    let write = |name: &str, text: String| {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(file, text).expect("a file of our own");
    };
    write("go.mod", "module example.com/programs\n\ngo 1.26\n".to_owned());
    for number in 0..PROGRAMS {
        let text = format!(
            "package main\n\nimport \"net/http\"\n\nfunc main() {{ println({number}, http.MethodGet) }}\n"
        );
        write(&format!("cmd/p{number}/main.go"), text);
    }
    let build = |side: &Side| {
        let mut command = side.command(&folder, &["build", "-trimpath", "-o"]);
        command.arg(format!("{}/", side.path("mains").display())).arg("./...");
        Cost::of(1, || drop(run(&mut command)))
    };
    let of_each = |side: &Side| build(side).divided(PROGRAMS as f64);
    for side in sides {
        fs::create_dir_all(side.path("mains")).expect("a folder");
        build(side);
        build(side);
    }
    let are_gone = |side: &Side| {
        for number in 0..PROGRAMS {
            fs::remove_file(side.path("mains").join(format!("p{number}"))).expect("a program");
        }
    };
    rounds("three programs are gone, each", sides, GOAL, TIMES, are_gone, of_each);
    for number in 0..PROGRAMS {
        let [theirs, ours] = sides
            .each_ref()
            .map(|side| fs::read(side.path("mains").join(format!("p{number}"))).expect("a program"));
        assert!(theirs == ours, "the programs differ");
    }
}
