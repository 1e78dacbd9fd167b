//! Blobs in a bucket: one object each, at `blobs/ab/cdef…`.
//!
//! The name is the digest of the content, so writing one twice is harmless and needs no condition; a lost reply is answered by
//! looking, and by writing again.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::blob::{Blob, Chunks, Ranged};
use crate::digest::{Digest, Hasher};
use crate::error::{ErrorKind, StoreError};
use crate::home::Fate;
use crate::incoming::Kept;
use crate::s3::bucket::{Bucket, PAGE, written};

/// Longer blobs go up in parts.
const SINGLE: u64 = 64 << 20;
/// Bytes of a part.
const PART: u64 = 16 << 20;
/// Parts under way at once.
const PARTS_UNDER_WAY: usize = 4;
/// How often an upload, or the rest of a broken download, is tried.
const TRIES: usize = 3;

pub(crate) const FOLDER: &str = "blobs/";
const RETIRED: &str = "retired/";

pub(crate) fn object_name(digest: &Digest) -> String {
    let digest = digest.to_string();
    format!("{FOLDER}{}/{}", &digest[..2], &digest[2..])
}

/// The digest of the blob in the object of this name.
pub(crate) fn digest_of(name: &str) -> Option<Digest> {
    let (first, rest) = name.strip_prefix(FOLDER)?.split_once('/')?;
    Digest::parse(&format!("{first}{rest}")).ok()
}

/// Opens a blob.
pub(crate) async fn open(bucket: &Bucket, digest: &Digest) -> Result<Option<Blob>, StoreError> {
    let Some(len) = bucket.len(&object_name(digest)).await? else { return Ok(None) };
    let ranged = RemoteBlob { bucket: bucket.clone(), digest: *digest };
    Ok(Some(Blob::of_ranged(*digest, len, Arc::new(ranged))))
}

