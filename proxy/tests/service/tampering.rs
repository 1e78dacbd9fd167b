//! Replies that somebody tampered with on their way: none is served whole, none is kept.

use std::sync::mpsc;

use modkeep_harness::checksumdb::{Log, Reply, Server};
use modkeep_harness::dice::Dice;
use modkeep_harness::hostile::{Verdict, genuine, hostile_zips};
use modkeep_harness::http::{Answer, raw};
use modkeep_harness::place::full_run;
use modkeep_harness::upstream::{Module, Reply as FromUpstream, Tree};
use modkeep_module::dirhash::hash_mod;
use modkeep_module::version::ModuleVersion;
use modkeep_module::zip::prove;

use crate::verdicts::sums;
use crate::world::{Wishes, World};

const PATH: &str = "example.com/m";
const NAME: &str = "sum.corp.example/go";
/// Versions that one world has; a tampered reply of each is asked for once.
const VERSIONS: usize = 500;

fn url(version: &str, kind: &str) -> String {
    format!("/{PATH}/@v/{version}.{kind}")
}

fn world(tree: Tree, log: Log) -> (World, Server) {
    let database = Server::start(log);
    let key = database.log(|log| log.verifier().to_string());
    let databases = vec![format!("{key} {}", database.url())];
    (World::with(tree, Wishes { databases, ..Wishes::default() }), database)
}

/// What a client has whole: the bytes, if they are as many as were announced.
fn whole(answer: &Answer) -> Option<&[u8]> {
    let announced = answer.header("content-length").and_then(|length| length.parse().ok());
    (answer.status == 200 && announced == Some(answer.body.len())).then_some(&*answer.body)
}

/// Asks once, then for what is kept. A connection that breaks before any answer gives nothing.
fn asked(world: &World, path: &str) -> [Option<Vec<u8>>; 2] {
    let ask = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        let answer = raw(world.address, request.as_bytes()).ok()?;
        assert!(answer.status < 500 || answer.status == 503, "{path}: {} {}", answer.status, answer.text());
        whole(&answer).map(<[u8]>::to_vec)
    };
    [ask(path), ask(&format!("/cached-only{path}"))]
}

#[test]
fn no_hostile_zip_stands_in_for_the_genuine_one() {
    let number_of = hostile_zips(PATH, "v1.0.0").len();
    assert!(number_of >= 60, "{number_of} hostile zips");
    let mut log = Log::of_modules(NAME, 7, 300);
    let mut hostile = Vec::new();
    let (mut tree, go_mod) = (Tree::default(), hash_mod(format!("module {PATH}\n").as_bytes()).to_string());
    for number in 0..number_of {
        let version = format!("v1.0.{number}");
        let zip = genuine(PATH, &version).bytes();
        let proof =
            prove(&zip[..], zip.len() as u64, &ModuleVersion::parse(PATH, &version).unwrap()).unwrap();
        log.add_sums(PATH, &version, &proof.h1.to_string(), &go_mod);
        let one = hostile_zips(PATH, &version).swap_remove(number);
        tree.put(&url(&version, "zip"), one.zip());
        hostile.push((version, one));
    }
    let (world, _database) = world(tree, log);
    for (version, one) in hostile {
        let [served, kept] = asked(&world, &url(&version, "zip"));
        assert_eq!(served, kept, "{}: what is served whole is kept, and nothing else", one.name);
        match one.verdict {
            Verdict::Same => assert_eq!(served, Some(one.zip()), "{}: the genuine files", one.name),
            _ => assert_eq!(served, None, "{}", one.name),
        }
    }
}

