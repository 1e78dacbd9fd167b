//! Segments on this machine for a while: those that are built before they go up, and those that came down to be read whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::digest::Hasher;
use crate::error::{ErrorKind, StoreError};
use crate::folder::LocalSegment;
use crate::incoming::Kept;
use crate::packed::build::Builder;
use crate::packed::merge::RunError;
use crate::packed::rebuild;
use crate::packed::segment::Head;
use crate::s3::blobs::{Content, download, upload};
use crate::s3::bucket::Bucket;
use crate::s3::scratch::Scratch;
use crate::s3::values::manifest::Entry;
use crate::s3::values::mark;
use crate::s3::values::segment::RowError;

/// Written at once, in bytes.
const BUFFER: usize = 256 << 10;

/// A segment that was built here and has no name in the bucket yet.
pub(crate) struct Built {
    content: BuiltContent,
    kept: Kept,
    rows: u64,
}

enum BuiltContent {
    File(NamedTempFile),
    Memory(Bytes),
}

/// Builds a segment of at most `rows` rows in `scratch`; `push` gives the rows. Blocks.
pub(crate) fn build(
    scratch: &Scratch,
    rows: u64,
    push: impl FnOnce(&mut Builder<BufWriter<Hashing<File>>>) -> Result<(), RunError>,
) -> Result<Built, RunError> {
    let file = NamedTempFile::with_prefix_in("segment-", scratch.folder())?;
    let hashing = Hashing { out: file.reopen()?, hasher: Hasher::default() };
    let mut builder = Builder::new(BufWriter::with_capacity(BUFFER, hashing), rows);
    push(&mut builder)?;
    let (out, rows, len) = builder.finish()?;
    let hashing = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let kept = Kept { digest: hashing.hasher.digest(), len };
    Ok(Built { content: BuiltContent::File(file), kept, rows })
}

/// The same in memory, for rows that are there anyway: sealing a tail needs no disk.
pub(crate) fn build_in_memory(
    rows: u64,
    push: impl FnOnce(&mut Builder<Hashing<Vec<u8>>>) -> io::Result<()>,
) -> io::Result<Built> {
    let mut builder = Builder::new(Hashing { out: Vec::new(), hasher: Hasher::default() }, rows);
    push(&mut builder)?;
    let (hashing, rows, len) = builder.finish()?;
    let kept = Kept { digest: hashing.hasher.digest(), len };
    Ok(Built { content: BuiltContent::Memory(hashing.out.into()), kept, rows })
}

impl Built {
    /// Makes it an object of a name of its own.
    pub(crate) async fn upload(&self, bucket: &Bucket, level: u64) -> Result<Entry, StoreError> {
        let entry = Entry { id: mark(), level, rows: self.rows, len: self.kept.len };
        let content = match &self.content {
            BuiltContent::File(file) => Content::File(file.path()),
            BuiltContent::Memory(bytes) => Content::Bytes(bytes),
        };
        upload(bucket, &entry.object(), content, self.kept).await?;
        Ok(entry)
    }
}

/// What is written is hashed.
pub(crate) struct Hashing<W> {
    out: W,
    hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Brings a segment down to `scratch`.
pub(crate) async fn fetch(
    bucket: &Bucket,
    scratch: &Scratch,
    entry: Entry,
) -> Result<Arc<LocalSegment>, RowError> {
    let file = fetch_file(bucket, scratch, entry).await?;
    let opened = blocking(move || LocalSegment::of_file(file, 0, entry.rows)).await?;
    opened.map(Arc::new).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => RowError::Damaged(entry.object(), 0),
        _ => StoreError::io("opening a segment", error).into(),
    })
}

async fn fetch_file(bucket: &Bucket, scratch: &Scratch, entry: Entry) -> Result<File, RowError> {
    let name = entry.object();
    match bucket.len(&name).await? {
        None => return Err(RowError::Gone(name)),
        Some(len) if len != entry.len => return Err(RowError::Damaged(name, len.min(entry.len))),
        Some(_) => {}
    }
    let scratch = scratch.clone();
    let mut incoming = blocking(move || scratch.incoming()).await??;
    let mut pieces = download(bucket, name.clone(), 0..entry.len);
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => incoming.write(piece).await?,
            Err(_) if bucket.len(&name).await?.is_none() => return Err(RowError::Gone(name)),
            Err(error) => return Err(error.into()),
        }
    }
    // the handle stays good when the name goes
    Ok(incoming.reader()?)
}

/// The head that the rows of a segment tell.
pub(crate) async fn rebuild(bucket: &Bucket, scratch: &Scratch, entry: Entry) -> Result<Head, RowError> {
    let file = fetch_file(bucket, scratch, entry).await?;
    let rebuilt = blocking(move || rebuild::rebuild(file, entry.len, entry.rows)).await?;
    rebuilt.map_err(|error| match error {
        RunError::Damaged(at) => RowError::Damaged(entry.object(), at),
        RunError::Io(error) => StoreError::io("reading a segment", error).into(),
    })
}

/// Does `act` on a thread that may wait for the disk.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let subject = "working on a segment";
    spawn_blocking(act).await.map_err(|source| StoreError::new(ErrorKind::Io, subject).because(source))
}
