//! The build cache, shared with the real go in both directions, and the build IDs that both give.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use modkeep_builder::action_id::ActionId;
use modkeep_builder::buildid::{self, BuildId};
use modkeep_builder::gocache::GoCache;
use modkeep_conformance::go::{Go, RELEASE};
use modkeep_harness::place::full_run;
use modkeep_store::Digest;
use tempfile::TempDir;

/// Packages without assembly that need few others.
const PACKAGES: [&str; 3] = ["unicode/utf8", "internal/goarch", "cmp"];

fn run(go: &Go, cache: &Path, arguments: &[&str]) -> Output {
    let mut command = go.command();
    command.env("GOCACHE", cache).args(arguments).current_dir(go.root().join("src"));
    let output = command.output().expect("go");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Archives and their build IDs as go has them after filling the cache.
fn exports(go: &Go, cache: &Path) -> Vec<(PathBuf, BuildId)> {
    let mut arguments = vec!["list", "-trimpath", "-export", "-f", "{{.Export}} {{.BuildID}}"];
    arguments.extend(PACKAGES);
    let text = String::from_utf8(run(go, cache, &arguments).stdout).expect("text");
    let lines = text.lines().map(|line| line.split_once(' ').expect("two words"));
    lines.map(|(file, id)| (PathBuf::from(file), BuildId::found(id.to_owned()))).collect()
}

fn entries(cache: &Path) -> Vec<ActionId> {
    let folders = fs::read_dir(cache).expect("the cache").flatten();
    let folders = folders.filter(|folder| folder.file_name().len() == 2);
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).expect("a folder").flatten());
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    let actions = names.filter_map(|name| Some(*Digest::parse(name.strip_suffix("-a")?).ok()?.as_bytes()));
    actions.map(ActionId::from).collect()
}

#[test]
fn go_and_we_read_what_the_other_wrote() {
    let go = Go::specification().expect("the release go");
    let theirs = TempDir::new().expect("a folder");
    let ours = TempDir::new().expect("a folder");
    let exports = exports(&go, theirs.path());
    let (from, to) =
        (GoCache::open(theirs.path()).expect("theirs"), GoCache::open(ours.path()).expect("ours"));
    let ids = entries(theirs.path());
    assert!(ids.len() > PACKAGES.len(), "{} entries", ids.len());
    for id in &ids {
        let (file, entry) = from.file(id).unwrap_or_else(|| panic!("{id} can't be read"));
        let content = from.bytes(id).expect("whole content");
        assert_eq!(fs::read(&file).expect("an output"), content);
        let put = to.put_file(id, &mut File::open(&file).expect("an output")).expect("a place");
        assert_eq!(put, entry.output);
        assert_eq!(to.bytes(id), Some(content));
    }
    for (file, id) in &exports {
        assert_eq!(buildid::read(file).expect("an archive").as_ref(), Some(id));
        assert!(ids.iter().any(|action| action.short() == id.action()), "{id} is of no action");
    }
    let mut build = vec!["build", "-trimpath", "-x"];
    build.extend(PACKAGES);
    let script = run(&go, ours.path(), &build);
    let script = String::from_utf8_lossy(&script.stderr).into_owned();
    assert!(!script.contains("/compile"), "go compiled in spite of our cache:\n{script}");
}

#[test]
fn the_content_half_of_an_id_is_that_of_go() {
    let go = Go::specification().expect("the release go");
    let cache = TempDir::new().expect("a folder");
    let mut files: Vec<PathBuf> = exports(&go, cache.path()).into_iter().map(|(file, _)| file).collect();
    files.extend(["bin/go", "pkg/tool/linux_amd64/link"].map(|tool| go.root().join(tool)));
    let targets = ["darwin/arm64", "linux/386", "windows/arm64", "linux/s390x", "js/wasm"];
    let count = if full_run() { targets.len() } else { 1 };
    for target in &targets[..count] {
        let (os, arch) = target.split_once('/').expect("GOOS/GOARCH");
        let program = cache.path().join(format!("{os}-{arch}"));
        let source = cache.path().join("main.go");
        #[allow(clippy::disallowed_methods, reason = "a file of the test")]
        fs::write(&source, "package main\n\nfunc main() { println(1) }\n").expect("a source");
        let mut command = go.command();
        command.env("GOCACHE", cache.path()).env("GOOS", os).env("GOARCH", arch);
        command.args(["build", "-trimpath", "-o"]).arg(&program).arg("main.go").current_dir(cache.path());
        let output = command.output().expect("go");
        assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
        files.push(program);
    }
    for file in files {
        let id = buildid::read(&file).expect("an object file").expect("an ID");
        let mut bytes = fs::read(&file).expect("an object file");
        let found = buildid::find(&bytes, &id);
        assert!(!found.places.is_empty(), "{} has no {id}", file.display());
        assert_eq!(id.with_content(&found.content), id, "{}", file.display());
        // Taken back to what the tool wrote and given its ID again, signature included, it is the same file.
        let before = bytes.clone();
        let temporary = BuildId::found("x".repeat(id.as_str().len()));
        buildid::rewrite(&mut bytes, &found, &temporary);
        assert_ne!(bytes, before, "{}", file.display());
        let again = buildid::find(&bytes, &temporary);
        assert_eq!(again, found, "{}", file.display());
        buildid::rewrite(&mut bytes, &again, &id);
        assert!(bytes == before, "{} differs after two rewrites", file.display());
    }
}

