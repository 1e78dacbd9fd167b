//! Databases that were caught with two histories, as their operator sees them: the proof, and the way on.
//!
//! While a database is marked nothing new of it is believed. Taking the mark away is an operator's decision after
//! looking at the proof, which stays in the store for auditors. The head that we know stays as well: a database that goes on with the
//! other history is caught again at the next contact.

use bytes::Bytes;
use modkeep_store::{Key, KeyError, Store, StoreError};

/// A database that is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// Name and key hash, `NAME+HASH`.
    pub database: String,
    /// Both heads and the proof, the go command's text.
    pub evidence: String,
}

/// Why marks can't be read or removed.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The store failed.
    #[error("reading the marks of checksum databases")]
    Store(#[from] StoreError),
    /// No database is called so.
    #[error("reading the mark of a checksum database")]
    Name(#[from] KeyError),
}

/// What all keys of databases begin with.
const ROOT: &str = "checksums/";

/// All databases that are marked. Reads some keys of each database that was ever asked.
///
/// # Errors
/// When the store can't be read.
pub async fn forks(store: &dyn Store) -> Result<Vec<Fork>, ForkError> {
    let mut found = Vec::new();
    let mut after = None;
    while let Some(key) = store.list(ROOT, after.as_ref(), 1).await?.into_iter().next() {
        let Some(database) = database_of(&key) else {
            after = Some(key);
            continue;
        };
        found.extend(fork(store, &database).await?);
        // Behind all keys of this database, whose names are of small letters.
        after = Some(Key::parse(&format!("{ROOT}{database}/~"))?);
    }
    Ok(found)
}

/// The mark of one database, `NAME+HASH`, if it has one.
///
/// # Errors
/// When the store can't be read.
pub async fn fork(store: &dyn Store, database: &str) -> Result<Option<Fork>, ForkError> {
    let evidence = store.get(&mark(database)?).await?;
    let text = |evidence: Bytes| String::from_utf8_lossy(&evidence).into_owned();
    Ok(evidence.map(|evidence| Fork { database: database.to_owned(), evidence: text(evidence) }))
}

/// Takes the mark away; the evidence stays under `fork-accepted/`. `now` is in seconds since 1970. A running server sees it at once.
///
/// # Errors
/// When the store can't be written.
pub async fn accept(store: &dyn Store, fork: &Fork, now: u64) -> Result<(), ForkError> {
    let copy = Key::parse(&format!("{ROOT}{}/fork-accepted/{now:010}", fork.database))?;
    store.put_if_absent(&copy, Bytes::from(fork.evidence.clone())).await?;
    Ok(store.remove(&mark(&fork.database)?).await?)
}

fn mark(database: &str) -> Result<Key, KeyError> {
    Key::parse(&format!("{ROOT}{database}/fork"))
}

/// `NAME+HASH` at the beginning of a key: NAME may have slashes, HASH has eight digits.
fn database_of(key: &Key) -> Option<String> {
    let rest = key.as_str().strip_prefix(ROOT)?;
    let is_hash = |hash: &str| hash.len() == 8 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    let mut end = 0;
    for element in rest.split('/') {
        end += element.len();
        if element.rsplit_once('+').is_some_and(|(_, hash)| is_hash(hash)) {
            return Some(rest[..end].to_owned());
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use modkeep_store::Memory;

    use super::*;

    #[tokio::test]
    async fn marks_are_found_among_all_databases_and_taken_away_one_by_one() {
        let store = Memory::new();
        let put = async |key: &str, text: &str| {
            store.put_if_absent(&Key::parse(key).unwrap(), Bytes::from(text.to_owned())).await.unwrap();
        };
        for database in ["sum.a.example+01234567", "sum.b.example/go+89abcdef", "sum.c.example+00000000"] {
            put(&format!("checksums/{database}/record/example.com/m+00000000/v@v1.0.0"), "r").await;
            put(&format!("checksums/{database}/tile/8/0/000"), "t").await;
        }
        assert_eq!(forks(&store).await.unwrap(), []);
        put("checksums/sum.b.example/go+89abcdef/fork", "proof of b").await;
        put("checksums/sum.c.example+00000000/fork", "proof of c").await;
        let found = forks(&store).await.unwrap();
        let named: Vec<_> =
            found.iter().map(|fork| (fork.database.as_str(), fork.evidence.as_str())).collect();
        assert_eq!(
            named,
            [("sum.b.example/go+89abcdef", "proof of b"), ("sum.c.example+00000000", "proof of c")]
        );
        accept(&store, &found[0], 1_800_000_000).await.unwrap();
        assert_eq!(forks(&store).await.unwrap(), found[1..]);
        let kept = Key::parse("checksums/sum.b.example/go+89abcdef/fork-accepted/1800000000").unwrap();
        assert_eq!(store.get(&kept).await.unwrap().unwrap(), "proof of b");
    }
}
