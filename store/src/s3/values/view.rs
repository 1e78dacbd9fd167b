//! A view: one generation of the values, open for reading.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::error::{ErrorKind, StoreError};
use crate::packed::filter::hash;
use crate::packed::row::Found;
use crate::s3::bucket::Object;
use crate::s3::values::UNDER_WAY;
use crate::s3::values::manifest::{Entry, Manifest, Tail};
use crate::s3::values::segment::{Reach, RowError, Segment};

/// One generation of the values.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) manifest: Manifest,
    pub(crate) tail: Tail,
    /// The manifest's entity tag.
    pub(crate) tag: String,
    /// As in the manifest, the newest first.
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl View {
    /// The view of a manifest's object; segments that `before` has open are taken over.
    pub(crate) fn of(before: &Self, object: Object, reach: &Reach) -> Result<Self, StoreError> {
        let damaged = || StoreError::new(ErrorKind::Damaged, "reading the manifest of the values");
        let (manifest, tail) = Manifest::parse(&object.body).ok_or_else(damaged)?;
        Ok(Self::made(before, manifest, tail, object.tag, reach))
    }

    pub(crate) fn made(before: &Self, manifest: Manifest, tail: Tail, tag: String, reach: &Reach) -> Self {
        let open: HashMap<u128, &Arc<Segment>> = before.segments.iter().map(|s| (s.entry.id, s)).collect();
        let segment = |entry: &Entry| match open.get(&entry.id) {
            Some(segment) => Arc::clone(segment),
            None => Arc::new(Segment::new(*entry, reach.clone())),
        };
        let segments = manifest.segments.iter().map(segment).collect();
        Self { manifest, tail, tag, segments }
    }

    /// Whether nothing was ever written.
    pub(crate) fn is_new(&self) -> bool {
        self.manifest.generation == 0
    }

    pub(crate) fn generation(&self) -> u64 {
        self.manifest.generation
    }

    /// What the newest row of `name` says.
    pub(crate) async fn find(&self, name: &[u8]) -> Result<Option<Found>, RowError> {
        let found = self.tail.find(name).map_err(|at| RowError::Damaged("the manifest".into(), at))?;
        if let Some(found) = found {
            return Ok(Some(found.clone()));
        }
        self.open_segments().await?;
        let hash = hash(name);
        for segment in &self.segments {
            if let Some(found) = segment.find(name, hash).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Reads the heads of all segments that have not been asked yet.
    async fn open_segments(&self) -> Result<(), RowError> {
        let closed: Vec<Arc<Segment>> = self.segments.iter().filter(|s| !s.is_open()).cloned().collect();
        if closed.is_empty() {
            return Ok(());
        }
        let heads = closed.into_iter().map(|segment| async move { segment.head().await.map(drop) });
        stream::iter(heads).buffer_unordered(UNDER_WAY).try_collect().await
    }
}
