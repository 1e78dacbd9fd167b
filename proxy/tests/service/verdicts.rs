//! The word of the checksum database: who is given what, and what is kept.

use std::time::Duration;

use modkeep_fetch::private::Private;
use modkeep_harness::checksumdb::{Log, Reply, Server};
use modkeep_harness::upstream::{Module, Tree};
use modkeep_module::dirhash::hash_mod;
use modkeep_module::version::ModuleVersion;
use modkeep_module::zip::prove;

use crate::world::{Wishes, World};

const NAME: &str = "sum.corp.example/go";
const MOD: &str = "/example.com/m/@v/v1.0.0.mod";
const ZIP: &str = "/example.com/m/@v/v1.0.0.zip";

pub(crate) fn module() -> Module {
    Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n")
}

/// The two checksums of a module as the upstream has it.
pub(crate) fn sums(module: &Module, path: &str, version: &str) -> (String, String) {
    let zip = module.zip();
    let version = ModuleVersion::parse(path, version).unwrap();
    let proof = prove(&zip[..], zip.len() as u64, &version).unwrap();
    (proof.h1.to_string(), hash_mod(module.go_mod().as_bytes()).to_string())
}

/// A database that has logged other modules, and this one as it is.
pub(crate) fn honest() -> Log {
    let mut log = Log::of_modules(NAME, 7, 300);
    let (zip, go_mod) = sums(&module(), "example.com/m", "v1.0.0");
    log.add_sums("example.com/m", "v1.0.0", &zip, &go_mod);
    log
}

fn world_with(database: &Server, wishes: Wishes) -> World {
    let key = database.log(|log| log.verifier().to_string());
    let databases = vec![format!("{key} {}", database.url())];
    World::with(Tree::default().with(module()), Wishes { databases, ..wishes })
}

#[test]
fn both_files_of_a_version_are_proved_by_one_lookup() {
    let database = Server::start(honest());
    let world = world_with(&database, Wishes::default());
    for _ in 0..3 {
        assert_eq!(world.get(MOD).status, 200);
        assert_eq!(world.get(ZIP).status, 200);
    }
    let lookups = database.take_requests().into_iter().filter(|request| request.starts_with("lookup/"));
    assert_eq!(lookups.collect::<Vec<_>>(), ["lookup/example.com/m@v1.0.0"]);
    for kind in ["mod", "zip"] {
        let metric = format!("modkeep_verdicts_total{{kind=\"{kind}\",verdict=\"proved\"}}");
        assert_eq!(world.metric(&metric), Some(1.0));
    }
    assert_eq!(world.metric("modkeep_sumdb_records{database=\"sum.corp.example/go\"}"), Some(301.0));
}

#[test]
fn a_file_that_the_database_contradicts_is_refused_and_not_kept() {
    #[track_caller]
    fn check(path: &str, noun: &str, line: impl Fn(String, String) -> (String, String)) {
        let mut log = Log::of_modules(NAME, 7, 300);
        let (zip, go_mod) = sums(&module(), "example.com/m", "v1.0.0");
        let (zip, go_mod) = line(zip, go_mod);
        log.add_sums("example.com/m", "v1.0.0", &zip, &go_mod);
        let database = Server::start(log);
        let world = world_with(&database, Wishes::default());
        for _ in 0..2 {
            let answer = world.get(path);
            let text = answer.text();
            assert_eq!(answer.status, 403, "{text}");
            let begins =
                format!("example.com/m@v1.0.0: verifying {noun}: checksum mismatch\n\tdownloaded: h1:");
            assert!(text.starts_with(&begins), "{text}");
            assert!(text.contains("\n\tsum.corp.example/go: h1:"), "{text}");
            assert!(text.contains("\nSECURITY ERROR\nThis download does NOT match"), "{text}");
        }
        assert_eq!(world.upstream.count(""), 1, "a refusal is remembered for a moment");
        world.upstream.reply_all(modkeep_harness::upstream::Reply::new(503));
        world.clock.advance(Duration::from_secs(3600));
        assert_eq!(world.get(path).status, 403, "nothing was kept");
    }
    let other = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    check(MOD, "go.mod", |zip, _| (zip, other.to_owned()));
    check(ZIP, "module", |_, go_mod| (other.to_owned(), go_mod));
}

