//! Damage at rest in a bucket: found, never served, and healed.

use modkeep_harness::bucket::{Bucket, Sin};
use modkeep_store::{Damage, Digest, ErrorKind, S3, S3Options, Store, Swap, check, scrub};

use crate::options;
use crate::suite::{key, noise};

async fn open(bucket: &Bucket, tail_full: Option<usize>) -> S3 {
    S3::open(S3Options { tail_full, ..options(bucket.endpoint(), "p") }).await.unwrap()
}

/// Three values, a cell and a blob.
async fn fill(store: &S3) -> Digest {
    for name in ["value/a", "value/b", "value/c"] {
        store.put_if_absent(&key(name), noise(700).into()).await.unwrap();
    }
    let made = store.swap(&key("made"), None, noise(500).into()).await.unwrap();
    assert!(matches!(made, Swap::Done(_) | Swap::Lost(Some(_))));
    let mut incoming = store.begin().await.unwrap();
    incoming.write(noise(5000).into()).await.unwrap();
    store.keep(incoming).await.unwrap().digest
}

/// Turns a bit in the payload of the row of this name.
fn rot_row(bucket: &Bucket, object: &str, name: &str) {
    bucket.rot(object, |bytes| {
        let name = [name.as_bytes(), &[0]].concat();
        let at = bytes.windows(name.len()).position(|window| window == name);
        if let Some(at) = at.filter(|at| at + 200 < bytes.len()) {
            bytes[at + name.len() + 100] ^= 4;
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_tail_is_found_never_served_and_healed() {
    let bucket = Bucket::start(Sin::None);
    let store = open(&bucket, None).await;
    let digest = fill(&store).await;
    rot_row(&bucket, "values/manifest", "value/b");
    bucket.rot("blobs/", |bytes| bytes[17] ^= 4);
    let store = open(&bucket, None).await;
    assert_eq!(store.get(&key("value/a")).await.unwrap(), Some(noise(700).into()));
    for name in ["value/b", "never/written"] {
        let error = store.get(&key(name)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Damaged, "{name}: the damaged row may have been its");
    }
    let refused = store.put_if_absent(&key("value/new"), "new".into()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Damaged);
    let found = check(&store).await.unwrap();
    assert_eq!(found.damage, [Damage::Value(key("value/b")), Damage::Blob(digest)]);
    assert_eq!(scrub(&store).await.unwrap(), found);
    assert!(check(&store).await.unwrap().is_clean());
    assert_eq!(store.get(&key("value/b")).await.unwrap(), None);
    assert_eq!(store.get(&key("value/c")).await.unwrap(), Some(noise(700).into()));
    assert!(store.open(&digest).await.unwrap().is_none());
    assert!(bucket.names().iter().any(|name| name.starts_with("p/quarantine/manifest-")));
    fill(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_a_segment_is_found_never_served_and_healed() {
    let bucket = Bucket::start(Sin::None);
    let store = open(&bucket, Some(1)).await;
    fill(&store).await;
    rot_row(&bucket, "values/segment-", "value/b");
    let store = open(&bucket, Some(1)).await;
    assert_eq!(store.get(&key("value/b")).await.unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(store.get(&key("value/a")).await.unwrap(), Some(noise(700).into()));
    assert_eq!(store.get(&key("never/written")).await.unwrap(), None);
    let found = check(&store).await.unwrap();
    assert_eq!(found.damage, [Damage::Value(key("value/b"))]);
    assert_eq!(scrub(&store).await.unwrap(), found);
    assert!(check(&store).await.unwrap().is_clean());
    assert_eq!(store.get(&key("value/b")).await.unwrap(), None);
    assert!(bucket.names().iter().any(|name| name.starts_with("p/quarantine/segment-")));
    fill(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bit_turned_anywhere_in_small_values_is_found_never_served_and_healed() {
    let bucket = Bucket::start(Sin::None);
    // one segment, one tail
    fill(&open(&bucket, Some(2000)).await).await;
    let objects: Vec<String> = bucket.names().into_iter().filter(|name| name.contains("values/")).collect();
    assert!(objects.len() > 1, "{objects:?}");
    for object in &objects {
        for round in 0..12 {
            bucket.rot(object, |bytes| {
                let bit = round * bytes.len() * 8 / 12 + round * 3;
                bytes[bit / 8] ^= 1 << (bit % 8);
            });
            let context = format!("{object}, round {round}");
            let store = open(&bucket, Some(2000)).await;
            for name in ["value/a", "value/b", "value/c", "never/written"] {
                match store.get(&key(name)).await {
                    Ok(None) => assert_eq!(name, "never/written", "{context}"),
                    Ok(Some(found)) => assert_eq!(found, noise(700), "{context}"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Damaged, "{context}"),
                }
            }
            let found = check(&store).await.unwrap();
            assert!(!found.is_clean(), "{context}");
            assert_eq!(scrub(&store).await.unwrap(), found, "{context}");
            assert!(check(&store).await.unwrap().is_clean(), "{context}");
            for name in ["value/a", "value/b", "value/c"] {
                store.put_if_absent(&key(name), noise(700).into()).await.unwrap();
            }
            drop(store);
            if !bucket.names().contains(object) {
                break;
            }
        }
    }
}
