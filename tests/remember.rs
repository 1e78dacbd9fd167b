//! What was known once is known with everybody else gone, and costs nobody anything: through the program, with the
//! stock go command where that is what counts.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::path::Path;
use std::time::Instant;

use modkeep_conformance::go::Go;
use modkeep_harness::checksumdb::{Log, Reply, Server};
use modkeep_harness::go::Client;
use modkeep_harness::http::Connection;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::{full_run, skip, tell};
use modkeep_harness::upstream::{Module, Tree, Upstream, refusing_address};
use modkeep_module::dirhash::hash_mod;
use modkeep_module::version::ModuleVersion;
use modkeep_module::zip::prove;

const NAME: &str = "sum.corp.example/log";
/// Modules that one run of the go command downloads.
const AT_ONCE: usize = 250;

fn serve(home: &Path, words: &[&str]) -> Modkeep {
    let mut command = Modkeep::command(Path::new(env!("CARGO_BIN_EXE_modkeep")), home);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(words);
    Modkeep::start(command)
}

#[test]
fn ten_thousand_repeats_of_a_404_are_one_upstream_request() {
    let repeats = if full_run() { 10_000 } else { 1000 };
    let upstream = Upstream::start(Tree::default());
    let home = tempfile::tempdir().unwrap();
    // A lifetime that no slow machine outlasts.
    let words = ["--sumdb", "off", "--freshness-not-found", "1h", "--upstream", &upstream.url()];
    let modkeep = serve(home.path(), &words);
    let mut connection = Connection::open(modkeep.url()).unwrap();
    let begun = Instant::now();
    for _ in 0..repeats {
        assert_eq!(connection.get("/example.com/none/@v/list").unwrap().status, 404);
    }
    let each = begun.elapsed() / repeats;
    assert_eq!(upstream.count(""), 1);
    tell(&format!("{repeats} repeats of a 404: 1 upstream request, {each:?} each"));
}

/// The module of a number, the same for the registry and the log.
fn module(number: usize) -> (String, Module) {
    let path = format!("example.com/m{number}");
    let module = Module::new(&path, "v1.0.0").file("m.go", format!("package m\n\nconst N = {number}\n"));
    (path, module)
}

fn log_module(log: &mut Log, tree: &mut Tree, number: usize) {
    let (path, module) = module(number);
    let zip = module.zip();
    let version = ModuleVersion::parse(&path, "v1.0.0").unwrap();
    let h1 = prove(&zip[..], zip.len() as u64, &version).unwrap().h1;
    log.add_sums(&path, "v1.0.0", &h1.to_string(), &hash_mod(module.go_mod().as_bytes()).to_string());
    tree.add(module);
}

/// A client with an empty cache downloads modules and verifies each against the database.
fn download(go: &Go, goproxy: &str, key: &str, numbers: &[usize]) {
    let client = Client::new(go, goproxy).unwrap().with("GOSUMDB", key);
    for part in numbers.chunks(AT_ONCE) {
        let mut words = vec!["mod".to_owned(), "download".to_owned()];
        words.extend(part.iter().map(|number| format!("example.com/m{number}@v1.0.0")));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = client.run(client.home(), &words).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let cache = client.module_cache().join("cache/download");
    for number in numbers {
        let hash = cache.join(format!("example.com/m{number}/@v/v1.0.0.ziphash"));
        assert!(hash.is_file(), "{}", hash.display());
    }
    assert!(cache.join("sumdb").join(NAME).is_dir(), "the client proved what it was told");
}

#[test]
fn every_record_ever_kept_is_verified_by_stock_go_with_everything_else_gone() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("records verified with everything gone", &missing),
    };
    let (records, growth) = if full_run() { (1000, 70_000) } else { (60, 3000) };
    let (mut log, mut tree) = (Log::of_modules(NAME, 7, 0), Tree::default());
    for number in 0..records {
        log_module(&mut log, &mut tree, number);
    }
    let mut newest = Tree::default();
    let mut grown = log.clone();
    for number in 0..growth {
        grown.add(&format!("example.com/other{number}"), "v1.0.0");
    }
    log_module(&mut grown, &mut newest, records);
    let database = Server::start(log);
    let upstream = Upstream::start(tree);
    let key = database.log(|log| log.verifier().to_string());
    let sumdb = format!("{key} {}", database.url());
    let home = tempfile::tempdir().unwrap();
    let modkeep = serve(home.path(), &["--sumdb", &sumdb, "--upstream", &upstream.url()]);
    let all: Vec<usize> = (0..records).collect();
    download(&go, modkeep.url(), &key, &all);

    database.log(|log| *log = grown);
    upstream.add(module(records).1);
    download(&go, modkeep.url(), &key, &[records]);
    let asked = database.take_requests().len();
    assert_eq!(modkeep.stop().0.code(), Some(0));
    database.tamper(|_, _| Reply::Refusal(503, "gone".to_owned()));
    drop(upstream);

    let dead = format!("http://{}", refusing_address());
    let modkeep = serve(home.path(), &["--sumdb", &sumdb, "--upstream", &dead]);
    let begun = Instant::now();
    download(&go, modkeep.url(), &key, &(0..=records).collect::<Vec<_>>());
    tell(&format!(
        "{records} records, {growth} more, 1 fetched ({asked} requests to the database), all cut: stock go verified {} in {:?}",
        records + 1,
        begun.elapsed()
    ));
}
