//! Facts in the store: files once and for all, answers in cells that change.
//!
//! A file of a version is a value: the first one that was proved holds its name for ever. Everything else about a
//! resource, an answer that may change or an absence, is a cell beside it under another prefix.
//!
//! A fact that rotted is no fact: it counts as not there, and what is fetched in its place takes it.

use std::sync::Arc;

use bytes::Bytes;
use modkeep_module::path::ModulePath;
use modkeep_module::resource::Resource;
use modkeep_store::{ErrorKind, Key, Put, Store, StoreError, Swap};

use crate::mirror::absences::{self, Absences};
use crate::mirror::fact::{Fact, FactError, State};

/// Before the key of a file that never changes.
pub(crate) const FILES: &str = "files/";
/// Before the key of an answer that may.
pub(crate) const ANSWERS: &str = "answers/";
/// How often a cell is tried when others write it too.
const SWAPS: usize = 4;

/// What is known of resources, durably.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(super) store: Arc<dyn Store>,
    pub(super) absences: Arc<Absences>,
}

/// Why a fact can't be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum FactsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("reading the fact `{key}`")]
    Damaged { key: String, source: Arc<FactError> },
}

impl Facts {
    /// Without a bound to absences, for who adds none.
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self::bounded(store, absences::unbounded())
    }

    pub(crate) fn bounded(store: Arc<dyn Store>, absences: Arc<Absences>) -> Self {
        Self { store, absences }
    }

    /// The file of a version, if it is kept.
    pub(crate) async fn file(&self, resource: &Resource) -> Result<Option<Fact>, FactsError> {
        let key = key(FILES, resource);
        sound(&key, self.store.get(&key).await)
    }

    /// What was answered last, if that is remembered.
    pub(crate) async fn answer(&self, resource: &Resource) -> Result<Option<Fact>, FactsError> {
        let key = key(ANSWERS, resource);
        if let Some(fact) = self.absences.recall(&key) {
            return Ok(Some(fact));
        }
        sound(&key, self.store.cell(&key).await.map(|cell| cell.map(|cell| cell.value)))
    }

    /// Keeps the file of a version; where there is one already, that one stays and is returned.
    pub(crate) async fn keep_file(&self, resource: &Resource, fact: Fact) -> Result<Fact, FactsError> {
        let key = key(FILES, resource);
        let value = fact.encode();
        match self.store.put_if_absent(&key, value.clone()).await {
            Ok(Put::Created) => return Ok(fact),
            Ok(Put::Exists(there)) => {
                if let Some(there) = sound(&key, Ok(Some(there)))? {
                    return Ok(there);
                }
            }
            Err(error) if error.kind() == ErrorKind::Damaged => {}
            Err(error) => return Err(error.into()),
        }
        self.store.remove(&key).await?;
        match self.store.put_if_absent(&key, value).await? {
            Put::Created => Ok(fact),
            Put::Exists(there) => decode(&key, &there),
        }
    }

    /// Puts a file in the place of one whose bytes are lost.
    pub(crate) async fn replace_file(&self, resource: &Resource, fact: Fact) -> Result<Fact, FactsError> {
        self.forget_file(resource).await?;
        self.keep_file(resource, fact).await
    }

    /// Remembers an answer in the place of the one before; an absence that is one too many in memory only.
    pub(crate) async fn remember(&self, resource: &Resource, fact: &Fact) -> Result<(), FactsError> {
        let key = key(ANSWERS, resource);
        let value = fact.encode();
        let cell = match self.store.cell(&key).await {
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.store.remove(&key).await?;
                None
            }
            cell => cell?,
        };
        let mut expected = cell.map(|cell| cell.revision);
        if expected.is_none() && !matches!(fact.state, State::Proved(_)) && !self.absences.admit() {
            self.absences.hold(key, fact.clone());
            return Ok(());
        }
        self.absences.let_go(&key);
        for _ in 0..SWAPS {
            match self.store.swap(&key, expected.as_ref(), value.clone()).await? {
                Swap::Done(_) => return Ok(()),
                Swap::Lost(cell) => expected = cell.map(|cell| cell.revision),
            }
        }
        // Others write the same cell faster than we do; their answers are as new as ours.
        Ok(())
    }

    /// Forgets what was answered last.
    pub(crate) async fn forget_answer(&self, resource: &Resource) -> Result<(), FactsError> {
        let key = key(ANSWERS, resource);
        self.absences.let_go(&key);
        Ok(self.store.remove(&key).await?)
    }

    /// Forgets what is remembered in memory only.
    pub(crate) fn forget_memory(&self) {
        self.absences.clear();
    }

    /// Forgets the file of a version.
    pub(crate) async fn forget_file(&self, resource: &Resource) -> Result<(), FactsError> {
        Ok(self.store.remove(&key(FILES, resource)).await?)
    }

    /// The remembered answers about a module and its versions.
    pub(crate) async fn answers_of(&self, module: &ModulePath) -> Result<Vec<Resource>, FactsError> {
        self.resources(ANSWERS, module).await
    }

    /// The files kept of a module's versions.
    pub(crate) async fn files_of(&self, module: &ModulePath) -> Result<Vec<Resource>, FactsError> {
        self.resources(FILES, module).await
    }

    async fn resources(&self, prefix: &str, module: &ModulePath) -> Result<Vec<Resource>, FactsError> {
        const PAGE: usize = 1000;
        let mut found = Vec::new();
        for part in ["@v/", "@latest"] {
            let below = format!("{prefix}{}/{part}", module.escaped());
            let mut after = None;
            loop {
                let keys = self.store.list(&below, after.as_ref(), PAGE).await?;
                found.extend(keys.iter().filter_map(|key| resource_of(prefix, key)));
                if keys.len() < PAGE {
                    break;
                }
                after = keys.into_iter().last();
            }
        }
        Ok(found)
    }
}

fn key(prefix: &str, resource: &Resource) -> Key {
    let text = format!("{prefix}{}", resource.store_key());
    Key::parse(&text).expect("the key of a resource is short, printable and has no empty or dot elements")
}

/// The key of a version's file.
pub(crate) fn file_key(resource: &Resource) -> Key {
    key(FILES, resource)
}

/// The resource that a key below `prefix` speaks of.
pub(crate) fn resource_of(prefix: &str, key: &Key) -> Option<Resource> {
    Resource::parse(key.as_str().strip_prefix(prefix.strip_suffix('/')?)?).ok()
}

/// The fact in what was read, if it is one.
fn sound(key: &Key, read: Result<Option<Bytes>, StoreError>) -> Result<Option<Fact>, FactsError> {
    let rotten: Box<dyn std::error::Error> = match read {
        Ok(None) => return Ok(None),
        Ok(Some(value)) => match Fact::decode(&value) {
            Ok(fact) => return Ok(Some(fact)),
            Err(error) => error.into(),
        },
        Err(error) if error.kind() == ErrorKind::Damaged => error.into(),
        Err(error) => return Err(error.into()),
    };
    tracing::error!(%key, error = rotten, "a kept fact is damaged and counts as not there");
    Ok(None)
}

fn decode(key: &Key, value: &Bytes) -> Result<Fact, FactsError> {
    Fact::decode(value)
        .map_err(|source| FactsError::Damaged { key: key.to_string(), source: Arc::new(source) })
}
