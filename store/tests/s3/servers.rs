//! Several servers on one bucket: each with a view of its own, all of them right.

use std::sync::Arc;

use bytes::Bytes;
use modkeep_harness::bucket::{Bucket, Sin};
use modkeep_harness::place::full_run;
use modkeep_store::{Put, S3, S3Options, Store, Swap, check};
use tokio::task::JoinSet;

use crate::options;
use crate::suite::{key, noise};

const SERVERS: usize = 3;
const TASKS: usize = 4;

async fn open(bucket: &Bucket) -> S3 {
    S3::open(S3Options { tail_full: Some(2500), ..options(bucket.endpoint(), "") }).await.unwrap()
}

/// Adds one to the cell `count`.
async fn count_up(store: &S3) {
    let mut cell = store.cell(&key("count")).await.unwrap();
    loop {
        let count: usize =
            cell.as_ref().map_or(0, |cell| std::str::from_utf8(&cell.value).unwrap().parse().unwrap());
        let next = Bytes::from((count + 1).to_string());
        match store.swap(&key("count"), cell.as_ref().map(|cell| &cell.revision), next).await.unwrap() {
            Swap::Done(_) => return,
            Swap::Lost(current) => cell = current,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_on_one_bucket_lose_nothing_and_one_writer_of_a_name_wins() {
    let rounds = if full_run() { 200 } else { 25 };
    let bucket = Bucket::start(Sin::None);
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(Arc::new(open(&bucket).await));
    }
    let mut tasks = JoinSet::new();
    for (server, store) in servers.iter().enumerate() {
        for task in 0..TASKS {
            let store = store.clone();
            tasks.spawn(async move {
                let mut won = 0;
                for round in 0..rounds {
                    // all tasks of all servers want this name, each with a value of its own
                    let own = Bytes::from([&[server as u8, task as u8][..], &noise(round * 3)].concat());
                    let name = key(&format!("wanted/{round}"));
                    match store.put_if_absent(&name, own.clone()).await.unwrap() {
                        Put::Created => won += 1,
                        Put::Exists(taken) => assert_ne!(taken, own),
                    }
                    let value = store.get(&name).await.unwrap().expect("somebody won");
                    assert_eq!(value[2..], noise(round * 3));
                    if round % 5 == task {
                        count_up(&store).await;
                    }
                }
                won
            });
        }
    }
    let won: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!(won, rounds, "each name has one winner");
    let late = open(&bucket).await;
    let count = late.cell(&key("count")).await.unwrap().expect("it was counted").value;
    assert_eq!(count, (SERVERS * TASKS * rounds / 5).to_string());
    for store in servers.iter().map(|server| &**server).chain([&late]) {
        assert_eq!(store.list("wanted/", None, usize::MAX).await.unwrap().len(), rounds);
        assert!(check(store).await.unwrap().is_clean());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_writes_or_removes_another_sees_at_once() {
    let bucket = Bucket::start(Sin::None);
    let (one, other) = (open(&bucket).await, open(&bucket).await);
    for n in 0..40 {
        let name = key(&format!("name/{n}"));
        assert_eq!(other.get(&name).await.unwrap(), None);
        one.put_if_absent(&name, noise(200).into()).await.unwrap();
        assert_eq!(other.get(&name).await.unwrap(), Some(noise(200).into()));
        if n % 2 == 0 {
            other.remove(&name).await.unwrap();
            assert_eq!(one.get(&name).await.unwrap(), None);
        }
    }
    assert_eq!(one.list("name/", None, 99).await.unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_a_large_store_reads_its_manifest_only_and_no_request_lists() {
    let bucket = Bucket::start(Sin::None);
    let store = open(&bucket).await;
    for n in 0..400 {
        store.put_if_absent(&key(&format!("name/{n}")), noise(300).into()).await.unwrap();
    }
    drop(store);
    // What the store that is gone asks for still, to merge segments, is asked of the first server.
    let bucket = bucket.twin();
    let store = open(&bucket).await;
    let opening = bucket.reads("values/");
    assert!((1..=2).contains(&opening), "the manifest, and whether it has changed since: {opening}");
    for n in (0..400).step_by(7) {
        assert!(store.get(&key(&format!("name/{n}"))).await.unwrap().is_some());
        store.put_if_absent(&key(&format!("more/{n}")), noise(300).into()).await.unwrap();
    }
    assert_eq!(bucket.listings(), 0);
    let stats = store.stats().await.unwrap();
    assert!(stats.rows > 400 && stats.files < 40, "{stats:?}");
}
