//! How much is remembered of what is not there: a bound, so that a client who invents names can't fill the store.
//!
//! An absence is durable at first, because with the upstream gone the same clients need yesterday's 404s. When more of
//! them are durable than the limit allows, those that were learned longest ago are forgotten ([`Facts::trim`]); while
//! there are a tenth too many, further ones are only remembered in memory, in two generations of which the older is
//! dropped when the younger is full. What exists is never forgotten for what doesn't.
//!
//! The count is an estimate between two readings of the store: what was read, and what was added since. It may count
//! answers that are no absences, never too few; where it matters the store is read closely.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::future::try_join_all;
use modkeep_store::{Key, Revision, Store};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::fact::{Fact, State};
use super::facts::{ANSWERS, Facts, FactsError};

/// Absences in one generation of the memory.
const GENERATION: usize = 8192;
/// Keys that are asked for at one time.
const PAGE: usize = 1000;
/// Answers that are read, or forgotten, at one time: in a bucket they share one question, or one write.
const TOGETHER: usize = 128;
/// Moments of learning are told apart by this many milliseconds.
const GRAIN: u64 = 60_000;

/// The bound, and what is beyond it.
pub(crate) struct Absences {
    limit: u64,
    durable: AtomicU64,
    /// Added since the store was read last.
    added: AtomicU64,
    too_many: Notify,
    held: AtomicUsize,
    memory: Mutex<[HashMap<Key, Fact>; 2]>,
}

