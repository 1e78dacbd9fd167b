//! The conformance suite: cases that hold for a home, whatever it is made of.

use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::TryStreamExt;
use modkeep_store::{
    Blob, Cell, Digest, ErrorKind, Fate, Incoming, Kept, Key, MAX_VALUE, Put, Revision, Store, Swap,
};
use tokio::task::JoinSet;

pub(crate) fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

/// Asks every case of an empty home.
pub(crate) async fn check_home(home: impl Store) {
    let home: Arc<dyn Store> = Arc::new(home);
    a_kept_blob_is_read_back(&*home).await;
    a_blob_is_kept_once_however_often_it_comes(&home).await;
    a_dropped_file_was_never_there(&*home).await;
    readers_follow_a_file_while_it_grows(&*home).await;
    a_blob_out_of_sight_can_come_back(&*home).await;
    a_retired_blob_is_out_of_sight_until_it_is_settled(&*home).await;
    blobs_are_listed_in_order(&*home).await;
    the_first_value_stays(&*home).await;
    one_of_many_writers_wins(&home).await;
    a_cell_changes_only_from_the_expected_state(&*home).await;
    a_cell_is_removed_only_from_the_expected_state(&home).await;
    no_increment_of_a_cell_is_lost(&home).await;
    a_cell_made_again_is_another(&*home).await;
    a_value_and_a_cell_of_one_key_are_two(&*home).await;
    values_come_in_the_order_of_their_keys(&*home).await;
    values_may_be_large_but_not_too_large(&*home).await;
    keys_are_listed_in_order_by_prefix_and_page(&*home).await;
    a_dropped_write_is_done_or_not(&home).await;
}

async fn incoming(home: &dyn Store, pieces: &[Bytes]) -> Incoming {
    let mut incoming = home.begin().await.unwrap();
    for piece in pieces {
        incoming.write(piece.clone()).await.unwrap();
    }
    incoming
}

async fn keep(home: &dyn Store, content: &[u8]) -> Kept {
    let incoming = incoming(home, &[Bytes::copy_from_slice(content)]).await;
    home.keep(incoming).await.unwrap()
}

async fn read(blob: &Blob, range: Range<u64>) -> Vec<u8> {
    let pieces: Vec<Bytes> = blob.read_range(range).try_collect().await.unwrap();
    pieces.concat()
}

/// Bytes that no compression and no luck make equal: a count, scrambled.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    (0..len as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

async fn a_kept_blob_is_read_back(home: &dyn Store) {
    for len in [0, 1, 5_000, 300_000, 1_000_000] {
        let content = noise(len);
        let pieces: Vec<Bytes> = content.chunks(70_001).map(Bytes::copy_from_slice).collect();
        let incoming = incoming(home, &pieces).await;
        assert_eq!((incoming.len(), incoming.digest()), (len as u64, Digest::of(&content)));
        let kept = home.keep(incoming).await.unwrap();
        assert_eq!(kept, Kept { digest: Digest::of(&content), len: len as u64 });
        let blob = home.open(&kept.digest).await.unwrap().expect("kept");
        assert_eq!((blob.len(), blob.digest()), (len as u64, kept.digest));
        let len = len as u64;
        for range in
            [0..len, 0..len / 3, len / 3..len, len / 2..len / 2 + 1, len..len, 0..u64::MAX, len + 7..len + 9]
        {
            let start = range.start.min(len) as usize;
            let expected = &content[start..range.end.min(len).max(start as u64) as usize];
            assert_eq!(read(&blob, range.clone()).await, expected, "{range:?} of {len}");
        }
        let checked: Vec<Bytes> = blob.read_checked().try_collect().await.unwrap();
        assert_eq!(checked.concat(), content);
        if let Some(file) = blob.file() {
            let mut bytes = vec![0; content.len()];
            file.read_exact_at(&mut bytes, 0).unwrap();
            assert_eq!(bytes, content);
        }
    }
    assert!(home.open(&Digest::of(b"never kept")).await.unwrap().is_none());
}

