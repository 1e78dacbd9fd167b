//! The server is killed in the middle of its work, again and again: no file that a client has got whole is lost, none is ever
//! seen in part, and what is left is a clean store.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use modkeep_harness::dice::Dice;
use modkeep_harness::http::get;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, tell};
use modkeep_harness::s3::{Gateway, settings};
use modkeep_harness::upstream::{Module, Tree, Upstream};

/// Clients that load the server.
const CLIENTS: usize = 8;
/// Versions that are new in each round.
const VERSIONS: usize = 24;
/// The server is killed before it has given more files than this.
const FILES: usize = 40;

/// Where the store is, as variables.
type Store = Vec<(&'static str, String)>;

fn modkeep(home: &Path, store: &Store, words: &[&str]) -> Command {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
    command.envs(store.iter().map(|(name, value)| (name, value))).args(words);
    command
}

fn serve(home: &Path, store: &Store, words: &[&str]) -> Modkeep {
    let mut command = modkeep(home, store, &["serve", "--listen", "127.0.0.1:0", "--sumdb", "off"]);
    command.args(["--access-log=false", "--log-level", "error"]).args(words);
    Modkeep::start(command)
}

/// Content that cannot be compressed: some of it is still on its way when the server is killed.
fn content(dice: &mut Dice) -> Vec<u8> {
    let len = if dice.once_in(6) { 300_000 } else { dice.below(3000) };
    (0..len.div_ceil(8)).flat_map(|_| dice.bits().to_le_bytes()).collect()
}

/// The files of a round, and what each of them is.
fn round_files(round: usize, dice: &mut Dice, upstream: &Upstream) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for n in 0..VERSIONS {
        let path = format!("example.com/r{round}/m{}", n / 2);
        let version = format!("v1.{}.0", n % 2);
        let module = Module::new(&path, &version).file("content", content(dice));
        for (kind, bytes) in [
            ("mod", module.go_mod().into_bytes()),
            ("info", module.info().into_bytes()),
            ("zip", module.zip()),
        ] {
            files.push((format!("{path}/@v/{version}.{kind}"), bytes));
        }
        upstream.add(module);
    }
    files
}

/// Loads the server with requests for `files` until it is gone; tells of each file that came whole.
fn load(url: &str, files: &[(String, Vec<u8>)], whole: &Sender<usize>) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (next, whole) = (&next, whole.clone());
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((path, bytes)) = files.get(at) else { return };
                    // a connection that breaks was the kill
                    let Ok(answer) = get(&format!("{url}/{path}")) else { return };
                    let length = answer.header("content-length").and_then(|length| length.parse().ok());
                    if answer.status == 200 && length == Some(answer.body.len()) {
                        assert!(answer.body == *bytes, "{path} is not as upstream");
                        whole.send(at).unwrap();
                    }
                }
            });
        }
    });
}

fn assert_clean(home: &Path, store: &Store, round: usize) {
    let output = Modkeep::output(modkeep(home, store, &["store", "check"]));
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "after kill {round}: {text}");
}

/// Kills `kills` servers and looks at the store after every `often` of them.
fn kill_and_look(test: &str, home: &Path, store: &Store, kills: usize, often: usize) {
    let dice = &mut Dice::of(test);
    let upstream = Upstream::start(Tree::default());
    let url = upstream.url();
    let mut all: BTreeMap<String, (Vec<u8>, bool)> = BTreeMap::new();
    for round in 1..=kills {
        let files = round_files(round, dice, &upstream);
        let server = Mutex::new(serve(home, store, &["--upstream", &url]));
        let proxy = server.lock().unwrap().url().to_owned();
        let (sender, arrivals) = channel();
        let enough = dice.below(FILES);
        let mut got = vec![false; files.len()];
        thread::scope(|scope| {
            let loading = scope.spawn(|| load(&proxy, &files, &sender));
            for _ in 0..enough {
                // when nothing comes any more there was less to do than thought
                let Ok(at) = arrivals.recv_timeout(Duration::from_secs(60)) else { break };
                got[at] = true;
            }
            server.lock().unwrap().kill();
            loading.join().unwrap();
        });
        drop(sender);
        arrivals.iter().for_each(|at| got[at] = true);
        all.extend(files.into_iter().zip(got).map(|((path, bytes), got)| (path, (bytes, got))));
        if round % often == 0 || round == kills {
            assert_clean(home, store, round);
        }
    }
    drop(upstream);
    let offline = serve(home, store, &["--offline"]);
    let (mut acknowledged, mut others) = (0, 0);
    for (path, (bytes, got)) in &all {
        let answer = get(&format!("{}/{path}", offline.url())).unwrap();
        assert!(answer.status == 200 || !got, "{path} was acknowledged and is lost: {}", answer.text());
        assert!(answer.status != 200 || answer.body == *bytes, "{path} is there in part");
        acknowledged += usize::from(*got);
        others += usize::from(answer.status == 200 && !got);
    }
    assert!(acknowledged > kills, "the servers hardly worked: {acknowledged}");
    tell(&format!(
        "{test}: {kills} kills, {acknowledged} files acknowledged, 0 lost; {others} more are there whole, 0 in part"
    ));
}

#[test]
fn kill_minus_nine_under_load_loses_nothing_in_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("store");
    let store = vec![("MODKEEP_STORE", folder.to_str().unwrap().to_owned())];
    let (kills, often) = if full_run() { (300, 10) } else { (100, 10) };
    kill_and_look("kill_minus_nine_under_load_loses_nothing_in_a_folder", home.path(), &store, kills, often);
}

#[test]
fn kill_minus_nine_under_load_loses_nothing_in_a_bucket() {
    let test = "kill_minus_nine_under_load_loses_nothing_in_a_bucket";
    let Some(gateway) = Gateway::start_or_skip(test, "modkeep") else { return };
    let home = tempfile::tempdir().unwrap();
    let store = settings(&gateway.endpoint(), "killed").to_vec();
    let (kills, often) = if full_run() { (300, 10) } else { (12, 4) };
    kill_and_look(test, home.path(), &store, kills, often);
}
