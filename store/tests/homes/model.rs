//! Random operations on a folder, through two handles that are opened again and again, beside a map that cannot be wrong.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use modkeep_store::{Cell, Folder, Key, Options, Put, Revision, Store, Swap};
use proptest::prelude::*;
use proptest::sample::select;

use crate::suite::key;

#[derive(Debug, Clone)]
enum Op {
    Put(Key, u16),
    /// With the cell's revision, one it had before, or none.
    Swap(Key, Expect, u16),
    Drop(Key, Expect),
    Remove(Key),
    Look(Key),
    List(&'static str, Option<Key>, usize),
    Reopen,
}

#[derive(Debug, Clone, Copy)]
enum Expect {
    Current,
    Stale,
    Nothing,
}

fn keys() -> impl Strategy<Value = Key> {
    select(vec!["a", "a/b", "a!c", "b", "b/c/d", "c"]).prop_map(key)
}

fn ops() -> impl Strategy<Value = Vec<(bool, Op)>> {
    let expect = select(vec![Expect::Current, Expect::Stale, Expect::Nothing]);
    let len = prop_oneof![0_u16..20, 200_u16..3000];
    let op = prop_oneof![
        4 => (keys(), len.clone()).prop_map(|(key, len)| Op::Put(key, len)),
        4 => (keys(), expect.clone(), len).prop_map(|(key, expect, len)| Op::Swap(key, expect, len)),
        2 => (keys(), expect).prop_map(|(key, expect)| Op::Drop(key, expect)),
        2 => keys().prop_map(Op::Remove),
        3 => keys().prop_map(Op::Look),
        1 => (select(vec!["", "a", "b/"]), prop::option::of(keys()), 0_usize..5).prop_map(|(p, a, n)| Op::List(p, a, n)),
        1 => Just(Op::Reopen),
    ];
    prop::collection::vec((any::<bool>(), op), 1..60)
}

/// The oracle.
#[derive(Default)]
struct Model {
    values: BTreeMap<Key, Bytes>,
    cells: BTreeMap<Key, Cell>,
    stale: Option<Revision>,
}

fn open(path: &Path) -> Folder {
    Folder::open(path, Options { log_full: 3000, ..Options::default() }).unwrap()
}

fn payload(len: u16) -> Bytes {
    (0..len).map(|n| (n ^ len) as u8).collect()
}

async fn step(store: &Folder, model: &mut Model, op: &Op) {
    match op {
        Op::Put(key, len) => {
            let expected = match model.values.get(key) {
                Some(taken) => Put::Exists(taken.clone()),
                None => Put::Created,
            };
            assert_eq!(store.put_if_absent(key, payload(*len)).await.unwrap(), expected);
            model.values.entry(key.clone()).or_insert_with(|| payload(*len));
        }
        Op::Swap(key, expect, len) => {
            let current = model.cells.get(key).cloned();
            let expected = match expect {
                Expect::Current => current.as_ref().map(|cell| cell.revision.clone()),
                Expect::Stale => model.stale.clone(),
                Expect::Nothing => None,
            };
            match store.swap(key, expected.as_ref(), payload(*len)).await.unwrap() {
                Swap::Lost(found) => {
                    assert_ne!(expected, current.as_ref().map(|cell| cell.revision.clone()));
                    assert_eq!(found, current);
                }
                Swap::Done(revision) => {
                    assert_eq!(expected, current.as_ref().map(|cell| cell.revision.clone()));
                    model.stale = current.map(|cell| cell.revision).or(model.stale.take());
                    model.cells.insert(key.clone(), Cell { value: payload(*len), revision });
                }
            }
        }
        Op::Drop(key, expect) => {
            let current = model.cells.get(key).map(|cell| cell.revision.clone());
            let expected = match expect {
                Expect::Current => current.clone(),
                Expect::Stale | Expect::Nothing => model.stale.clone(),
            };
            let Some(expected) = expected else { return };
            let is_removed = store.remove_cell(key, &expected).await.unwrap();
            assert_eq!(is_removed, current.as_ref() == Some(&expected));
            if is_removed {
                model.cells.remove(key);
                model.stale = Some(expected);
            }
        }
        Op::Remove(key) => {
            store.remove(key).await.unwrap();
            model.values.remove(key);
            model.stale = model.cells.remove(key).map(|cell| cell.revision).or(model.stale.take());
        }
        Op::Look(key) => {
            assert_eq!(store.get(key).await.unwrap(), model.values.get(key).cloned());
            assert_eq!(store.cell(key).await.unwrap(), model.cells.get(key).cloned());
        }
        Op::List(prefix, after, limit) => {
            let mut keys: Vec<Key> = model.values.keys().chain(model.cells.keys()).cloned().collect();
            keys.sort();
            keys.dedup();
            keys.retain(|key| {
                key.as_str().starts_with(prefix) && after.as_ref().is_none_or(|after| key > after)
            });
            keys.truncate(*limit);
            assert_eq!(store.list(prefix, after.as_ref(), *limit).await.unwrap(), keys);
        }
        Op::Reopen => {}
    }
}

async fn run(ops: &[(bool, Op)]) {
    let path = tempfile::tempdir().unwrap();
    let mut handles = [open(path.path()), open(path.path())];
    let mut model = Model::default();
    for (which, op) in ops {
        let handle = &mut handles[usize::from(*which)];
        step(handle, &mut model, op).await;
        if matches!(op, Op::Reopen) {
            *handle = open(path.path());
        }
    }
    drop(handles);
    let store = open(path.path());
    for name in ["a", "a/b", "a!c", "b", "b/c/d", "c"] {
        step(&store, &mut model, &Op::Look(key(name))).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_handles_on_a_folder_are_one_map(ops in ops()) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap().block_on(run(&ops));
    }
}
