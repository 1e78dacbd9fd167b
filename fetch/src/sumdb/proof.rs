//! Proving replies: fetch the tiles that a check asks for, check, keep them, then let the head move.
//!
//! Kept tiles are used like fetched ones, as claims: every check hashes all of them up to the signed root. When one does not fit,
//! those that came from the store are fetched afresh and the check is made again; only fresh tiles that do not fit count
//! against the database, and only a consistency proof convicts it. Kept tiles are replaced by what was proved, never by
//! what merely came later.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{join, join_all, try_join_all};
use modkeep_module::resource::{DatabaseName, SumdbRequest};
use modkeep_module::sumdb::authenticate::{InconsistentTiles, Plan};
use modkeep_module::sumdb::check::{Check, CheckError, Context, Proved, ProvedRecord, Unproved};
use modkeep_module::sumdb::note::Verifier;
use modkeep_module::sumdb::{AuthenticatedTile, Lines, SignedHead, Tile, TreeHead};
use modkeep_module::version::ModuleVersion;

use super::error::SumdbError;
use super::flight::Flights;
use super::kept::{Dispute, Kept};
use super::source::Source;
use super::timeline::{Installed, Known, Timeline};
use crate::chain::{Route, Upstream};

/// Bytes of a reply that are looked at: a record has two lines, a note at most a hundred signatures.
const MAX_REPLY: usize = 64 << 10;

/// Heads installed by others while one reply is being proved, before we give up.
const MAX_MOVES: usize = 8;

/// Who proves what one database says.
pub(super) struct Prover {
    kept: Kept,
    verifier: Verifier,
    timeline: Timeline,
    source: Option<Arc<Source>>,
    tiles: Flights<Tile, Result<Bytes, SumdbError>>,
}

/// What a reply claims.
enum Claim {
    Lookup(Bytes),
    Head(Bytes),
}

impl Prover {
    pub(super) fn new(
        name: DatabaseName,
        verifier: Verifier,
        kept: Kept,
        timeline: Timeline,
        upstream: Option<Arc<Upstream>>,
        named_route: Option<Route>,
    ) -> Self {
        let source = upstream.map(|upstream| Arc::new(Source::new(name, upstream, named_route)));
        Self { kept, verifier, timeline, source, tiles: Flights::new() }
    }

    pub(super) fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    pub(super) fn kept(&self) -> &Kept {
        &self.kept
    }

    pub(super) fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    fn source(&self) -> Result<&Arc<Source>, SumdbError> {
        self.source.as_ref().ok_or(SumdbError::Offline)
    }

    /// Asks for the record of a version, proves it and keeps it.
    pub(super) async fn look_up(&self, module: &ModuleVersion) -> Result<ProvedRecord, SumdbError> {
        let request = SumdbRequest::Lookup(module.path.clone(), module.version.clone());
        let (reply, known) = self.ask(request).await?;
        let proved = self.settle(&Claim::Lookup(reply), known).await?;
        let record = proved.record.ok_or(SumdbError::Unproved(Unproved::NotInLog))?;
        let record = record.map_err(SumdbError::Unproved)?;
        // A record about something else is in the log all right, but no answer to keep.
        Lines::find(&record, module).map_err(SumdbError::Lines)?;
        self.kept.keep_record(module, &record).await?;
        Ok(record)
    }

    /// Asks for the newest head and installs it where it is newer than ours.
    pub(super) async fn advance(&self) -> Result<(), SumdbError> {
        let (note, known) = self.ask(SumdbRequest::Latest).await?;
        self.settle(&Claim::Head(note), known).await?;
        Ok(())
    }

    /// Proves a tile of a tree that we know and answers with its first bytes, as wide as was asked for.
    pub(super) async fn prove_tile(&self, tree: TreeHead, tile: Tile) -> Result<Bytes, SumdbError> {
        let beyond = || SumdbError::Beyond { tile: tile.path(), size: tree.size };
        let mut plan = Plan::new(tree);
        plan.prove_tile(tile).map_err(|_| beyond())?;
        let suspects = |cause: &InconsistentTiles| cause.suspects.clone();
        let gathered = self.gather(plan.tiles(), |data| plan.check(data), suspects).await;
        let (proved, fetched) = gathered.map_err(|failure| match failure {
            Failure::Tile(_, error) => error,
            Failure::Check(error) => SumdbError::Inconsistent(error.to_string()),
        })?;
        self.keep(fetched.iter().filter_map(|&tile| proved.tile(tile)), Dispute::Replace).await?;
        let whole = proved.tile(tile).ok_or_else(beyond)?;
        Ok(Bytes::copy_from_slice(&whole.data()[..tile.byte_len()]))
    }

