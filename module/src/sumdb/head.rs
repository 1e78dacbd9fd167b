//! Tree heads: how large a log is and what its root is, as its database signs them.
//!
//! ```text
//! go.sum database tree
//! N
//! base64(root)
//! ```
//!
//! Lines after these are allowed and mean nothing (`golang.org/x/mod/sumdb/tlog.ParseTree`).

use super::note::{self, Note, NoteError, Signer, Verifier};
use super::tlog::Hash;

const FIRST_LINE: &str = "go.sum database tree\n";

/// Bytes of text that are looked at.
const MAX_TEXT: usize = 1_000_000;

/// A log's size and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Records in the log, below 2^63.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl TreeHead {
    /// The head of the log without records, which needs no signature.
    pub const EMPTY: TreeHead = TreeHead { size: 0, root: Hash::EMPTY_TREE };

    /// Reads the text of a head; none where it is malformed.
    pub fn parse(text: &str) -> Option<TreeHead> {
        let mut lines = text.strip_prefix(FIRST_LINE)?.splitn(3, '\n');
        let (size, root, _end_of_root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: i64 = size.parse().ok()?;
        if number < 0 || number.to_string() != size || text.len() > MAX_TEXT {
            return None;
        }
        Some(TreeHead { size: number as u64, root: Hash::parse(root)? })
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{FIRST_LINE}{}\n{}\n", self.size, self.root)
    }

    /// The note that a database with this key publishes.
    pub fn sign(&self, signer: &Signer) -> SignedHead {
        let note =
            Note::unsigned(self.text()).sign(&[signer]).expect("the text of a head ends its last line");
        SignedHead { tree: *self, note }
    }
}

/// Why a note is no head of a database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The note is not believed.
    #[error("reading tree note: {cause}\nnote:\n{note}")]
    Note {
        /// Why.
        cause: NoteError,
        /// The note, as far as it is text.
        note: String,
    },
    /// The note is signed, but its text is no head.
    #[error("reading tree: malformed tree note\ntree:\n{0}")]
    Text(String),
}

/// A head with the note that its database signed. Exists only where the signature was verified or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    tree: TreeHead,
    note: String,
}

impl SignedHead {
    /// Opens a note as the head of the database with this key. An empty tree must have the empty tree's root.
    pub fn open(message: &[u8], verifier: &Verifier) -> Result<SignedHead, HeadError> {
        let note = note::open(message, std::slice::from_ref(verifier)).map_err(|cause| HeadError::Note {
            cause,
            note: String::from_utf8_lossy(message).into_owned(),
        })?;
        match TreeHead::parse(&note.text) {
            Some(tree) if tree.size > 0 || tree == TreeHead::EMPTY => {
                let note = String::from_utf8_lossy(message).into_owned();
                Ok(SignedHead { tree, note })
            }
            _ => Err(HeadError::Text(note.text)),
        }
    }

    /// Size and root.
    pub fn tree(&self) -> TreeHead {
        self.tree
    }

    /// The note, byte for byte.
    pub fn note(&self) -> &str {
        &self.note
    }
}
