//! A store of many versions under the program: what it costs to start on it and to be asked at random.
//!
//! `MODKEEP_FULL=1 MODKEEP_TEST_PROGRAM=target/release/modkeep cargo test --test scale -- --nocapture` is a million versions with
//! their zips (4 GB in the folder for temporary files); `ten_million` is ten, with the zips of one in a thousand.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use modkeep_harness::http::Connection;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{self, full_run, given_program, skip, tell};
use modkeep_module::resource::Resource;
use modkeep_proxy::upkeep::synthetic;

/// Resident memory allowed after all requests, in megabytes.
const RESIDENT: f64 = 100.0;
/// Files allowed beside the zips.
const FILES: usize = 20_000;

struct Scale {
    versions: u64,
    zips: u64,
    requests: u64,
}

fn program(home: &Path, words: &[&str]) -> std::process::Command {
    let mut command = Modkeep::command(&place::program(env!("CARGO_BIN_EXE_modkeep")), home);
    command.args(words);
    command
}

/// Files of the store that are not zips.
fn beside_the_zips(store: &Path) -> usize {
    let mut folders = vec![store.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == "blobs" => {}
                true => folders.push(entry.path()),
                false => files += 1,
            }
        }
    }
    files
}

/// Megabytes of the process that are in memory; nothing where the system doesn't tell.
fn resident(process: u32) -> Option<f64> {
    let status = fs::read_to_string(PathBuf::from(format!("/proc/{process}/status"))).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1e3)
}

fn path(request: u64, scale: &Scale) -> String {
    let dice = synthetic::scramble(request);
    let resource = match dice % 3 {
        0 => Resource::Zip(synthetic::version(dice / 3 % scale.zips)),
        1 => Resource::Mod(synthetic::version(dice / 3 % scale.versions)),
        _ => Resource::Info(synthetic::version(dice / 3 % scale.versions)),
    };
    resource.url_path()
}

fn measure(scale: &Scale) {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("store");
    let folder = store.to_str().unwrap();
    let begun = Instant::now();
    let (versions, zips) = (scale.versions.to_string(), scale.zips.to_string());
    let made = program(home.path(), &["store", "synthesize", &versions, "--zips", &zips, "--store", folder])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made = begun.elapsed();

    let begun = Instant::now();
    let words = ["serve", "--listen", "127.0.0.1:0", "--offline", "--access-log=false", "--store", folder];
    let modkeep = Modkeep::start(program(home.path(), &words));
    let ready = begun.elapsed();
    let at_start = resident(modkeep.id());
    let mut connection = Connection::open(modkeep.url()).unwrap();
    let begun = Instant::now();
    for request in 0..scale.requests {
        let path = path(request, scale);
        let answer = connection.get(&path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(!answer.body.is_empty(), "{path}");
    }
    let each = begun.elapsed() / u32::try_from(scale.requests).unwrap();
    let at_end = resident(modkeep.id());
    let files = beside_the_zips(&store);
    tell(&format!(
        "{} versions made in {made:.1?}; ready after {ready:.1?}; {} random requests, {each:.1?} each; resident {at_start:.1?} MB \
         at the start, {at_end:.1?} MB after them; {files} files beside the zips",
        scale.versions, scale.requests,
    ));
    assert!(files <= FILES, "{files} files");
    // Without optimization the program itself is larger.
    let is_optimized = given_program().is_some() || !cfg!(debug_assertions);
    assert!(!is_optimized || at_end.is_none_or(|resident| resident < RESIDENT), "{at_end:?} MB");
}

#[test]
fn a_million_versions_are_ready_at_once_and_need_little_memory() {
    measure(&match full_run() {
        true => Scale { versions: 1_000_000, zips: 1_000_000, requests: 100_000 },
        false => Scale { versions: 4000, zips: 400, requests: 1000 },
    });
}

#[test]
fn ten_million() {
    if !full_run() {
        return skip("a store of ten million versions", &"it takes minutes: set MODKEEP_FULL=1");
    }
    measure(&Scale { versions: 10_000_000, zips: 10_000, requests: 100_000 });
}