/// What goes up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'a> {
    /// The file at this path.
    File(&'a Path),
    /// What is in memory.
    Bytes(&'a Bytes),
}

/// Uploads the file at `path`, which is `kept`.
pub(crate) async fn keep(bucket: &Bucket, path: &Path, kept: Kept) -> Result<(), StoreError> {
    upload(bucket, &object_name(&kept.digest), Content::File(path), kept).await
}

/// Makes `content`, which is `kept`, the object `name`, unless an object of that name and length is there.
pub(crate) async fn upload(
    bucket: &Bucket,
    name: &str,
    content: Content<'_>,
    kept: Kept,
) -> Result<(), StoreError> {
    let mut failed = None;
    for _ in 0..TRIES {
        if bucket.len(name).await? == Some(kept.len) {
            return Ok(());
        }
        let upload = match kept.len {
            0..=SINGLE => upload_whole(bucket, name, content, kept).await,
            _ => upload_parts(bucket, name, content, kept).await,
        };
        match upload {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Unknown => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failed.unwrap_or_else(|| StoreError::new(ErrorKind::Unknown, subject(bucket, name))))
}

fn subject(bucket: &Bucket, name: &str) -> String {
    format!("uploading `{}`", bucket.key(name))
}

async fn upload_whole(
    bucket: &Bucket,
    name: &str,
    content: Content<'_>,
    kept: Kept,
) -> Result<(), StoreError> {
    let body = stream_of(bucket, name, content, 0..kept.len).await?;
    let checksum = BASE64.encode(kept.digest.as_bytes());
    let request = bucket.uploads.put_object().bucket(&bucket.name).key(bucket.key(name));
    let request = request.body(body).checksum_sha256(checksum);
    request.send().await.map_err(|error| written(error, &|| subject(bucket, name)))?;
    Ok(())
}

async fn stream_of(
    bucket: &Bucket,
    name: &str,
    content: Content<'_>,
    range: Range<u64>,
) -> Result<ByteStream, StoreError> {
    let path = match content {
        Content::File(path) => path,
        Content::Bytes(bytes) => {
            return Ok(ByteStream::from(bytes.slice(range.start as usize..range.end as usize)));
        }
    };
    let body =
        ByteStream::read_from().path(path).offset(range.start).length(Length::Exact(range.end - range.start));
    body.build().await.map_err(|error| StoreError::new(ErrorKind::Io, subject(bucket, name)).because(error))
}

async fn upload_parts(
    bucket: &Bucket,
    name: &str,
    content: Content<'_>,
    kept: Kept,
) -> Result<(), StoreError> {
    let failed = || subject(bucket, name);
    let begin = bucket.client.create_multipart_upload().bucket(&bucket.name).key(bucket.key(name));
    let begun =
        begin.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.map_err(|e| written(e, &failed))?;
    let id = begun
        .upload_id
        .ok_or_else(|| StoreError::new(ErrorKind::Io, format!("{}: no upload id", failed())))?;
    let ranges = (0..kept.len.div_ceil(PART)).map(|part| part * PART..kept.len.min((part + 1) * PART));
    let parts =
        (1..).zip(ranges).map(|(number, range)| upload_part(bucket, name, content, &id, number, range));
    let parts: Result<Vec<CompletedPart>, StoreError> =
        stream::iter(parts).buffered(PARTS_UNDER_WAY).try_collect().await;
    let parts = match parts {
        Ok(parts) => CompletedMultipartUpload::builder().set_parts(Some(parts)).build(),
        Err(error) => {
            // parts of an upload that is not completed cost money; the bucket's lifecycle rule takes those that stay
            let abort = bucket
                .client
                .abort_multipart_upload()
                .bucket(&bucket.name)
                .key(bucket.key(name))
                .upload_id(&id);
            if let Err(left) = abort.send().await {
                tracing::warn!(
                    error = &left as &dyn std::error::Error,
                    name,
                    "parts of a failed upload stay in the bucket"
                );
            }
            return Err(error);
        }
    };
    let complete =
        bucket.uploads.complete_multipart_upload().bucket(&bucket.name).key(bucket.key(name)).upload_id(id);
    complete.multipart_upload(parts).send().await.map_err(|error| written(error, &failed))?;
    match bucket.len(name).await? {
        Some(len) if len == kept.len => Ok(()),
        len => Err(StoreError::new(
            ErrorKind::Unknown,
            format!("{}: {len:?} bytes of {} arrived", failed(), kept.len),
        )),
    }
}

async fn upload_part(
    bucket: &Bucket,
    name: &str,
    content: Content<'_>,
    id: &str,
    number: i32,
    range: Range<u64>,
) -> Result<CompletedPart, StoreError> {
    let failed = || subject(bucket, name);
    let checksum = part_checksum(stream_of(bucket, name, content, range.clone()).await?).await;
    let checksum = checksum.map_err(|error| StoreError::new(ErrorKind::Io, failed()).because(error))?;
    let body = stream_of(bucket, name, content, range).await?;
    let request = bucket.uploads.upload_part().bucket(&bucket.name).key(bucket.key(name)).upload_id(id);
    let request = request.part_number(number).checksum_sha256(&checksum).body(body);
    let done = request.send().await.map_err(|error| written(error, &failed))?;
    Ok(CompletedPart::builder().part_number(number).checksum_sha256(checksum).set_e_tag(done.e_tag).build())
}

async fn part_checksum(mut body: ByteStream) -> Result<String, aws_sdk_s3::primitives::ByteStreamError> {
    let mut hasher = Hasher::default();
    while let Some(piece) = body.try_next().await? {
        hasher.update(&piece);
    }
    Ok(BASE64.encode(hasher.digest().as_bytes()))
}

/// Copies a blob to the quarantine and deletes it; says whether there was one.
pub(crate) async fn quarantine(bucket: &Bucket, digest: &Digest) -> Result<bool, StoreError> {
    let name = object_name(digest);
    if bucket.len(&name).await?.is_none() {
        return Ok(false);
    }
    bucket.copy(&name, &format!("quarantine/{digest}")).await?;
    bucket.delete(&name).await.map(|()| true)
}

fn retired_name(digest: &Digest) -> String {
    format!("{RETIRED}{digest}")
}

/// Moves a blob that was last written before `moment` out of sight; says whether it did. There is no move: a blob that is written
/// again between the copy and the deletion goes with it, so who keeps one looks after naming it whether it is there.
pub(crate) async fn retire(bucket: &Bucket, digest: &Digest, moment: SystemTime) -> Result<bool, StoreError> {
    let name = object_name(digest);
    match bucket.written_at(&name).await? {
        Some(written) if written < moment => {}
        _ => return Ok(false),
    }
    bucket.copy(&name, &retired_name(digest)).await?;
    bucket.delete(&name).await.map(|()| true)
}

/// At most `limit` retired blobs and their lengths.
pub(crate) async fn retired(bucket: &Bucket, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
    let page = bucket.list(RETIRED, None, limit.min(PAGE)).await?;
    let digest = |name: &str| Digest::parse(name.strip_prefix(RETIRED)?).ok();
    Ok(page.iter().filter_map(|object| Some((digest(&object.name)?, object.len))).collect())
}

/// Brings a retired blob back, unless it was kept again, or deletes it.
pub(crate) async fn settle(bucket: &Bucket, digest: &Digest, fate: Fate) -> Result<(), StoreError> {
    let (name, retired) = (object_name(digest), retired_name(digest));
    if fate == Fate::Back && bucket.len(&name).await?.is_none() && bucket.len(&retired).await?.is_some() {
        bucket.copy(&retired, &name).await?;
    }
    bucket.delete(&retired).await
}

/// Deletes a blob; says whether there was one.
pub(crate) async fn discard(bucket: &Bucket, digest: &Digest) -> Result<bool, StoreError> {
    let name = object_name(digest);
    let was_there = bucket.len(&name).await?.is_some();
    bucket.delete(&name).await.map(|()| was_there)
}

/// At most `limit` blobs in ascending order with their lengths, those after `after`.
pub(crate) async fn list(
    bucket: &Bucket,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<(Digest, u64)>, StoreError> {
    let mut after = after.map(object_name);
    let mut blobs = Vec::new();
    while blobs.len() < limit {
        let page = bucket.list(FOLDER, after.as_deref(), (limit - blobs.len()).min(PAGE)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.name.clone());
        blobs.extend(
            page.iter().filter_map(|object| digest_of(&object.name).map(|digest| (digest, object.len))),
        );
    }
    Ok(blobs)
}

/// A blob that is read by ranges.
struct RemoteBlob {
    bucket: Bucket,
    digest: Digest,
}

impl Ranged for RemoteBlob {
    fn read(&self, range: Range<u64>) -> Chunks {
        download(&self.bucket, object_name(&self.digest), range)
    }
}

/// Streams part of an object; a broken connection is taken up again where it broke.
pub(crate) fn download(bucket: &Bucket, name: String, range: Range<u64>) -> Chunks {
    let download = Download { bucket: bucket.clone(), name, rest: range, body: None, tries: 0 };
    Box::pin(stream::try_unfold(download, |mut download| async move {
        Ok(download.next().await?.map(|piece| (piece, download)))
    }))
}

/// A download under way.
struct Download {
    bucket: Bucket,
    name: String,
    rest: Range<u64>,
    body: Option<ByteStream>,
    tries: usize,
}

impl Download {
    /// The next piece.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        while !self.rest.is_empty() {
            match self.piece().await {
                Ok(Some(mut piece)) => {
                    piece.truncate((self.rest.end - self.rest.start).min(piece.len() as u64) as usize);
                    self.rest.start += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Err(error) if error.kind() == ErrorKind::Damaged => return Err(error),
                broken => {
                    self.body = None;
                    self.tries += 1;
                    if self.tries == TRIES {
                        let short = || {
                            StoreError::new(
                                ErrorKind::Damaged,
                                format!("reading `{}`: it ends early", self.name),
                            )
                        };
                        return Err(broken.err().unwrap_or_else(short));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.body.is_none() {
            let gone = || StoreError::new(ErrorKind::Damaged, format!("reading `{}`: it is gone", self.name));
            self.body = Some(self.bucket.get_range(&self.name, self.rest.clone()).await?.ok_or_else(gone)?);
        }
        let Some(body) = &mut self.body else { return Ok(None) };
        let piece = body.try_next().await;
        piece.map_err(|error| {
            StoreError::new(ErrorKind::Io, format!("reading `{}`", self.name)).because(error)
        })
    }
}
