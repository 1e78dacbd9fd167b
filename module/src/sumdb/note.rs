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

#[cfg(test)]
mod tests {
    use super::{KeyError, Note, NoteError, Signer, Verifier, open};

    const VERIFIER: &str = "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6";
    const TEXT: &str = "go.sum database tree\n300\ngw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=\n";
    const SIGNATURE: &str = "\u{2014} localhost.localdev/sumdb AAAMZwu7xAFVfz+nQCWGXAstQ7dOHsdjfNv50XcmOBEdEMzooRi0VDR1wubpd+N74t5juRqRYs1rHrUrXMsvRpXrhQE=\n";

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::from_seed(name, [seed; 32]).unwrap()
    }

    #[track_caller]
    fn check(message: &str, known: &[Verifier], expected: Result<(usize, usize), NoteError>) {
        let counts =
            open(message.as_bytes(), known).map(|note| (note.signatures.len(), note.unverified.len()));
        assert_eq!(counts, expected, "{message}");
    }

    #[test]
    fn a_note_signed_with_the_test_key_of_the_go_command_opens() {
        let known = [Verifier::parse(VERIFIER).unwrap()];
        assert_eq!(known[0].to_string(), VERIFIER);
        let message = format!("{TEXT}\n{SIGNATURE}");
        let note = open(message.as_bytes(), &known).unwrap();
        assert_eq!((note.text.as_str(), note.signatures.len()), (TEXT, 1));
        assert_eq!(note.sign(&[]).unwrap(), message);

        let changed = message.replace("300", "301");
        let name = known[0].name().to_owned();
        check(&changed, &known, Err(NoteError::InvalidSignature { name, hash: 0xc67 }));
    }

    #[test]
    fn what_is_no_note_is_malformed() {
        let known = [Verifier::parse(VERIFIER).unwrap()];
        for message in [
            String::new(),
            TEXT.to_owned(),
            format!("{TEXT}{SIGNATURE}"),
            format!("{TEXT}\n"),
            format!("{TEXT}\n{}", SIGNATURE.trim_end()),
            format!("{TEXT}\n{SIGNATURE}\n"),
            format!("{TEXT}\t\n{SIGNATURE}"),
            format!("{TEXT}\n{}", SIGNATURE.replace('\u{2014}', "-")),
            format!("{TEXT}\n{}", SIGNATURE.replace("localhost.localdev/sumdb", "")),
            format!("{TEXT}\n\u{2014} name AAAMZw==\n"),
            format!("{TEXT}\n{SIGNATURE}\u{2014} other\n"),
            format!("{TEXT}\n{}", SIGNATURE.repeat(101)),
        ] {
            check(&message, &known, Err(NoteError::Malformed));
        }
        assert_eq!(open(b"\xff\n\n", &known), Err(NoteError::Malformed));
        check(&format!("{TEXT}\n{}", SIGNATURE.repeat(100)), &known, Ok((1, 0)));
    }

    #[test]
    fn known_keys_are_verified_and_others_carried_along() {
        let (first, second) = (signer("first", 1), signer("second", 2));
        let note = Note::unsigned("text\n\nwith a blank line\n".to_owned());
        let message = note.sign(&[&first, &second]).unwrap();
        check(&message, &[first.verifier(), second.verifier()], Ok((2, 0)));
        check(&message, &[second.verifier()], Ok((1, 1)));
        check(&message, &[signer("first", 3).verifier()], Err(NoteError::Unverified));
        check(&message, &[], Err(NoteError::Unverified));
        let twice = [first.verifier(), first.verifier()];
        let (name, hash) = ("first".to_owned(), first.key_hash());
        check(&message, &twice, Err(NoteError::AmbiguousKey { name, hash }));
    }

    #[test]
    fn a_new_signature_replaces_the_old_one_by_the_same_key() {
        let (first, second) = (signer("first", 1), signer("second", 2));
        let known = [first.verifier()];
        let message = Note::unsigned("text\n".to_owned()).sign(&[&first, &second]).unwrap();
        let note = open(message.as_bytes(), &known).unwrap();
        let again = note.sign(&[&first]).unwrap();
        assert_eq!(again.matches("\u{2014} first ").count(), 1);
        check(&again, &[first.verifier(), second.verifier()], Ok((2, 0)));
        assert_eq!(Note::unsigned("text".to_owned()).sign(&[&first]), Err(NoteError::Malformed));
    }

    #[test]
    fn keys_go_both_ways_and_do_not_show_their_secret() {
        let signer = signer("sum.corp.example/go", 7);
        let read = Signer::parse(&signer.secret_text()).unwrap();
        assert_eq!(read.verifier(), signer.verifier());
        assert_eq!(Verifier::parse(&signer.verifier().to_string()), Ok(signer.verifier()));
        assert!(!format!("{signer:?}").contains(&signer.secret_text()[40..]));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        #[track_caller]
        fn check(text: &str, expected: KeyError) {
            assert_eq!(Verifier::parse(text).unwrap_err(), expected, "{text}");
        }
        check("", KeyError::Malformed);
        check("name", KeyError::Malformed);
        check(&VERIFIER.replace("localhost", "local host"), KeyError::Malformed);
        check(&VERIFIER.replace("00000c67", "0000c67"), KeyError::Malformed);
        check(&VERIFIER.replace("00000c67", "+0000c67"), KeyError::Malformed);
        check(&VERIFIER.replace("00000c67", "00000c68"), KeyError::WrongHash);
        check(&VERIFIER.replace("localhost", "localhosT"), KeyError::WrongHash);
        check("name+99d86155+Ag==", KeyError::WrongHash);
        assert!(Verifier::parse(&VERIFIER.replace("c67", "C67")).is_ok());
    }
}
