//! Writing: a batch is decided against a view, and the view's successor is written on the condition that it is still the one.
//!
//! A write that succeeds proves that everything was decided on the newest state. One that is refused may have been refused
//! because its own first try had succeeded and the reply was lost; so the manifest names its last writers, and whoever does
//! not know looks there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use crate::batch::{Draft, Op, Reply};
use crate::error::{ErrorKind, StoreError};
use crate::packed::merge::RunError;
use crate::packed::row::Found;
use crate::s3::bucket::{Condition, Written};
use crate::s3::values::local::{blocking, build_in_memory};
use crate::s3::values::manifest::{Entry, Manifest, Tail, row_of};
use crate::s3::values::segment::RowError;
use crate::s3::values::view::View;
use crate::s3::values::{MANIFEST, Shared, UNDER_WAY, mark};

/// How often a batch is decided anew because others were quicker.
const DECISIONS: usize = 64;
/// How often one state is written while nobody can say whether it was.
const WRITES: usize = 4;
/// Bits of a revision that count bytes of a batch; the others count generations.
const OFFSET_BITS: u32 = 32;
/// The longest wait before a batch that lost is tried again, in milliseconds.
const LONGEST_WAIT: u64 = 250;

/// What the rows of a batch are now.
type Current = HashMap<Vec<u8>, Result<Option<Bytes>, StoreError>>;

