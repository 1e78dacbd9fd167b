//! Facts in the store: files once and for all, answers in cells that change.
//!
//! A file of a version is a value: the first one that was proved holds its name for ever. Everything else about a
//! resource, an answer that may change or an absence, is a cell beside it under another prefix.

use std::sync::Arc;

use bytes::Bytes;
use modkeep_module::path::ModulePath;
use modkeep_module::resource::Resource;
use modkeep_store::{Key, Put, Store, StoreError, Swap};

use crate::mirror::fact::{Fact, FactError};

/// Before the key of a file that never changes.
pub(crate) const FILES: &str = "files/";
/// Before the key of an answer that may.
pub(crate) const ANSWERS: &str = "answers/";
/// How often a cell is tried when others write it too.
const SWAPS: usize = 4;

/// What is known of resources, durably.
#[derive(Clone)]
pub(crate) struct Facts {
    store: Arc<dyn Store>,
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
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The file of a version, if it is kept.
    pub(crate) async fn file(&self, resource: &Resource) -> Result<Option<Fact>, FactsError> {
        let key = key(FILES, resource);
        let value = self.store.get(&key).await?;
        value.map(|value| decode(&key, &value)).transpose()
    }

    /// What was answered last, if that is remembered.
    pub(crate) async fn answer(&self, resource: &Resource) -> Result<Option<Fact>, FactsError> {
        let key = key(ANSWERS, resource);
        let cell = self.store.cell(&key).await?;
        cell.map(|cell| decode(&key, &cell.value)).transpose()
    }

    /// Keeps the file of a version; where there is one already, that one stays and is returned.
    pub(crate) async fn keep_file(&self, resource: &Resource, fact: Fact) -> Result<Fact, FactsError> {
        let key = key(FILES, resource);
        match self.store.put_if_absent(&key, fact.encode()).await? {
            Put::Created => Ok(fact),
            Put::Exists(value) => decode(&key, &value),
        }
    }

    /// Puts a file in the place of one whose bytes are lost.
    pub(crate) async fn replace_file(&self, resource: &Resource, fact: Fact) -> Result<Fact, FactsError> {
        self.forget_file(resource).await?;
        self.keep_file(resource, fact).await
    }

    /// Remembers an answer in the place of the one before.
    pub(crate) async fn remember(&self, resource: &Resource, fact: &Fact) -> Result<(), FactsError> {
        let key = key(ANSWERS, resource);
        let value = fact.encode();
        let mut expected = self.store.cell(&key).await?.map(|cell| cell.revision);
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
        Ok(self.store.remove(&key(ANSWERS, resource)).await?)
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

/// The resource that a key below `prefix` speaks of.
pub(crate) fn resource_of(prefix: &str, key: &Key) -> Option<Resource> {
    Resource::parse(key.as_str().strip_prefix(prefix.strip_suffix('/')?)?).ok()
}

fn decode(key: &Key, value: &Bytes) -> Result<Fact, FactsError> {
    Fact::decode(value)
        .map_err(|source| FactsError::Damaged { key: key.to_string(), source: Arc::new(source) })
}
