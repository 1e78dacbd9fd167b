//! What does a resolution cost the client, beside the real go command?
//!
//! `cargo build --release && cargo bench -p modkeep-benches --bench resolve [-- warm|cold|download]` prints, in
//! interleaved rounds, CPU and wall time of `go` and of the release build of modkeep, and go's median over ours:
//!
//! * warm: `list -m all` from a module cache that has everything, of a generated unpruned graph of 2 000 modules and of
//!   terraform, caddy and golangci-lint; ours reads every file as go does, and then has its index;
//! * cold: the same of a generated graph of 650 modules, from a warm `modkeep serve` behind a line that delays every
//!   reply by 20 ms; go with GOMAXPROCS=2 and with 32;
//! * download: `mod download` of 200 modules into an empty module cache, from files.
//!
//! Real programs come from the registry that the machine's own go uses; without one they are left out.

#![allow(clippy::print_stdout, reason = "figures are what it is for")]
#![allow(clippy::disallowed_methods, reason = "it loses nothing that it writes")]

mod client;
mod line;
mod subject;

use std::path::{Path, PathBuf};

use client::{Client, Cost, Tool};
use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use subject::Subject;

/// Rounds of everything that takes less than a second.
const ROUNDS: usize = 7;

/// Rounds of what takes seconds.
const FEW_ROUNDS: usize = 3;

/// How long the line keeps every reply.
const DELAY_MS: u64 = 20;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let Some(program) = program() else {
        return println!("no release build of modkeep beside this bench: cargo build --release");
    };
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return println!("no go to compare with: {missing}"),
    };
    let place = modkeep_harness::place::quick_folder("resolve-");
    let client = Client { go, program, place: place.path().to_owned() };
    if wants("warm") {
        warm(&client);
    }
    if wants("cold") {
        cold(&client);
    }
    if wants("download") {
        download(&client);
    }
}

/// The program in the folder of the profile in which this bench was built.
fn program() -> Option<PathBuf> {
    let bench = std::env::current_exe().ok()?;
    bench.ancestors().map(|folder| folder.join("modkeep")).find(|file| file.is_file())
}

fn warm(client: &Client) {
    let mut subjects = vec![Subject::generated(client, 2_000, "1.13")];
    subjects.extend(subject::PROGRAMS.iter().filter_map(|program| Subject::real(client, program)));
    for subject in &subjects {
        let tools = [Tool::go("go"), Tool::ours("modkeep, every file"), Tool::ours("modkeep").with_index()];
        let list = |tool: &Tool| client.run(tool, subject, "off", &["list", "-m", "all"]);
        let answers = tools.each_ref().map(|tool| list(tool).1);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{}: the lists differ", subject.name);
        // The index is there after a run that could read everything.
        list(&tools[2]);
        compare(&format!("{}: list -m all, warm", subject.name), &tools, ROUNDS, |tool| list(tool).0);
    }
}

fn cold(client: &Client) {
    let subject = Subject::generated(client, 650, "1.13");
    let home = client.place.join("server");
    let mut command = Modkeep::command(&client.program, &home);
    let upstream = format!("file://{}", subject.registry().display());
    command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--access-log=false"]);
    let server = Modkeep::start({
        command.args(["--upstream", &upstream]);
        command
    });
    let line = line::Line::to(server.url(), std::time::Duration::from_millis(DELAY_MS));
    let tools = [
        Tool::go("go, GOMAXPROCS=2").cold().with("GOMAXPROCS", "2"),
        Tool::go("go, GOMAXPROCS=32").cold().with("GOMAXPROCS", "32"),
        Tool::ours("modkeep").cold(),
    ];
    // Whatever the server fetches, it has fetched before the first round.
    client.run(&Tool::go("warm").cold(), &subject, server.url(), &["list", "-m", "all"]);
    let title = format!("{}: list -m all, cold, {DELAY_MS} ms a reply", subject.name);
    compare(&title, &tools, FEW_ROUNDS, |tool| {
        client.run(tool, &subject, line.url(), &["list", "-m", "all"]).0
    });
}

fn download(client: &Client) {
    let Some(subject) = Subject::real(client, subject::PROGRAMS[1]) else { return };
    let modules = subject.download(client, 200);
    let goproxy = format!("file://{}", subject.registry().display());
    let mut words = vec!["mod", "download"];
    words.extend(modules.iter().map(String::as_str));
    let tools = [Tool::go("go").cold(), Tool::ours("modkeep").cold()];
    let title = format!("{} modules of {}: mod download, cold", modules.len(), subject.name);
    compare(&title, &tools, FEW_ROUNDS, |tool| client.run(tool, &subject, &goproxy, &words).0);
}

/// Runs the tools in turn and prints medians, and the first tool's (go's) over each.
fn compare(title: &str, tools: &[Tool], rounds: usize, run: impl Fn(&Tool) -> Cost) {
    let mut costs = vec![Vec::new(); tools.len()];
    for round in 0..rounds {
        for step in 0..tools.len() {
            let index = (round + step) % tools.len();
            costs[index].push(run(&tools[index]));
        }
    }
    println!("{title}, {rounds} rounds");
    println!("  {:<22} {:>9} {:>9} {:>10} {:>10}", "", "cpu ms", "wall ms", "cpu ratio", "wall ratio");
    for (index, tool) in tools.iter().enumerate() {
        let median = |of: fn(&Cost) -> f64| median(costs[index].iter().map(of));
        let ratio = |of: fn(&Cost) -> f64| {
            self::median(costs[0].iter().zip(&costs[index]).map(|(first, own)| of(first) / of(own)))
        };
        println!(
            "  {:<22} {:>9.0} {:>9.0} {:>10.2} {:>10.2}",
            tool.name,
            median(|cost| cost.cpu) * 1e3,
            median(|cost| cost.wall) * 1e3,
            ratio(|cost| cost.cpu),
            ratio(|cost| cost.wall)
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A folder and those above it.
fn make(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder of the bench's own");
}
