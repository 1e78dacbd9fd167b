//! Looking after a store beside the server that uses it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use modkeep_harness::place::full_run;
use modkeep_harness::upstream::{Module, Tree};
use modkeep_module::path::ModulePath;
use modkeep_proxy::{Clock, upkeep};
use modkeep_store::{Folder, Key, Memory, Options, Put, Store};

use crate::world::{Wishes, World};

const ZIP: &str = "/example.com/m/@v/v1.0.0.zip";
const MOD: &str = "/example.com/m/@v/v1.0.0.mod";

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn module(number: usize, content: &str) -> Module {
    Module::new(&format!("example.com/m{number}"), "v1.0.0").file("m.go", content)
}

/// Clients fetch what others forget and sweep away at the same moment: every reply is whole or says why not, and
/// in the end whatever has a name is there.
#[test]
fn nothing_named_is_swept_however_much_is_forgotten_and_fetched_meanwhile() {
    const MODULES: usize = 6;
    let folder = tempfile::tempdir().unwrap();
    let open = || -> Arc<dyn Store> { Arc::new(Folder::open(folder.path(), Options::default()).unwrap()) };
    let tree = (0..MODULES).fold(Tree::default(), |tree, n| tree.with(module(n, "package m\n")));
    let world = World::with(tree, Wishes { store: open(), ..Wishes::default() });
    let originals: Vec<Vec<u8>> = (0..MODULES).map(|n| module(n, "package m\n").zip()).collect();
    let beside = open();
    let is_over = AtomicBool::new(false);
    let rounds = if full_run() { 2000 } else { 60 };
    std::thread::scope(|scope| {
        for client in 0..3 {
            let (world, originals, is_over) = (&world, &originals, &is_over);
            scope.spawn(move || {
                for ask in client.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let n = ask % MODULES;
                    // Nothing is held ready, so that each request looks into the store.
                    world.ask("POST", &format!("/-/refresh/example.com/m{n}"), "Content-Length: 0\r\n");
                    let answer = world.get(&format!("/example.com/m{n}/@v/v1.0.0.zip"));
                    if answer.status == 200 {
                        assert_eq!(answer.body, originals[n]);
                    } else {
                        assert_eq!(answer.status, 503, "{answer:?}");
                    }
                }
            });
        }
        for round in 0..rounds {
            let path = ModulePath::parse(&format!("example.com/m{}", round % MODULES)).unwrap();
            block_on(async {
                modkeep_proxy::forget(Arc::clone(&beside), &path, None, true, &Clock::system())
                    .await
                    .unwrap();
                let always = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
                upkeep::sweep(&*beside, always).await.unwrap();
            });
        }
        is_over.store(true, Ordering::SeqCst);
    });
    assert!(world.upstream.count(".zip") > MODULES, "nothing was fetched twice");
    world.ask("POST", "/-/refresh/example.com/m0", "Content-Length: 0\r\n");
    for (n, original) in originals.iter().enumerate() {
        assert_eq!(&world.get(&format!("/example.com/m{n}/@v/v1.0.0.zip")).body, original);
    }
    let mut damage = Vec::new();
    let inventory = block_on(upkeep::check(&*beside, |found| damage.push(found))).unwrap();
    assert_eq!((inventory.files["zip"], damage), (MODULES as u64, Vec::new()));
}

#[test]
fn a_value_that_names_a_blob_in_any_way_saves_it() {
    let store = Memory::new();
    block_on(async {
        let mut named = Vec::new();
        for (n, form) in ["blob D\n", "{\"output\":\"D\"}", "xDx"].into_iter().enumerate() {
            let mut incoming = store.begin().await.unwrap();
            incoming.write(format!("content {n}").into()).await.unwrap();
            let digest = store.keep(incoming).await.unwrap().digest;
            let text = form.replace('D', &digest.to_string());
            let key = Key::parse(&format!("of-a-later-version/{n}")).unwrap();
            match n % 2 {
                0 => assert_eq!(store.put_if_absent(&key, text.into()).await.unwrap(), Put::Created),
                _ => drop(store.swap(&key, None, text.into()).await.unwrap()),
            }
            named.push(digest);
        }
        let mut incoming = store.begin().await.unwrap();
        incoming.write("nobody's".into()).await.unwrap();
        let orphan = store.keep(incoming).await.unwrap().digest;
        let always = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33);
        assert_eq!(upkeep::sweep(&store, always).await.unwrap().blobs, 1);
        assert!(store.open(&orphan).await.unwrap().is_none());
        for digest in named {
            assert!(store.open(&digest).await.unwrap().is_some());
        }
    });
}

