//! The home in a bucket of an S3 server: every process that speaks to it is stateless.
//!
//! There is no lock server. Values are made by `If-None-Match: *`, cells changed by `If-Match`; a bucket that does not keep
//! these conditions is refused at the start ([`probe`]). Nothing on the way of a request asks for a listing. A timeout or a
//! lost reply means that the outcome is unknown: what is there is read, and decides.

mod blobs;
mod bucket;
mod probe;
mod values;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::spawn_blocking;

use crate::blob::Blob;
use crate::cell::{Cell, Put, Revision, Swap};
use crate::check::{Damage, Report, Stats};
use crate::digest::Digest;
use crate::error::{ErrorKind, StoreError};
use crate::home::{Fate, Store, check_size};
use crate::incoming::{Incoming, Kept};
use crate::key::Key;
use crate::packed::name::Shelf;
use crate::s3::bucket::{Bucket, Pages};

/// Reads under way at once for one caller.
const UNDER_WAY: usize = 32;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one try of a request may go without an answer's head.
const ANSWER: Duration = Duration::from_secs(10);
/// How long one try of an upload may take; one that stalls is given up earlier.
const UPLOAD: Duration = Duration::from_secs(900);
/// The wait before the second try, at most; it doubles.
const BACKOFF: Duration = Duration::from_millis(100);
/// Tries of a request.
const TRIES: u32 = 4;

/// Which bucket, and how to get there. What is `None` comes from the SDK's own chain: environment, profile, instance.
#[derive(Debug, Clone, Default)]
pub struct S3Options {
    /// The bucket's name.
    pub bucket: String,
    /// In front of every object's name; may be empty.
    pub prefix: String,
    /// The server, for anything but AWS.
    pub endpoint: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// `https://HOST/BUCKET/…` instead of `https://BUCKET.HOST/…`; most servers other than AWS want it.
    pub path_style: bool,
    /// Access key and secret.
    pub credentials: Option<(String, String)>,
    /// Where files grow before they are kept; the system's folder for temporary files if `None`.
    pub scratch: Option<PathBuf>,
}

impl S3Options {
    /// Reads `s3://BUCKET/PREFIX`; `None` for any other text.
    pub fn parse(url: &str) -> Option<Self> {
        let (bucket, prefix) =
            url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        let prefix = prefix.trim_matches('/');
        let valid = !bucket.is_empty() && !prefix.split('/').any(|part| matches!(part, "." | ".."));
        valid.then(|| Self { bucket: bucket.into(), prefix: prefix.into(), ..Self::default() })
    }
}

/// A store in a bucket.
#[derive(Debug)]
pub struct S3 {
    bucket: Bucket,
    scratch: PathBuf,
}

impl S3 {
    /// Opens the store after the bucket has proved that it keeps its conditions.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] in plain words for a bucket that does not keep them, [`ErrorKind::Io`] when it cannot be reached.
    pub async fn open(options: S3Options) -> Result<Self, StoreError> {
        let prefix = options.prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let scratch = options.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let [client, uploads] = connect(&options).await;
        let bucket = Bucket { client, uploads, name: options.bucket, prefix };
        probe::probe(&bucket).await?;
        Ok(Self { bucket, scratch })
    }

    async fn find(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(values::find(&self.bucket, key, Shelf::Value).await?.map(|(_, value, _)| value))
    }

    /// Adds the keys on `shelf` that begin with `prefix` and come after `after`, and keeps the first `limit` of all.
    async fn list_shelf(
        &self,
        shelf: Shelf,
        prefix: &str,
        after: Option<&Key>,
        limit: usize,
        keys: &mut BTreeSet<Key>,
    ) -> Result<(), StoreError> {
        let mut pages = Pages::new(&self.bucket, values::name_prefix(prefix, shelf));
        while let Some(page) = pages.next().await? {
            let found = page.iter().filter_map(|object| values::key_of(&object.name, shelf));
            keys.extend(found.filter(|key| after.is_none_or(|after| key > after)));
            while keys.len() > limit {
                keys.pop_last();
            }
        }
        Ok(())
    }

