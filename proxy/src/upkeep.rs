//! Looking after a store: what is in it, and whether it is whole. May run beside a server.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use futures_util::TryStreamExt;
use modkeep_store::{Digest, ErrorKind, Key, Store, StoreError};

use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::facts::{ANSWERS, FILES, resource_of};

/// Keys or digests that are asked for at one time.
const PAGE: usize = 1000;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Files of versions, by kind: `info`, `mod`, `zip`.
    pub files: BTreeMap<&'static str, u64>,
    /// Their bytes in all.
    pub bytes: u64,
    /// Answers that are remembered: lists, `@latest`, queries, absences, refusals.
    pub answers: u64,
}

/// Something in the store that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The key or the digest.
    pub subject: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.problem)
    }
}

/// Reads every fact and every blob; damage is told as it is found.
///
/// # Errors
/// When the store can't be read at all.
pub async fn check(store: &dyn Store, mut found: impl FnMut(Damage)) -> Result<Inventory, StoreError> {
    let mut inventory = Inventory::default();
    facts(store, &mut inventory, &mut found, true).await?;
    let mut after = None;
    loop {
        let page = store.blobs(after.as_ref(), PAGE).await?;
        for digest in &page {
            if let Some(problem) = blob_problem(store, digest).await? {
                found(Damage { subject: format!("blob {digest}"), problem });
            }
        }
        if page.len() < PAGE {
            return Ok(inventory);
        }
        after = page.into_iter().last();
    }
}

/// Counts what is kept; blobs are not read.
///
/// # Errors
/// When the store can't be read.
pub async fn inventory(store: &dyn Store) -> Result<Inventory, StoreError> {
    let mut inventory = Inventory::default();
    facts(store, &mut inventory, &mut |_| {}, false).await?;
    Ok(inventory)
}

async fn facts(
    store: &dyn Store,
    inventory: &mut Inventory,
    found: &mut impl FnMut(Damage),
    closely: bool,
) -> Result<(), StoreError> {
    for prefix in [FILES, ANSWERS] {
        let mut after = None;
        loop {
            let page = store.list(prefix, after.as_ref(), PAGE).await?;
            for key in &page {
                if let Some(problem) = fact_problem(store, key, prefix, inventory, closely).await? {
                    found(Damage { subject: key.to_string(), problem });
                }
            }
            if page.len() < PAGE {
                break;
            }
            after = page.into_iter().last();
        }
    }
    Ok(())
}

/// Counts one fact, and says what is wrong with it.
async fn fact_problem(
    store: &dyn Store,
    key: &Key,
    prefix: &str,
    inventory: &mut Inventory,
    closely: bool,
) -> Result<Option<String>, StoreError> {
    let Some(resource) = resource_of(prefix, key) else {
        return Ok(Some("no name of a module's file".into()));
    };
    let value = match read(store, key, prefix).await {
        Err(error) if error.kind() == ErrorKind::Damaged => return Ok(Some(error.to_string())),
        // Forgotten since it was listed.
        Ok(None) => return Ok(None),
        Ok(Some(value)) => value,
        Err(error) => return Err(error),
    };
    let fact = match Fact::decode(&value) {
        Ok(fact) => fact,
        Err(error) => return Ok(Some(error.to_string())),
    };
    if prefix == ANSWERS {
        inventory.answers += 1;
    } else {
        *inventory.files.entry(resource.kind()).or_default() += 1;
    }
    let State::Proved(Proved { content, .. }) = fact.state else { return Ok(None) };
    if prefix == FILES {
        inventory.bytes += content.length();
    }
    match content {
        Content::Here { digest, bytes } if closely && Digest::of(&bytes) != digest => {
            Ok(Some("its bytes are not those that were kept".into()))
        }
        Content::Blob { digest, length } if closely => match store.open(&digest).await? {
            None => Ok(Some(format!("its blob {digest} is missing"))),
            Some(blob) if blob.len() != length => {
                Ok(Some(format!("its blob {digest} has {} bytes, not {length}", blob.len())))
            }
            Some(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

async fn read(store: &dyn Store, key: &Key, prefix: &str) -> Result<Option<Bytes>, StoreError> {
    match prefix {
        FILES => store.get(key).await,
        _ => Ok(store.cell(key).await?.map(|cell| cell.value)),
    }
}

/// Reads a blob to its end and compares it with its name.
async fn blob_problem(store: &dyn Store, digest: &Digest) -> Result<Option<String>, StoreError> {
    let Some(blob) = store.open(digest).await? else { return Ok(None) };
    let mut chunks = blob.read_checked();
    loop {
        match chunks.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(Some(error.to_string())),
            Err(error) => return Err(error),
        }
    }
}
