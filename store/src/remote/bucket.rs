//! A shelf of objects in a bucket: `PREFIX/blob/KEY` and `PREFIX/manifest/KEY`. No condition is asked for, so any server that
//! speaks S3 will do, and the bucket's own rules may expire what is old.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Name, Shelf};
use crate::error::{ErrorKind, StoreError};
use crate::s3::bucket::Bucket;
use crate::s3::{S3Options, bucket_of};

/// Shared things in a bucket.
#[derive(Debug, Clone)]
pub struct BucketShelf {
    bucket: Bucket,
}

impl BucketShelf {
    /// The bucket that the options name; nothing is asked of it yet. Within a tokio runtime.
    pub async fn open(options: S3Options) -> Self {
        Self { bucket: bucket_of(options).await }
    }
}

#[async_trait]
impl Shelf for BucketShelf {
    async fn get(&self, name: &Name, limit: u64) -> Result<Option<Bytes>, StoreError> {
        self.bucket.get_bounded(&name.to_string(), limit).await
    }

    async fn has(&self, name: &Name) -> Result<bool, StoreError> {
        Ok(self.bucket.len(&name.to_string()).await?.is_some())
    }

    async fn put(&self, name: &Name, content: Bytes) -> Result<(), StoreError> {
        if content.len() as u64 > name.limit() {
            return Err(StoreError::new(ErrorKind::Refused, format!("writing {name}: it is too long")));
        }
        self.bucket.put_over(&name.to_string(), content).await
    }
}