async fn a_blob_is_kept_once_however_often_it_comes(home: &Arc<dyn Store>) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let home = home.clone();
        tasks.spawn(async move { keep(&*home, b"the same").await });
    }
    for kept in tasks.join_all().await {
        assert_eq!(kept, Kept { digest: Digest::of(b"the same"), len: 8 });
    }
    let blob = home.open(&Digest::of(b"the same")).await.unwrap().expect("kept");
    assert_eq!(read(&blob, 0..8).await, b"the same");
}

async fn a_dropped_file_was_never_there(home: &dyn Store) {
    let incoming = incoming(home, &[Bytes::from_static(b"half a file")]).await;
    let mut reader = incoming.reader().unwrap();
    let digest = incoming.digest();
    drop(incoming);
    assert!(home.open(&digest).await.unwrap().is_none());
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "half a file", "who holds it open goes on reading");
}

async fn readers_follow_a_file_while_it_grows(home: &dyn Store) {
    let mut incoming = home.begin().await.unwrap();
    let readers = [incoming.reader().unwrap(), incoming.reader().unwrap()];
    let mut content = Vec::new();
    for piece in ["one ", "two ", "three"] {
        incoming.write(piece.into()).await.unwrap();
        content.extend_from_slice(piece.as_bytes());
        for reader in &readers {
            let mut bytes = vec![0; incoming.len() as usize];
            reader.read_exact_at(&mut bytes, 0).unwrap();
            assert_eq!(bytes, content);
        }
        assert_eq!(incoming.digest(), Digest::of(&content));
        assert!(home.open(&incoming.digest()).await.unwrap().is_none(), "not before it is kept");
    }
    home.keep(incoming).await.unwrap();
    let mut bytes = vec![0; content.len()];
    readers[0].read_exact_at(&mut bytes, 0).unwrap();
    assert_eq!(bytes, content, "also after it was kept");
}

async fn a_blob_out_of_sight_can_come_back(home: &dyn Store) {
    let content = b"was damaged, they say";
    let digest = keep(home, content).await.digest;
    assert!(home.quarantine(&digest).await.unwrap());
    assert!(home.open(&digest).await.unwrap().is_none());
    assert!(!home.quarantine(&digest).await.unwrap(), "it was gone already");
    keep(home, content).await;
    assert_eq!(read(&home.open(&digest).await.unwrap().expect("kept again"), 0..99).await, content);
    assert!(home.quarantine(&digest).await.unwrap(), "a second time");
    keep(home, content).await;
    assert!(home.discard(&digest).await.unwrap());
    assert!(home.open(&digest).await.unwrap().is_none());
    assert!(!home.discard(&digest).await.unwrap(), "it was gone already");
}

async fn a_retired_blob_is_out_of_sight_until_it_is_settled(home: &dyn Store) {
    let (past, future) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33));
    let content = b"does anybody name me?";
    let digest = keep(home, content).await.digest;
    let is_there = async || home.open(&digest).await.unwrap().is_some();
    assert!(!home.retire(&digest, past).await.unwrap(), "it was kept after that");
    assert!(is_there().await && home.retired(9).await.unwrap().is_empty());

    assert!(home.retire(&digest, future).await.unwrap());
    assert!(!is_there().await && !home.retire(&digest, future).await.unwrap());
    assert!(!home.blobs(None, usize::MAX).await.unwrap().contains(&digest));
    assert_eq!(home.retired(9).await.unwrap(), [(digest, content.len() as u64)]);
    home.settle(&digest, Fate::Back).await.unwrap();
    assert!(is_there().await && home.retired(9).await.unwrap().is_empty());

    for fate in [Fate::Gone, Fate::Back] {
        assert!(home.retire(&digest, future).await.unwrap());
        keep(home, content).await;
        assert!(is_there().await, "it was kept again");
        home.settle(&digest, fate).await.unwrap();
        assert!(is_there().await && home.retired(9).await.unwrap().is_empty(), "{fate:?}");
        assert_eq!(read(&home.open(&digest).await.unwrap().unwrap(), 0..99).await, content);
    }
    home.settle(&digest, Fate::Gone).await.unwrap();
    assert!(is_there().await, "it was not retired");
    assert!(home.retire(&digest, future).await.unwrap());
    home.settle(&digest, Fate::Gone).await.unwrap();
    home.settle(&digest, Fate::Back).await.unwrap();
    assert!(!is_there().await && home.retired(9).await.unwrap().is_empty());
}

