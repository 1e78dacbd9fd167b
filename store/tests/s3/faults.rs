//! Each request of a bucket home goes wrong once, in every way: no false acknowledgement, no double winner, nothing by half.

use std::time::Duration;

use bytes::Bytes;
use modkeep_harness::bucket::{Bucket, Sin, Trouble};
use modkeep_store::{Damage, Digest, ErrorKind, Put, Revision, S3, Store, StoreError, Swap, check, scrub};
use tokio::time::timeout;

use crate::options;
use crate::suite::{key, noise};

const WAYS: [Trouble; 7] = [
    Trouble::Refused(409),
    Trouble::Refused(412),
    Trouble::Refused(500),
    Trouble::Refused(503),
    Trouble::ReplyLost,
    Trouble::DoneBut(500),
    Trouble::DoneBut(503),
];

fn value() -> Bytes {
    noise(700).into()
}

/// One of each write, and what they said.
async fn write(store: &S3, before: &Revision) -> [Result<bool, StoreError>; 4] {
    let put = store.put_if_absent(&key("value"), value()).await.map(|put| put == Put::Created);
    let made = store.swap(&key("made"), None, value()).await.map(|swap| matches!(swap, Swap::Done(_)));
    let changed =
        store.swap(&key("changed"), Some(before), value()).await.map(|swap| matches!(swap, Swap::Done(_)));
    let kept = async {
        let mut incoming = store.begin().await?;
        incoming.write(noise(5000).into()).await?;
        store.keep(incoming).await.map(|_| true)
    };
    [put, made, changed, kept.await]
}

async fn world() -> (Bucket, S3, Revision) {
    let bucket = Bucket::start(Sin::None);
    let store = S3::open(options(bucket.endpoint(), "p")).await.unwrap();
    let Swap::Done(before) = store.swap(&key("changed"), None, "before".into()).await.unwrap() else {
        panic!("it was new")
    };
    (bucket, store, before)
}

async fn go_wrong(way: Trouble, number: u64, times: u64) {
    let context = format!("{way:?} for {times} requests from {number} on");
    let (bucket, store, before) = world().await;
    bucket.trouble(move |at, _, _| (number..number + times).contains(&at).then_some(way));
    let said = timeout(Duration::from_secs(120), write(&store, &before)).await.expect("every write ends");
    bucket.trouble(|_, _, _| None);
    let value_found = store.get(&key("value")).await.unwrap();
    let made = store.cell(&key("made")).await.unwrap().map(|cell| cell.value);
    let changed = store.cell(&key("changed")).await.unwrap().map(|cell| cell.value);
    let blob = store.open(&Digest::of(&noise(5000))).await.unwrap();
    let states =
        [value_found == Some(value()), made == Some(value()), changed == Some(value()), blob.is_some()];
    for (what, (said, state)) in ["value", "made", "changed", "blob"].iter().zip(said.iter().zip(states)) {
        match said {
            Ok(true) => assert!(state, "{context}: {what} was acknowledged and is not there"),
            // nobody else writes here, so nothing is lost to another
            Ok(false) => panic!("{context}: {what} was lost to nobody"),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Io), "{context}: {error}")
            }
        }
    }
    assert!(value_found.is_none_or(|found| found == value()), "{context}");
    assert!(changed.is_some_and(|found| found == value() || found == "before"), "{context}");
    assert!(check(&store).await.unwrap().is_clean(), "{context}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_goes_wrong_once_in_every_way() {
    let (bucket, store, before) = world().await;
    bucket.trouble(|_, _, _| None);
    for said in write(&store, &before).await {
        assert!(said.unwrap());
    }
    let requests = bucket.requests();
    assert!((5..50).contains(&requests), "{requests}");
    for way in WAYS {
        for number in 0..requests {
            go_wrong(way, number, 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_on_failing_is_an_error_and_not_a_lie() {
    for way in [Trouble::Refused(503), Trouble::ReplyLost] {
        for number in [0, 2] {
            go_wrong(way, number, 40).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_does_not_make_a_second_winner() {
    let (bucket, store, _) = world().await;
    bucket.trouble(|_, method, _| (method == "PUT").then_some(Trouble::ReplyLost));
    let first = store.put_if_absent(&key("contested"), "first".into()).await;
    let second = store.put_if_absent(&key("contested"), "second".into()).await;
    bucket.trouble(|_, _, _| None);
    assert_eq!(first.unwrap(), Put::Created, "its own mark is what it finds");
    assert_eq!(second.unwrap(), Put::Exists("first".into()));
    assert_eq!(store.get(&key("contested")).await.unwrap(), Some("first".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_a_bucket_is_found_never_served_and_healed() {
    let (bucket, store, before) = world().await;
    for said in write(&store, &before).await {
        assert!(said.unwrap());
    }
    let digest = Digest::of(&noise(5000));
    for part in ["values/value", "cells/made", "blobs/"] {
        bucket.rot(part, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
        });
    }
    assert_eq!(store.get(&key("value")).await.unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(store.cell(&key("made")).await.unwrap_err().kind(), ErrorKind::Damaged);
    let found = check(&store).await.unwrap();
    assert_eq!(found.damage, [Damage::Value(key("value")), Damage::Cell(key("made")), Damage::Blob(digest)]);
    assert_eq!(scrub(&store).await.unwrap(), found);
    assert!(check(&store).await.unwrap().is_clean());
    assert_eq!(store.get(&key("value")).await.unwrap(), None);
    assert!(store.open(&digest).await.unwrap().is_none());
    for said in write(&store, &before).await.into_iter().take(2) {
        assert!(said.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_blob_goes_up_in_parts_and_a_failed_part_leaves_nothing() {
    let (bucket, store, _) = world().await;
    let content = Bytes::from(noise(70 << 20));
    for fails in [true, false] {
        let mut incoming = store.begin().await.unwrap();
        for at in (0..content.len()).step_by(1 << 20) {
            incoming.write(content.slice(at..content.len().min(at + (1 << 20)))).await.unwrap();
        }
        bucket.trouble(move |_, _, target| {
            (fails && target.contains("partNumber=3")).then_some(Trouble::Refused(403))
        });
        let kept = store.keep(incoming).await;
        assert_eq!(kept.is_err(), fails, "{kept:?}");
        let blob = store.open(&Digest::of(&content)).await.unwrap();
        assert_eq!(blob.is_none(), fails);
    }
    assert!(check(&store).await.unwrap().is_clean());
}
