//! Databases that were caught with two histories, as their operator sees them: the proof, and the way on.
//!
//! While a database is marked nothing new of it is believed. Taking the mark away is an operator's decision after
//! looking at the proof, which stays in the store for auditors. After [`accept`] the head that we know stays as well: a database that
//! goes on with the other history is caught again at the next contact. After [`adopt`] it is the other way round.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use modkeep_store::{Digest, Key, KeyError, Store, StoreError, Swap};

use super::timeline::{cell_value, read_cell};

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
    /// The head that is known moved on after the proof was made, so it can't be told which of the two is the other history.
    #[error("neither head of the proof is the one that is known now")]
    Unclear,
    /// Somebody changes the same marks.
    #[error("the head of the database moved meanwhile")]
    Contended,
}

/// Keys that are asked for at one time.
const PAGE: usize = 1000;
/// Removals that wait together, and so are one write where the home joins them.
const UNDER_WAY: usize = 512;
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
    store.remove(&mark(&fork.database)?).await?;
    // Whoever began to adopt the other history and came no further has changed his mind.
    Ok(store.remove(&Key::parse(&format!("{ROOT}{}/adopting", fork.database))?).await?)
}

/// What was dropped for the other history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The head that is known now, signed by the database.
    pub head: String,
    /// Records whose proof was dropped.
    pub records: u64,
    /// Tiles that were dropped.
    pub tiles: u64,
}

/// Drops the history that is known, with all records and tiles that were proved by it, and takes the other one.
///
/// That is the one that the database was caught with. The proof and the dropped head stay under `fork-adopted/`; files that were proved are not touched. `now` is in
/// seconds since 1970. Interrupted, it is done again: the mark goes last.
///
/// Running servers see it as soon as they ask the database, one that had not heard of the fork within a minute.
///
/// # Errors
/// [`ForkError::Unclear`], and when the store can't be written.
pub async fn adopt(store: &dyn Store, fork: &Fork, now: u64) -> Result<Adopted, ForkError> {
    let key = |name: &str| Key::parse(&format!("{ROOT}{}/{name}", fork.database));
    let (head_key, intent_key) = (key("head")?, key("adopting")?);
    let cell = store.cell(&head_key).await?;
    let text =
        cell.as_ref().map(|cell| String::from_utf8_lossy(&cell.value).into_owned()).unwrap_or_default();
    let (_, lineage, known) = read_cell(&text);
    let about = Digest::of(fork.evidence.as_bytes()).to_string();
    let intent = store.cell(&intent_key).await?;
    let begun = intent.as_ref().map(|intent| String::from_utf8_lossy(&intent.value).into_owned());
    // Of one that was interrupted, maybe after it had changed the head. One about another proof is over.
    let other = match begun.as_deref().and_then(|begun| begun.strip_prefix(&format!("{about}\n"))) {
        Some(other) => other.to_owned(),
        None => {
            let other = other_head(&fork.evidence, known).ok_or(ForkError::Unclear)?;
            let expected = intent.as_ref().map(|intent| &intent.revision);
            let value = format!("{about}\n{other}");
            let Swap::Done(_) = store.swap(&intent_key, expected, value.into()).await? else {
                return Err(ForkError::Contended);
            };
            other
        }
    };
    let proof = format!("{}\n\nhead that was dropped:\n{known}", fork.evidence.trim_end());
    store.put_if_absent(&key(&format!("fork-adopted/{now:010}"))?, proof.into()).await?;
    // nothing is believed meanwhile, so nothing comes after
    let records = remove_all(store, key("record")?.as_str()).await?;
    let tiles =
        remove_all(store, key("tile")?.as_str()).await? + remove_all(store, key("edge")?.as_str()).await?;
    if tree_of(known) != tree_of(&other) {
        let value = cell_value(now, lineage + 1, &other);
        let expected = cell.as_ref().map(|cell| &cell.revision);
        let Swap::Done(_) = store.swap(&head_key, expected, value).await? else {
            return Err(ForkError::Contended);
        };
    }
    store.remove(&mark(&fork.database)?).await?;
    store.remove(&intent_key).await?;
    Ok(Adopted { head: other, records, tiles })
}

/// The head of the proof that is not of the history whose newest head is `known`.
fn other_head(evidence: &str, known: &str) -> Option<String> {
    let (_, heads) = evidence.split_once("old database:\n\t")?;
    let (older, rest) = heads.split_once("\nnew database:\n\t")?;
    let (newer, _) = rest.split_once("\nproof of misbehavior:")?;
    let [older, newer] = [older, newer].map(|head| head.replace("\n\t", "\n"));
    let size = |head: &str| head.lines().nth(1)?.parse::<u64>().ok();
    match tree_of(known) {
        tree if tree == tree_of(&older) => Some(newer),
        tree if tree == tree_of(&newer) => Some(older),
        // ours only grows: it began with the older of the two
        _ => (size(known)? < size(&newer)?).then_some(newer),
    }
}

/// What of a head is signed.
fn tree_of(head: &str) -> &str {
    head.split_once("\n\n").map_or(head, |(tree, _)| tree)
}

/// Removes everything in a folder of keys and says how much that was.
async fn remove_all(store: &dyn Store, folder: &str) -> Result<u64, ForkError> {
    let (mut removed, mut after) = (0, None);
    loop {
        let page = store.list(&format!("{folder}/"), after.as_ref(), PAGE).await?;
        let removals = stream::iter(&page).map(|key| store.remove(key)).buffer_unordered(UNDER_WAY);
        removals.try_collect::<()>().await?;
        removed += page.len() as u64;
        after = page.into_iter().last();
        if after.is_none() {
            return Ok(removed);
        }
    }
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

    fn head(size: u64, root: &str) -> String {
        format!("go.sum database tree\n{size}\n{root}\n\n\u{2014} sum.example signature\n")
    }

    #[test]
    fn the_other_head_is_the_one_that_is_not_known() {
        let indent = |head: String| head.replace('\n', "\n\t");
        let (older, newer) = (indent(head(5, "five")), indent(head(9, "nine")));
        let evidence = format!(
            "SECURITY ERROR\n\nold database:\n\t{older}\nnew database:\n\t{newer}\nproof of misbehavior:\n\troot"
        );
        let cases = [
            (head(5, "five"), Some(head(9, "nine"))),
            (head(9, "nine"), Some(head(5, "five"))),
            // grown since, and still smaller than the other
            (head(7, "seven"), Some(head(9, "nine"))),
            (head(10, "ten"), None),
            (String::new(), None),
        ];
        for (known, other) in cases {
            assert_eq!(other_head(&evidence, &known), other, "{known}");
        }
    }
}