    async fn examine_shelf(&self, shelf: Shelf, report: &mut Report) -> Result<(), StoreError> {
        let mut pages = Pages::new(&self.bucket, values::folder(shelf).into());
        while let Some(page) = pages.next().await? {
            let keys = page.into_iter().filter_map(|object| values::key_of(&object.name, shelf));
            let reads = keys.map(|key| async move {
                let found = values::find(&self.bucket, &key, shelf).await;
                (key, found)
            });
            let mut reads = stream::iter(reads).buffered(UNDER_WAY);
            while let Some((key, found)) = reads.next().await {
                report.rows += 1;
                match found {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::Damaged => report.damage.push(match shelf {
                        Shelf::Cell => Damage::Cell(key),
                        Shelf::Value => Damage::Value(key),
                    }),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Two ways to the same server: one that waits [`ANSWER`] for an answer, one that waits as long as an upload may take.
async fn connect(options: &S3Options) -> [aws_sdk_s3::Client; 2] {
    let retries = RetryConfig::standard().with_max_attempts(TRIES).with_initial_backoff(BACKOFF);
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries);
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some((key, secret)) = &options.credentials {
        loader = loader.credentials_provider(Credentials::new(key, secret, None, None, "modkeep"));
    }
    let shared = loader.load().await;
    [ANSWER, UPLOAD].map(|answer| {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(answer).build();
        // checksums are sent as headers where they are known: trailers are what other servers stumble over
        let mut builder = Builder::from(&shared)
            .timeout_config(timeouts)
            .force_path_style(options.path_style)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(endpoint) = &options.endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        if shared.region().is_none() {
            builder = builder.region(Region::new("us-east-1"));
        }
        aws_sdk_s3::Client::from_conf(builder.build())
    })
}

#[async_trait]
impl Store for S3 {
    async fn begin(&self) -> Result<Incoming, StoreError> {
        let scratch = self.scratch.clone();
        let begun = spawn_blocking(move || Incoming::create(&scratch)).await;
        begun.map_err(|source| StoreError::new(ErrorKind::Io, "beginning a file").because(source))?
    }

    async fn keep(&self, incoming: Incoming) -> Result<Kept, StoreError> {
        let (_file, path, kept) = incoming.finish()?;
        blobs::keep(&self.bucket, &path, kept).await.map(|()| kept)
    }

    async fn open(&self, digest: &Digest) -> Result<Option<Blob>, StoreError> {
        blobs::open(&self.bucket, digest).await
    }

    async fn quarantine(&self, digest: &Digest) -> Result<bool, StoreError> {
        blobs::quarantine(&self.bucket, digest).await
    }

    async fn discard(&self, digest: &Digest) -> Result<bool, StoreError> {
        blobs::discard(&self.bucket, digest).await
    }

    async fn retire(&self, digest: &Digest, moment: SystemTime) -> Result<bool, StoreError> {
        blobs::retire(&self.bucket, digest, moment).await
    }

    async fn retired(&self, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        blobs::retired(&self.bucket, limit).await
    }

    async fn settle(&self, digest: &Digest, fate: Fate) -> Result<(), StoreError> {
        blobs::settle(&self.bucket, digest, fate).await
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.find(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let reads = keys.iter().cloned().map(|key| async move { self.find(&key).await });
        stream::iter(reads).buffered(UNDER_WAY).try_collect().await
    }

    async fn put_if_absent(&self, key: &Key, value: Bytes) -> Result<Put, StoreError> {
        check_size(key, &value)?;
        values::put_if_absent(&self.bucket, key, &value).await
    }

    async fn cell(&self, key: &Key) -> Result<Option<Cell>, StoreError> {
        let found = values::find(&self.bucket, key, Shelf::Cell).await?;
        Ok(found.map(|(_, value, object)| Cell { value, revision: Revision::new(&object.tag) }))
    }

    async fn swap(&self, key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Swap, StoreError> {
        check_size(key, &value)?;
        values::swap(&self.bucket, key, expected, &value).await
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        for shelf in [Shelf::Cell, Shelf::Value] {
            self.bucket.delete(&values::object_name(key, shelf)).await?;
        }
        Ok(())
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        let mut keys = BTreeSet::new();
        for shelf in [Shelf::Value, Shelf::Cell] {
            self.list_shelf(shelf, prefix, after, limit, &mut keys).await?;
        }
        Ok(keys.into_iter().collect())
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        Ok(blobs::list(&self.bucket, after, limit).await?.into_iter().map(|(digest, _)| digest).collect())
    }

    async fn examine(&self) -> Result<Report, StoreError> {
        let mut report = Report::default();
        self.examine_shelf(Shelf::Value, &mut report).await?;
        self.examine_shelf(Shelf::Cell, &mut report).await?;
        Ok(report)
    }

    async fn repair(&self) -> Result<(), StoreError> {
        for damage in self.examine().await?.damage {
            match damage {
                Damage::Value(key) => self.bucket.delete(&values::object_name(&key, Shelf::Value)).await?,
                Damage::Cell(key) => self.bucket.delete(&values::object_name(&key, Shelf::Cell)).await?,
                Damage::Blob(_) | Damage::Bytes { .. } => {}
            }
        }
        Ok(())
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let mut stats = Stats::default();
        let mut blobs = Pages::new(&self.bucket, blobs::FOLDER.into());
        while let Some(page) = blobs.next().await? {
            stats.blobs += page.len() as u64;
            stats.blob_bytes += page.iter().map(|object| object.len).sum::<u64>();
        }
        for shelf in [Shelf::Cell, Shelf::Value] {
            let mut pages = Pages::new(&self.bucket, values::folder(shelf).into());
            while let Some(page) = pages.next().await? {
                stats.rows += page.len() as u64;
                stats.files += page.len() as u64;
                stats.row_bytes += page.iter().map(|object| object.len).sum::<u64>();
            }
        }
        Ok(stats)
    }
}