#[test]
fn no_tampered_reply_is_served_whole_or_kept() {
    let worlds = if full_run() { 100 } else { 4 };
    let mut dice = Dice::of("no_tampered_reply_is_served_whole_or_kept");
    let mut told = [0; 3];
    for _ in 0..worlds {
        let mut log = Log::of_modules(NAME, 7, 100);
        let mut tree = Tree::default();
        let modules = (0..VERSIONS).map(|number| {
            let version = format!("v1.{number}.0");
            let module =
                Module::new(PATH, &version).file("m.go", "package m\n").file("sub/s.go", "package sub\n");
            let (zip, go_mod) = sums(&module, PATH, &version);
            log.add_sums(PATH, &version, &zip, &go_mod);
            tree.add(module.clone());
            (version, module, zip)
        });
        let modules: Vec<_> = modules.collect();
        let (world, database) = world(tree, log);
        for (version, module, sum) in modules {
            let what = dice.below(3);
            told[what] += 1;
            match what {
                0 => tampered_zip(&world, &mut dice, &version, &module, &sum),
                1 => tampered_mod(&world, &mut dice, &version, &module),
                _ => tampered_lookup(&world, &database, &dice, &version),
            }
            // Each case draws from where the last one left off, whatever it was.
            dice.bits();
        }
    }
    println!(
        "tampered replies: {} zips, {} go.mod files, {} lookups, none accepted",
        told[0], told[1], told[2]
    );
}

fn tampered_zip(world: &World, dice: &mut Dice, version: &str, module: &Module, sum: &str) {
    let zip = mutated(dice, &module.zip());
    let path = url(version, "zip");
    world.upstream.reply(&path, FromUpstream::new(200).body(zip.clone()));
    let [served, kept] = asked(world, &path);
    assert_eq!(served, kept, "{path}");
    let Some(served) = served else { return };
    // Times, comments and gaps are not in the hash: such a zip is the module, to Go as to us.
    assert_eq!(served, zip, "{path}");
    let proof = prove(&zip[..], zip.len() as u64, &ModuleVersion::parse(PATH, version).unwrap()).unwrap();
    assert_eq!(proof.h1.to_string(), sum, "{path}: served with another hash");
}

fn tampered_mod(world: &World, dice: &mut Dice, version: &str, module: &Module) {
    let path = url(version, "mod");
    world.upstream.reply(&path, FromUpstream::new(200).body(mutated(dice, module.go_mod().as_bytes())));
    assert_eq!(asked(world, &path), [None, None], "{path}");
}

fn tampered_lookup(world: &World, database: &Server, dice: &Dice, version: &str) {
    let path = url(version, "zip");
    let lookup = format!("lookup/{PATH}@{version}");
    let mut dice = dice.clone();
    let (tell, told) = mpsc::channel();
    database.tamper(move |request, reply| match reply {
        Reply::Content(content) if request == lookup => {
            let other = mutated(&mut dice, &content);
            // Nobody listens only once the case is over.
            let _ = tell.send(means_the_same(&content, &other));
            Reply::Content(other)
        }
        reply => reply,
    });
    let [served, kept] = asked(world, &path);
    assert_eq!(served, kept, "{path}");
    let is_harmless = told.try_recv().expect("the database was asked");
    assert!(served.is_none() || is_harmless, "{path}: a lookup that nobody signed was believed");
    database.repent();
}

/// Whether a changed reply to a lookup still says what the genuine one says, to Go as to us: the record under its
/// number, then nothing, which proves it by the head that is known already, or the same head. Of the last line, the
/// signature, nothing can be said here: its base64 ends in bits without a meaning.
fn means_the_same(genuine: &[u8], other: &[u8]) -> bool {
    let head_at = genuine.windows(2).position(|bytes| bytes == b"\n\n").expect("a blank line") + 2;
    let signature_at =
        genuine[..genuine.len() - 1].iter().rposition(|&byte| byte == b'\n').expect("lines") + 1;
    other == &genuine[..head_at] || other.starts_with(&genuine[..signature_at])
}

/// The bytes with one change: never the same ones.
fn mutated(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    loop {
        let mut other = bytes.to_vec();
        let at = dice.below(other.len());
        let end = (at + 1 + dice.below(24)).min(other.len());
        match dice.below(7) {
            0 | 1 => other[at] ^= 1 << dice.below(8),
            2 => other.truncate(at),
            3 => drop(other.drain(at..end)),
            4 => other.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
            5 => other[at..end].fill(0),
            _ => other.extend((0..=dice.below(24)).map(|_| 0x41)),
        }
        if other != bytes {
            return other;
        }
    }
}
