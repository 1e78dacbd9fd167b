use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use modkeep_store::{Digest, Stamp};
use tempfile::TempDir;

use super::Memory;
use crate::action_id::{ActionId, FileHashes};
use crate::gocache::GoCache;
use crate::load::Scans;
use crate::overlay::Overlay;
use crate::release::Release;
use crate::tags::{Settings, Tags};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Everything that a test writes is old for a run that is a minute ahead.
#[allow(clippy::disallowed_methods, reason = "times of files are those of the machine")]
fn in_a_minute() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

#[allow(clippy::disallowed_methods, reason = "times of files are those of the machine")]
fn at_once() -> SystemTime {
    SystemTime::now()
}

fn in_two_hours() -> SystemTime {
    in_a_minute() + 2 * HOUR
}

fn memory(folder: &TempDir, now: fn() -> SystemTime) -> Memory {
    Memory::of(&GoCache::open(folder.path()).unwrap().with_clock(now), "tree")
}

#[allow(clippy::disallowed_methods, reason = "files of the test")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

fn tags() -> Tags {
    let settings = Settings {
        release: Release::Go1_27,
        os: "linux",
        arch: "amd64",
        cgo: true,
        level: "",
        experiments: "",
        tags: &[],
        instrument: None,
    };
    Tags::new(&settings).unwrap()
}

/// Files and imports of the directory, and the digest of `a.go`.
fn told(scans: &Scans, tree: &TempDir) -> String {
    let directory = scans.directory(tree.path().to_str().unwrap()).unwrap();
    let selection = directory.select(&tags());
    let digest = directory.digest("a.go").map(|digest| digest.unwrap());
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        selection.go,
        selection.cgo,
        selection.ignored_go,
        selection.other,
        selection.requests,
        selection.flags,
        digest
    )
}

const SOURCE: &str = "//go:build linux || (darwin && !cgo)\n\n//go:debug panicnil=1\n\n// Package a is one.\npackage a\n\n// #cgo LDFLAGS: -lm\nimport \"C\"\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n)\n\n//go:embed b c*\nvar x string\n";

#[test]
fn what_is_remembered_is_what_was_read() {
    let (home, tree) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(&tree.path().join("a.go"), SOURCE);
    write(&tree.path().join("b_windows.go"), "package a\n");
    write(&tree.path().join("s.s"), "//go:build ignore\n");
    write(&tree.path().join("h.h"), "");
    fs::create_dir(tree.path().join("below")).unwrap();
    let first = Scans::with(memory(&home, in_a_minute));
    let read = told(&first, &tree);
    first.keep();
    let second = Scans::with(memory(&home, in_a_minute));
    assert_eq!(told(&second, &tree), read);
    assert!(!second.memory().has_news(), "all of it was remembered");
    let directory = second.directory(tree.path().to_str().unwrap()).unwrap();
    assert_eq!(directory.below(), ["below"]);
}

/// What becomes of a tree.
type Change = fn(&Path);

#[test]
fn whatever_changes_is_noticed() {
    let changes: [(&str, Change); 5] = [
        ("longer", |tree| write(&tree.join("a.go"), "package a\n\nimport \"os\"\n")),
        ("as long, with the old time", |tree| {
            let path = tree.join("a.go");
            let before = fs::metadata(&path).unwrap().modified().unwrap();
            write(&path, &SOURCE.replace("fmt", "net"));
            File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
        }),
        ("another file in its place", |tree| {
            write(&tree.join("new"), &SOURCE.replace("fmt", "net"));
            #[allow(clippy::disallowed_methods, reason = "files of the test")]
            fs::rename(tree.join("new"), tree.join("a.go")).unwrap();
        }),
        ("one more file", |tree| write(&tree.join("z.go"), "package a\n\nimport \"os\"\n")),
        ("one file less", |tree| fs::remove_file(tree.join("a.go")).unwrap()),
    ];
    for (what, change) in changes {
        let (home, tree) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        write(&tree.path().join("a.go"), SOURCE);
        write(&tree.path().join("b.go"), "package a\n");
        let first = Scans::with(memory(&home, in_a_minute));
        let before = told(&first, &tree);
        first.keep();
        change(tree.path());
        let after = told(&Scans::with(memory(&home, in_a_minute)), &tree);
        assert_ne!(after, before, "{what}");
        assert_eq!(after, told(&Scans::default(), &tree), "{what}");
    }
}

