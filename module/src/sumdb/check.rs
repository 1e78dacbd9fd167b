//! The check of a reply: what it says is in the log, and the log is the one that we know.
//!
//! Nothing is fetched here. [`Check::lookup`] takes a reply and the head known so far and plans; [`Check::tiles`] says
//! what is needed, all at once; [`Check::finish`] is given the bytes. Two things come out and are independent: how the
//! reply's head relates to ours, and whether the record is proved. A reply's head that is older than ours is
//! normal and must be the beginning of ours; a newer one must begin with ours.
//!
//! The tiles that come out prove everything that the check proved. Whoever keeps them before installing the new head
//! can prove all earlier records and heads under the new one without the database: tiles that were
//! full stay, and those that were not are at the old edge, which the check reads as the new tree has it.
//! (`golang.org/x/mod/sumdb.Client`, whose `mergeLatest` and `checkRecord` read in two rounds.)

use std::fmt;

use super::authenticate::{Authenticated, AuthenticatedTile, InconsistentTiles, Plan};
use super::fork::Fork;
use super::head::{HeadError, SignedHead, TreeHead};
use super::note::Verifier;
use super::record::{Record, RecordError};
use super::tile::Tile;
use super::tlog::{Node, proof, subtrees};

/// A reply that cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// It is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What follows the record is no head of this database.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The record is in no tree that we know.
    #[error(transparent)]
    Unproved(#[from] Unproved),
}

/// Why a record is not proved, though the heads are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// The newest tree ends before it.
    #[error("cannot validate record {id} in tree of size {size}")]
    NotInTree {
        /// The record's number.
        id: u64,
        /// Records in the tree.
        size: u64,
    },
    /// The log holds something else at its place.
    #[error("cannot authenticate record data in server response")]
    NotInLog,
}

/// Why a check came to no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Tiles are not of the tree. With fresh tiles the source is at fault; tiles that were kept may have rotted.
    #[error("{context}{cause}")]
    Inconsistent {
        /// What they were needed for.
        context: Context,
        /// The tiles.
        cause: InconsistentTiles,
    },
    /// The database signed two histories.
    #[error("{0}")]
    Fork(Box<Fork>),
}

/// What tiles are needed for, as the beginning of a sentence about them: `checking tree#100 against tree#300: ` where two
/// heads are compared, nothing where it is the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context(Option<(u64, u64)>);

impl Context {
    /// Whether two heads are compared, and not the record alone proved.
    pub fn is_about_heads(self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((older, newer)) if older == newer => write!(f, "checking tree#{older}: "),
            Some((older, newer)) => write!(f, "checking tree#{older} against tree#{newer}: "),
            None => Ok(()),
        }
    }
}

/// A record that is proved to be in the log of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedRecord(Record);

impl ProvedRecord {
    /// A record from a place where only proved ones are kept.
    pub fn proved_before(record: Record) -> ProvedRecord {
        ProvedRecord(record)
    }

    /// The record.
    pub fn record(&self) -> &Record {
        &self.0
    }
}

/// What a check proved.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The newest head, with all earlier ones as its beginnings.
    pub head: SignedHead,
    /// Whether that head is newer than the one that was known.
    pub advances: bool,
    /// The tiles that prove it.
    pub tiles: Vec<AuthenticatedTile>,
    /// The record, where there was one to check.
    pub record: Option<Result<ProvedRecord, Unproved>>,
}

/// A reply under examination.
#[derive(Clone, Debug)]
pub struct Check {
    older: Option<SignedHead>,
    newer: SignedHead,
    advances: bool,
    record: Option<Record>,
    plan: Plan,
    /// So many of the plan's tiles are for the heads; the others are for the record alone.
    tiles_for_heads: usize,
}

impl Check {
    /// Examines the reply to a lookup. A reply without a head is taken as one that knows no newer head than ours.
    pub fn lookup(
        reply: &[u8],
        verifier: &Verifier,
        known: Option<&SignedHead>,
    ) -> Result<Check, ReplyError> {
        let (record, rest) = Record::parse(reply)?;
        let head = if rest.is_empty() { None } else { Some(SignedHead::open(rest, verifier)?) };
        let unproved = Unproved::NotInTree { id: record.id, size: 0 };
        Check::new(known.cloned(), head, Some(record)).ok_or(ReplyError::Unproved(unproved))
    }