async fn blobs_are_listed_in_order(home: &dyn Store) {
    let mut digests = Vec::new();
    for n in 0..20 {
        digests.push(keep(home, format!("listed {n}").as_bytes()).await.digest);
    }
    let all = home.blobs(None, usize::MAX).await.unwrap();
    assert!(all.is_sorted() && digests.iter().all(|digest| all.contains(digest)));
    let mut paged = Vec::new();
    loop {
        let page = home.blobs(paged.last(), 7).await.unwrap();
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

async fn the_first_value_stays(home: &dyn Store) {
    let name = key("first/value");
    assert_eq!(home.get(&name).await.unwrap(), None);
    assert_eq!(home.put_if_absent(&name, "one".into()).await.unwrap(), Put::Created);
    assert_eq!(home.put_if_absent(&name, "two".into()).await.unwrap(), Put::Exists("one".into()));
    assert_eq!(home.put_if_absent(&name, "one".into()).await.unwrap(), Put::Exists("one".into()));
    assert_eq!(home.get(&name).await.unwrap(), Some("one".into()));
    home.remove(&name).await.unwrap();
    home.remove(&name).await.unwrap();
    assert_eq!(home.get(&name).await.unwrap(), None);
    assert_eq!(home.put_if_absent(&name, Bytes::new()).await.unwrap(), Put::Created);
    assert_eq!(home.get(&name).await.unwrap(), Some(Bytes::new()), "empty is not absent");
}

async fn one_of_many_writers_wins(home: &Arc<dyn Store>) {
    for round in 0..8 {
        let name = key(&format!("race/{round}"));
        let mut tasks = JoinSet::new();
        for writer in 0..16 {
            let (home, name) = (home.clone(), name.clone());
            tasks.spawn(async move {
                let value = Bytes::from(format!("writer {writer}"));
                (value.clone(), home.put_if_absent(&name, value).await.unwrap())
            });
        }
        let outcomes = tasks.join_all().await;
        let value = home.get(&name).await.unwrap().expect("somebody won");
        for (own, put) in &outcomes {
            match put {
                Put::Created => assert_eq!(*own, value),
                Put::Exists(taken) => assert_eq!(*taken, value),
            }
        }
        assert_eq!(outcomes.iter().filter(|(_, put)| *put == Put::Created).count(), 1);
    }
}

async fn swap(home: &dyn Store, name: &Key, expected: Option<&Revision>, value: &str) -> Swap {
    home.swap(name, expected, Bytes::copy_from_slice(value.as_bytes())).await.unwrap()
}

async fn made(home: &dyn Store, name: &Key, value: &str) -> Revision {
    match swap(home, name, None, value).await {
        Swap::Done(revision) => revision,
        Swap::Lost(cell) => panic!("`{name}` was there: {cell:?}"),
    }
}

async fn a_cell_changes_only_from_the_expected_state(home: &dyn Store) {
    let name = key("cells/one");
    assert_eq!(home.cell(&name).await.unwrap(), None);
    let first = made(home, &name, "a").await;
    let cell = Cell { value: "a".into(), revision: first.clone() };
    assert_eq!(home.cell(&name).await.unwrap(), Some(cell.clone()));
    assert_eq!(swap(home, &name, None, "b").await, Swap::Lost(Some(cell)));
    let Swap::Done(second) = swap(home, &name, Some(&first), "b").await else { panic!("expected state") };
    assert_ne!(first, second);
    let cell = Cell { value: "b".into(), revision: second };
    assert_eq!(swap(home, &name, Some(&first), "c").await, Swap::Lost(Some(cell.clone())));
    assert_eq!(home.cell(&name).await.unwrap(), Some(cell));
    assert_eq!(swap(home, &key("cells/none"), Some(&first), "c").await, Swap::Lost(None));
    assert_eq!(home.cell(&key("cells/none")).await.unwrap(), None);
}

async fn a_cell_is_removed_only_from_the_expected_state(home: &Arc<dyn Store>) {
    let name = key("cells/removed");
    let first = made(&**home, &name, "a").await;
    assert_eq!(home.put_if_absent(&name, "value".into()).await.unwrap(), Put::Created);
    let Swap::Done(second) = swap(&**home, &name, Some(&first), "b").await else { panic!("expected state") };
    assert!(!home.remove_cell(&name, &first).await.unwrap());
    assert_eq!(home.cell(&name).await.unwrap().map(|cell| cell.revision), Some(second.clone()));
    assert!(home.remove_cell(&name, &second).await.unwrap());
    assert!(!home.remove_cell(&name, &second).await.unwrap());
    assert_eq!(home.cell(&name).await.unwrap(), None);
    assert_eq!(home.get(&name).await.unwrap(), Some("value".into()), "the value under the same key stays");
    // Whoever comes first of one that changes it and one that removes it, the other is told.
    for round in 0..16 {
        let name = key(&format!("cells/race{round}"));
        let first = made(&**home, &name, "old").await;
        let (changing, removing) = (async { swap(&**home, &name, Some(&first), "new").await }, async {
            home.remove_cell(&name, &first).await.unwrap()
        });
        let (changed, removed) = match round % 2 {
            0 => futures_util::join!(changing, removing),
            _ => {
                let (removed, changed) = futures_util::join!(removing, changing);
                (changed, removed)
            }
        };
        let left = home.cell(&name).await.unwrap().map(|cell| cell.value);
        match changed {
            Swap::Done(_) => assert_eq!((removed, left), (false, Some("new".into())), "round {round}"),
            Swap::Lost(None) => assert_eq!((removed, left), (true, None), "round {round}"),
            lost => panic!("round {round}: {lost:?}"),
        }
    }
}

async fn no_increment_of_a_cell_is_lost(home: &Arc<dyn Store>) {
    let name = key("cells/count");
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (home, name) = (home.clone(), name.clone());
        tasks.spawn(async move {
            for _ in 0..5 {
                let mut cell = home.cell(&name).await.unwrap();
                loop {
                    let count: u32 = cell
                        .as_ref()
                        .map_or(0, |cell| std::str::from_utf8(&cell.value).unwrap().parse().unwrap());
                    let next = Bytes::from((count + 1).to_string());
                    match home.swap(&name, cell.as_ref().map(|cell| &cell.revision), next).await.unwrap() {
                        Swap::Done(_) => break,
                        Swap::Lost(current) => cell = current,
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(home.cell(&name).await.unwrap().expect("counted").value, "40");
}

async fn a_cell_made_again_is_another(home: &dyn Store) {
    let name = key("cells/again");
    let first = made(home, &name, "same").await;
    home.remove(&name).await.unwrap();
    assert_eq!(home.cell(&name).await.unwrap(), None);
    assert_eq!(swap(home, &name, Some(&first), "other").await, Swap::Lost(None));
    let second = made(home, &name, "same").await;
    if first != second {
        return;
    }
    panic!("a cell that was removed and made again has its old revision");
}

async fn a_value_and_a_cell_of_one_key_are_two(home: &dyn Store) {
    let name = key("both");
    made(home, &name, "cell").await;
    assert_eq!(home.get(&name).await.unwrap(), None);
    assert_eq!(home.put_if_absent(&name, "value".into()).await.unwrap(), Put::Created);
    assert_eq!(home.cell(&name).await.unwrap().expect("there").value, "cell");
    assert_eq!(home.list("both", None, 9).await.unwrap(), std::slice::from_ref(&name));
    home.remove(&name).await.unwrap();
    assert_eq!((home.get(&name).await.unwrap(), home.cell(&name).await.unwrap()), (None, None));
}

async fn values_come_in_the_order_of_their_keys(home: &dyn Store) {
    for name in ["many/a", "many/b", "many/c"] {
        home.put_if_absent(&key(name), name.into()).await.unwrap();
    }
    let keys = ["many/c", "many/none", "many/a", "many/c"].map(key);
    let expected = [Some("many/c"), None, Some("many/a"), Some("many/c")].map(|value| value.map(Bytes::from));
    assert_eq!(home.get_many(&keys).await.unwrap(), expected);
    assert_eq!(home.get_many(&[]).await.unwrap(), [None; 0]);
}

async fn values_may_be_large_but_not_too_large(home: &dyn Store) {
    let large = Bytes::from(noise(MAX_VALUE));
    assert_eq!(home.put_if_absent(&key("large"), large.clone()).await.unwrap(), Put::Created);
    assert_eq!(home.get(&key("large")).await.unwrap(), Some(large));
    let too_large = Bytes::from(vec![0; MAX_VALUE + 1]);
    let refused = home.put_if_absent(&key("larger"), too_large.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(home.swap(&key("larger"), None, too_large).await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(home.get(&key("larger")).await.unwrap(), None);
}

async fn keys_are_listed_in_order_by_prefix_and_page(home: &dyn Store) {
    let names = ["list/a", "list/a!b", "list/a/b", "list/a/c", "list/b", "list/é+incompatible", "listing"];
    for name in names {
        home.put_if_absent(&key(name), Bytes::new()).await.unwrap();
    }
    made(home, &key("list/a/bb"), "a cell").await;
    home.put_if_absent(&key("list/gone"), Bytes::new()).await.unwrap();
    home.remove(&key("list/gone")).await.unwrap();
    let listed = async |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
        let keys = home.list(prefix, after.map(key).as_ref(), limit).await.unwrap();
        keys.iter().map(Key::to_string).collect()
    };
    let all = ["list/a", "list/a!b", "list/a/b", "list/a/bb", "list/a/c", "list/b", "list/é+incompatible"];
    assert_eq!(listed("list/", None, 100).await, all);
    assert_eq!(listed("list/a/", None, 100).await, all[2..5]);
    assert_eq!(listed("list/a/b", None, 100).await, all[2..4]);
    assert_eq!(listed("list/", Some("list/a/b"), 2).await, all[3..5]);
    assert_eq!(listed("list/", Some("list/a/ba"), 2).await, all[3..5], "after a key that is not there");
    assert_eq!(listed("list/", Some("zzz"), 2).await, [""; 0]);
    assert_eq!(listed("none/", None, 2).await, [""; 0]);
    assert_eq!(listed("list/", None, 0).await, [""; 0]);
}

async fn a_dropped_write_is_done_or_not(home: &Arc<dyn Store>) {
    let mut tasks = JoinSet::new();
    for n in 0..200_u32 {
        let home = home.clone();
        tasks.spawn(async move {
            home.put_if_absent(&key(&format!("dropped/{n}")), Bytes::from(noise(1000 + n as usize)))
                .await
                .unwrap();
            keep(&*home, &noise(2000 + n as usize)).await;
        });
    }
    for _ in 0..20 {
        tasks.join_next().await;
    }
    tasks.shutdown().await;
    for n in 0..200_usize {
        if let Some(value) = home.get(&key(&format!("dropped/{n}"))).await.unwrap() {
            assert_eq!(value, noise(1000 + n));
        }
        if let Some(blob) = home.open(&Digest::of(&noise(2000 + n))).await.unwrap() {
            assert_eq!(read(&blob, 0..u64::MAX).await, noise(2000 + n));
        }
    }
}
