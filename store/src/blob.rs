//! An open blob: a file where the home has files, a ranged source elsewhere.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use tokio::task::spawn_blocking;

use crate::digest::{Digest, Hasher};
use crate::error::{ErrorKind, StoreError};

/// How much is read at once, in bytes: large enough that a hop to a blocking thread costs little, small enough for many readers.
const PIECE: u64 = 256 << 10;

/// The content of a blob, piece by piece; ends after an error.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, StoreError>> + Send>>;

/// A home's own way to read part of a blob.
pub trait Ranged: Send + Sync + 'static {
    /// Streams exactly `range`, which lies within the blob; fewer bytes are an error at the end. Memory is bounded.
    fn read(&self, range: Range<u64>) -> Chunks;
}

/// A blob that is there, open for reading.
#[derive(Clone)]
pub struct Blob {
    digest: Digest,
    len: u64,
    content: Content,
}

#[derive(Clone)]
enum Content {
    File(Arc<File>),
    Ranged(Arc<dyn Ranged>),
}

impl Blob {
    pub(crate) fn of_file(digest: Digest, len: u64, file: File) -> Self {
        Self { digest, len, content: Content::File(Arc::new(file)) }
    }

    pub(crate) fn of_ranged(digest: Digest, len: u64, ranged: Arc<dyn Ranged>) -> Self {
        Self { digest, len, content: Content::Ranged(ranged) }
    }

    /// The blob's name.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The file, where the home keeps files: for `sendfile` and `pread`. Its position is shared, so give every read its offset.
    pub fn file(&self) -> Option<&Arc<File>> {
        match &self.content {
            Content::File(file) => Some(file),
            Content::Ranged(_) => None,
        }
    }

    /// Streams the bytes of `range`, cut to the blob's length, a bounded piece at a time.
    pub fn read_range(&self, range: Range<u64>) -> Chunks {
        let end = range.end.min(self.len);
        let range = range.start.min(end)..end;
        match &self.content {
            Content::Ranged(ranged) => ranged.read(range),
            Content::File(file) => read_file(self.digest, file.clone(), range),
        }
    }

    /// Streams the whole content and ends with [`ErrorKind::Damaged`] when it does not hash to the blob's name.
    pub fn read_checked(&self) -> Chunks {
        let state = (self.read_range(0..self.len), Hasher::default(), self.digest, false);
        Box::pin(stream::unfold(state, |(mut chunks, mut hasher, digest, done)| async move {
            use futures_util::StreamExt;
            if done {
                return None;
            }
            let item = match chunks.next().await {
                Some(Ok(piece)) => {
                    hasher.update(&piece);
                    return Some((Ok(piece), (chunks, hasher, digest, false)));
                }
                Some(Err(error)) => Err(error),
                None if hasher.digest() == digest => return None,
                None => Err(StoreError::new(ErrorKind::Damaged, format!("reading blob `{digest}`"))),
            };
            Some((item, (chunks, hasher, digest, true)))
        }))
    }
}

fn read_file(digest: Digest, file: Arc<File>, range: Range<u64>) -> Chunks {
    Box::pin(stream::unfold(Some(range), move |rest| {
        let file = file.clone();
        async move {
            let range = rest.filter(|range| !range.is_empty())?;
            let piece = range.start..range.end.min(range.start + PIECE);
            let rest = piece.end..range.end;
            match read_piece(digest, file, piece).await {
                Ok(bytes) => Some((Ok(bytes), Some(rest))),
                Err(error) => Some((Err(error), None)),
            }
        }
    }))
}

async fn read_piece(digest: Digest, file: Arc<File>, piece: Range<u64>) -> Result<Bytes, StoreError> {
    let subject = move || format!("reading blob `{digest}` at {}", piece.start);
    let (start, len) = (piece.start, (piece.end - piece.start) as usize);
    let read = spawn_blocking(move || {
        let mut buffer = vec![0; len];
        file.read_exact_at(&mut buffer, start).map(|()| Bytes::from(buffer))
    });
    match read.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(source)) if source.kind() == io::ErrorKind::UnexpectedEof => {
            Err(StoreError::new(ErrorKind::Damaged, subject()).because(source))
        }
        Ok(Err(source)) => Err(StoreError::io(subject(), source)),
        Err(source) => Err(StoreError::new(ErrorKind::Io, subject()).because(source)),
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("digest", &self.digest).field("len", &self.len).finish_non_exhaustive()
    }
}
