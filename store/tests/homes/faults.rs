//! Every step that changes the disk fails once, before and after: what was acknowledged stays, and nothing else shows by half.

use std::path::Path;

use bytes::Bytes;
use modkeep_store::{Cell, Digest, Disk, Fault, Folder, Options, Plan, Put, Store, StoreError, Swap, check};

use crate::suite::{key, noise};

/// What the store said it did.
#[derive(Default)]
struct Acknowledged {
    values: Vec<usize>,
    blobs: Vec<usize>,
    removed: Vec<usize>,
    cell: Option<u32>,
}

fn value(n: usize) -> Bytes {
    noise(100 + n).into()
}

fn value_key(n: usize) -> modkeep_store::Key {
    key(&format!("value/{n}"))
}

fn open(path: &Path, disk: Disk) -> Result<Folder, StoreError> {
    Folder::open(path, Options { log_full: 1500, disk, ..Options::default() })
}

async fn keep(store: &Folder, n: usize) -> Result<(), StoreError> {
    let mut incoming = store.begin().await?;
    incoming.write(noise(2000 + n).into()).await?;
    store.keep(incoming).await.map(drop)
}

async fn count_up(store: &Folder, told: &mut Acknowledged) -> Result<(), StoreError> {
    let cell = store.cell(&key("count")).await?;
    let count = cell.as_ref().map_or(0, count_of) + 1;
    if let Swap::Done(_) =
        store.swap(&key("count"), cell.as_ref().map(|cell| &cell.revision), count.to_string().into()).await?
    {
        told.cell = Some(count);
    }
    Ok(())
}

fn count_of(cell: &Cell) -> u32 {
    std::str::from_utf8(&cell.value).unwrap().parse().unwrap()
}

/// Uses a store in every way; errors are expected, lies are not.
async fn use_store(store: &Folder) -> Acknowledged {
    let mut told = Acknowledged::default();
    for n in 0..24 {
        if let Ok(Put::Created) = store.put_if_absent(&value_key(n), value(n)).await {
            told.values.push(n);
        }
        if n % 6 == 0 && keep(store, n).await.is_ok() {
            told.blobs.push(n);
        }
        if n % 3 == 0 {
            // an error leaves the count as it was or one higher
            drop(count_up(store, &mut told).await);
        }
        if n % 8 == 7 && store.remove(&value_key(n - 1)).await.is_ok() {
            told.removed.push(n - 1);
        }
    }
    told
}

async fn verify(path: &Path, told: &Acknowledged, context: &str) {
    let store = open(path, Disk::default()).unwrap_or_else(|error| panic!("{context}: {error}"));
    for n in 0..24 {
        let found = store.get(&value_key(n)).await.unwrap();
        if told.removed.contains(&n) {
            assert_eq!(found, None, "{context}: removed {n}");
        } else if told.values.contains(&n) && n % 8 != 6 {
            assert_eq!(found, Some(value(n)), "{context}: value {n}");
        } else {
            assert!(found.is_none_or(|found| found == value(n)), "{context}: value {n}");
        }
    }
    for n in &told.blobs {
        assert!(store.open(&Digest::of(&noise(2000 + n))).await.unwrap().is_some(), "{context}: blob {n}");
    }
    let count = store.cell(&key("count")).await.unwrap().as_ref().map(count_of);
    assert!(count >= told.cell, "{context}: {count:?} after {:?} was acknowledged", told.cell);
    let report = check(&store).await.unwrap();
    assert!(report.is_clean(), "{context}: {report:?}");
    assert!(
        keep(&store, 99).await.is_ok() && store.put_if_absent(&key("again"), value(1)).await.is_ok(),
        "{context}"
    );
}

fn tempdir() -> tempfile::TempDir {
    // a file system in memory syncs for nothing, and no power is cut here
    if Path::new("/dev/shm").is_dir() {
        tempfile::tempdir_in("/dev/shm").unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

async fn run(plan: Plan) -> u64 {
    let path = tempdir();
    let disk = Disk::breaking(plan.clone());
    let told = match open(path.path(), disk.clone()) {
        Ok(store) => use_store(&store).await,
        Err(_) => Acknowledged::default(),
    };
    verify(path.path(), &told, &format!("{plan:?}")).await;
    disk.points()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_fails_once_before_and_after() {
    let points = run(Plan::Whole).await;
    assert!(points > 100, "{points}");
    for point in 0..points {
        for fault in [Fault::Before, Fault::After] {
            run(Plan::Once(point, fault)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_stays_broken_loses_nothing_that_was_acknowledged() {
    let points = run(Plan::Whole).await;
    for point in (0..points).step_by(7) {
        run(Plan::From(point, Fault::Before)).await;
        run(Plan::From(point, Fault::After)).await;
    }
}
