//! Checking, and taking what is damaged out of sight, so that a server fetches it anew.

use modkeep_store::{ErrorKind, Key, Store, StoreError};

use super::{Damage, Flaw, Inventory, facts, read};
use crate::mirror::facts::{ANSWERS, FILES};

/// Reads everything as [`check`](super::check) does, and puts away what is damaged.
///
/// Blobs and rows go to the store's quarantine, facts that can't be read to values under `quarantine/`. A file whose blob is
/// gone stays known by its hash, and is fetched anew when it is asked for.
///
/// # Errors
/// When the store can't be asked, or the damage not be put away.
pub async fn scrub(store: &dyn Store, mut found: impl FnMut(Damage)) -> Result<Inventory, StoreError> {
    for damage in &modkeep_store::scrub(store).await?.damage {
        found(damage.into());
    }
    let mut inventory = Inventory::default();
    let mut flaws = Vec::new();
    facts(store, &mut inventory, &mut flaws, true).await?;
    for (key, flaw) in flaws {
        match &flaw {
            Flaw::Unusable(_) => set_aside(store, &key).await?,
            Flaw::Cut(digest, _) => {
                store.quarantine(digest).await?;
            }
            Flaw::Lost(_) | Flaw::Foreign(_) => {}
        }
        found(Damage { subject: key.to_string(), problem: flaw.problem().to_owned() });
    }
    Ok(inventory)
}

/// Takes a fact that can't be read out of the way; its bytes stay where an operator can look at them.
async fn set_aside(store: &dyn Store, key: &Key) -> Result<(), StoreError> {
    let prefix = if key.as_str().starts_with(FILES) { FILES } else { ANSWERS };
    let value = match read(store, key, prefix).await {
        Err(error) if error.kind() == ErrorKind::Damaged => None,
        value => value?,
    };
    // A key that is too long with the prefix goes without a copy.
    if let (Some(value), Ok(copy)) = (value, Key::parse(&format!("quarantine/{key}"))) {
        store.put_if_absent(&copy, value).await?;
    }
    store.remove(key).await
}
