//! Small values in a bucket: one small object that changes, and segments that never do.
//!
//! ```text
//! values/manifest        which segments there are, and the tail: the newest rows themselves
//! values/segment-4f…     rows by name, sealed
//! ```
//!
//! Every change of the values is one conditional write of the manifest, so it happens entirely or not at all, and of several
//! servers that write at once one wins; the others look again and decide anew ([`commit`]). A read begins with asking whether
//! the manifest has changed; readers that wait for the same question share it. A tail that has grown is sealed into a segment,
//! and eight segments of a level become one of the next ([`merge`]). Nothing here asks for a listing.

mod commit;
mod list;
mod local;
mod manifest;
mod merge;
mod repair;
mod segment;
mod tidy;
mod view;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use parking_lot::RwLock;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

use crate::batch::{Op, Queue, Reply};
use crate::error::{ErrorKind, StoreError};
use crate::packed::row::Found;
use crate::s3::bucket::{Bucket, Got};
use crate::s3::scratch::Scratch;
use crate::s3::values::segment::{Reach, RowError};
use crate::s3::values::view::View;

/// Where everything about small values is.
pub(crate) const FOLDER: &str = "values/";
/// The object that changes.
const MANIFEST: &str = "values/manifest";
/// What the names of segments begin with.
const SEGMENT: &str = "values/segment-";
/// How often a reader meets segments that were merged away meanwhile.
const TRIES: usize = 8;
/// Reads under way at once for one caller.
const UNDER_WAY: usize = 32;

/// A number that no other write has.
pub(crate) fn mark() -> u128 {
    use std::collections::hash_map::RandomState;
    use std::hash::BuildHasher;
    use std::sync::LazyLock;
    // the standard library's keys are random for each process; the counter makes each mark its own
    static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = KEYS.each_ref().map(|keys| u128::from(keys.hash_one((count, std::process::id()))));
    high << 64 | low
}

/// The small values of one bucket and prefix, and the tasks that write them. Dropping it ends them; what they had begun is
/// done or not.
#[derive(Debug)]
pub(crate) struct Values {
    shared: Arc<Shared>,
    queue: Queue,
    tasks: [JoinHandle<()>; 2],
}

/// What readers and writers share.
#[derive(Debug)]
pub(crate) struct Shared {
    reach: Reach,
    /// A tail that is longer, in bytes, is sealed.
    tail_full: usize,
    view: RwLock<Arc<View>>,
    /// Held while the bucket is asked for its manifest.
    asking: Mutex<()>,
    /// How often it has been asked, and which question was the last that was answered.
    asked: AtomicU64,
    answered: AtomicU64,
    /// Held while the manifest is written.
    writing: Mutex<()>,
    /// A tail was sealed, so there may be something to merge.
    sealed: Notify,
}

impl Drop for Values {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Values {
    /// Opens the values; reads the manifest only.
    pub(crate) async fn open(bucket: Bucket, scratch: Scratch, tail_full: usize) -> Result<Self, StoreError> {
        let shared = Shared {
            reach: Reach { bucket, scratch, blocks: Arc::default() },
            tail_full,
            view: RwLock::default(),
            asking: Mutex::default(),
            asked: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            writing: Mutex::default(),
            sealed: Notify::new(),
        };
        if shared.fresh().await?.is_new() {
            let strays = shared.reach.bucket.list(FOLDER, None, 1).await?;
            if let Some(stray) = strays.first() {
                let why = format!("opening the values: `{}` is there but no manifest", stray.name);
                return Err(StoreError::new(ErrorKind::Damaged, why));
            }
        }
        let shared = Arc::new(shared);
        let (queue, mut waiting) = Queue::new();
        let (writer, merger) = (shared.clone(), shared.clone());
        let write = tokio::spawn(async move {
            while let Some(batch) = waiting.next().await {
                let outcome = writer.commit(&batch.ops).await;
                batch.answer(outcome);
            }
        });
        let merge = tokio::spawn(async move { merger.merge_for_ever().await });
        shared.sealed.notify_one();
        Ok(Self { shared, queue, tasks: [write, merge] })
    }

    /// Whether nothing was ever written there, as far as is known here.
    pub(crate) fn is_new(&self) -> bool {
        self.shared.view().is_new()
    }

    /// Does `op`; the answer comes when it is durable. Dropped, it may still be done.
    pub(crate) async fn commit(&self, op: Op) -> Reply {
        self.queue.commit(op).await
    }

    /// What the newest rows of `names` say.
    pub(crate) async fn find_many(&self, names: &[Vec<u8>]) -> Result<Vec<Option<Found>>, StoreError> {
        let find = |view: Arc<View>| async move {
            let finds = names.iter().cloned().map(|name| {
                let view = view.clone();
                async move { view.find(&name).await }
            });
            stream::iter(finds).buffered(UNDER_WAY).try_collect().await
        };
        self.shared.looking(find).await
    }

    /// What readers and writers share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    fn view(&self) -> Arc<View> {
        self.view.read().clone()
    }

    /// Makes `view` the current one unless a newer is.
    fn set_view(&self, view: View) -> Arc<View> {
        let mut current = self.view.write();
        if current.generation() < view.generation() {
            *current = Arc::new(view);
        }
        current.clone()
    }

    /// The view that shows every write acknowledged before now. Whoever waits for another's question that was put after now
    /// takes its answer.
    async fn fresh(&self) -> Result<Arc<View>, StoreError> {
        let asked_before = self.asked.load(Ordering::SeqCst);
        let _one_at_a_time = self.asking.lock().await;
        if self.answered.load(Ordering::SeqCst) > asked_before {
            return Ok(self.view());
        }
        let question = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let before = self.view();
        let known = (!before.is_new()).then_some(&*before.tag);
        let view = match self.reach.bucket.get_unless(MANIFEST, known).await? {
            // a commit of ours may have been quicker
            Got::Same => self.view(),
            Got::Absent if before.is_new() => self.view(),
            Got::Absent => {
                return Err(StoreError::new(
                    ErrorKind::Damaged,
                    "reading the manifest of the values: it is gone",
                ));
            }
            Got::Changed(object) => self.set_view(View::of(&before, object, &self.reach)?),
        };
        self.answered.store(question, Ordering::SeqCst);
        Ok(view)
    }

    /// Looks into a fresh view, and again when its segments were merged away meanwhile.
    async fn looking<T, F>(&self, look: impl Fn(Arc<View>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, RowError>>,
    {
        let mut view = self.fresh().await?;
        for _ in 0..TRIES {
            match look(view.clone()).await {
                Err(RowError::Gone(name)) => {
                    let newer = self.fresh().await?;
                    if newer.generation() == view.generation() {
                        return Err(StoreError::new(
                            ErrorKind::Damaged,
                            format!("reading `{name}`: it is gone"),
                        ));
                    }
                    view = newer;
                }
                looked => return looked.map_err(RowError::into_error),
            }
        }
        Err(StoreError::new(
            ErrorKind::Io,
            "reading small values: they are merged faster than they can be read",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_never_the_same() {
        let marks: std::collections::HashSet<u128> = (0..10_000).map(|_| mark()).collect();
        assert_eq!(marks.len(), 10_000);
    }
}
