//! Many values at once: for imports, and for stores made to be measured.

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::cell::Put;
use crate::error::StoreError;
use crate::home::Store;
use crate::key::Key;

/// Writes under way at once: enough that a sync is shared by many, few enough that memory stays small.
const UNDER_WAY: usize = 2048;

/// Puts every value whose name is free, and says how many were. Values need not be sorted, but sealing is cheapest if they are.
///
/// # Errors
/// The first write's that failed; those before it are kept, some of those after it may be.
pub async fn put_all(
    store: &dyn Store,
    values: impl IntoIterator<Item = (Key, Bytes)>,
) -> Result<u64, StoreError> {
    let puts = stream::iter(values).map(|(key, value)| async move { store.put_if_absent(&key, value).await });
    let created = |count, put| std::future::ready(Ok(count + u64::from(put == Put::Created)));
    puts.buffer_unordered(UNDER_WAY).try_fold(0, created).await
}
