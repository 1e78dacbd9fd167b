//! The index of the module cache is never noticed but by the clock.

use std::fs;
use std::path::PathBuf;

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;

use crate::place::{Place, Who, put};

const MODULES: usize = 90;

/// A chain of modules, in the cache of both.
fn place(go: &Go) -> Place {
    let place = Place::new(go);
    for number in 0..MODULES {
        let next = match number + 1 {
            MODULES => String::new(),
            next => format!("require ex.com/m{next} v1.0.0\n"),
        };
        place.publish(&format!("ex.com/m{number}"), "v1.0.0", format!("module ex.com/m{number}\n{next}"));
    }
    place.publish("ex.com/extra", "v1.0.0", "module ex.com/extra\n");
    place.put("w/go.mod", "module ex.com/main\n\ngo 1.16\n\nrequire ex.com/m0 v1.0.0\n");
    assert_eq!(place.ask(Who::Go, "list -m all").status, Some(0));
    place
}

fn index(place: &Place) -> Option<PathBuf> {
    let folder = fs::read_dir(place.path("home/.cache/modkeep/graphs")).ok()?;
    let files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() < 2, "one main module has one file: {files:?}");
    files.into_iter().next()
}

fn agree(place: &Place, what: &str) {
    for line in ["list -m all", "mod graph"] {
        let [theirs, ours] = [Who::Go, Who::We].map(|who| place.ask(who, line));
        assert_eq!(ours, theirs, "{line}: {what}");
    }
}

#[test]
fn the_answer_is_the_same_whatever_became_of_the_index() {
    let test = "the_answer_is_the_same_whatever_became_of_the_index";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let place = place(&go);
    agree(&place, "first");
    let file = index(&place).expect("a graph of this size is kept");
    let kept = fs::read(&file).unwrap();
    agree(&place, "from the index");
    assert_eq!(fs::read(&file).unwrap(), kept, "nothing was new");
    for (what, damage) in [
        ("empty", Vec::new()),
        ("half", kept[..kept.len() / 2].to_vec()),
        ("noise", vec![0xa5; kept.len()]),
        ("another form", [&b"modkeep graph 99"[..], &kept[16..]].concat()),
    ] {
        put(&file, &damage);
        agree(&place, what);
        assert_eq!(fs::read(&file).unwrap(), kept, "{what}: it is made anew");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    agree(&place, "a folder in its place");
    fs::remove_dir_all(place.path("home/.cache")).unwrap();
    place.put("home/.cache", "a file where folders should be");
    agree(&place, "no place for it");
}

#[test]
fn a_go_mod_that_is_changed_is_read_again() {
    let test = "a_go_mod_that_is_changed_is_read_again";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let place = place(&go);
    agree(&place, "first");
    index(&place).expect("a graph of this size is kept");
    let changed = format!("gopath/pkg/mod/cache/download/ex.com/m{}/@v/v1.0.0.mod", MODULES - 1);
    place.put(&changed, format!("module ex.com/m{}\nrequire ex.com/extra v1.0.0\n", MODULES - 1));
    // go.sum still has the hash of before.
    agree(&place, "changed, and go.sum knows better");
    assert_eq!(place.ask(Who::We, "list -m all").status, Some(1));
    place.clear(&["w/go.sum"]);
    agree(&place, "changed");
    assert!(place.ask(Who::We, "list -m all").stdout.contains("ex.com/extra v1.0.0"));
    place.clear(&[&changed]);
    place.clear(&["w/go.sum"]);
    agree(&place, "gone, and fetched again");
    assert!(!place.ask(Who::We, "list -m all").stdout.contains("ex.com/extra"));
}

#[test]
fn a_time_that_is_changed_is_read_again() {
    let test = "a_time_that_is_changed_is_read_again";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let place = place(&go);
    let line = format!("list -m -json ex.com/m0 ex.com/m{}", MODULES - 1);
    let info = format!("gopath/pkg/mod/cache/download/ex.com/m{}/@v/v1.0.0.info", MODULES - 1);
    let agree = |what: &str, time: &str| {
        let [theirs, first, again] = [Who::Go, Who::We, Who::We].map(|who| place.ask(who, &line));
        assert_eq!(first, theirs, "{what}");
        assert_eq!(again, theirs, "{what}, from the index");
        assert!(first.stdout.contains(time), "{what}: {}", first.stdout);
    };
    agree("first", "\"Time\"");
    for time in ["2001-02-03T04:05:06Z", "2001-02-03T04:05:07Z"] {
        place.put(&info, format!("{{\"Version\":\"v1.0.0\",\"Time\":\"{time}\"}}"));
        agree("changed", time);
    }
    for damage in [
        "",
        "{\"Version\":\"v1.0.0\"",
        "{\"Version\":\"v1.0.0\",\"Time\":\"2001-02-03T04:05:08Z\",\"Name\":\"x\"}",
    ] {
        place.put(&info, damage);
        agree("damaged", "\"Time\"");
    }
    place.clear(&[&info]);
    agree("gone, and fetched again", "\"Time\"");
}

#[test]
fn commands_at_the_same_time_do_not_disturb_each_other() {
    let test = "commands_at_the_same_time_do_not_disturb_each_other";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let place = place(&go);
    let want = place.ask(Who::Go, "mod graph");
    for _ in 0..3 {
        place.clear(&["home/.cache"]);
        std::thread::scope(|scope| {
            let commands: Vec<_> = (0..6).map(|_| scope.spawn(|| place.ask(Who::We, "mod graph"))).collect();
            for command in commands {
                assert_eq!(command.join().unwrap(), want);
            }
        });
        index(&place).expect("whoever was last has left a whole file");
        assert_eq!(place.ask(Who::We, "mod graph"), want);
    }
}
