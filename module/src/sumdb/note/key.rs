//! Who signs notes: names with Ed25519 keys, and their text forms.
//!
//! A verifier key is `NAME+HASH+KEY`, a signer key `PRIVATE+KEY+NAME+HASH+SEED`: HASH is eight hexadecimal digits that
//! depend on name and public key, KEY and SEED are base64 of an algorithm byte (1, Ed25519) and 32 bytes. A name has
//! no white space and no `+`.

use std::fmt;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::sumdb::base64;

/// The only algorithm that checksum databases use.
const ED25519: u8 = 1;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form of a key.
    #[error("malformed verifier id")]
    Malformed,
    /// Of the form, but not Ed25519.
    #[error("unknown verifier algorithm")]
    UnknownAlgorithm,
    /// The hash belongs to another name or key.
    #[error("invalid verifier hash")]
    WrongHash,
}

/// A name and a public key: can tell whether it signed a text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Verifier {
    name: String,
    hash: u32,
    key: [u8; 32],
}

impl Verifier {
    /// Reads `NAME+HASH+KEY` (`note.NewVerifier`).
    pub fn parse(text: &str) -> Result<Verifier, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (hash, bytes) = parse_fields(name, rest)?;
        if hash != key_hash(name, &bytes) {
            return Err(KeyError::WrongHash);
        }
        Ok(Verifier { name: name.to_owned(), hash, key: ed25519_bytes(&bytes)? })
    }

    /// The verifier of a public key under a name.
    pub fn new(name: &str, key: [u8; 32]) -> Result<Verifier, KeyError> {
        if !is_valid_name(name) {
            return Err(KeyError::Malformed);
        }
        Ok(Verifier { name: name.to_owned(), hash: key_hash(name, &with_algorithm(&key)), key })
    }

    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells apart keys of one name.
    pub fn key_hash(&self) -> u32 {
        self.hash
    }

    /// Whether `signature` is this key's signature of `message`: RFC 8032 without cofactor, S below the group order, as
    /// in Go's `ed25519.Verify`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.key) else { return false };
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        ed25519_dalek::Verifier::verify(&key, message, &signature).is_ok()
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = base64::encode(&with_algorithm(&self.key));
        write!(f, "{}+{:08x}+{key}", self.name, self.hash)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({self})")
    }
}

/// A name and a private key. Printing it shows neither key nor seed; [`Signer::secret_text`] does.
#[derive(Clone)]
pub struct Signer {
    name: String,
    hash: u32,
    key: SigningKey,
}

impl Signer {
    /// Reads `PRIVATE+KEY+NAME+HASH+SEED` (`note.NewSigner`).
    pub fn parse(text: &str) -> Result<Signer, KeyError> {
        let rest = text.strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Malformed)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let (hash, bytes) = parse_fields(name, rest)?;
        let signer = Signer::from_valid(name, ed25519_bytes(&bytes)?);
        if signer.hash == hash { Ok(signer) } else { Err(KeyError::WrongHash) }
    }

    /// The signer that a name and a random seed make.
    pub fn from_seed(name: &str, seed: [u8; 32]) -> Result<Signer, KeyError> {
        if is_valid_name(name) { Ok(Signer::from_valid(name, seed)) } else { Err(KeyError::Malformed) }
    }

    fn from_valid(name: &str, seed: [u8; 32]) -> Signer {
        let key = SigningKey::from_bytes(&seed);
        let hash = key_hash(name, &with_algorithm(key.verifying_key().as_bytes()));
        Signer { name: name.to_owned(), hash, key }
    }

    /// Who checks what this key signs.
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), hash: self.hash, key: self.key.verifying_key().to_bytes() }
    }

    /// The signer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells apart keys of one name.
    pub fn key_hash(&self) -> u32 {
        self.hash
    }

    /// The text form, which holds the secret.
    pub fn secret_text(&self) -> String {
        let seed = base64::encode(&with_algorithm(&self.key.to_bytes()));
        format!("PRIVATE+KEY+{}+{:08x}+{seed}", self.name, self.hash)
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}+{:08x})", self.name, self.hash)
    }
}

pub(super) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// Reads `HASH+BYTES`, after a name.
fn parse_fields(name: &str, rest: &str) -> Result<(u32, Vec<u8>), KeyError> {
    let (hash, bytes) = rest.split_once('+').ok_or(KeyError::Malformed)?;
    if hash.len() != 8 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) || !is_valid_name(name) {
        return Err(KeyError::Malformed);
    }
    let hash = u32::from_str_radix(hash, 16).map_err(|_| KeyError::Malformed)?;
    match base64::decode(bytes) {
        Some(bytes) if !bytes.is_empty() => Ok((hash, bytes)),
        _ => Err(KeyError::Malformed),
    }
}

fn ed25519_bytes(bytes: &[u8]) -> Result<[u8; 32], KeyError> {
    match bytes {
        [ED25519, key @ ..] => key.try_into().map_err(|_| KeyError::Malformed),
        _ => Err(KeyError::UnknownAlgorithm),
    }
}

fn with_algorithm(key: &[u8; 32]) -> [u8; 33] {
    let mut bytes = [ED25519; 33];
    bytes[1..].copy_from_slice(key);
    bytes
}

fn key_hash(name: &str, key: &[u8]) -> u32 {
    let digest = Sha256::new().chain_update(name).chain_update("\n").chain_update(key).finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}