impl Absences {
    /// At most `limit` of them stay durable.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            durable: AtomicU64::new(0),
            added: AtomicU64::new(0),
            too_many: Notify::new(),
            held: AtomicUsize::new(0),
            memory: Mutex::default(),
        }
    }

    /// Whether one more may be durable; if so it is counted.
    pub(super) fn admit(&self) -> bool {
        if self.durable.load(Ordering::Relaxed) >= self.limit + self.limit / 10 {
            self.too_many.notify_one();
            return false;
        }
        self.durable.fetch_add(1, Ordering::Relaxed);
        if self.added.fetch_add(1, Ordering::Relaxed) >= self.limit / 20 {
            self.too_many.notify_one();
        }
        true
    }

    /// So many were read. What was added meanwhile may be among them or not, and is counted once more.
    fn counted(&self, read: u64) {
        self.durable.store(read + self.added.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// What is remembered in memory only.
    pub(super) fn recall(&self, key: &Key) -> Option<Fact> {
        if self.held.load(Ordering::Acquire) == 0 {
            return None;
        }
        let memory = self.memory.lock();
        memory.iter().find_map(|generation| generation.get(key).cloned())
    }

    /// Remembers in memory.
    pub(super) fn hold(&self, key: Key, fact: Fact) {
        let mut memory = self.memory.lock();
        let [young, old] = &mut *memory;
        if young.len() >= GENERATION {
            *old = std::mem::take(young);
        }
        young.insert(key, fact);
        self.held.store(young.len() + old.len(), Ordering::Release);
    }

    /// Forgets what is in memory of one resource.
    pub(super) fn let_go(&self, key: &Key) {
        if self.held.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut memory = self.memory.lock();
        let [young, old] = &mut *memory;
        young.remove(key);
        old.remove(key);
        self.held.store(young.len() + old.len(), Ordering::Release);
    }

    /// Forgets all that is in memory.
    pub(crate) fn clear(&self) {
        let mut memory = self.memory.lock();
        *memory = Default::default();
        self.held.store(0, Ordering::Release);
    }
}

impl Facts {
    /// Counts now, and whenever many were added; keeps the bound as long as the service runs.
    pub(crate) async fn tend(self) {
        loop {
            match self.trim().await {
                Ok(0) => {}
                Ok(forgotten) => tracing::info!(forgotten, "the oldest remembered absences are forgotten"),
                Err(error) => {
                    tracing::warn!(error = %super::chain(&error), "counting what is remembered");
                }
            }
            self.absences.too_many.notified().await;
        }
    }

    /// Reads how many absences are durable and forgets the oldest, a tenth more than must be, if they are too many. Says how many
    /// were forgotten.
    pub(crate) async fn trim(&self) -> Result<u64, FactsError> {
        let absences = &self.absences;
        absences.added.store(0, Ordering::Relaxed);
        let mut answers = 0;
        let mut pages = Pages::of(self);
        loop {
            match pages.next().await?.len() {
                0 => break,
                more => answers += more as u64,
            }
        }
        if answers <= absences.limit {
            absences.counted(answers);
            return Ok(0);
        }
        let learned = self.learned_when().await?;
        let count: u64 = learned.values().sum();
        let forgotten = if count > absences.limit {
            self.forget_oldest(&learned, count - (absences.limit - absences.limit / 10)).await?
        } else {
            0
        };
        absences.counted(count - forgotten);
        Ok(forgotten)
    }

    async fn forget_oldest(&self, learned: &BTreeMap<u64, u64>, excess: u64) -> Result<u64, FactsError> {
        // Every grain before the last is forgotten whole, of the last one so many as are left to forget.
        let (mut last, mut before) = (0, 0);
        for (grain, count) in learned {
            last = *grain;
            if before + count >= excess {
                break;
            }
            before += count;
        }
        let (mut of_last, mut forgotten) = (excess - before, 0);
        let mut pages = Pages::of(self);
        loop {
            let page = pages.next().await?;
            if page.is_empty() {
                return Ok(forgotten);
            }
            for keys in page.chunks(TOGETHER) {
                let mut oldest = Vec::new();
                for (key, learned) in keys.iter().zip(self.all_learned(keys).await?) {
                    let Some(Learned { at, revision }) = learned else { continue };
                    let grain = at / GRAIN;
                    if grain < last || (grain == last && of_last > 0) {
                        of_last -= u64::from(grain == last);
                        oldest.push((key, revision));
                    }
                }
                // What became known meanwhile is another cell, and stays.
                let removed = oldest.iter().map(|(key, revision)| self.store.remove_cell(key, revision));
                let removed = try_join_all(removed).await?;
                forgotten += removed.into_iter().filter(|&is_removed| is_removed).count() as u64;
            }
        }
    }

    /// How many absences were learned in each grain of time.
    async fn learned_when(&self) -> Result<BTreeMap<u64, u64>, FactsError> {
        let mut learned = BTreeMap::new();
        let mut pages = Pages::of(self);
        loop {
            let page = pages.next().await?;
            if page.is_empty() {
                return Ok(learned);
            }
            for keys in page.chunks(TOGETHER) {
                for Learned { at, .. } in self.all_learned(keys).await?.into_iter().flatten() {
                    *learned.entry(at / GRAIN).or_default() += 1;
                }
            }
        }
    }

    async fn all_learned(&self, keys: &[Key]) -> Result<Vec<Option<Learned>>, FactsError> {
        try_join_all(keys.iter().map(|key| self.learned(key))).await
    }

    /// When an absence or a refusal was learned; nothing for other answers.
    async fn learned(&self, key: &Key) -> Result<Option<Learned>, FactsError> {
        let Some(cell) = self.store.cell(key).await? else { return Ok(None) };
        let at = match Fact::decode(&cell.value) {
            Ok(Fact { state: State::Proved(_), .. }) => return Ok(None),
            Ok(fact) => fact.at.0,
            // What can't be read is no loss.
            Err(_) => 0,
        };
        Ok(Some(Learned { at, revision: cell.revision }))
    }
}

/// When an absence was learned, in milliseconds, and the cell that says so.
struct Learned {
    at: u64,
    revision: Revision,
}

/// The keys of all answers, page by page.
struct Pages<'a> {
    store: &'a dyn Store,
    after: Option<Key>,
    ended: bool,
}

impl<'a> Pages<'a> {
    fn of(facts: &'a Facts) -> Self {
        Self { store: &*facts.store, after: None, ended: false }
    }

    /// The next page; nothing after the last.
    async fn next(&mut self) -> Result<Vec<Key>, FactsError> {
        if self.ended {
            return Ok(Vec::new());
        }
        let page = self.store.list(ANSWERS, self.after.as_ref(), PAGE).await?;
        self.ended = page.len() < PAGE;
        self.after = page.last().cloned();
        Ok(page)
    }
}