#[test]
fn what_is_broken_is_a_miss() {
    let folder = TempDir::new().expect("a folder");
    let cache = GoCache::open(folder.path()).expect("a cache");
    let id = ActionId::of(RELEASE, "x");
    assert_eq!(cache.file(&id), None);
    let output = cache.put_bytes(&id, b"content").expect("a place");
    let file = cache.output_file(&output).expect("a file");
    assert_eq!(cache.bytes(&id).as_deref(), Some(&b"content"[..]));
    #[allow(clippy::disallowed_methods, reason = "the damage that is tested")]
    let write = |text: &[u8]| fs::write(&file, text).expect("damage");
    write(b"conten");
    assert_eq!((cache.file(&id), cache.bytes(&id)), (None, None));
    write(b"CONTENT");
    assert_eq!(cache.bytes(&id), None, "the hash is wrong");
    cache.put_bytes(&id, b"content").expect("a place");
    assert_eq!(cache.bytes(&id).as_deref(), Some(&b"content"[..]), "what is put again is mended");
    fs::remove_file(&file).expect("gone");
    assert_eq!(cache.file(&id), None);
}

#[test]
fn an_executable_keeps_its_name() {
    let folder = TempDir::new().expect("a folder");
    let cache = GoCache::open(folder.path()).expect("a cache");
    let program = folder.path().join("program");
    #[allow(clippy::disallowed_methods, reason = "a file of the test")]
    fs::write(&program, "#!/bin/sh\n").expect("a program");
    let id = ActionId::of(RELEASE, "link");
    cache.put_executable(&id, "hello", &mut File::open(&program).expect("a program")).expect("a place");
    let (file, _) = cache.file(&id).expect("an entry");
    assert!(file.ends_with("hello"), "{}", file.display());
}

#[test]
fn what_was_not_used_for_days_goes() {
    fn in_six_days() -> SystemTime {
        #[allow(clippy::disallowed_methods, reason = "files get the machine's time")]
        let now = SystemTime::now();
        now + Duration::from_secs(6 * 24 * 60 * 60)
    }
    let folder = TempDir::new().expect("a folder");
    let cache = GoCache::open(folder.path()).expect("a cache");
    let (old, used) = (ActionId::of(RELEASE, "old"), ActionId::of(RELEASE, "used"));
    for id in [&old, &used] {
        cache.put_bytes(id, id.as_bytes()).expect("a place");
    }
    cache.trim().expect("the first time of the day");
    let later = GoCache::open(folder.path()).expect("a cache").with_clock(in_six_days);
    assert!(later.bytes(&used).is_some(), "reading is use");
    later.trim().expect("trimming");
    assert!(later.bytes(&used).is_some());
    assert_eq!(later.entry(&old), None);
    assert!(folder.path().join("trim.txt").is_file());
}

#[test]
fn results_of_ours_are_bounded_by_size() {
    fn later() -> SystemTime {
        #[allow(clippy::disallowed_methods, reason = "files get the machine's time")]
        let now = SystemTime::now();
        now + Duration::from_secs(2 * 60 * 60)
    }
    let folder = TempDir::new().expect("a folder");
    let of_go = GoCache::open(folder.path()).expect("a cache");
    let cache = of_go.beside();
    cache.trim_to(0).expect("there is nothing yet");
    let ids = ["a", "b", "c", "d"].map(|name| ActionId::of(RELEASE, name));
    for id in &ids {
        cache.put_bytes(id, &id.as_bytes().repeat(1000)).expect("a place");
    }
    assert_eq!(of_go.entry(&ids[0]), None, "it is another cache");
    let used = cache.with_clock(later);
    assert!(used.bytes(&ids[2]).is_some(), "reading is use");
    used.trim_to(70_000).expect("trimming");
    let left: Vec<bool> = ids.iter().map(|id| used.bytes(id).is_some()).collect();
    assert_eq!(left.iter().filter(|is_left| **is_left).count(), 1, "{left:?}");
    assert!(left[2], "what was used last stays");
    used.trim_to(0).expect("it was done a moment ago");
    assert!(used.bytes(&ids[2]).is_some());
}
