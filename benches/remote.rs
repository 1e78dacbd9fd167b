//! What is a filled remote cache worth beside go with nothing?
//!
//! `cargo bench -p modkeep-benches --bench remote -- PROGRAM [PACKAGE]` times the program modkeep that PROGRAM names: go builds
//! PACKAGE (`cmd/go` if none is named) cold, modkeep fills a cache on a server of its own, and builds it with nothing else, on
//! loopback and through a relay that adds 20 ms to each round trip. Seconds of wall time and of CPU, medians of three, and
//! ratios. Programs are compared byte for byte. Without PROGRAM nothing is measured.

#![allow(clippy::print_stdout, reason = "a bench says what it found")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use modkeep_conformance::go::Go;
use modkeep_harness::modkeep::Modkeep;
use modkeep_store::Digest;

const ROUNDS: usize = 3;
/// One way.
const DELAY: Duration = Duration::from_millis(10);
const TOKEN: &str = "of the bench";

/// Seconds of a run.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
}

struct Bench {
    home: tempfile::TempDir,
    go: Go,
    program: PathBuf,
    package: String,
}

impl Bench {
    /// Runs a command with an empty build cache.
    fn cold(&self, mut command: Command, words: &[&str], output: &str) -> Cost {
        let cache = self.home.path().join("gocache");
        let _ = std::fs::remove_dir_all(&cache);
        let folder = self.home.path().join("empty");
        std::fs::create_dir_all(&folder).expect("a folder");
        command.current_dir(&folder).env("PWD", &folder).env("HOME", self.home.path());
        command.env("GOCACHE", &cache).env("GOTOOLCHAIN", "local").env("GOROOT", self.go.root());
        command.env("GOENV", "off").env("GOFLAGS", "").env("GOWORK", "off").env("GOPROXY", "off");
        command.env("CGO_ENABLED", "0").env("MODKEEP_REMOTE_TOKEN", TOKEN);
        command
            .args(["build", "-trimpath", "-o"])
            .arg(self.home.path().join(output))
            .args(words)
            .arg(&self.package);
        command.stdin(Stdio::null());
        let before = children_cpu();
        let begun = Instant::now();
        let ended = command.output().expect("a program");
        let wall = begun.elapsed().as_secs_f64();
        assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
        Cost { wall, cpu: children_cpu() - before }
    }

    fn modkeep(&self) -> Command {
        Modkeep::command(&self.program, self.home.path())
    }

    fn same(&self, name: &str) {
        let read = |name: &str| std::fs::read(self.home.path().join(name)).expect("a program");
        assert!(read("of-go") == read(name), "{name} is not go's program");
    }
}

/// CPU seconds of children that were waited for.
fn children_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // utime and stime of children, in ticks of 10 ms.
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / 100.0
}

fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by(|a, b| a.wall.total_cmp(&b.wall));
    costs[costs.len() / 2]
}

/// Passes bytes on, each a while after it came.
fn relay(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A connection takes a round trip to come about too.
            std::thread::sleep(2 * DELAY);
            let Ok(server) = TcpStream::connect(to) else { continue };
            for (from, to) in [(&client, &server), (&server, &client)] {
                let _ = from.set_nodelay(true);
                let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                pass_on(from, to);
            }
        }
    });
    address
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        let mut piece = vec![0; 256 << 10];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if sender.send((Instant::now() + DELAY, piece[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    std::thread::spawn(move || {
        for (when, piece) in receiver {
            std::thread::sleep(when.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                return;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let Some(program) = words.first() else {
        println!("remote: name a program to measure: cargo bench --bench remote -- target/release/modkeep");
        return;
    };
    let package = words.get(1).map_or("cmd/go", String::as_str).to_owned();
    let home = tempfile::tempdir().expect("a folder");
    let program = std::fs::canonicalize(Path::new(program)).expect("the program modkeep");
    let bench = Bench { home, go: Go::specification().expect("the release go"), program, package };
    let mut serve = bench.modkeep();
    serve.args(["serve", "--listen", "127.0.0.1:0", "--offline", "--sumdb", "off", "--access-log=false"]);
    serve.arg("--cache-folder").arg(bench.home.path().join("shelf"));
    serve.args(["--cache-writers", &Digest::of(TOKEN.as_bytes()).to_string()]);
    let server = Modkeep::start(serve);
    let url = server.url().to_owned();
    let far = format!("http://{}", relay(url.trim_start_matches("http://").parse().expect("an address")));
    let times = |words: &[&str], output: &str| {
        median((0..ROUNDS).map(|_| bench.cold(bench.modkeep(), words, output)).collect())
    };

    let theirs = median((0..ROUNDS).map(|_| bench.cold(bench.go.command(), &[], "of-go")).collect());
    let alone = bench.cold(bench.modkeep(), &[], "alone");
    bench.same("alone");
    let filled = bench.cold(bench.modkeep(), &["-remote", &url, "-remote-mode", "rw"], "filled");
    bench.same("filled");
    let near = times(&["-remote", &url], "near");
    bench.same("near");
    let distant = times(&["-remote", &far], "far");
    bench.same("far");
    // Other flags of the linker: all archives are fetched, and it is linked here.
    let flags = "-ldflags=-X=main.nothing=1";
    let linked = times(&["-remote", &url, flags], "linked");
    println!("{} without cgo, {} rounds; seconds of wall time and CPU", bench.package, ROUNDS);
    let line = |what: &str, cost: Cost| {
        let ratio = format!("{:6.1} x {:6.1} x", theirs.wall / cost.wall, theirs.cpu / cost.cpu.max(0.01));
        println!("{what:<44} {:8.2} s {:8.2} s   {ratio}", cost.wall, cost.cpu);
    };
    line("go, nothing cached", theirs);
    line("modkeep, nothing cached", alone);
    line("modkeep, nothing cached, filling the remote", filled);
    line("modkeep, remote cache on loopback", near);
    line("modkeep, remote cache 20 ms away", distant);
    line("modkeep, loopback, linked here", linked);
}
