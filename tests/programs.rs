//! Real modules from the machine's own registry: what modkeep answers, prints and leaves behind beside the real go.
//!
//! In every run a small one; with `MODKEEP_FULL=1` those with hundreds of modules too.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use modkeep_conformance::go::Go;
use modkeep_harness::go::{Client, machine_proxy};
use modkeep_harness::place::{full_run, skip, tell};

const SMALL: [&str; 1] = ["honnef.co/go/tools@v0.8.2"];

const LARGE: [&str; 4] = [
    "github.com/caddyserver/caddy/v2@v2.11.9",
    "github.com/hashicorp/terraform@v0.15.5",
    "github.com/k3s-io/kine@v0.16.4",
    "golang.org/x/tools/gopls@v0.24.0",
];

const QUESTIONS: [&[&str]; 6] = [
    &["mod", "graph"],
    &["list", "-m", "all"],
    &["list", "-m", "-json", "all"],
    &["list", "-m", "-versions", "golang.org/x/sys"],
    &["mod", "download", "-json", "golang.org/x/mod@v0.20.0"],
    &["mod", "verify"],
];

/// With packages, whose zips are large.
const LONG_QUESTIONS: [&[&str]; 4] = [
    &["list", "-m", "-u", "-json", "golang.org/x/sys", "golang.org/x/text"],
    &["mod", "why", "-m", "golang.org/x/mod", "golang.org/x/sys"],
    &["mod", "tidy", "-diff"],
    &["get", "golang.org/x/sys@latest"],
];

#[test]
fn real_modules_are_answered_as_by_go() {
    let (go, proxy) = match (Go::specification(), machine_proxy()) {
        (Ok(go), Ok(proxy)) => (go, proxy),
        (Err(missing), _) | (_, Err(missing)) => return skip("programs", &missing),
    };
    let modules = if full_run() { [&SMALL[..], &LARGE[..]].concat() } else { SMALL.to_vec() };
    for module in modules {
        let clients = [Client::new(&go, &proxy).unwrap(), Client::new(&go, &proxy).unwrap()];
        lay(&clients, module);
        let long: &[&[&str]] = if full_run() { &LONG_QUESTIONS } else { &[] };
        for words in QUESTIONS.iter().chain(long) {
            let [want, got] = [None, Some(Path::new(env!("CARGO_BIN_EXE_modkeep")))]
                .into_iter()
                .zip(&clients)
                .map(|(program, client)| answer(&go, client, program, words))
                .collect::<Vec<_>>()
                .try_into()
                .unwrap_or_else(|_| panic!("two answers"));
            assert!(want == got, "{module}: {words:?}\n--- go\n{want}\n--- modkeep\n{got}");
            tell(&format!("{module}: {} {} lines are the same", words.join(" "), want.lines().count()));
        }
    }
}

/// The module as the main module of both clients.
fn lay(clients: &[Client; 2], module: &str) {
    let output = clients[0].run(clients[0].home(), &["mod", "download", "-json", module]).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let source = said["Dir"].as_str().unwrap_or_else(|| panic!("{module}: {said}"));
    for client in clients {
        copy(Path::new(source), &client.home().join("work"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(&to, fs::read(&from).unwrap()).unwrap();
        }
    }
}

/// What a program prints, how it ends, and the files that it leaves.
fn answer(go: &Go, client: &Client, program: Option<&Path>, words: &[&str]) -> String {
    let folder = client.home().join("work");
    let like = client.command();
    let mut command = Command::new(program.map_or_else(|| like.get_program(), Path::as_os_str));
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.env("GOROOT", go.root()).current_dir(&folder).args(words).output().unwrap();
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let all = format!(
        "{}\n{}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        output.status,
        text("go.mod"),
        text("go.sum")
    );
    all.replace(client.home().to_str().unwrap(), "HOME")
}
