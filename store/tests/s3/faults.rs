//! Each request of a bucket home goes wrong once, in every way: no false acknowledgement, no double winner, nothing by half.

use std::time::Duration;

use bytes::Bytes;
use modkeep_harness::bucket::{Bucket, Sin, Trouble};
use modkeep_harness::place::full_run;
use modkeep_store::{Digest, ErrorKind, Put, Revision, S3, Store, StoreError, Swap, check};
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

/// The cells that a world begins with: one to change, one to remove.
struct Before {
    changed: Revision,
    removed: Revision,
}

/// One of each write, and what they said.
async fn write(store: &S3, before: &Before) -> [Result<bool, StoreError>; 5] {
    let put = store.put_if_absent(&key("value"), value()).await.map(|put| put == Put::Created);
    let made = store.swap(&key("made"), None, value()).await.map(|swap| matches!(swap, Swap::Done(_)));
    let changed = store.swap(&key("changed"), Some(&before.changed), value()).await;
    let changed = changed.map(|swap| matches!(swap, Swap::Done(_)));
    let removed = store.remove_cell(&key("removed"), &before.removed).await;
    let kept = async {
        let mut incoming = store.begin().await?;
        incoming.write(noise(5000).into()).await?;
        store.keep(incoming).await.map(|_| true)
    };
    [put, made, changed, removed, kept.await]
}

/// How a store of the test seals: not at all while it is small, or with every write, and eight segments are then merged.
#[derive(Clone, Copy, Debug)]
enum Sealing {
    Never,
    Always,
}

/// Makes a cell.
async fn cell(store: &S3, name: &str) -> Revision {
    let Swap::Done(revision) = store.swap(&key(name), None, "before".into()).await.unwrap() else {
        panic!("{name} was new")
    };
    revision
}

async fn world(sealing: Sealing) -> (Bucket, S3, Before) {
    let bucket = Bucket::start(Sin::None);
    let mut options = options(bucket.endpoint(), "p");
    if let Sealing::Always = sealing {
        options.tail_full = Some(1);
    }
    let store = S3::open(options).await.unwrap();
    let changed = cell(&store, "changed").await;
    let removed = cell(&store, "removed").await;
    if let Sealing::Always = sealing {
        for n in 0..4 {
            store.put_if_absent(&key(&format!("filler/{n}")), value()).await.unwrap();
        }
    }
    (bucket, store, Before { changed, removed })
}

async fn go_wrong(sealing: Sealing, way: Trouble, number: u64, times: u64) {
    let context = format!("{sealing:?} {way:?} for {times} requests from {number} on");
    let (bucket, store, before) = world(sealing).await;
    bucket.trouble(move |at, _, _| (number..number + times).contains(&at).then_some(way));
    let said = timeout(Duration::from_secs(240), write(&store, &before)).await.expect("every write ends");
    bucket.trouble(|_, _, _| None);
    let value_found = store.get(&key("value")).await.unwrap();
    let made = store.cell(&key("made")).await.unwrap().map(|cell| cell.value);
    let changed = store.cell(&key("changed")).await.unwrap().map(|cell| cell.value);
    let removed = store.cell(&key("removed")).await.unwrap().map(|cell| cell.value);
    let blob = store.open(&Digest::of(&noise(5000))).await.unwrap();
    let states = [
        ("value", value_found == Some(value())),
        ("made", made == Some(value())),
        ("changed", changed == Some(value())),
        ("removed", removed.is_none()),
        ("blob", blob.is_some()),
    ];
    for (said, (what, is_so)) in said.iter().zip(states) {
        match said {
            Ok(true) => assert!(is_so, "{context}: {what} was acknowledged and is not so"),
            // nobody else writes here, so nothing is lost to another
            Ok(false) => panic!("{context}: {what} was lost to nobody"),
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Io), "{context}: {error}")
            }
        }
    }
    assert!(value_found.is_none_or(|found| found == value()), "{context}");
    assert!(changed.is_some_and(|found| found == value() || found == "before"), "{context}");
    assert!(removed.is_none_or(|found| found == "before"), "{context}");
    assert!(check(&store).await.unwrap().is_clean(), "{context}");
}

async fn every_request_goes_wrong_once(sealing: Sealing, ways: &[Trouble]) {
    let (bucket, store, before) = world(sealing).await;
    bucket.trouble(|_, _, _| None);
    for said in write(&store, &before).await {
        assert!(said.unwrap());
    }
    let requests = bucket.requests();
    assert!((5..50).contains(&requests), "{requests}");
    for way in ways {
        for number in 0..requests {
            go_wrong(sealing, *way, number, 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_goes_wrong_once_in_every_way() {
    every_request_goes_wrong_once(Sealing::Never, &WAYS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_sealing_and_merging_goes_wrong_once() {
    let ways = if full_run() { &WAYS[..] } else { &[Trouble::Refused(412), Trouble::DoneBut(503)] };
    every_request_goes_wrong_once(Sealing::Always, ways).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_on_failing_is_an_error_and_not_a_lie() {
    for way in [Trouble::Refused(503), Trouble::ReplyLost] {
        for number in [0, 2] {
            go_wrong(Sealing::Never, way, number, 40).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_does_not_make_a_second_winner() {
    let (bucket, store, _) = world(Sealing::Never).await;
    bucket.trouble(|_, method, _| (method == "PUT").then_some(Trouble::ReplyLost));
    let first = store.put_if_absent(&key("contested"), "first".into()).await;
    let second = store.put_if_absent(&key("contested"), "second".into()).await;
    bucket.trouble(|_, _, _| None);
    assert_eq!(first.unwrap(), Put::Created, "its own mark is what it finds");
    assert_eq!(second.unwrap(), Put::Exists("first".into()));
    assert_eq!(store.get(&key("contested")).await.unwrap(), Some("first".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_blob_goes_up_in_parts_and_a_failed_part_leaves_nothing() {
    let (bucket, store, _) = world(Sealing::Never).await;
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
