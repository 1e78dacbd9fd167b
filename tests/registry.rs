//! Real modules from the machine's own registry, through modkeep, by the real go command, with the public checksum
//! database on: a first client fills the store, a second costs the upstream nothing, a third does it all again after a
//! restart with the upstream dead.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "parts/store.rs"]
mod store;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use modkeep_conformance::go::{Go, Missing};
use modkeep_harness::go::{Client, machine_proxy};
use modkeep_harness::http::get;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, kept_folder, skip, tell};
use modkeep_module::dirhash::hash_mod;
use modkeep_store::Key;

/// A main module, and the words that bring and build all it needs.
struct Program {
    name: &'static str,
    /// Makes the main module in an empty folder.
    lay: fn(&Client, &Path),
    commands: &'static [&'static [&'static str]],
    /// Modules whose zips are fetched, at least.
    zips: usize,
}

const HELLO: Program = Program {
    name: "hello",
    lay: lay_hello,
    commands: &[
        &["mod", "tidy"],
        &["mod", "download", "all"],
        &["build", "-trimpath", "-o", "out", "."],
        &["mod", "verify"],
    ],
    zips: 3,
};

/// 596 modules in its build list, 159 of them in the program.
const CADDY: Program = Program {
    name: "caddy",
    lay: lay_caddy,
    commands: &[
        &["mod", "download"],
        &["build", "-trimpath", "-o", "out", "./cmd/caddy"],
        &["mod", "verify"],
    ],
    zips: 100,
};

fn lay_hello(_: &Client, folder: &Path) {
    let go_mod = "module example.com/hello\n\ngo 1.21\n\nrequire rsc.io/quote v1.5.2\n";
    let main = "package main\n\nimport \"rsc.io/quote\"\n\nfunc main() { println(quote.Hello()) }\n";
    for (name, text) in [("go.mod", go_mod), ("main.go", main)] {
        #[allow(clippy::disallowed_methods, reason = "a file of the test")]
        fs::write(folder.join(name), text).unwrap();
    }
}

fn lay_caddy(client: &Client, folder: &Path) {
    let module = "github.com/caddyserver/caddy/v2@v2.11.9";
    let output = client.run(folder, &["mod", "download", "-json", module]).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let source =
        said["Dir"].as_str().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    copy(Path::new(source), folder);
}

/// Copies the files of a folder; the copies can be written.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&from, &to);
        } else {
            let text = fs::read(&from).unwrap();
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(&to, text).unwrap();
        }
    }
}

fn serve(home: &Path, upstream: &str) -> Modkeep {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
    command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "sum.golang.org", "--upstream", upstream]);
    Modkeep::start(command)
}

/// Module files as they lie in go's cache, with the hash that go.sum has for each.
type Files = BTreeMap<PathBuf, String>;

/// A new client brings and builds the program; gives what it fetched.
fn build(program: &Program, go: &Go, modkeep: &Modkeep, go_cache: &Path) -> Files {
    let client = Client::new(go, modkeep.url()).unwrap().with("GOCACHE", go_cache.to_str().unwrap());
    let work = client.home().join("work");
    fs::create_dir(&work).unwrap();
    (program.lay)(&client, &work);
    for words in program.commands {
        let output = client.run(&work, words).unwrap();
        assert!(output.status.success(), "{}: go {words:?}: {}", program.name, text(&output));
    }
    let files = fetched(&client.module_cache().join("cache/download"));
    assert!(zips(&files) >= program.zips, "{}: {files:?}", program.name);
    files
}

fn zips(files: &Files) -> usize {
    files.keys().filter(|file| file.extension().is_some_and(|extension| extension == "zip")).count()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The zips, each with the hash that go wrote beside it, and the go.mod files.
fn fetched(cache: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![cache.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let (file, hash) = match path.extension().and_then(|extension| extension.to_str()) {
                Some("ziphash") => (path.with_extension("zip"), fs::read_to_string(&path).unwrap()),
                Some("mod") => (path.clone(), hash_mod(&fs::read(&path).unwrap()).to_string()),
                _ => continue,
            };
            found.insert(file.strip_prefix(cache).unwrap().to_owned(), hash.trim().to_owned());
        }
    }
    found
}

/// Requests for module files that reached the upstream so far.
fn asked_upstream(modkeep: &Modkeep) -> u64 {
    let metrics = get(&format!("{}/metrics", modkeep.url())).unwrap().text();
    let is_file = |line: &&str| {
        ["info", "mod", "zip"].iter().any(|kind| {
            line.starts_with("modkeep_upstream_requests_total{") && line.contains(&format!("kind=\"{kind}\""))
        })
    };
    metrics.lines().filter(is_file).map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// An address of this machine where nobody listens.
fn dead_url() -> String {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("http://{closed}")
}

fn three_clients(program: &Program) -> Result<(), Missing> {
    let (go, upstream) = (Go::specification()?, machine_proxy()?);
    let home = tempfile::tempdir().unwrap();
    let go_cache = kept_folder().join("go-cache");
    let modkeep = serve(home.path(), &upstream);
    let files = build(program, &go, &modkeep, &go_cache);

    let before = asked_upstream(&modkeep);
    assert!(before > 0);
    build(program, &go, &modkeep, &go_cache);
    assert_eq!(asked_upstream(&modkeep) - before, 0, "the second client cost the upstream requests");
    assert_eq!(modkeep.stop().0.code(), Some(0));

    let modkeep = serve(home.path(), &dead_url());
    assert_eq!(build(program, &go, &modkeep, &go_cache), files);
    assert_eq!(modkeep.stop().0.code(), Some(0));

    assert_eq!(unkept(home.path(), &files), Vec::<PathBuf>::new());
    let mut check = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home.path());
    check.args(["store", "check"]);
    let check = Modkeep::output(check);
    assert!(check.status.success(), "{}", text(&check));
    let (name, count, zips) = (program.name, files.len(), zips(&files));
    tell(&format!(
        "{name}: {count} files, {zips} of them zips; {before} upstream requests for them, none later"
    ));
    Ok(())
}

/// The files that are not in the store with the hash that go found.
fn unkept(home: &Path, files: &Files) -> Vec<PathBuf> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(store::open(home));
    let is_kept = |file: &Path, hash: &str| {
        let key = Key::parse(&format!("files/{}", file.display())).unwrap();
        let fact = runtime.block_on(store.get(&key)).unwrap();
        fact.is_some_and(|fact| {
            String::from_utf8_lossy(&fact).lines().any(|line| line == format!("h1 {hash}"))
        })
    };
    let lost = files.iter().filter(|(file, hash)| !is_kept(file, hash));
    lost.map(|(file, _)| file.clone()).collect()
}

#[test]
fn a_small_program_is_built_by_three_clients_the_last_without_an_upstream() {
    if let Err(missing) = three_clients(&HELLO) {
        skip("hello by three clients", &missing);
    }
}

#[test]
fn caddy_is_built_by_three_clients_the_last_without_an_upstream() {
    if !full_run() {
        return skip("caddy by three clients", &"a big program: set MODKEEP_FULL=1");
    }
    if let Err(missing) = three_clients(&CADDY) {
        skip("caddy by three clients", &missing);
    }
}
