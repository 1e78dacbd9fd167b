//! Freeing what nobody names: blobs whose versions were forgotten, or whose writer died before it could name them.
//!
//! Safe beside live servers, in this order: a blob that no name speaks of is *retired*, that is out of sight but not gone;
//! then all names are read again; what is named by then is brought back, the rest deleted. A server keeps a blob, names
//! it, and then looks whether it is still there; if not, it keeps it again. So whatever the order, a blob that is named
//! in the end is there. The age bound only spares both that work.
//!
//! A store in which rows are damaged is not swept: what they named can't be told. Scrub it first.
//!
//! Whoever names a blob in a value or a cell does it in hexadecimal: keys that this room does not know are searched for
//! digests, so that what a later version keeps is not taken for nameless.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use futures_util::future::try_join_all;
use modkeep_module::resource::Resource;
use modkeep_store::{Digest, Fate, Key, Store, StoreError, Tidied};

use super::{PAGE, TOGETHER};
use crate::mirror::fact::{Fact, Proved, State};
use crate::mirror::facts::{ANSWERS, FILES, resource_of};

/// Blobs that are looked at with one reading of all names: some 100 MB of memory at most.
const SLICE: usize = 1 << 20;
/// Keys below these speak of no blob.
const NAMELESS: [&str; 2] = [ANSWERS, "checksums/"];
/// The length of a digest in hexadecimal.
const HEX: usize = 64;

/// What was freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that were deleted.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What killed processes had left in the store that is no blob.
    pub left: Tidied,
}

/// Deletes every blob that no name speaks of and that was last kept before a moment, and what killed processes had left before it.
///
/// # Errors
/// When the store can't be read or written. What was retired then is settled by the next sweep.
pub async fn sweep(store: &dyn Store, kept_before: SystemTime) -> Result<Swept, StoreError> {
    let mut swept = settle(store).await?;
    let mut after = None;
    loop {
        let slice = slice(store, after.as_ref()).await?;
        let is_last = slice.len() < SLICE;
        after = slice.last().copied();
        swept += retire(store, slice, kept_before).await?;
        if is_last {
            break;
        }
    }
    swept.left += store.tidy(kept_before).await?;
    Ok(swept)
}

/// Deletes those of the blobs that no name speaks of, however young.
///
/// # Errors
/// When the store can't be read or written. What was retired then is settled by the next sweep.
pub async fn free(store: &dyn Store, blobs: Vec<Digest>, now: SystemTime) -> Result<Swept, StoreError> {
    if blobs.is_empty() {
        return Ok(Swept::default());
    }
    // Clocks of file systems and ours may differ a little.
    retire(store, blobs, now + std::time::Duration::from_secs(3600)).await
}

async fn slice(store: &dyn Store, after: Option<&Digest>) -> Result<Vec<Digest>, StoreError> {
    let mut slice: Vec<Digest> = Vec::new();
    while slice.len() < SLICE {
        let page = store.blobs(slice.last().or(after), PAGE.min(SLICE - slice.len())).await?;
        if page.is_empty() {
            break;
        }
        slice.extend(page);
    }
    Ok(slice)
}

async fn retire(store: &dyn Store, blobs: Vec<Digest>, kept_before: SystemTime) -> Result<Swept, StoreError> {
    let mut retired = false;
    for digest in unnamed(store, blobs).await? {
        retired |= store.retire(&digest, kept_before).await?;
    }
    if retired { settle(store).await } else { Ok(Swept::default()) }
}

/// Decides about everything that is retired.
async fn settle(store: &dyn Store) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    loop {
        let retired = store.retired(SLICE).await?;
        if retired.is_empty() {
            return Ok(swept);
        }
        let lengths: HashMap<Digest, u64> = retired.iter().copied().collect();
        let gone = unnamed(store, lengths.keys().copied().collect()).await?;
        for digest in &gone {
            store.settle(digest, Fate::Gone).await?;
            swept += Swept { blobs: 1, bytes: lengths[digest], ..Swept::default() };
        }
        for digest in lengths.keys().filter(|digest| !gone.contains(digest)) {
            store.settle(digest, Fate::Back).await?;
        }
    }
}

/// Those of the blobs that no name speaks of.
async fn unnamed(store: &dyn Store, blobs: Vec<Digest>) -> Result<HashSet<Digest>, StoreError> {
    let mut unnamed: HashSet<Digest> = blobs.into_iter().collect();
    let mut after = None;
    while !unnamed.is_empty() {
        let page = store.list("", after.as_ref(), PAGE).await?;
        for keys in page.chunks(TOGETHER) {
            for named in try_join_all(keys.iter().map(|key| named_by(store, key))).await? {
                for digest in named {
                    unnamed.remove(&digest);
                }
            }
        }
        if page.len() < PAGE {
            break;
        }
        after = page.into_iter().last();
    }
    Ok(unnamed)
}

/// The blobs that a value or cell speaks of.
async fn named_by(store: &dyn Store, key: &Key) -> Result<Vec<Digest>, StoreError> {
    if NAMELESS.iter().any(|prefix| key.as_str().starts_with(prefix)) {
        return Ok(Vec::new());
    }
    match resource_of(FILES, key) {
        Some(Resource::Zip(_)) => {}
        Some(_) => return Ok(Vec::new()),
        None => {
            let value = store.get(key).await?;
            let cell = store.cell(key).await?.map(|cell| cell.value);
            return Ok(value.iter().chain(&cell).flat_map(|bytes| digests_in(bytes)).collect());
        }
    }
    let Some(value) = store.get(key).await? else { return Ok(Vec::new()) };
    match Fact::decode(&value) {
        Ok(Fact { state: State::Proved(Proved { content, .. }), .. }) => Ok(vec![content.digest()]),
        Ok(_) => Ok(Vec::new()),
        // What can't be read may still be told by eye.
        Err(_) => Ok(digests_in(&value)),
    }
}

/// Everything in `bytes` that reads as a digest.
fn digests_in(bytes: &[u8]) -> Vec<Digest> {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let runs = bytes.split(|byte| !is_hex(byte)).filter(|run| run.len() >= HEX);
    let windows = runs.flat_map(|run| run.windows(HEX));
    windows.filter_map(|window| Digest::parse(std::str::from_utf8(window).ok()?).ok()).collect()
}

impl std::ops::AddAssign for Swept {
    fn add_assign(&mut self, other: Self) {
        self.blobs += other.blobs;
        self.bytes += other.bytes;
        self.left += other.left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_wherever_they_stand_in_a_value() {
        let digest = Digest::of(b"a blob");
        let check = |text: String, count: usize| {
            let found = digests_in(text.as_bytes());
            assert_eq!(found.iter().filter(|found| **found == digest).count(), count, "{text}");
        };
        check(digest.to_string(), 1);
        check(format!("blob {digest}\n"), 1);
        check(format!("{{\"a\":\"{digest}\",\"b\":\"{digest}\"}}"), 2);
        check(format!("00{digest}ff"), 1);
        check(digest.to_string()[1..].to_owned(), 0);
        check(String::new(), 0);
    }
}
