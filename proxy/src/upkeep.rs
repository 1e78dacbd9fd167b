//! Looking after a store: what is in it, whether it is whole, and what nobody names any more. May run beside a server.

mod scrub;
mod sweep;
pub mod synthetic;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use bytes::Bytes;
use futures_util::future::try_join_all;
use modkeep_module::resource::Resource;
use modkeep_store::{Digest, ErrorKind, Key, Store, StoreError};

use crate::mirror::chain;
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::facts::{ANSWERS, FILES, resource_of};

pub use scrub::scrub;
pub use sweep::{Swept, free, sweep};

/// Keys or digests that are asked for at one time.
const PAGE: usize = 1000;
/// Facts that are read at one time: in a bucket they share one question.
const TOGETHER: usize = 128;

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

impl AddAssign for Inventory {
    fn add_assign(&mut self, other: Self) {
        for (kind, count) in other.files {
            *self.files.entry(kind).or_default() += count;
        }
        self.bytes += other.bytes;
        self.answers += other.answers;
    }
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

impl From<&modkeep_store::Damage> for Damage {
    fn from(damage: &modkeep_store::Damage) -> Self {
        Self { subject: damage.to_string(), problem: "not as it was written".into() }
    }
}

/// What is wrong with a fact, and so what can be done about it.
#[derive(Debug)]
enum Flaw {
    /// It can't be read: nothing is lost by taking it out of the way.
    Unusable(String),
    /// Its blob is not there; a server fetches it anew.
    Lost(String),
    /// Its blob has another length.
    Cut(Digest, String),
    /// It has a name that this version does not know.
    Foreign(String),
}

impl Flaw {
    fn problem(&self) -> &str {
        let (Self::Unusable(problem) | Self::Lost(problem) | Self::Cut(_, problem) | Self::Foreign(problem)) =
            self;
        problem
    }
}

/// Reads every row, every fact and every blob, and changes nothing.
///
/// # Errors
/// When the store can't be asked.
pub async fn check(store: &dyn Store, mut found: impl FnMut(Damage)) -> Result<Inventory, StoreError> {
    for damage in &modkeep_store::check(store).await?.damage {
        found(damage.into());
    }
    let mut inventory = Inventory::default();
    let mut flaws = Vec::new();
    match facts(store, &mut inventory, &mut flaws, true).await {
        // The rows that can't be read are named already; behind them nothing can be listed.
        Err(error) if error.kind() == ErrorKind::Damaged => {
            found(Damage { subject: "facts".into(), problem: chain(&error) });
        }
        read => read?,
    }
    for (key, flaw) in flaws {
        found(Damage { subject: key.to_string(), problem: flaw.problem().to_owned() });
    }
    Ok(inventory)
}

/// Counts what is kept; blobs are not read.
///
/// # Errors
/// When the store can't be read.
pub async fn inventory(store: &dyn Store) -> Result<Inventory, StoreError> {
    let mut inventory = Inventory::default();
    facts(store, &mut inventory, &mut Vec::new(), false).await?;
    Ok(inventory)
}

async fn facts(
    store: &dyn Store,
    inventory: &mut Inventory,
    flaws: &mut Vec<(Key, Flaw)>,
    closely: bool,
) -> Result<(), StoreError> {
    for prefix in [FILES, ANSWERS] {
        let mut after = None;
        loop {
            let page = store.list(prefix, after.as_ref(), PAGE).await?;
            for keys in page.chunks(TOGETHER) {
                let looks = keys.iter().map(|key| look(store, key, prefix, closely));
                for (key, (counted, flaw)) in keys.iter().zip(try_join_all(looks).await?) {
                    *inventory += counted;
                    flaws.extend(flaw.map(|flaw| (key.clone(), flaw)));
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
async fn look(
    store: &dyn Store,
    key: &Key,
    prefix: &str,
    closely: bool,
) -> Result<(Inventory, Option<Flaw>), StoreError> {
    let uncounted = |flaw| Ok((Inventory::default(), flaw));
    let Some(resource) = resource_of(prefix, key) else {
        return uncounted(Some(Flaw::Foreign("no name of a module's file".into())));
    };
    let value = match read(store, key, prefix).await {
        Err(error) if error.kind() == ErrorKind::Damaged => {
            return uncounted(Some(Flaw::Unusable(error.to_string())));
        }
        // Forgotten since it was listed.
        Ok(None) => return uncounted(None),
        Ok(Some(value)) => value,
        Err(error) => return Err(error),
    };
    let fact = match Fact::decode(&value) {
        Ok(fact) => fact,
        Err(error) => return uncounted(Some(Flaw::Unusable(error.to_string()))),
    };
    let counted = count(prefix, &resource, &fact);
    let flaw = match fact.state {
        State::Proved(Proved { content, .. }) if closely => content_flaw(store, content).await?,
        _ => None,
    };
    // One that was forgotten or replaced while it was looked at is not flawed.
    if flaw.is_some() && read(store, key, prefix).await?.is_none_or(|now| now != value) {
        return Ok((counted, None));
    }
    Ok((counted, flaw))
}

fn count(prefix: &str, resource: &Resource, fact: &Fact) -> Inventory {
    if prefix == ANSWERS {
        return Inventory { answers: 1, ..Inventory::default() };
    }
    let bytes = match &fact.state {
        State::Proved(proved) => proved.content.length(),
        _ => 0,
    };
    Inventory { files: [(resource.kind(), 1)].into(), bytes, answers: 0 }
}

async fn content_flaw(store: &dyn Store, content: Content) -> Result<Option<Flaw>, StoreError> {
    let (digest, length) = match content {
        Content::Here { digest, bytes } => {
            let problem = "its bytes are not those that were kept";
            return Ok((Digest::of(&bytes) != digest).then(|| Flaw::Unusable(problem.into())));
        }
        Content::Blob { digest, length } => (digest, length),
    };
    Ok(match store.open(&digest).await? {
        None => Some(Flaw::Lost(format!("its blob {digest} is missing"))),
        Some(blob) if blob.len() != length => {
            let problem = format!("its blob {digest} has {} bytes, not {length}", blob.len());
            Some(Flaw::Cut(digest, problem))
        }
        Some(_) => None,
    })
}

async fn read(store: &dyn Store, key: &Key, prefix: &str) -> Result<Option<Bytes>, StoreError> {
    match prefix {
        FILES => store.get(key).await,
        _ => Ok(store.cell(key).await?.map(|cell| cell.value)),
    }
}