/// The bound of a service that was told none.
pub(crate) fn unbounded() -> Arc<Absences> {
    Arc::new(Absences::new(u64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use modkeep_module::resource::Resource;
    use modkeep_store::Memory;

    use super::*;
    use crate::clock::Moment;

    const LIMIT: u64 = 100;

    fn absence(at: u64) -> Fact {
        Fact { at: Moment(at), state: State::Absent { gone: false, text: "not found".into() } }
    }

    fn resource(number: u64) -> Resource {
        Resource::parse(&format!("/example.com/invented{number}/@v/list")).unwrap()
    }

    async fn durable(store: &Arc<dyn Store>) -> Vec<u64> {
        let mut numbers = Vec::new();
        for key in store.list(ANSWERS, None, usize::MAX).await.unwrap() {
            let name = key.as_str().split('/').nth(2).unwrap().to_owned();
            numbers.push(name.strip_prefix("invented").unwrap().parse().unwrap());
        }
        numbers.sort_unstable();
        numbers
    }

    #[tokio::test]
    async fn the_oldest_are_forgotten_when_there_are_too_many() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let facts = Facts::bounded(Arc::clone(&store), Arc::new(Absences::new(LIMIT)));
        for number in 0..LIMIT {
            facts.remember(&resource(number), &absence(number * GRAIN)).await.unwrap();
        }
        assert_eq!(facts.trim().await.unwrap(), 0);
        for number in LIMIT..LIMIT + 5 {
            facts.remember(&resource(number), &absence(number * GRAIN)).await.unwrap();
        }
        assert_eq!(facts.trim().await.unwrap(), 15);
        assert_eq!(durable(&store).await, (15..LIMIT + 5).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn many_of_one_moment_are_bounded_too() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let facts = Facts::bounded(Arc::clone(&store), Arc::new(Absences::new(LIMIT)));
        for number in 0..1000 {
            facts.remember(&resource(number), &absence(7)).await.unwrap();
            let known = facts.answer(&resource(number)).await.unwrap();
            assert_eq!(known, Some(absence(7)), "{number} is known at once");
        }
        assert_eq!(durable(&store).await.len() as u64, LIMIT + LIMIT / 10);
        facts.trim().await.unwrap();
        assert_eq!(durable(&store).await.len() as u64, LIMIT - LIMIT / 10);
    }

    #[tokio::test]
    async fn what_exists_is_kept_however_much_does_not() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let facts = Facts::bounded(Arc::clone(&store), Arc::new(Absences::new(LIMIT)));
        let list = crate::mirror::fact::Proved {
            content: crate::mirror::fact::Content::here("v1.0.0\n".into()),
            h1: None,
            by: None,
        };
        let known = Fact { at: Moment(0), state: State::Proved(list) };
        for number in 0..2 * LIMIT {
            facts.remember(&resource(number), &known).await.unwrap();
        }
        facts.trim().await.unwrap();
        for number in 2 * LIMIT..4 * LIMIT {
            facts.remember(&resource(number), &absence(7)).await.unwrap();
        }
        facts.trim().await.unwrap();
        for number in 0..2 * LIMIT {
            assert_eq!(facts.answer(&resource(number)).await.unwrap().as_ref(), Some(&known));
        }
        // What was only in memory and turns out to exist is told anew.
        let late = resource(4 * LIMIT - 1);
        assert!(facts.answer(&late).await.unwrap().is_some());
        facts.remember(&late, &known).await.unwrap();
        assert_eq!(facts.answer(&late).await.unwrap(), Some(known));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_becomes_known_while_others_are_forgotten_stays_known() {
        let folder = tempfile::tempdir().unwrap();
        let store = modkeep_store::Folder::open(folder.path(), modkeep_store::Options::default()).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let list = crate::mirror::fact::Proved {
            content: crate::mirror::fact::Content::here("v1.0.0\n".into()),
            h1: None,
            by: None,
        };
        let known = Fact { at: Moment(0), state: State::Proved(list) };
        // The writer learns without a bound, so that there is always something to forget.
        let writer = Facts::bounded(Arc::clone(&store), unbounded());
        let trimmer = Facts::bounded(Arc::clone(&store), Arc::new(Absences::new(10)));
        for round in 0..6 {
            let numbers = round * 60..round * 60 + 60;
            for number in numbers.clone() {
                writer.remember(&resource(number), &absence(number * GRAIN)).await.unwrap();
            }
            let trimming = {
                let trimmer = trimmer.clone();
                tokio::spawn(async move { trimmer.trim().await.unwrap() })
            };
            for number in numbers.clone() {
                writer.remember(&resource(number), &known).await.unwrap();
            }
            trimming.await.unwrap();
            for number in numbers {
                let answer = trimmer.answer(&resource(number)).await.unwrap();
                assert_eq!(answer.as_ref(), Some(&known), "{number} in round {round}");
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let absences = Absences::new(0);
        for number in 0..5 * GENERATION as u64 {
            assert!(!absences.admit());
            absences.hold(Key::parse(&format!("answers/{number}")).unwrap(), absence(number));
        }
        assert!(absences.held.load(Ordering::SeqCst) <= 2 * GENERATION);
        assert!(absences.recall(&Key::parse("answers/40959").unwrap()).is_some());
        assert!(absences.recall(&Key::parse("answers/0").unwrap()).is_none());
    }
}