    /// Examines a head.
    pub fn head(note: &[u8], verifier: &Verifier, known: Option<&SignedHead>) -> Result<Check, HeadError> {
        let head = SignedHead::open(note, verifier)?;
        Ok(Check::new(known.cloned(), Some(head), None).expect("there is a head"))
    }

    /// None where there is neither a known head nor one to examine.
    fn new(known: Option<SignedHead>, head: Option<SignedHead>, record: Option<Record>) -> Option<Check> {
        let size = |head: &Option<SignedHead>| head.as_ref().map(|head| head.tree().size);
        let advances = size(&head) > size(&known);
        let (older, newer) = if advances { (known, head?) } else { (head, known?) };

        let tree = newer.tree();
        let mut plan = Plan::new(tree);
        for node in subtrees(0, older.as_ref().map_or(0, |older| older.tree().size)) {
            plan.prove(node).expect("the older tree is within the newer");
        }
        let tiles_for_heads = plan.tiles().len();
        if let Some(record) = &record {
            // A record beyond the tree is refused when the heads are in order.
            let _ = plan.prove(Node::record(record.id));
        }
        Some(Check { older, newer, advances, record, plan, tiles_for_heads })
    }

    /// The tiles that are needed, each in exactly this width.
    pub fn tiles(&self) -> &[Tile] {
        self.plan.tiles()
    }

    /// The tree that the tiles are of.
    pub fn tree(&self) -> TreeHead {
        self.newer.tree()
    }

    /// The two heads that are compared: the one with the smaller tree, where there is one, and the other.
    pub fn heads(&self) -> (Option<&SignedHead>, &SignedHead) {
        (self.older.as_ref(), &self.newer)
    }

    /// What a tile is needed for.
    pub fn context(&self, tile: Tile) -> Context {
        let older = self.older.as_ref().filter(|_| self.tiles()[..self.tiles_for_heads].contains(&tile));
        Context(older.map(|older| (older.tree().size, self.newer.tree().size)))
    }

    /// Checks, given the tiles' bytes in the order of [`Check::tiles`]. The heads come first: a tile that is for the record
    /// alone, and wrong or empty, does not keep a fork from being found.
    ///
    /// # Errors
    /// When the tiles are not of the tree, or the database signed two histories.
    pub fn finish(&self, tiles: Vec<Vec<u8>>) -> Result<Proved, CheckError> {
        let mut fetched = self.plan.pair(tiles).map_err(|cause| self.blame(cause))?.into_iter();
        let mut proved =
            Authenticated::at_edge(self.tree(), &mut fetched).map_err(|cause| self.blame(cause))?;
        let beside_edge = self.tiles_for_heads - self.plan.edge_len();
        for (tile, data) in fetched.by_ref().take(beside_edge) {
            proved.add(tile, data).map_err(|cause| self.blame(cause))?;
        }
        if let Some(fork) = self.fork(&proved) {
            return Err(CheckError::Fork(Box::new(fork)));
        }
        for (tile, data) in fetched {
            proved.add(tile, data).map_err(|cause| self.blame(cause))?;
        }
        let record = self.record.clone().map(|record| prove_record(record, &proved));
        Ok(Proved {
            head: self.newer.clone(),
            advances: self.advances,
            tiles: proved.into_tiles().collect(),
            record,
        })
    }

    fn blame(&self, cause: InconsistentTiles) -> CheckError {
        let context = cause.suspects.first().map_or(Context(None), |&tile| self.context(tile));
        CheckError::Inconsistent { context, cause }
    }

    fn fork(&self, proved: &Authenticated) -> Option<Fork> {
        let older = self.older.as_ref()?;
        let root = proved.root_at(older.tree().size).expect("the older tree's nodes were planned");
        if root == older.tree().root {
            return None;
        }
        // The proof's nodes lie in the tiles of the older tree's nodes and of the edge.
        let proof = proof::prove_tree(proved.tree().size, older.tree().size, |node| {
            proved.node(node).expect("the nodes of the proof were planned")
        });
        let proof = proof.expect("the older tree is not empty, since its root would be right");
        let fork = Fork::new(older.clone(), self.newer.clone(), root, proof);
        Some(fork.expect("a proof made from authenticated tiles holds"))
    }
}

fn prove_record(record: Record, proved: &Authenticated) -> Result<ProvedRecord, Unproved> {
    match proved.node(Node::record(record.id)) {
        Some(hash) if hash == record.hash() => Ok(ProvedRecord(record)),
        Some(_) => Err(Unproved::NotInLog),
        None => Err(Unproved::NotInTree { id: record.id, size: proved.tree().size }),
    }
}