    /// Asks the database, and the store what it knows by now: other replicas may have moved the head, or caught the
    /// database.
    async fn ask(&self, request: SumdbRequest) -> Result<(Bytes, Known), SumdbError> {
        let source = self.source()?;
        self.refuse_if_frozen(&self.timeline.known().await?)?;
        let (known, reply) = join(self.timeline.reload(), source.read(request)).await;
        let known = known?;
        self.refuse_if_frozen(&known)?;
        Ok((reply?, known))
    }

    fn refuse_if_frozen(&self, known: &Known) -> Result<(), SumdbError> {
        match &known.fork {
            Some(evidence) => Err(self.misbehaving(Arc::clone(evidence))),
            None => Ok(()),
        }
    }

    fn misbehaving(&self, evidence: Arc<str>) -> SumdbError {
        SumdbError::Misbehaving { database: self.verifier.name().to_owned(), evidence }
    }

    /// Proves a claim against the head that is known, and moves that head forward after the tiles that prove the move are
    /// durable. Proves again when another moved it meanwhile.
    async fn settle(&self, claim: &Claim, mut known: Known) -> Result<Proved, SumdbError> {
        for _ in 0..MAX_MOVES {
            let check = self.examine(claim, known.head.as_ref())?;
            let (proved, fetched) = self.prove(&check).await?;
            let tiles = proved.tiles.iter().filter(|tile| fetched.contains(&tile.tile()));
            if !proved.advances {
                self.keep(tiles, Dispute::Replace).await?;
                return Ok(proved);
            }
            let disputed = self.keep(tiles, Dispute::Leave).await?;
            match self.timeline.install(&known, &proved.head).await? {
                Installed::Done => {
                    self.keep(disputed.into_iter(), Dispute::Replace).await?;
                    return Ok(proved);
                }
                Installed::Moved(newer) => known = newer,
            }
        }
        Err(SumdbError::Contended)
    }

    fn examine(&self, claim: &Claim, known: Option<&SignedHead>) -> Result<Check, SumdbError> {
        let (Claim::Lookup(reply) | Claim::Head(reply)) = claim;
        if reply.len() > MAX_REPLY {
            return Err(SumdbError::TooLong(reply.len()));
        }
        match claim {
            Claim::Lookup(reply) => Check::lookup(reply, &self.verifier, known).map_err(SumdbError::Reply),
            Claim::Head(note) => Check::head(note, &self.verifier, known).map_err(SumdbError::Head),
        }
    }

    /// Makes a check, with the set of tiles that were fetched for it. Evidence is durable before anybody hears of it.
    async fn prove(&self, check: &Check) -> Result<(Proved, HashSet<Tile>), SumdbError> {
        let suspects = |error: &CheckError| match error {
            CheckError::Inconsistent { cause, .. } => cause.suspects.clone(),
            CheckError::Fork(_) => Vec::new(),
        };
        match self.gather(check.tiles(), |tiles| check.finish(tiles), suspects).await {
            Ok(proved) => Ok(proved),
            Err(Failure::Check(CheckError::Fork(fork))) => {
                let evidence = self.timeline.freeze(&fork).await?;
                tracing::error!(database = self.verifier.name(), %evidence, "a checksum database signed two histories");
                Err(self.misbehaving(evidence))
            }
            Err(Failure::Check(CheckError::Inconsistent { context, cause })) => {
                Err(self.inconsistent(check, context, &cause).await)
            }
            Err(Failure::Tile(tile, error @ SumdbError::Unknown(_))) => {
                Err(self.inconsistent(check, check.context(tile), &error).await)
            }
            Err(Failure::Tile(_, error)) => Err(error),
        }
    }