#[test]
fn what_just_changed_is_not_remembered() {
    let (home, tree) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(&tree.path().join("a.go"), SOURCE);
    let scans = Scans::with(memory(&home, at_once));
    told(&scans, &tree);
    assert!(!scans.memory().has_news());
    let stamp = Stamp::of(&tree.path().join("a.go")).unwrap();
    assert!(!scans.memory().trusts(&stamp));
    assert!(memory(&home, in_a_minute).trusts(&stamp));
}

#[test]
fn what_a_link_leads_to_is_looked_at_each_time() {
    let (home, tree, other) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    write(&other.path().join("b.go"), "package a\n");
    write(&tree.path().join("a.go"), "package a\n");
    std::os::unix::fs::symlink(other.path().join("b.go"), tree.path().join("b.go")).unwrap();
    let first = Scans::with(memory(&home, in_a_minute));
    let before = told(&first, &tree);
    first.keep();
    fs::remove_file(other.path().join("b.go")).unwrap();
    fs::create_dir(other.path().join("b.go")).unwrap();
    let after = told(&Scans::with(memory(&home, in_a_minute)), &tree);
    assert_ne!(after, before);
}

#[test]
fn facts_are_remembered_and_damage_is_not() {
    let (home, tree) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = tree.path().join("tool");
    write(&file, "x");
    let path = file.to_str().unwrap();
    let (id, digest) = (ActionId::from([7; 32]), Digest::of(b"x"));
    let first = memory(&home, in_a_minute);
    let (plan, other_plan) = (Digest::of(b"plan"), Digest::of(b"other"));
    assert!(!first.has_fresh());
    first.mark_used(plan);
    first.note_tool("key", Stamp::of(&file), "compile version go1");
    first.note_file(path, Stamp::of(&file), digest);
    first.note_result(&id, "content");
    first.note_exports(digest, Digest::of(b"y"));
    first.keep(&HashMap::new());
    let second = memory(&home, in_a_minute);
    assert!(second.is_fresh(&plan) && !second.is_fresh(&other_plan), "what one plan used another has not");
    assert_eq!(second.tool(path, "key").as_deref(), Some("compile version go1"));
    assert_eq!(second.file(path), Some(digest));
    assert_eq!(second.result(&id), Some("content"));
    assert_eq!(second.exports(&digest), Some(Digest::of(b"y")));
    assert!(!memory(&home, in_two_hours).has_fresh());

    write(&file, "y");
    assert_eq!((second.tool(path, "key"), second.file(path)), (None, None));

    let note = home.path().join("modkeep/tree");
    let whole = fs::read(&note).unwrap();
    for at in [0, 20, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        #[allow(clippy::disallowed_methods, reason = "files of the test")]
        fs::write(&note, &damaged).unwrap();
        assert_eq!(memory(&home, in_a_minute).result(&id), None, "byte {at}");
        #[allow(clippy::disallowed_methods, reason = "files of the test")]
        fs::write(&note, &whole[..at]).unwrap();
        assert_eq!(memory(&home, in_a_minute).result(&id), None, "{at} bytes");
    }
    let scans = Scans::with(memory(&home, in_a_minute));
    assert_eq!(Arc::strong_count(scans.memory()), 1);
}

#[test]
fn what_an_overlay_shows_is_not_remembered_nor_what_it_hides_forgotten() {
    let (home, tree) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for (name, text) in [
        ("a.go", "package a\n\nimport \"fmt\"\n"),
        ("b.go", "package a\n"),
        ("laid", "package a\n\nimport \"os\"\n"),
    ] {
        write(&tree.path().join(name), text);
    }
    let first = Scans::with(memory(&home, in_a_minute));
    let before = told(&first, &tree);
    first.keep();
    let json = br#"{"Replace": {"a.go": "laid", "b.go": "", "c.go": "laid"}}"#;
    let overlay = Overlay::parse(json, tree.path().to_str().unwrap()).unwrap();
    let seen = || Scans::with(memory(&home, in_a_minute)).over(&overlay);
    let through = Arc::new(seen());
    let shown = told(&through, &tree);
    assert_ne!(shown, before);
    assert!(shown.contains(r#"["a.go", "c.go"]"#), "{shown}");
    let hashes = FileHashes::over(Arc::clone(&through));
    let laid = Digest::of(b"package a\n\nimport \"os\"\n");
    assert_eq!(hashes.of(&tree.path().join("a.go")).unwrap(), laid);
    through.keep();
    let after = Scans::with(memory(&home, in_a_minute));
    assert_eq!(told(&after, &tree), before);
    assert_eq!(told(&seen(), &tree), shown);
}