#[test]
fn a_fact_that_can_not_be_read_counts_as_not_there_and_is_written_anew() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let garbage = |key: &str| {
        let key = Key::parse(key).unwrap();
        block_on(store.put_if_absent(&key, "garbage".into())).unwrap();
    };
    garbage("files/example.com/m/@v/v1.0.0.mod");
    garbage("files/example.com/m/@v/v1.0.0.zip");
    let cell = Key::parse("answers/example.com/m/@v/list").unwrap();
    block_on(store.swap(&cell, None, "garbage".into())).unwrap();
    let tree = Tree::default().with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"));
    let world = World::with(tree, Wishes { store: Arc::clone(&store), ..Wishes::default() });
    for path in [ZIP, MOD, "/example.com/m/@v/list"] {
        let original = modkeep_harness::http::get(&format!("{}{path}", world.upstream.url())).unwrap();
        world.upstream.forget();
        for _ in 0..2 {
            assert_eq!(world.get(path).body, original.body, "{path}");
        }
        assert_eq!(world.upstream.count(path), 1, "{path}");
    }
    let mut damage = Vec::new();
    block_on(upkeep::check(&*store, |found| damage.push(found))).unwrap();
    assert_eq!(damage, []);
}

#[test]
fn a_scrub_sets_facts_aside_that_can_not_be_read() {
    let store = Memory::new();
    let key = Key::parse("files/example.com/m/@v/v1.0.0.mod").unwrap();
    block_on(async {
        store.put_if_absent(&key, "garbage".into()).await.unwrap();
        let mut damage = Vec::new();
        upkeep::scrub(&store, |found| damage.push(found.subject)).await.unwrap();
        assert_eq!(damage, [key.as_str()]);
        assert_eq!(store.get(&key).await.unwrap(), None);
        let copy = Key::parse(&format!("quarantine/{key}")).unwrap();
        assert_eq!(store.get(&copy).await.unwrap().unwrap(), "garbage");
    });
}

/// Without a checksum database the first one that came stays, also when its bytes are lost.
#[test]
fn a_lost_zip_comes_back_only_as_it_was() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let tree = Tree::default().with(module(0, "package m\n"));
    let world = World::with(tree, Wishes { store: Arc::clone(&store), ..Wishes::default() });
    let path = "/example.com/m0/@v/v1.0.0.zip";
    let first = world.get(path);
    let lose = || {
        let digest = block_on(store.blobs(None, 1)).unwrap()[0];
        assert!(block_on(store.quarantine(&digest)).unwrap());
        world.ask("POST", "/-/refresh/example.com/m0", "Content-Length: 0\r\n");
    };
    lose();
    world.upstream.add(module(0, "package other\n"));
    let other = world.get(path);
    assert_eq!(other.status, 403, "{other:?}");
    assert!(other.text().contains("checksum mismatch"), "{}", other.text());
    world.upstream.add(module(0, "package m\n"));
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(world.get(path).body, first.body);
}

#[test]
fn a_client_who_invents_names_does_not_grow_the_store_beyond_the_bound() {
    const LIMIT: u64 = 40;
    const INVENTED: usize = 400;
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let tree = Tree::default().with(module(0, "package m\n"));
    let world = World::with(tree, Wishes { store: Arc::clone(&store), absences: LIMIT, ..Wishes::default() });
    assert_eq!(world.get("/example.com/m0/@v/list").text(), "v1.0.0\n");
    let answers = || block_on(upkeep::inventory(&*store)).unwrap().answers;
    for number in 0..INVENTED {
        let path = format!("/example.com/invented{number}/@v/list");
        for _ in 0..2 {
            assert_eq!(world.get(&path).status, 404);
        }
        // The one list, and what comes in while the oldest are forgotten.
        assert!(answers() <= LIMIT + LIMIT / 10 + 2, "after {number}: {}", answers());
    }
    // Some were forgotten between the two requests; the others were remembered, be it in memory.
    let asked = world.upstream.count("");
    assert!(asked < INVENTED + INVENTED / 4, "{asked} requests");
    let deadline = Instant::now() + Duration::from_secs(60);
    // The one list, and what may be added before the store is read again.
    while answers() > LIMIT + 1 + LIMIT / 20 {
        assert!(Instant::now() < deadline, "{} answers stay", answers());
        std::thread::yield_now();
    }
    world.upstream.forget();
    assert_eq!(world.get("/example.com/m0/@v/list").text(), "v1.0.0\n");
    assert_eq!(world.upstream.count(""), 0);
}
