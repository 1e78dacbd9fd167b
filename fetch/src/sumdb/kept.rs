//! What of a checksum database rests in the store, and under which names.
//!
//! ```text
//! checksums/NAME+KEYHASH/head                     cell: the time it was installed, the lineage, the newest signed head
//! checksums/NAME+KEYHASH/heads/HOUR               value: the first head installed in an hour
//! checksums/NAME+KEYHASH/fork                     value: evidence that froze the head
//! checksums/NAME+KEYHASH/fork-accepted/TIME        value: the same, after an operator looked
//! checksums/NAME+KEYHASH/fork-adopted/TIME         value: the same, and the head of the history that was dropped
//! checksums/NAME+KEYHASH/adopting                 cell: the head that is being adopted
//! checksums/NAME+KEYHASH/doubt/HOUR               value: two heads that the database could not reconcile
//! checksums/NAME+KEYHASH/record/PATH@VERSION      value: a proved record
//! checksums/NAME+KEYHASH/tile/8/L/NNN             value: a full tile
//! checksums/NAME+KEYHASH/edge/8/L/NNN             cell: the widest copy of a tile that is not full yet
//! ```
//! Records and tiles carry a hash of their own beside that of the home, so that one that rotted, or was put there by
//! another hand, is fetched again and not served. Only what was proved is ever written.

use std::sync::Arc;

use bytes::Bytes;
use modkeep_module::resource::DatabaseName;
use modkeep_module::sumdb::check::ProvedRecord;
use modkeep_module::sumdb::note::Verifier;
use modkeep_module::sumdb::record::Record;
use modkeep_module::sumdb::{AuthenticatedTile, Hash, Tile};
use modkeep_module::version::ModuleVersion;
use modkeep_store::{ErrorKind, Key, Put, Store, StoreError, Swap};

use super::error::SumdbError;

/// Attempts at a cell that others change too.
const MAX_SWAPS: usize = 8;

/// What happens to something whole that was kept and says something else than what is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dispute {
    /// It stays: the new one is proved by a head that is not installed yet, and may never be.
    Leave,
    /// It goes: the new one is proved by an installed head.
    Replace,
}

/// The place of one database in the store.
#[derive(Clone)]
pub(super) struct Kept {
    store: Arc<dyn Store>,
    place: String,
}

