//! `modkeep store`: what is kept is counted, damage is named, and what was remembered can be forgotten.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod forks;
#[path = "../parts/store.rs"]
mod parts;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use modkeep_harness::dice::Dice;
use modkeep_harness::http::{get, raw, split};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, skip, wants_bucket};
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
        let world = Self { modkeep: serve(home.path(), &upstream.url()), home, upstream };
        for file in ["list", "v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip"] {
            world.get(&format!("example.com/m/@v/{file}"));
        }
        world
    }

    fn get(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.get_bytes(path)).into_owned()
    }

    fn get_bytes(&self, path: &str) -> Vec<u8> {
        let answer = get(&format!("{}/{path}", self.modkeep.url())).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.body
    }

    /// Tells the running server that it must look at its store again.
    fn refresh(&self, module: &str) {
        let (address, base) = split(self.modkeep.url());
        let request = format!(
            "POST {base}/-/refresh/{module} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        );
        let status = raw(address, request.as_bytes()).unwrap().status;
        // Answers whose rows have rotten can't be listed; what is held ready goes all the same.
        assert!(matches!(status, 200 | 503), "{status}");
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

fn serve(home: &Path, upstream: &str) -> Modkeep {
    let mut command = program(home);
    command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--upstream", upstream]);
    Modkeep::start(command)
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
    let mut folders = vec![Modkeep::store(home).join("blobs")];
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

/// The file that holds the newest small values: a folder's log, a bucket's manifest.
fn values(home: &Path) -> PathBuf {
    Modkeep::store(home).join(if wants_bucket() { "values/manifest" } else { "values/log-1" })
}

/// Turns one bit of the file where it lies, as a bad disk would: in the middle, or where `within` stands.
fn rot(file: &Path, within: Option<&[u8]>) {
    let bytes = fs::read(file).unwrap();
    let place = match within {
        Some(text) => bytes.windows(text.len()).position(|window| window == text).expect("it is in the file"),
        None => bytes.len() / 2,
    };
    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.write_all_at(&[bytes[place] ^ 1], place as u64).unwrap();
}

/// Changes one byte in the middle of a file.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
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
    flip(&values(home.path()));
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

#[test]
fn a_scrub_beside_the_server_puts_a_rotten_zip_away_and_the_server_fetches_it_anew() {
    let world = World::new();
    let whole = world.get_bytes(ZIP);
    let (file, digest) = blob(world.home.path());
    says(&world.store(&["scrub"]), 0, &["zip 1\n"]);
    rot(&file, None);
    says(&world.store(&["scrub"]), 1, &["damaged", &digest]);
    assert!(!file.exists() && Modkeep::store(world.home.path()).join("quarantine").join(&digest).exists());
    // What it holds ready is let go of within ten seconds, or when it is told.
    world.refresh("example.com/m");
    assert_eq!(world.get_bytes(ZIP), whole);
    assert_eq!(world.upstream.count("v1.0.0.zip"), 2);
    says(&world.store(&["scrub"]), 0, &["zip 1\n"]);
}

#[test]
fn a_rotten_value_is_never_served_but_fetched_anew_by_the_running_server() {
    if wants_bucket() {
        return skip(
            "a rotten value beside a server",
            &"what rots in a bucket a running server has in memory",
        );
    }
    let world = World::new();
    rot(&values(world.home.path()), Some(b"module example.com/m"));
    world.refresh("example.com/m");
    assert_eq!(world.get("example.com/m/@v/v1.0.0.mod"), "module example.com/m\n\ngo 1.21\n");
    assert_eq!(world.upstream.count("v1.0.0.mod"), 2);
    says(&world.store(&["scrub"]), 0, &["info 1\n", "mod 1\n", "zip 1\n"]);
    world.refresh("example.com/m");
    assert_eq!(world.get("example.com/m/@v/v1.0.0.mod"), "module example.com/m\n\ngo 1.21\n");
    assert_eq!(world.upstream.count("v1.0.0.mod"), 2);
}

#[test]
fn a_scrub_without_a_server_makes_rotten_values_absent() {
    let world = World::new();
    let url = world.upstream.url();
    let World { home, modkeep, upstream } = world;
    modkeep.stop();
    rot(&values(home.path()), Some(b"module example.com/m"));
    says(&store(home.path(), &["check"]), 1, &["damaged"]);
    says(&store(home.path(), &["scrub"]), 1, &["damaged", "v1.0.0.mod"]);
    says(&store(home.path(), &["check"]), 0, &["info 1\n", "zip 1\n"]);
    let modkeep = serve(home.path(), &url);
    let answer = get(&format!("{}/example.com/m/@v/v1.0.0.mod", modkeep.url())).unwrap();
    assert_eq!((answer.status, upstream.count("v1.0.0.mod")), (200, 2));
    says(&store(home.path(), &["check"]), 0, &["info 1\n", "mod 1\n", "zip 1\n"]);
}

/// Files of the store in which a bit can rot.
fn rottable(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() && fs::metadata(&path).unwrap().len() > 0 {
            found.push(path);
        } else if path.is_dir() && !path.ends_with("temp") && !path.ends_with("quarantine") {
            rottable(&path, found);
        }
    }
    found.sort();
}

#[test]
fn whatever_bit_rots_under_a_running_server_after_a_scrub_all_is_served_as_it_was() {
    if wants_bucket() {
        return skip(
            "whatever_bit_rots_under_a_running_server_after_a_scrub_all_is_served_as_it_was",
            &"it looks into the store's folder",
        );
    }
    const PATHS: [&str; 4] = ["list", "v1.0.0.info", "v1.0.0.mod", "v1.0.0.zip"];
    let mut dice = Dice::of("bits that rot under a server");
    for round in 0..if full_run() { 300 } else { 10 } {
        let world = World::new();
        let get_all = || PATHS.map(|file| world.get_bytes(&format!("example.com/m/@v/{file}")));
        let before = get_all();
        let folder = Modkeep::store(world.home.path());
        let mut files = Vec::new();
        rottable(&folder, &mut files);
        files.retain(|file| !file.ends_with("modkeep-store"));
        let file = &files[dice.below(files.len())];
        let mut bytes = fs::read(file).unwrap();
        let (place, bit) = (dice.below(bytes.len()), dice.below(8));
        bytes[place] ^= 1 << bit;
        let open = fs::OpenOptions::new().write(true).open(file).unwrap();
        open.write_all_at(&bytes[place..=place], place as u64).unwrap();
        let case = format!("round {round}: bit {bit} of byte {place} of {}", file.display());
        if !file.starts_with(folder.join("blobs")) {
            // A blob is not hashed by each reader; everything else is found out by reading it.
            world.refresh("example.com/m");
            assert_eq!(get_all(), before, "{case}, before the scrub");
        }
        let scrub = world.store(&["scrub"]);
        assert!(matches!(scrub.status.code(), Some(0 | 1)), "{case}: {scrub:?}");
        world.refresh("example.com/m");
        assert_eq!(get_all(), before, "{case}");
        let check = world.store(&["check"]);
        assert_eq!(check.status.code(), Some(0), "{case}: {check:?}, after {scrub:?}");
    }
}

#[test]
fn forgotten_files_free_their_room() {
    let world = World::new();
    let (file, _) = blob(world.home.path());
    let length = fs::metadata(&file).unwrap().len();
    let freed = format!("files 3\nfreed 1 bytes {length}\n");
    says(&world.store(&["forget", "example.com/m", "--files"]), 0, &[&freed]);
    assert!(!file.exists());
}

#[test]
fn a_sweep_frees_what_nobody_names_once_it_is_old_enough() {
    let world = World::new();
    let (named, _) = blob(world.home.path());
    let orphan = b"left behind by a crash";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = parts::open(world.home.path()).await;
        let mut incoming = store.begin().await.unwrap();
        incoming.write(orphan[..].into()).await.unwrap();
        store.keep(incoming).await.unwrap();
    });
    says(&world.store(&["sweep"]), 0, &["freed 0 bytes 0\n"]);
    let freed = format!("freed 1 bytes {}\n", orphan.len());
    says(&world.store(&["sweep", "--older-than", "0"]), 0, &[&freed]);
    assert!(named.exists());
    says(&world.store(&["check"]), 0, &["zip 1\n"]);
    says(&world.store(&["sweep", "--older-than", "soon"]), 2, &[]);
}
