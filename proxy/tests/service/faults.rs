//! A store that fails at any point, before or after the fact.

use std::sync::Arc;

use modkeep_harness::upstream::{Module, Tree};
use modkeep_store::{Fault, Faulty, Folder, Memory, Options, Plan, Store};

use crate::world::{Wishes, World};

/// One of every kind, with the status that it has when all is well.
const PATHS: [(&str, u16); 6] = [
    ("/example.com/m/@v/list", 200),
    ("/example.com/m/@v/v1.0.0.info", 200),
    ("/example.com/m/@v/v1.0.0.mod", 200),
    ("/example.com/m/@v/v1.0.0.zip", 200),
    ("/example.com/none/@v/list", 404),
    ("/example.com/m/@v/v1.9.9.zip", 404),
];

/// More than the points that one round of `PATHS` passes.
const POINTS: u64 = 60;

fn tree() -> Tree {
    Tree::default().with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"))
}

/// Asks for everything twice, with one fault, and then again with none.
fn check(point: u64, fault: Fault) {
    let store = Arc::new(Faulty::new(Memory::new(), Plan::Once(point, fault)));
    let world = World::with(tree(), Wishes { store: store.clone(), ..Wishes::default() });
    for (path, well) in PATHS.iter().chain(&PATHS) {
        let answer = world.get(path);
        let case = format!("{fault:?} at point {point}: {path}: {answer:?}");
        assert!(answer.status == *well || answer.status == 503, "{case}");
        if answer.status == 200 {
            let original = modkeep_harness::http::get(&format!("{}{path}", world.upstream.url())).unwrap();
            assert_eq!(answer.body, original.body, "{case}");
        }
    }
    store.set_plan(Plan::Whole);
    for (path, well) in PATHS {
        assert_eq!(world.get(path).status, well, "{fault:?} at point {point}: {path} after it was over");
    }
}

#[test]
fn a_fault_of_the_store_is_a_503_and_leaves_no_trace() {
    for fault in [Fault::Before, Fault::After] {
        for point in 0..POINTS {
            check(point, fault);
        }
    }
}

#[test]
fn one_round_passes_fewer_points_than_are_tried() {
    let store = Arc::new(Faulty::new(Memory::new(), Plan::Whole));
    let world = World::with(tree(), Wishes { store: store.clone(), ..Wishes::default() });
    for (path, _) in PATHS.iter().chain(&PATHS) {
        world.get(path);
    }
    let points = store.points();
    assert!(points > 20 && points < POINTS, "{points} points");
}

#[test]
fn what_is_kept_is_given_while_there_is_no_room_for_more() {
    let folder = tempfile::tempdir().unwrap();
    let open = |free_floor| {
        let options = Options { free_floor, ..Options::default() };
        let store: Arc<dyn Store> = Arc::new(Folder::open(folder.path(), options).unwrap());
        World::with(tree(), Wishes { store, ..Wishes::default() })
    };
    let kept = &PATHS[..4];
    let roomy = open(0);
    for (path, well) in kept {
        assert_eq!(roomy.get(path).status, *well);
    }
    drop(roomy);
    let full = open(u64::MAX);
    full.clock.advance(std::time::Duration::from_secs(3600));
    for (path, well) in kept {
        assert_eq!(full.get(path).status, *well, "{path}");
    }
    assert!(full.get(PATHS[0].0).header("cache-status").unwrap().ends_with("detail=stale"));
    let new = full.get("/example.com/none/@v/list");
    assert_eq!((new.status, new.header("retry-after")), (503, Some("10")));
    assert!(new.text().contains("no room for anything new"), "{}", new.text());
}