#[test]
fn a_version_that_the_database_does_not_know_is_refused_in_the_words_of_go() {
    let database = Server::start(Log::of_modules(NAME, 7, 300));
    let world = world_with(&database, Wishes::default());
    let answer = world.get(MOD);
    assert_eq!(answer.status, 403);
    let text = answer.text();
    assert!(
        text.starts_with(
            "example.com/m@v1.0.0: verifying go.mod: example.com/m@v1.0.0/go.mod: reading http://"
        ),
        "{text}"
    );
    assert!(text.contains("/lookup/example.com/m@v1.0.0: 404 Not Found"), "{text}");
    database.log(|log| *log = honest());
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(world.get(MOD).status, 200, "and asked again after a while");
}

#[test]
fn without_the_database_nothing_new_is_given_and_all_that_is_kept() {
    let database = Server::start(honest());
    let world = world_with(&database, Wishes::default());
    assert_eq!(world.get(MOD).status, 200);
    database.tamper(|_, _| Reply::Refusal(500, "down".to_owned()));
    world.upstream.add(Module::new("example.com/m", "v1.1.0").file("m.go", "package m\n"));
    let answer = world.get("/example.com/m/@v/v1.1.0.mod");
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    assert_eq!(world.get(MOD).status, 200);
    assert_eq!(world.get("/example.com/m/@v/v1.1.0.info").status, 200, "no database speaks of an .info");
}

#[test]
fn a_lie_is_refused_loudly() {
    let database = Server::start(honest());
    let world = world_with(&database, Wishes::default());
    database.tamper(|_, reply| match reply {
        Reply::Content(mut body) => {
            let last = body.len() - 1;
            body[last / 2] ^= 1;
            Reply::Content(body)
        }
        reply => reply,
    });
    let answer = world.get(MOD);
    assert!([403, 503].contains(&answer.status), "{answer:?}");
    database.repent();
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.get(MOD).status, 200);
}

#[test]
fn modules_that_no_database_is_asked_about_are_taken_as_they_came() {
    let database = Server::start(honest());
    let private = Private { no_proxy: String::new(), no_sumdb: "example.com".to_owned() };
    let world = world_with(&database, Wishes { private, ..Wishes::default() });
    let first = world.get(ZIP);
    assert_eq!(first.status, 200);
    world.upstream.add(Module::new("example.com/m", "v1.0.0").file("m.go", "package other\n"));
    assert_eq!(world.get(ZIP).body, first.body, "and stay so");
    assert_eq!(world.get("/sumdb/sum.corp.example/go/lookup/example.com/m@v1.0.0").status, 403);
    assert_eq!(database.take_requests(), Vec::<String>::new());
    assert_eq!(world.metric("modkeep_verdicts_total{kind=\"zip\",verdict=\"unverified\"}"), Some(1.0));
}

#[test]
fn a_database_is_passed_on() {
    let database = Server::start(honest());
    let world = world_with(&database, Wishes::default());
    let supported = world.get("/sumdb/sum.corp.example/go/supported");
    assert_eq!((supported.status, supported.body.len()), (200, 0));
    let lookup = world.get("/sumdb/sum.corp.example/go/lookup/example.com/m@v1.0.0");
    assert_eq!((lookup.status, lookup.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert!(lookup.text().starts_with("300\nexample.com/m v1.0.0 h1:"), "{}", lookup.text());
    let latest = world.get("/sumdb/sum.corp.example/go/latest");
    assert_eq!((latest.status, latest.header("cache-status")), (200, Some("modkeep; hit; ttl=60")));
    assert!(lookup.text().ends_with(&latest.text()));
    let tile = world.get("/sumdb/sum.corp.example/go/tile/8/0/000");
    assert_eq!((tile.status, tile.body.len()), (200, 256 * 32));
    assert_eq!(tile.header("content-type"), Some("application/octet-stream"));
    assert_eq!(tile.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(world.get("/sumdb/sum.corp.example/go/tile/8/0/009").status, 404);

    database.take_requests();
    for _ in 0..5 {
        let absent = world.get("/sumdb/sum.corp.example/go/lookup/example.com/none@v1.0.0");
        assert_eq!(absent.status, 404, "{}", absent.text());
    }
    assert_eq!(database.take_requests(), ["lookup/example.com/none@v1.0.0"]);

    assert_eq!(world.get("/sumdb/sum.golang.org/supported").status, 404);
    assert_eq!(world.upstream.log().len(), 0);
}

#[test]
fn offline_another_database_is_403_so_that_nobody_goes_there() {
    let world = World::with(Tree::default(), Wishes { offline: true, ..Wishes::default() });
    let answer = world.get("/sumdb/sum.golang.org/supported");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.text(), "checksum database sum.golang.org is not served here\n");
}
