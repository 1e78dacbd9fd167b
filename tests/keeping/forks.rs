//! A checksum database that is caught with two histories under a running server, and the two ways on.

use modkeep_harness::checksumdb::{Log, Server as Database};
use modkeep_harness::http::{Answer, get};
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::upstream::{Module, Tree, Upstream};
use modkeep_module::dirhash::hash_mod;
use modkeep_module::version::ModuleVersion;
use modkeep_module::zip::prove;
use tempfile::TempDir;

use crate::{program, says, store};

const NAME: &str = "sum.corp.example";
/// Modules that are there, `example.com/m0` and so on.
const MODULES: u64 = 5;

fn path(number: u64) -> String {
    format!("example.com/m{number}")
}

fn module(number: u64) -> Module {
    Module::new(&path(number), "v1.0.0").file("m.go", "package m\n")
}

/// Logs a module as it is.
fn log_module(log: &mut Log, number: u64) {
    let (module, path) = (module(number), path(number));
    let zip = module.zip();
    let version = ModuleVersion::parse(&path, "v1.0.0").unwrap();
    let zip = prove(&zip[..], zip.len() as u64, &version).unwrap().h1.to_string();
    log.add_sums(&path, "v1.0.0", &zip, &hash_mod(module.go_mod().as_bytes()).to_string());
}

/// A server that has proved `m0` in a log of two records, and a database that then goes on with another history.
struct Forked {
    home: TempDir,
    modkeep: Modkeep,
    database: Database,
    /// The history that was known first, with all modules.
    first: Log,
    /// The other one, longer, with all modules but the second.
    other: Log,
    name: String,
    _upstream: Upstream,
}

impl Forked {
    fn new() -> Self {
        let mut first = Log::new(NAME, 7);
        (0..MODULES).for_each(|number| log_module(&mut first, number));
        let mut other = first.at(1);
        for number in 10..15 {
            other.add(&path(number), "v1.0.0");
        }
        (2..MODULES).for_each(|number| log_module(&mut other, number));
        let mut shown = first.clone();
        shown.show(Some(2));
        let database = Database::start(shown);
        let sumdb = format!("{} {}", first.verifier(), database.url());
        let upstream = Upstream::start((0..MODULES).map(module).fold(Tree::default(), Tree::with));
        let home = tempfile::tempdir().unwrap();
        let mut command = program(home.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--freshness-refusal", "0", "--sumdb", &sumdb]);
        let modkeep = Modkeep::start({
            command.args(["--upstream", &upstream.url()]);
            command
        });
        let name = format!("{NAME}+{:08x}", first.verifier().key_hash());
        let forked = Self { home, modkeep, database, first, other, name, _upstream: upstream };
        assert_eq!(forked.status(0), 200);
        forked.goes_on_with(&forked.other);
        assert_eq!(forked.status(2), 403);
        forked
    }

    fn goes_on_with(&self, log: &Log) {
        self.database.log(|shown| *shown = log.clone());
    }

    fn get(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.modkeep.url())).unwrap()
    }

    fn status(&self, number: u64) -> u16 {
        self.get(&format!("/{}/@v/v1.0.0.mod", path(number))).status
    }

    fn fork(&self, status: i32, flags: &[&str], words: &[&str]) {
        says(&store(self.home.path(), &[&["fork"], flags].concat()), status, words);
    }
}

#[test]
fn a_database_that_was_caught_is_shown_with_its_proof_and_believed_again_when_accepted() {
    let forked = Forked::new();
    forked.goes_on_with(&forked.first);
    assert_eq!(forked.status(3), 403, "nothing new is believed of a database that was caught");
    forked.fork(1, &[], &[&forked.name, "old database:", "new database:"]);
    forked.fork(1, &["--accept", "sum.other.example+00000000"], &[]);
    forked.fork(0, &["--accept", &forked.name], &["old database:", "is believed again\n"]);
    forked.fork(0, &[], &["no checksum database was caught\n"]);
    assert_eq!((forked.status(3), forked.status(0)), (200, 200));
}

#[test]
fn the_other_history_is_believed_once_it_is_adopted_and_the_dropped_one_is_caught() {
    let forked = Forked::new();
    let adopt = ["--adopt", &*forked.name];
    forked.fork(2, &["--adopt", &forked.name, "--accept", &forked.name], &[]);
    forked.fork(1, &["--adopt", "sum.other.example+00000000"], &[]);
    let other = forked.other.head().tree().root.to_string();
    forked.fork(
        0,
        &adopt,
        &["old database:", "dropped records 1\n", &format!("\n{}\n{other}\n", forked.other.size())],
    );
    forked.fork(0, &[], &["no checksum database was caught\n"]);
    assert_eq!((forked.status(2), forked.status(0)), (200, 200), "what was proved is served on");
    let lookup = forked.get(&format!("/sumdb/{NAME}/lookup/{}@v1.0.0", path(0)));
    assert!(lookup.status == 200 && lookup.text().contains(&other), "{}", lookup.text());

    // The head in the memory of the server is larger now than the one that is adopted.
    forked.goes_on_with(&forked.first);
    assert_eq!(forked.status(1), 403);
    forked.fork(1, &[], &[&forked.name]);
    forked.fork(0, &adopt, &["dropped records 2\n"]);
    assert_eq!((forked.status(1), forked.status(3)), (200, 200));
    let latest = forked.get(&format!("/sumdb/{NAME}/latest"));
    assert!(latest.text().contains(&forked.first.head().tree().root.to_string()), "{}", latest.text());
    says(&store(forked.home.path(), &["check"]), 0, &["mod 4\n"]);
}
