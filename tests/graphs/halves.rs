//! Module caches that somebody left half-written.

use std::fs;
use std::path::Path;

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;

use crate::place::{Place, Said, Who, put};

/// What was left, given the folder `@v` of the module and its extracted folder.
type Damage = fn(&Path, &Path);

const DAMAGES: [(&str, Damage); 19] = [
    ("nothing", |_, _| {}),
    ("an empty go.mod", |at, _| put(&at.join("v1.0.0.mod"), b"")),
    ("half a go.mod", |at, _| put(&at.join("v1.0.0.mod"), b"module ex.co")),
    ("an empty .info", |at, _| put(&at.join("v1.0.0.info"), b"")),
    ("half an .info", |at, _| put(&at.join("v1.0.0.info"), b"{\"Version\":\"v1")),
    ("a list of zeros", |at, _| put(&at.join("list"), &[0; 7])),
    ("an empty zip", |at, _| put(&at.join("v1.0.0.zip"), b"")),
    ("an empty ziphash", |at, _| put(&at.join("v1.0.0.ziphash"), b"")),
    ("no ziphash", |at, _| fs::remove_file(at.join("v1.0.0.ziphash")).unwrap()),
    ("a zip that is on its way", |at, _| put(&at.join("v1.0.0.zip1234567.tmp"), b"PK")),
    ("a folder that is on its way", |at, _| put(&at.join("v1.0.0.partial"), b"")),
    ("half a folder, without zip", |at, folder| {
        fs::remove_file(at.join("v1.0.0.zip")).unwrap();
        fs::remove_file(folder.join("go.mod")).unwrap();
        put(&at.join("v1.0.0.partial"), b"");
    }),
    ("an .info without go.mod", |at, _| fs::remove_file(at.join("v1.0.0.mod")).unwrap()),
    ("a go.mod without .info", |at, _| fs::remove_file(at.join("v1.0.0.info")).unwrap()),
    ("no list", |at, _| fs::remove_file(at.join("list")).unwrap()),
    ("half a ziphash", |at, _| put(&at.join("v1.0.0.ziphash"), b"h1:47DEQpj8HBSa")),
    ("a ziphash without zip", |at, _| fs::remove_file(at.join("v1.0.0.zip")).unwrap()),
    ("nothing but an .info", |at, folder| {
        fs::remove_dir_all(folder).unwrap();
        for suffix in ["mod", "zip", "ziphash"] {
            fs::remove_file(at.join(format!("v1.0.0.{suffix}"))).unwrap();
        }
    }),
    ("a lock that nobody holds", |at, _| put(&at.join("v1.0.0.lock"), b"")),
];

#[test]
fn a_cache_that_is_half_written_is_used_and_mended_as_go_does_it() {
    let test = "a_cache_that_is_half_written_is_used_and_mended_as_go_does_it";
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    let place = Place::new(&go);
    place.publish("ex.com/a", "v1.0.0", "module ex.com/a\n\ngo 1.20\n");
    for (name, damage) in DAMAGES {
        for line in ["list -m all", "mod download -json", "mod graph", "mod verify"] {
            let answers = [Who::Go, Who::We].map(|who| {
                place.clear(&["gopath", "w"]);
                place.put("w/go.mod", "module ex.com/m\n\ngo 1.20\n\nrequire ex.com/a v1.0.0\n");
                assert_eq!(place.ask(Who::Go, "mod download ex.com/a").status, Some(0));
                let cache = place.path("gopath/pkg/mod");
                damage(&cache.join("cache/download/ex.com/a/@v"), &cache.join("ex.com/a@v1.0.0"));
                let said = place.ask(who, line);
                (said, left(&cache))
            });
            let [(theirs, their_files), (ours, our_files)] = answers;
            assert_eq!(without_progress(ours), without_progress(theirs), "{line} with {name}");
            assert_eq!(our_files, their_files, "{line} with {name}");
        }
    }
}

fn without_progress(said: Said) -> Said {
    let lines = said.stderr.lines().filter(|line| !line.starts_with("go: downloading "));
    Said { stderr: lines.map(|line| format!("{line}\n")).collect(), ..said }
}

/// The files of the cache with their contents; locks say nothing.
fn left(cache: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![cache.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(cache).unwrap().display().to_string();
            if !name.ends_with("lock") {
                files.push((name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
            }
        }
    }
    files.sort();
    files
}