    /// Keeps two heads that the database could not reconcile, where it is that.
    async fn inconsistent(&self, check: &Check, context: Context, cause: &impl Display) -> SumdbError {
        let why = format!("{context}{cause}");
        if let (Some(older), newer) = check.heads()
            && context.is_about_heads()
        {
            let (older, newer) = (older.note(), newer.note());
            tracing::warn!(
                database = self.verifier.name(),
                why,
                "two heads of a checksum database are not reconciled"
            );
            self.timeline.doubt(format!("{why}\n\nold database:\n{older}\nnew database:\n{newer}")).await;
        }
        SumdbError::Inconsistent(why)
    }

    /// Keeps tiles and answers with those that were left out, because others are kept in their place.
    async fn keep<'a>(
        &self,
        tiles: impl Iterator<Item = &'a AuthenticatedTile>,
        dispute: Dispute,
    ) -> Result<Vec<&'a AuthenticatedTile>, SumdbError> {
        let keep =
            |tile| async move { Ok::<_, SumdbError>((tile, self.kept.keep_tile(tile, dispute).await?)) };
        let kept = try_join_all(tiles.map(keep)).await?;
        Ok(kept.into_iter().filter(|(_, is_kept)| !is_kept).map(|(tile, _)| tile).collect())
    }

    /// Brings tiles together until a check passes, with the set of those that were fetched for it. Suspects that came
    /// from the store are fetched afresh; there are finitely many. A tile that is not to be had goes into the check empty, so
    /// that what does not depend on it is checked all the same.
    async fn gather<T, E>(
        &self,
        tiles: &[Tile],
        check: impl Fn(Vec<Vec<u8>>) -> Result<T, E>,
        suspects: impl Fn(&E) -> Vec<Tile>,
    ) -> Result<(T, HashSet<Tile>), Failure<E>> {
        let mut found = join_all(tiles.iter().map(|&tile| self.find(tile))).await;
        loop {
            let data = |found: &Result<Found, SumdbError>| {
                found.as_ref().map_or(Vec::new(), |found| found.data.clone())
            };
            let error = match check(found.iter().map(data).collect()) {
                Ok(proved) => {
                    let is_fetched = |found: &Result<Found, SumdbError>| {
                        found.as_ref().is_ok_and(|found| found.is_fetched)
                    };
                    let fetched = tiles.iter().zip(&found).filter(|(_, found)| is_fetched(found));
                    return Ok((proved, fetched.map(|(&tile, _)| tile).collect()));
                }
                Err(error) => error,
            };
            let suspects = suspects(&error);
            let mut rotten = Vec::new();
            for (place, tile) in tiles.iter().enumerate().filter(|(_, tile)| suspects.contains(tile)) {
                match &found[place] {
                    Ok(Found { is_fetched: false, .. }) => rotten.push(place),
                    Ok(_) => {}
                    Err(error) => return Err(Failure::Tile(*tile, error.clone())),
                }
            }
            if rotten.is_empty() {
                return Err(Failure::Check(error));
            }
            let afresh = join_all(rotten.iter().map(|&place| self.fetch(tiles[place]))).await;
            for (place, fetched) in rotten.into_iter().zip(afresh) {
                found[place] = fetched;
            }
        }
    }

    /// A tile as the store has it, or else as the database sends it.
    async fn find(&self, tile: Tile) -> Result<Found, SumdbError> {
        match self.kept.tile(tile).await? {
            Some(data) => Ok(Found { data: data.into(), is_fetched: false }),
            None => self.fetch(tile).await,
        }
    }

    /// A tile as the database sends it. One that is full by now is not served in its narrower widths any more.
    async fn fetch(&self, tile: Tile) -> Result<Found, SumdbError> {
        let source = Arc::clone(self.source()?);
        let fetch = || {
            async move {
                match source.read_tile(tile).await {
                    Err(SumdbError::Unknown(_)) if !tile.is_full() => source.read_tile(tile.full()).await,
                    read => read,
                }
            }
            .boxed()
        };
        let data = self.tiles.join(tile, fetch).await?;
        let data = data.slice(..data.len().min(tile.byte_len())).into();
        Ok(Found { data, is_fetched: true })
    }
}

/// A tile on its way into a check.
struct Found {
    data: Vec<u8>,
    is_fetched: bool,
}

/// Why tiles did not come together.
enum Failure<E> {
    /// This one is not to be had.
    Tile(Tile, SumdbError),
    /// They are all here, and this is what the check says.
    Check(E),
}
