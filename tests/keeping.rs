//! `modkeep store`: what is kept is counted, damage is named, and what was remembered can be forgotten.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use modkeep_harness::http::{get, raw, split};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::upstream::{Module, Tree, Upstream};
use tempfile::TempDir;

const ZIP: &str = "example.com/m/@v/v1.0.0.zip";

/// An upstream with one module, a server before it, and its store.
struct World {
    home: TempDir,
    upstream: Upstream,
    modkeep: Modkeep,
}

impl World {
    /// All files of the module have been fetched.
    fn new() -> Self {
        let module = Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n");
        let upstream = Upstream::start(Tree::default().with(module));
        let home = tempfile::tempdir().unwrap();
        let mut command = program(home.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--upstream", &upstream.url()]);
        let world = Self { modkeep: Modkeep::start(command), home, upstream };
        for file in ["list", "v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip"] {
            world.get(&format!("example.com/m/@v/{file}"));
        }
        world
    }

    fn get(&self, path: &str) -> String {
        let answer = get(&format!("{}/{path}", self.modkeep.url())).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    /// Tells the running server that it must look at its store again.
    fn refresh(&self, module: &str) {
        let (address, base) = split(self.modkeep.url());
        let request = format!(
            "POST {base}/-/refresh/{module} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(raw(address, request.as_bytes()).unwrap().status, 200);
    }

    fn store(&self, words: &[&str]) -> Output {
        store(self.home.path(), words)
    }

    /// Stops the server; what stays is the home folder.
    fn stop(self) -> TempDir {
        assert_eq!(self.modkeep.stop().0.code(), Some(0));
        self.home
    }
}

fn program(home: &Path) -> std::process::Command {
    Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home)
}

fn store(home: &Path, words: &[&str]) -> Output {
    let mut command = program(home);
    command.arg("store").args(words);
    Modkeep::output(command)
}

#[track_caller]
fn says(output: &Output, status: i32, words: &[&str]) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    for word in words {
        assert!(stdout.contains(word), "{word:?} is not in: {stdout}{stderr}");
    }
}

/// The one blob, the zip, and its digest.
fn blob(home: &Path) -> (PathBuf, String) {
    let mut folders = vec![home.join(".local/share/modkeep/blobs")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
    let path = found.remove(0);
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let digest = name(path.parent().unwrap()) + &name(&path);
    (path, digest)
}

/// Changes one byte in the middle of a file.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(file).unwrap();
    #[allow(clippy::disallowed_methods, reason = "the damage is what the test is about")]
    fs::write(file, bytes).unwrap();
}

#[test]
fn what_is_whole_is_clean_beside_the_running_server_and_without_it() {
    let world = World::new();
    let counts = ["info 1\n", "mod 1\n", "zip 1\n", "answers 1\n"];
    says(&world.store(&["check"]), 0, &counts);
    says(&world.store(&["stats"]), 0, &counts);
    says(&store(world.stop().path(), &["check"]), 0, &counts);
}

#[test]
fn a_flipped_bit_in_a_zip_is_named_by_its_digest() {
    let home = World::new().stop();
    let (file, digest) = blob(home.path());
    flip(&file);
    says(&store(home.path(), &["check"]), 1, &["damaged", &digest]);
}

#[test]
fn a_lost_zip_is_named_by_its_module() {
    let home = World::new().stop();
    let (file, digest) = blob(home.path());
    fs::remove_file(file).unwrap();
    says(&store(home.path(), &["check"]), 1, &["damaged", ZIP, &digest, "missing"]);
}

#[test]
fn a_flipped_bit_among_the_small_values_is_no_clean_store() {
    let home = World::new().stop();
    flip(&home.path().join(".local/share/modkeep/values/log-1"));
    says(&store(home.path(), &["check"]), 1, &[]);
}

#[test]
fn a_folder_without_a_store_is_no_clean_store() {
    let home = tempfile::tempdir().unwrap();
    for verb in ["check", "stats"] {
        says(&store(home.path(), &[verb]), 1, &[]);
    }
}

#[test]
fn a_new_tag_is_seen_once_the_module_is_forgotten() {
    let world = World::new();
    world.upstream.add(Module::new("example.com/m", "v1.1.0").file("m.go", "package m\n"));
    assert_eq!(world.get("example.com/m/@v/list"), "v1.0.0\n");
    says(&world.store(&["forget", "example.com/m"]), 0, &["answers 1\nfiles 0\n"]);
    assert_eq!(world.get("example.com/m/@v/list"), "v1.0.0\nv1.1.0\n");
    world.get(ZIP);
    assert_eq!(world.upstream.count("v1.0.0.zip"), 1);
}

#[test]
fn a_version_is_fetched_anew_once_its_files_are_forgotten() {
    let world = World::new();
    says(&world.store(&["forget", "example.com/m@v1.0.0", "--files"]), 0, &["answers 0\nfiles 3\n"]);
    world.refresh("example.com/m");
    world.get(ZIP);
    assert_eq!(world.upstream.count("v1.0.0.zip"), 2);
    says(&world.store(&["check"]), 0, &["zip 1\n"]);
}
