//! Go's own scripts judge the proxy: cold in every run; with `MODKEEP_FULL=1` against a control on this machine too,
//! and a second time with the upstream stopped.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use modkeep_conformance::go::Go;
use modkeep_conformance::suite::{Fixture, Report, SUBJECTS, Score, Suite, Verdict, WRONGLY_LOGGED};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, kept_folder, program, skip, tell};

/// Scripts that pass with Go's own fixture, in short mode, for the release in the harness: 318, less the twelve of
/// them that call trap paths.
const EXPECTED: usize = 306;

#[test]
fn every_script_that_passes_with_gos_fixture_passes_with_modkeep_before_it() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("conformance", &missing),
    };
    let suite = Suite::build(&go, &kept_folder()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let fixture = suite.fixture().unwrap();
    let modkeep = serve(home.path(), &suite, &fixture);

    let cold = suite.run(Some(modkeep.url())).unwrap();
    let score = judge("cold", &suite, &cold);
    if full_run() {
        drop(fixture);
        let dead = suite.run(Some(modkeep.url())).unwrap();
        let score = judge("upstream stopped", &suite, &dead);
        assert_eq!(score.misses, Vec::<String>::new(), "with the upstream stopped");
    }
    assert_eq!(score.misses, Vec::<String>::new());
}

fn serve(home: &Path, suite: &Suite, fixture: &Fixture) -> Modkeep {
    let mut command = Modkeep::command(&program(env!("CARGO_BIN_EXE_modkeep")), home);
    command.args(["serve", "--listen", "127.0.0.1:0", "--base-path", "/mod"]);
    command.args(["--upstream", fixture.url(), "--sumdb", suite.verifier_key()]);
    command.env("GONOSUMDB", WRONGLY_LOGGED);
    Modkeep::start(command)
}

/// Prints the score of a run, and of each script that failed what it logged.
fn judge(pass: &str, suite: &Suite, report: &Report) -> Score {
    let score = match full_run() {
        true => report.score(&suite.run(None).unwrap()),
        false => report.score_of(EXPECTED),
    };
    for name in &score.misses {
        tell(&format!("--- {name}\n{}", report.log(name)));
    }
    tell(&format!("Go's scripts, {pass}: failed {}\n{score}", report.all(Verdict::Failed).join(", ")));
    score
}

/// Scripts of which some need a proxy and some don't, for every run.
const SOME: &str =
    "^(mod_list$|mod_download_json|mod_get_major|mod_tidy_version|mod_init|mod_edit|work_init)";

#[test]
fn the_verb_scores_modkeep_and_a_server_that_serves_nothing() {
    if let Err(missing) = Go::specification() {
        return skip("modkeep conformance", &missing);
    }
    let home = tempfile::tempdir().unwrap();
    let pattern = if full_run() { SUBJECTS } else { SOME };
    let address = free_address();
    let url = format!("http://{address}/mod");
    let mut trial = verb(home.path(), &["--offline-pass", "--json", "--run", pattern, &url]);
    let mut process = trial.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut story = BufReader::new(process.stderr.take().unwrap()).lines().map(Result::unwrap);
    let word_after = |line: String, before: &str| Some(line.trim().strip_prefix(before)?.trim().to_owned());
    let upstream = story.by_ref().find_map(|line| word_after(line, "upstream ")).unwrap();
    let key = story.by_ref().find_map(|line| word_after(line, "checksum database ")).unwrap();
    let rest = std::thread::spawn(move || story.collect::<Vec<_>>().join("\n"));
    let mut command = Modkeep::command(&program(env!("CARGO_BIN_EXE_modkeep")), home.path());
    command.args(["serve", "--listen", &address.to_string(), "--base-path", "/mod", "--access-log=false"]);
    command.args(["--upstream", &upstream, "--sumdb", &key]).env("GONOSUMDB", WRONGLY_LOGGED);
    let modkeep = Modkeep::start(command);
    let output = process.wait_with_output().unwrap();
    let story = rest.join().unwrap();
    assert!(output.status.success(), "{story}\n{}", String::from_utf8_lossy(&output.stdout));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["score"], document["of"]);
    assert!(document["of"].as_u64().unwrap() > 8, "{document}");
    drop(modkeep);

    let nothing = nothing_server();
    let mut trial = verb(home.path(), &["--wait", "0", "--run", pattern, &nothing]);
    let output = trial.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let (floor, of) = score_line(said.lines().last().unwrap());
    assert_eq!(2 * of, document["of"].as_u64().unwrap(), "{said}");
    tell(&format!("modkeep conformance, a server that serves nothing: score {floor} of {of}"));
    if full_run() {
        assert_eq!((floor, of), FLOOR, "{said}");
    } else {
        assert!(floor > 0 && floor < of, "{said}");
    }
}

/// What a server scores that answers 404 to everything: scripts that need no proxy, and those that only want refusals.
/// Where nobody listens it is 154.
const FLOOR: (u64, u64) = (184, 306);

fn verb(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Modkeep::command(&program(env!("CARGO_BIN_EXE_modkeep")), home);
    // The test binary that the other tests built, and the machine's own go with its settings.
    command.env("XDG_CACHE_HOME", kept_folder()).env_remove("GOENV");
    if let Some(real) = std::env::home_dir() {
        command.env("HOME", real);
    }
    command.arg("conformance").args(arguments);
    command
}

fn score_line(line: &str) -> (u64, u64) {
    let numbers = line.strip_prefix("score ").and_then(|rest| rest.split_once(" of "));
    let (score, of) = numbers.unwrap_or_else(|| panic!("{line}"));
    (score.parse().unwrap(), of.parse().unwrap())
}

fn free_address() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Answers everything with 404, as long as the test runs.
fn nothing_server() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
                while head.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).count() > 0 {
                    let reply = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
                    if stream.write_all(reply).is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}
