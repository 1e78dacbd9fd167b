//! The home in a bucket of an S3 server: every process that speaks to it is stateless.
//!
//! There is no lock server. Blobs are objects; small values are packed ([`values`]) and changed by `If-Match` on one of them.
//! A bucket that does not keep its conditions is refused at the start ([`probe`]). Nothing on the way of a request asks for a
//! listing. A timeout or a lost reply means that the outcome is unknown: what is there is read, and decides.

mod blobs;
pub(crate) mod bucket;
mod probe;
mod scratch;
mod values;

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
use tokio::task::spawn_blocking;

use crate::batch::{Op, Outcome, cell_of};
use crate::blob::Blob;
use crate::cell::{Cell, Put, Revision, Swap};
use crate::check::{Report, Stats, Tidied};
use crate::digest::Digest;
use crate::error::{ErrorKind, StoreError};
use crate::home::{Fate, Store};
use crate::incoming::{Incoming, Kept};
use crate::key::Key;
use crate::packed::name::{Shelf, row_name};
use crate::packed::row::Found;
use crate::s3::bucket::{Bucket, Pages};
use crate::s3::scratch::Scratch;
use crate::s3::values::Values;

/// The length of a tail, in bytes, at which it is sealed when nobody says otherwise: what every write sends.
const TAIL_FULL: usize = 128 << 10;
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
    /// Below which folder files grow before they are kept; the system's folder for temporary files if `None`.
    pub scratch: Option<PathBuf>,
    /// Bytes of that folder's file system that must stay free: below it files are refused with [`ErrorKind::Full`], and
    /// segments are not merged. What is small goes straight into the bucket.
    pub free_floor: u64,
    /// Bytes of small values at which they are sealed into a segment; tests make it small.
    pub tail_full: Option<usize>,
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

/// A store in a bucket. Must be opened and dropped within a tokio runtime.
#[derive(Debug)]
pub struct S3 {
    bucket: Bucket,
    scratch: Scratch,
    values: Values,
}

impl S3 {
    /// Opens the store after the bucket has proved that it keeps its conditions.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] in plain words for a bucket that does not keep them, [`ErrorKind::Damaged`] when the manifest of
    /// its small values cannot be read, [`ErrorKind::Io`] when it cannot be reached.
    pub async fn open(options: S3Options) -> Result<Self, StoreError> {
        let (root, floor) = (options.scratch.clone().unwrap_or_else(std::env::temp_dir), options.free_floor);
        let scratch =
            blocking("making a folder for temporary files", move || Scratch::open(&root, floor)).await?;
        let tail_full = options.tail_full.unwrap_or(TAIL_FULL);
        let bucket = bucket_of(options).await;
        probe::probe(&bucket).await?;
        let values = Values::open(bucket.clone(), scratch.clone(), tail_full).await?;
        Ok(Self { bucket, scratch, values })
    }

    /// Whether nothing was ever written there, as far as is known here.
    pub fn is_new(&self) -> bool {
        self.values.is_new()
    }

    async fn find(&self, key: &Key, shelf: Shelf) -> Result<Option<Bytes>, StoreError> {
        let found = self.values.find_many(&[row_name(key, shelf)]).await?;
        Ok(found.into_iter().next().flatten().and_then(Found::present))
    }
}

/// Does `act` on a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    subject: &'static str,
    act: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    spawn_blocking(act).await.map_err(|source| StoreError::new(ErrorKind::Io, subject).because(source))?
}

/// The bucket that the options name, and the ways there; it is asked nothing yet.
pub(crate) async fn bucket_of(options: S3Options) -> Bucket {
    let prefix = options.prefix.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    let [client, uploads] = connect(&options).await;
    Bucket { client, uploads, name: options.bucket, prefix }
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
        blocking("beginning a file", move || scratch.incoming()).await
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
        self.find(key, Shelf::Value).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, StoreError> {
        let names: Vec<_> = keys.iter().map(|key| row_name(key, Shelf::Value)).collect();
        let found = self.values.find_many(&names).await?;
        Ok(found.into_iter().map(|found| found.and_then(Found::present)).collect())
    }

    async fn put_if_absent(&self, key: &Key, value: Bytes) -> Result<Put, StoreError> {
        Ok(self.values.commit(Op::put(key, value)?).await?.of_put())
    }

    async fn cell(&self, key: &Key) -> Result<Option<Cell>, StoreError> {
        Ok(self.find(key, Shelf::Cell).await?.as_ref().map(cell_of))
    }

    async fn swap(&self, key: &Key, expected: Option<&Revision>, value: Bytes) -> Result<Swap, StoreError> {
        self.values.commit(Op::swap(key, expected, value)?).await?.of_swap(key)
    }

    async fn remove_cell(&self, key: &Key, expected: &Revision) -> Result<bool, StoreError> {
        Ok(matches!(self.values.commit(Op::drop(key, expected)).await?, Outcome::Done))
    }

    async fn remove(&self, key: &Key) -> Result<(), StoreError> {
        self.values.commit(Op::remove(key)).await.map(drop)
    }

    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.values.shared().list(prefix, after, limit).await
    }

    async fn blobs(&self, after: Option<&Digest>, limit: usize) -> Result<Vec<Digest>, StoreError> {
        Ok(blobs::list(&self.bucket, after, limit).await?.into_iter().map(|(digest, _)| digest).collect())
    }

    async fn examine(&self) -> Result<Report, StoreError> {
        self.values.shared().examine().await
    }

    async fn repair(&self) -> Result<(), StoreError> {
        self.values.shared().repair().await
    }

    async fn tidy(&self, moment: SystemTime) -> Result<Tidied, StoreError> {
        let mut tidied = self.values.shared().tidy(moment).await?;
        tidied += probe::tidy(&self.bucket, moment).await?;
        Ok(tidied)
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let mut stats = Stats::default();
        let mut blobs = Pages::new(&self.bucket, blobs::FOLDER.into());
        while let Some(page) = blobs.next().await? {
            stats.blobs += page.len() as u64;
            stats.blob_bytes += page.iter().map(|object| object.len).sum::<u64>();
        }
        (stats.rows, stats.row_bytes, stats.files) = self.values.shared().count().await?;
        Ok(stats)
    }
}
