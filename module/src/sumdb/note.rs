//! Signed notes: a text, a blank line, and lines that say who signed it.
//!
//! ```text
//! go.sum database tree
//! 300
//! gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=
//!
//! — localhost.localdev/sumdb AAAMZwu7xAFVfz+nQCWGXAstQ7dOHsdjfNv50XcmOBEdEMzooRi0VDR1wubpd+N74t5juRqRYs1rHrUrXMsvRpXrhQE=
//! ```
//!
//! What is signed is the text with its last line end. A signature is four bytes of key hash and the bytes of the
//! algorithm. The text may hold blank lines: the signatures begin after the last one. Signatures by keys that we do
//! not know are carried along; a bad one by a key that we know spoils the note (`golang.org/x/mod/sumdb/note`).

mod key;

use super::base64;

pub use key::{KeyError, Signer, Verifier};

/// Signatures in a note that are looked at before it is refused.
const MAX_SIGNATURES: usize = 100;

const SIGNATURE_MARK: &str = "\u{2014} ";

/// A text and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text, with its last line end.
    pub text: String,
    /// Signatures that were verified.
    pub signatures: Vec<Signature>,
    /// Signatures by keys that were not known.
    pub unverified: Vec<Signature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The signer's name.
    pub name: String,
    /// The signer's key hash.
    pub hash: u32,
    /// Key hash and signature in base64, as written in the note.
    pub base64: String,
}

/// Why a note is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not a note.
    #[error("malformed note")]
    Malformed,
    /// It is a note, but nobody known signed it.
    #[error("note has no verifiable signatures")]
    Unverified,
    /// Somebody known did not sign this text.
    #[error("invalid signature for key {name}+{hash:08x}")]
    InvalidSignature {
        /// The name that was claimed.
        name: String,
        /// The key hash that was claimed.
        hash: u32,
    },
    /// Two known keys have this name and hash.
    #[error("ambiguous key {name}+{hash:08x}")]
    AmbiguousKey {
        /// The name of both.
        name: String,
        /// The key hash of both.
        hash: u32,
    },
}

/// Reads a note and verifies the signatures by known keys, of which there must be one (`note.Open`).
pub fn open(message: &[u8], known: &[Verifier]) -> Result<Note, NoteError> {
    let message = std::str::from_utf8(message).map_err(|_| NoteError::Malformed)?;
    if message.contains(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Malformed);
    }
    let split = message.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, lines) = (&message[..=split], &message[split + 2..]);
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;

    let mut note = Note { text: text.to_owned(), signatures: Vec::new(), unverified: Vec::new() };
    for (count, line) in lines.split('\n').enumerate() {
        let (signature, raw) = Signature::parse(line).ok_or(NoteError::Malformed)?;
        if count >= MAX_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        note.judge(signature, &raw, known)?;
    }
    if note.signatures.is_empty() { Err(NoteError::Unverified) } else { Ok(note) }
}

impl Note {
    /// A note that nobody has signed yet.
    pub fn unsigned(text: String) -> Note {
        Note { text, signatures: Vec::new(), unverified: Vec::new() }
    }

    /// Verifies a signature if its key is known, and files it.
    fn judge(&mut self, signature: Signature, raw: &[u8], known: &[Verifier]) -> Result<(), NoteError> {
        let Signature { name, hash, .. } = &signature;
        let mut keys = known.iter().filter(|key| key.name() == name && key.key_hash() == *hash);
        let Some(key) = keys.next() else {
            if !self.unverified.contains(&signature) {
                self.unverified.push(signature);
            }
            return Ok(());
        };
        if keys.next().is_some() {
            return Err(NoteError::AmbiguousKey { name: name.clone(), hash: *hash });
        }
        if self.signatures.iter().any(|earlier| earlier.is_by(name, *hash)) {
            return Ok(());
        }
        if !key.verify(self.text.as_bytes(), raw) {
            return Err(NoteError::InvalidSignature { name: name.clone(), hash: *hash });
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Writes the note with its signatures and those of `signers`, which replace older ones by the same keys
    /// (`note.Sign`). Fails where the text does not end its last line or a signature is not one.
    pub fn sign(&self, signers: &[&Signer]) -> Result<String, NoteError> {
        if !self.text.ends_with('\n') {
            return Err(NoteError::Malformed);
        }
        let mut message = format!("{}\n", self.text);
        for signature in self.signatures.iter().chain(&self.unverified) {
            let replaced = signers.iter().any(|signer| signature.is_by(signer.name(), signer.key_hash()));
            if !key::is_valid_name(&signature.name) || !replaced && !signature.fits_its_hash() {
                return Err(NoteError::Malformed);
            }
            if !replaced {
                message.push_str(&signature.line());
            }
        }
        for signer in signers {
            message.push_str(&Signature::make(signer, &self.text).line());
        }
        Ok(message)
    }
}

impl Signature {
    /// Reads one line; the raw bytes are without the key hash.
    fn parse(line: &str) -> Option<(Signature, Vec<u8>)> {
        let line = line.strip_prefix(SIGNATURE_MARK)?;
        let (name, base64) = line.split_once(' ').unwrap_or((line, ""));
        let mut raw = base64::decode(base64)?;
        if !key::is_valid_name(name) || raw.len() < 5 {
            return None;
        }
        let hash = u32::from_be_bytes([raw[0], raw[1], raw[2], raw[3]]);
        raw.drain(..4);
        Some((Signature { name: name.to_owned(), hash, base64: base64.to_owned() }, raw))
    }

    fn make(signer: &Signer, text: &str) -> Signature {
        let mut raw = signer.key_hash().to_be_bytes().to_vec();
        raw.extend_from_slice(&signer.sign(text.as_bytes()));
        Signature { name: signer.name().to_owned(), hash: signer.key_hash(), base64: base64::encode(&raw) }
    }

    fn line(&self) -> String {
        format!("{SIGNATURE_MARK}{} {}\n", self.name, self.base64)
    }

    fn is_by(&self, name: &str, hash: u32) -> bool {
        self.hash == hash && self.name == name
    }

    /// Whether the key hash is the one in the base64, as it is where the signature was read from a note.
    fn fits_its_hash(&self) -> bool {
        let hash = base64::decode(&self.base64).and_then(|raw| Some(u32::from_be_bytes(*raw.first_chunk()?)));
        hash == Some(self.hash)
    }
}
