//! Segments on this machine for a while: those that are built before they go up, and those that came down to be read whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::digest::Hasher;
use crate::error::{ErrorKind, StoreError};
use crate::folder::LocalSegment;
use crate::incoming::{Incoming, Kept};
use crate::packed::build::Builder;
use crate::packed::merge::RunError;
use crate::packed::rebuild;
use crate::packed::segment::Head;
use crate::s3::blobs::{download, upload};
use crate::s3::bucket::Bucket;
use crate::s3::values::manifest::Entry;
use crate::s3::values::mark;
use crate::s3::values::segment::RowError;

/// Written at once, in bytes.
const BUFFER: usize = 256 << 10;

/// A segment that was built here and has no name in the bucket yet.
pub(crate) struct Built {
    file: NamedTempFile,
    kept: Kept,
    rows: u64,
}

/// Builds a segment of at most `rows` rows in `scratch`; `push` gives the rows. Blocks.
pub(crate) fn build(
    scratch: &Path,
    rows: u64,
    push: impl FnOnce(&mut Builder<BufWriter<Hashing>>) -> Result<(), RunError>,
) -> Result<Built, RunError> {
    let file = NamedTempFile::with_prefix_in("segment-", scratch)?;
    let hashing = Hashing { file: file.reopen()?, hasher: Hasher::default() };
    let mut builder = Builder::new(BufWriter::with_capacity(BUFFER, hashing), rows);
    push(&mut builder)?;
    let (out, rows, len) = builder.finish()?;
    let hashing = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(Built { file, kept: Kept { digest: hashing.hasher.digest(), len }, rows })
}

impl Built {
    /// Makes it an object of a name of its own.
    pub(crate) async fn upload(&self, bucket: &Bucket, level: u64) -> Result<Entry, StoreError> {
        let entry = Entry { id: mark(), level, rows: self.rows, len: self.kept.len };
        upload(bucket, &entry.object(), self.file.path(), self.kept).await?;
        Ok(entry)
    }
}

/// A file whose content is hashed as it is written.
pub(crate) struct Hashing {
    file: File,
    hasher: Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Brings a segment down to `scratch`.
pub(crate) async fn fetch(
    bucket: &Bucket,
    scratch: &Path,
    entry: Entry,
) -> Result<Arc<LocalSegment>, RowError> {
    let file = fetch_file(bucket, scratch, entry).await?;
    let opened = blocking(move || LocalSegment::of_file(file, 0, entry.rows)).await?;
    opened.map(Arc::new).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => RowError::Damaged(entry.object(), 0),
        _ => StoreError::io("opening a segment", error).into(),
    })
}

async fn fetch_file(bucket: &Bucket, scratch: &Path, entry: Entry) -> Result<File, RowError> {
    let name = entry.object();
    match bucket.len(&name).await? {
        None => return Err(RowError::Gone(name)),
        Some(len) if len != entry.len => return Err(RowError::Damaged(name, len.min(entry.len))),
        Some(_) => {}
    }
    let scratch = scratch.to_owned();
    let mut incoming = blocking(move || Incoming::create(&scratch)).await??;
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
pub(crate) async fn rebuild(bucket: &Bucket, entry: Entry) -> Result<Head, RowError> {
    let file = fetch_file(bucket, &std::env::temp_dir(), entry).await?;
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
