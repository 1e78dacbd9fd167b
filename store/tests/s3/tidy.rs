//! Segments that nobody names are swept away, and never one that a server is about to name.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use modkeep_harness::bucket::{Bucket, Sin, Trouble};
use modkeep_harness::place::full_run;
use modkeep_store::{S3, S3Options, Store, Tidied, check};

use crate::options;
use crate::suite::{key, noise};

/// Everything is older than that.
fn always() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33)
}

async fn open(bucket: &Bucket) -> S3 {
    S3::open(S3Options { tail_full: Some(1000), ..options(bucket.endpoint(), "p") }).await.unwrap()
}

async fn put(store: &S3, name: &str) -> bool {
    store.put_if_absent(&key(name), noise(600).into()).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_was_uploaded_and_not_named_is_swept() {
    let bucket = Bucket::start(Sin::None);
    let store = open(&bucket).await;
    assert!(put(&store, "a").await);
    let segments = || bucket.names().into_iter().filter(|name| name.contains("values/segment-")).count();
    bucket.trouble(|_, method, target| {
        (method == "PUT" && target.contains("manifest")).then_some(Trouble::Refused(500))
    });
    assert!(!put(&store, "b").await, "its segment went up, and no manifest names it");
    drop(store);
    bucket.trouble(|_, _, _| None);
    assert_eq!(segments(), 1);
    let store = open(&bucket).await;
    assert_eq!(store.tidy(SystemTime::UNIX_EPOCH).await.unwrap(), Tidied::default(), "too young");
    assert_eq!(store.tidy(always()).await.unwrap().files, 1);
    assert_eq!(segments(), 0);
    for name in ["b", "c", "d"] {
        assert!(put(&store, name).await);
    }
    assert!(segments() > 0);
    assert_eq!(store.tidy(always()).await.unwrap(), Tidied::default(), "those have names");
    for name in ["a", "b", "c", "d"] {
        assert_eq!(store.get(&key(name)).await.unwrap(), Some(noise(600).into()), "{name}");
    }
    assert!(check(&store).await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn sweeping_all_the_time_takes_nothing_from_servers_that_seal_and_merge() {
    let rounds = if full_run() { 1000 } else { 100 };
    let bucket = Bucket::start(Sin::None);
    let (one, other, sweeper) = (open(&bucket).await, open(&bucket).await, open(&bucket).await);
    let is_over = AtomicBool::new(false);
    let fill = async |store: &S3, who: &str| {
        for round in 0..rounds {
            assert!(put(store, &format!("{who}/{round}")).await, "{who} {round}");
        }
    };
    let fill_both = async {
        tokio::join!(fill(&one, "one"), fill(&other, "other"));
        is_over.store(true, Ordering::SeqCst);
    };
    let sweep = async {
        while !is_over.load(Ordering::SeqCst) {
            sweeper.tidy(always()).await.unwrap();
        }
    };
    tokio::join!(fill_both, sweep);
    let late = open(&bucket).await;
    for who in ["one", "other"] {
        for round in 0..rounds {
            let name = format!("{who}/{round}");
            assert_eq!(late.get(&key(&name)).await.unwrap(), Some(noise(600).into()), "{name}");
        }
    }
    assert!(check(&late).await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_small_values_are_sealed_and_nothing_is_merged() {
    let bucket = Bucket::start(Sin::None);
    let full = S3Options { tail_full: Some(1000), free_floor: u64::MAX, ..options(bucket.endpoint(), "p") };
    let store = S3::open(full).await.unwrap();
    for round in 0..40 {
        assert!(put(&store, &format!("name/{round}")).await);
    }
    let segments = bucket.names().into_iter().filter(|name| name.contains("values/segment-")).count();
    assert!(segments > 15, "{segments}");
    let names = store.list("name/", None, 99).await.unwrap();
    assert_eq!(names.len(), 40);
}
