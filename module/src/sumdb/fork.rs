//! Forks: a database that signed two histories, with the proof.
//!
//! Two signed heads alone prove nothing, since one may extend the other. What convicts is the root that the newer tree
//! has for the older size, a consistency proof that ties this root to the newer head, and an older head that says
//! otherwise. The text is the go command's (`golang.org/x/mod/sumdb.Client.checkTrees`).

use std::fmt;

use super::head::SignedHead;
use super::tlog::{Hash, proof};

/// Two heads signed by one database of which neither extends the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    older: SignedHead,
    newer: SignedHead,
    older_root_in_newer: Hash,
    proof: Vec<Hash>,
}

impl Fork {
    /// The evidence, where it is evidence.
    pub(super) fn new(older: SignedHead, newer: SignedHead, root: Hash, proof: Vec<Hash>) -> Option<Fork> {
        let fork = Fork { older, newer, older_root_in_newer: root, proof };
        fork.convicts().then_some(fork)
    }

    /// The head of the smaller tree, or the one that was seen later where both have one size.
    pub fn older(&self) -> &SignedHead {
        &self.older
    }

    /// The head of the larger tree.
    pub fn newer(&self) -> &SignedHead {
        &self.newer
    }

    fn convicts(&self) -> bool {
        let (older, newer) = (self.older.tree(), self.newer.tree());
        let root = self.older_root_in_newer;
        root != older.root && proof::check_tree(&self.proof, newer.size, newer.root, older.size, root).is_ok()
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = |head: &SignedHead| head.note().replace('\n', "\n\t");
        f.write_str("SECURITY ERROR\ngo.sum database server misbehavior detected!\n\n")?;
        writeln!(f, "old database:\n\t{}", indent(&self.older))?;
        writeln!(f, "new database:\n\t{}", indent(&self.newer))?;
        write!(f, "proof of misbehavior:\n\t{}", self.older_root_in_newer)?;
        self.proof.iter().try_for_each(|hash| write!(f, "\n\t{hash}"))
    }
}
