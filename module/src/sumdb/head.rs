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

#[cfg(test)]
mod tests {
    use super::{HeadError, SignedHead, TreeHead};
    use crate::sumdb::Hash;
    use crate::sumdb::note::{Note, Signer};

    const ROOT: &str = "gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=";

    #[test]
    fn three_lines_are_a_head_and_more_mean_nothing() {
        #[track_caller]
        fn check(text: &str, size: Option<u64>) {
            assert_eq!(TreeHead::parse(text).map(|head| head.size), size, "{text}");
        }
        check(&format!("go.sum database tree\n300\n{ROOT}\n"), Some(300));
        check(&format!("go.sum database tree\n0\n{ROOT}\n"), Some(0));
        check(&format!("go.sum database tree\n{}\n{ROOT}\nmore\n", i64::MAX), Some(i64::MAX as u64));
        check(&format!("go.sum database tree\n300\n{ROOT}"), None);
        check(&format!("go.sum database tree v2\n300\n{ROOT}\n"), None);
        check(&format!("go.sum database tree\n0300\n{ROOT}\n"), None);
        check(&format!("go.sum database tree\n+300\n{ROOT}\n"), None);
        check(&format!("go.sum database tree\n-1\n{ROOT}\n"), None);
        check(&format!("go.sum database tree\n9223372036854775808\n{ROOT}\n"), None);
        check("go.sum database tree\n300\nAAAA\n", None);
        check(&format!("go.sum database tree\n300\n{ROOT}\n{}\n", "a".repeat(1_000_000)), None);
    }

    #[test]
    fn a_head_is_what_its_database_signed() {
        let signer = Signer::from_seed("sum.corp.example", [1; 32]).unwrap();
        let tree = TreeHead { size: 300, root: Hash::parse(ROOT).unwrap() };
        let signed = tree.sign(&signer);
        assert_eq!(SignedHead::open(signed.note().as_bytes(), &signer.verifier()), Ok(signed.clone()));

        let stranger = Signer::from_seed("sum.corp.example", [2; 32]).unwrap().verifier();
        let error = SignedHead::open(signed.note().as_bytes(), &stranger).unwrap_err();
        let expected =
            format!("reading tree note: note has no verifiable signatures\nnote:\n{}", signed.note());
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_signed_text_that_is_no_head_is_refused() {
        let signer = Signer::from_seed("sum.corp.example", [1; 32]).unwrap();
        for text in ["cosignature\n".to_owned(), format!("go.sum database tree\n0\n{ROOT}\n")] {
            let note = Note::unsigned(text.clone()).sign(&[&signer]).unwrap();
            let error = SignedHead::open(note.as_bytes(), &signer.verifier()).unwrap_err();
            assert_eq!(error, HeadError::Text(text));
        }
    }
}
