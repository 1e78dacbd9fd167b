//! What builds share: results that anybody could make again, kept for others where several machines reach them.
//!
//! Two kinds of things lie on a [`Shelf`]: *blobs*, named by the SHA-256 of their bytes, and *manifests*, named by whoever
//! writes them. What they say is the business of their readers. Nothing here is precious: a thing that is gone is a miss, so
//! nothing is synced and the last writer of a manifest wins. It is no [`Store`](crate::Store), on purpose.
//!
//! A shelf is a [folder](FolderShelf), objects of a bucket, or a server that answers `GET`, `HEAD` and `PUT` below
//! `/cache/v1/`. [`Client`] is a shelf for programs that wait: it has threads of its own.

#[cfg(feature = "s3")]
mod bucket;
mod client;
mod folder;
mod server;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::digest::{Digest, DigestError};
use crate::error::StoreError;

#[cfg(feature = "s3")]
pub use bucket::BucketShelf;
pub use client::{Client, Mode, Stop};
pub use folder::{Arriving, FolderShelf, Trimmed};
pub use server::ServerShelf;

/// The path, below a server's own, that things lie under.
pub const ROUTE: &str = "/cache/v1/";
/// The longest manifest, in bytes.
pub const MAX_MANIFEST: u64 = 16 << 20;
/// The longest blob, in bytes.
pub const MAX_BLOB: u64 = 1 << 30;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Bytes by their digest.
    Blob,
    /// A small text that says which blobs there are.
    Manifest,
}

/// The name of a thing on a shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Blob or manifest.
    pub kind: Kind,
    /// The digest of a blob's bytes, or the key of a manifest.
    pub key: Digest,
}

impl Name {
    /// The blob with these bytes.
    pub fn blob(digest: Digest) -> Self {
        Self { kind: Kind::Blob, key: digest }
    }

    /// The manifest of this key.
    pub fn manifest(key: Digest) -> Self {
        Self { kind: Kind::Manifest, key }
    }

    /// Reads `blob/SHA256` or `manifest/KEY`, both in lower-case hexadecimal; `None` for what begins otherwise.
    pub fn parse(text: &str) -> Option<Result<Self, DigestError>> {
        let (kind, key) = text.split_once('/')?;
        let kind = match kind {
            "blob" => Kind::Blob,
            "manifest" => Kind::Manifest,
            _ => return None,
        };
        Some(Digest::parse(key).map(|key| Self { kind, key }))
    }

    /// The most bytes that a thing of its kind has.
    pub fn limit(&self) -> u64 {
        match self.kind {
            Kind::Blob => MAX_BLOB,
            Kind::Manifest => MAX_MANIFEST,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Blob => "blob",
            Kind::Manifest => "manifest",
        };
        write!(f, "{kind}/{}", self.key)
    }
}

/// Where shared things lie.
///
/// Duties of an implementor: what `get` gives has at most `limit` bytes, and is never a part of what was put; it may be
/// anything else, so readers of blobs hash them. `put` of what is there is a success. Both may be called at any number at a
/// time, and be dropped at any await.
#[async_trait]
pub trait Shelf: fmt::Debug + Send + Sync + 'static {
    /// The whole thing, or `None` when there is none of that name.
    ///
    /// # Errors
    /// When the shelf can't be reached, refuses, or has more than `limit` bytes under the name.
    async fn get(&self, name: &Name, limit: u64) -> Result<Option<Bytes>, StoreError>;

    /// Whether there is a thing of that name.
    ///
    /// # Errors
    /// When the shelf can't be reached or refuses.
    async fn has(&self, name: &Name) -> Result<bool, StoreError>;

    /// Puts a thing under its name, in place of what was there.
    ///
    /// # Errors
    /// When the shelf can't be reached, refuses, or is full.
    async fn put(&self, name: &Name, content: Bytes) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_printed_and_nothing_else_is_one() {
        let digest = Digest::of(b"x");
        for name in [Name::blob(digest), Name::manifest(digest)] {
            assert_eq!(Name::parse(&name.to_string()), Some(Ok(name)));
        }
        for text in ["", "blob", "other/x", "/blob/x"] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
        for key in ["", "../x", "ABC", &format!("{digest}/x"), &digest.to_string()[1..]] {
            assert!(Name::parse(&format!("blob/{key}")).is_some_and(|name| name.is_err()), "{key}");
        }
    }
}