impl Kept {
    pub(super) fn new(store: Arc<dyn Store>, name: &DatabaseName, verifier: &Verifier) -> Self {
        Self { store, place: format!("checksums/{name}+{:08x}", verifier.key_hash()) }
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    pub(super) fn key(&self, name: &str) -> Result<Key, SumdbError> {
        Key::parse(&format!("{}/{name}", self.place)).map_err(SumdbError::Key)
    }

    fn record_key(&self, module: &ModuleVersion) -> Result<Key, SumdbError> {
        self.key(&format!("record/{}@{}", module.path.escaped(), module.version.escaped()))
    }

    fn full_key(&self, tile: Tile) -> Result<Key, SumdbError> {
        self.key(&tile.full().path())
    }

    fn edge_key(&self, tile: Tile) -> Result<Key, SumdbError> {
        self.key(&tile.full().path().replacen("tile", "edge", 1))
    }

    /// The record of a version, where one was proved before.
    pub(super) async fn record(&self, module: &ModuleVersion) -> Result<Option<ProvedRecord>, SumdbError> {
        let key = self.record_key(module)?;
        let sealed = sound(self.store.get(&key).await)?;
        let record = sealed.as_deref().and_then(unseal).and_then(|text| Record::parse(text).ok());
        if record.is_none() && sealed.is_some() {
            tracing::warn!(%key, "a kept checksum record is damaged: asking again");
            self.store.remove(&key).await?;
        }
        Ok(record.map(|(record, _)| ProvedRecord::proved_before(record)))
    }

    /// Keeps the record of a version.
    pub(super) async fn keep_record(
        &self,
        module: &ModuleVersion,
        record: &ProvedRecord,
    ) -> Result<(), SumdbError> {
        let text = record.record().format().map_err(|error| SumdbError::Reply(error.into()))?;
        self.put(&self.record_key(module)?, seal(text.as_bytes()), Dispute::Replace).await?;
        Ok(())
    }

    /// The first bytes of a tile, where a copy at least as wide is kept. One that is damaged counts as none, and is written
    /// over when a right one is proved.
    pub(super) async fn tile(&self, tile: Tile) -> Result<Option<Bytes>, SumdbError> {
        let wide_enough = |sealed: &Bytes| {
            let data = unseal_bytes(sealed)?;
            (data.len() >= tile.byte_len()).then(|| data.slice(..tile.byte_len()))
        };
        if !tile.is_full() {
            let cell = sound(self.store.cell(&self.edge_key(tile)?).await)?;
            if let Some(data) = cell.and_then(|cell| wide_enough(&cell.value)) {
                return Ok(Some(data));
            }
        }
        Ok(sound(self.store.get(&self.full_key(tile)?).await)?.and_then(|sealed| wide_enough(&sealed)))
    }

    /// Keeps a tile: a full one for ever, another as the widest copy at its place so far. Says whether it is kept; it is
    /// not where what is there disagrees and must not be replaced.
    pub(super) async fn keep_tile(
        &self,
        tile: &AuthenticatedTile,
        dispute: Dispute,
    ) -> Result<bool, SumdbError> {
        let edge = self.edge_key(tile.tile())?;
        let sealed = seal(tile.data());
        if !tile.tile().is_full() {
            return self.widen(&edge, tile.data(), sealed, dispute).await;
        }
        let cell = sound(self.store.cell(&edge).await)?;
        let narrow = cell.as_ref().and_then(|cell| unseal(&cell.value));
        if narrow.is_some_and(|narrow| !tile.data().starts_with(narrow)) && dispute == Dispute::Leave {
            return Ok(false);
        }
        let is_kept = self.put(&self.full_key(tile.tile())?, sealed, dispute).await?;
        if is_kept && cell.is_some() {
            self.store.remove(&edge).await?;
        }
        Ok(is_kept)
    }

    /// Writes a value. One that is there, whole, and says something else is disputed.
    async fn put(&self, key: &Key, value: Bytes, dispute: Dispute) -> Result<bool, SumdbError> {
        match self.store.put_if_absent(key, value.clone()).await {
            Ok(Put::Created) => return Ok(true),
            Ok(Put::Exists(there)) if there == value => return Ok(true),
            Ok(Put::Exists(there)) if unseal(&there).is_some() && dispute == Dispute::Leave => {
                return Ok(false);
            }
            Ok(Put::Exists(_)) => {}
            Err(error) if error.kind() == ErrorKind::Damaged => {}
            Err(error) => return Err(error.into()),
        }
        tracing::warn!(%key, "what was kept is not what was proved: written again");
        self.store.remove(key).await?;
        self.store.put_if_absent(key, value).await?;
        Ok(true)
    }

    /// Replaces a narrower copy of an unfinished tile. One that says something else is disputed.
    async fn widen(
        &self,
        key: &Key,
        data: &[u8],
        sealed: Bytes,
        dispute: Dispute,
    ) -> Result<bool, SumdbError> {
        for _ in 0..MAX_SWAPS {
            let cell = match self.store.cell(key).await {
                Err(error) if error.kind() == ErrorKind::Damaged => {
                    self.store.remove(key).await?;
                    None
                }
                cell => cell?,
            };
            if let Some(there) = cell.as_ref().and_then(|cell| unseal(&cell.value)) {
                if there.starts_with(data) {
                    return Ok(true);
                }
                if !data.starts_with(there) && dispute == Dispute::Leave {
                    return Ok(false);
                }
            }
            let expected = cell.as_ref().map(|cell| &cell.revision);
            if let Swap::Done(_) = self.store.swap(key, expected, sealed.clone()).await? {
                return Ok(true);
            }
        }
        Err(SumdbError::Contended)
    }
}

/// Damage is not an answer, and not a reason to fail either where the thing can be fetched again.
fn sound<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.kind() == ErrorKind::Damaged => {
            tracing::warn!(%error, "damaged in the store: asking again");
            Ok(None)
        }
        read => read,
    }
}

fn seal(content: &[u8]) -> Bytes {
    [&Hash::of_record(content).0, content].concat().into()
}

fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (hash, content) = sealed.split_at_checked(Hash::SIZE)?;
    (Hash::of_record(content).0 == hash).then_some(content)
}

fn unseal_bytes(sealed: &Bytes) -> Option<Bytes> {
    unseal(sealed).map(|content| sealed.slice_ref(content))
}