impl Shared {
    /// Decides and writes a batch. An error is every operation's.
    pub(crate) async fn commit(&self, ops: &[Op]) -> Result<Vec<Reply>, StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        let mut view = self.view();
        for decision in 0..DECISIONS {
            if view.is_new() {
                view = self.begin(&view).await?;
            }
            let Some(current) = self.current(&view, ops).await? else {
                view = self.fresh().await?;
                continue;
            };
            let mut draft = Draft::new((view.generation() + 1) << OFFSET_BITS);
            let durable = |name: &[u8]| current.get(name).cloned().unwrap_or(Ok(None));
            let outcomes: Vec<Reply> = ops.iter().map(|op| draft.decide(op, &durable)).collect();
            if draft.rows.is_empty() {
                let fresh = self.fresh().await?;
                if fresh.generation() == view.generation() {
                    return Ok(outcomes);
                }
                view = fresh;
                continue;
            }
            if self.write(&view, draft).await? {
                return Ok(outcomes);
            }
            wait_a_moment(decision).await;
            view = self.fresh().await?;
        }
        Err(StoreError::new(ErrorKind::Io, "writing small values: others write all the time"))
    }

    /// Makes the manifest of an empty store. Whoever makes it, there is one afterwards.
    async fn begin(&self, view: &Arc<View>) -> Result<Arc<View>, StoreError> {
        self.replace(view, view.manifest.clone(), Tail::default()).await?;
        self.fresh().await
    }

    /// The rows that `ops` ask about; `None` when a segment has been merged away, so that the view is old.
    async fn current(&self, view: &Arc<View>, ops: &[Op]) -> Result<Option<Current>, StoreError> {
        let names: Vec<Vec<u8>> = ops.iter().flat_map(Op::names).cloned().collect();
        let finds = names.into_iter().map(|name| async move {
            let found = view.find(&name).await;
            (name, found)
        });
        let mut finds = stream::iter(finds).buffer_unordered(UNDER_WAY);
        let mut current = Current::new();
        while let Some((name, found)) = finds.next().await {
            let found = match found {
                Err(RowError::Gone(_)) if self.fresh().await?.generation() != view.generation() => {
                    return Ok(None);
                }
                found => found.map(|found| found.and_then(Found::present)).map_err(RowError::into_error),
            };
            current.insert(name, found);
        }
        Ok(Some(current))
    }

    /// Writes what was decided on `view`; false when others were quicker.
    async fn write(&self, view: &Arc<View>, draft: Draft) -> Result<bool, StoreError> {
        if !view.tail.damaged.is_empty() {
            let why = "writing small values: rows of the tail are damaged; `scrub` takes them out";
            return Err(StoreError::new(ErrorKind::Damaged, why));
        }
        let mut tail = Tail { rows: view.tail.rows.clone(), ..Tail::default() };
        let oldest = view.segments.is_empty();
        for (name, payload) in draft.into_decided() {
            match payload {
                Some(payload) => drop(tail.rows.insert(name, Found::Present(payload))),
                None if oldest => drop(tail.rows.remove(&name)),
                None => drop(tail.rows.insert(name, Found::Removed)),
            }
        }
        if tail.len() <= self.tail_full {
            return self.replace(view, view.manifest.clone(), tail).await;
        }
        let sealed = self.seal(tail).await?;
        let segments = [sealed].into_iter().chain(view.manifest.segments.iter().copied()).collect();
        // on the very view that was there before the segment: whoever sweeps relies on it
        match self.replace(view, view.manifest.with(segments), Tail::default()).await {
            Ok(true) => {
                self.sealed.notify_one();
                Ok(true)
            }
            Ok(false) => {
                self.drop_segment(&sealed).await;
                Ok(false)
            }
            // it may be there: then the segment is needed
            Err(error) => Err(error),
        }
    }

    async fn seal(&self, tail: Tail) -> Result<Entry, StoreError> {
        let built = blocking(move || {
            build_in_memory(tail.rows.len() as u64, |builder| {
                tail.rows.iter().try_for_each(|(name, found)| builder.push(row_of(name, found)))
            })
        });
        let built = built.await?.map_err(|error| building(error.into()))?;
        built.upload(&self.reach.bucket, 0).await
    }

    /// Removes a segment that no manifest names. One that stays costs space until the next sweep ([`tidy`](super::tidy)).
    pub(crate) async fn drop_segment(&self, entry: &Entry) {
        if let Err(error) = self.reach.bucket.delete(&entry.object()).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                segment = entry.object(),
                "a segment that nobody needs stays in the bucket"
            );
        }
    }

    /// Puts a successor, made from `view`'s manifest, in its place; false when another's is there.
    pub(crate) async fn replace(
        &self,
        view: &Arc<View>,
        successor: Manifest,
        tail: Tail,
    ) -> Result<bool, StoreError> {
        let own = mark();
        let manifest = successor.made_by(own);
        let generation = manifest.generation;
        let body = manifest.encode(&tail);
        let condition = if view.is_new() { Condition::Absent } else { Condition::Tag(&view.tag) };
        let mut unknown = None;
        for _ in 0..WRITES {
            match self.reach.bucket.put(MANIFEST, body.clone(), condition).await {
                Ok(Written::Done(tag)) => {
                    self.set_view(View::made(view, manifest, tail, tag, &self.reach));
                    return Ok(true);
                }
                Ok(Written::Refused) => {}
                Err(error) if error.kind() == ErrorKind::Unknown => unknown = Some(error),
                Err(error) => return Err(error),
            }
            let lost =
                |why: &str| StoreError::new(ErrorKind::Unknown, format!("writing small values: {why}"));
            let now = match self.fresh().await {
                Ok(now) => now,
                Err(error) => return Err(unknown.unwrap_or_else(|| lost("nobody can say").because(error))),
            };
            match now.manifest.writer_of(generation) {
                Some(writer) => return Ok(writer == own),
                None if now.generation() > generation => {
                    return Err(unknown.unwrap_or_else(|| lost("it is too long ago")));
                }
                // not there yet: the same once more, of which the condition lets only one in
                None => {}
            }
        }
        Err(unknown.unwrap_or_else(|| {
            StoreError::new(
                ErrorKind::Unknown,
                "writing small values: it is refused and nobody else's is there",
            )
        }))
    }
}

/// Lets others finish; longer each time, and not all equally long.
async fn wait_a_moment(decision: usize) {
    let longest = LONGEST_WAIT.min(4 << decision.min(6));
    sleep(Duration::from_millis((mark() as u64) % longest)).await;
}

/// A segment could not be built here.
pub(crate) fn building(error: RunError) -> StoreError {
    match error {
        RunError::Io(source) => StoreError::io("building a segment", source),
        RunError::Damaged(_) => StoreError::new(ErrorKind::Damaged, "building a segment").because(error),
    }
}
