//! One bucket and prefix, spoken to in the few requests this home needs.
//!
//! The SDK repeats what was lost on the way, also writes that carry a condition, so a condition may fail because the first try
//! had succeeded. That is why every conditional body begins with a mark of its writer: whoever is refused looks who was there.

use std::error::Error;
use std::future::Future;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use bytes::Bytes;
use tokio::time::timeout;

use crate::error::{ErrorKind, StoreError};

/// How long a request for something small may take, repeats included.
const PATIENCE: Duration = Duration::from_secs(30);
/// Objects asked for in one listing.
pub(crate) const PAGE: usize = 1000;

/// A bucket, a prefix in it, and the way there.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) client: Client,
    /// The same, but patient: an upload is answered when it is over.
    pub(crate) uploads: Client,
    pub(crate) name: String,
    /// Empty, or ends with `/`.
    pub(crate) prefix: String,
}

/// A small object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    pub(crate) tag: String,
}

/// Under which condition an object is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition<'a> {
    /// There is no object of that name.
    Absent,
    /// The object has this entity tag.
    Tag(&'a str),
}

/// What became of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there, with this entity tag.
    Done(String),
    /// The condition did not hold (412, 404), or another write was under way (409).
    Refused,
}

/// What is there in place of what was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Got {
    /// The object with the entity tag that was named.
    Same,
    /// Another object.
    Changed(Object),
    /// None.
    Absent,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name without the prefix.
    pub(crate) name: String,
    pub(crate) len: u64,
    /// By the server's clock.
    pub(crate) written: SystemTime,
}

impl Bucket {
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A small object, unless it still has the entity tag `known`.
    pub(crate) async fn get_unless(&self, name: &str, known: Option<&str>) -> Result<Got, StoreError> {
        let subject = || format!("reading object `{}`", self.key(name));
        let read = async {
            let request = self.client.get_object().bucket(&self.name).key(self.key(name));
            let output = match request.set_if_none_match(known.map(str::to_owned)).send().await {
                Ok(output) => output,
                Err(error) if status(&error) == Some(304) => return Ok(Got::Same),
                Err(error) if status(&error) == Some(404) => return Ok(Got::Absent),
                Err(error) => return Err(read(error, &subject)),
            };
            let tag = output.e_tag.clone().unwrap_or_default();
            let body = collect(output)
                .await
                .map_err(|error| StoreError::new(ErrorKind::Io, subject()).because(error))?;
            Ok(if known == Some(&*tag) { Got::Same } else { Got::Changed(Object { body, tag }) })
        };
        patiently(ErrorKind::Io, &subject, read).await
    }

    /// Part of an object, as a stream; `None` when there is no such object.
    pub(crate) async fn get_range(
        &self,
        name: &str,
        range: Range<u64>,
    ) -> Result<Option<ByteStream>, StoreError> {
        let subject = || format!("reading object `{}` at {}", self.key(name), range.start);
        let request = self.client.get_object().bucket(&self.name).key(self.key(name));
        let request = request.range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let read = async { absent(request.send().await, &subject) };
        Ok(patiently(ErrorKind::Io, &subject, read).await?.map(|output| output.body))
    }

    /// The same, collected; exactly the range or an error that it is damaged.
    pub(crate) async fn get_bytes(&self, name: &str, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let subject = || format!("reading object `{}` at {}", self.key(name), range.start);
        if range.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let read = async {
            let Some(body) = self.get_range(name, range.clone()).await? else { return Ok(None) };
            let body = body.collect().await.map(|body| body.into_bytes());
            let bytes = body.map_err(|error| StoreError::new(ErrorKind::Io, subject()).because(error))?;
            match bytes.len() as u64 == range.end - range.start {
                true => Ok(Some(bytes)),
                false => Err(StoreError::new(ErrorKind::Damaged, subject())),
            }
        };
        patiently(ErrorKind::Io, &subject, read).await
    }

    /// A whole object of at most `limit` bytes.
    pub(crate) async fn get_bounded(&self, name: &str, limit: u64) -> Result<Option<Bytes>, StoreError> {
        let subject = || format!("reading object `{}`", self.key(name));
        let request = self.uploads.get_object().bucket(&self.name).key(self.key(name));
        let Some(output) = absent(request.send().await, &subject)? else { return Ok(None) };
        if output.content_length.is_none_or(|len| u64::try_from(len).is_ok_and(|len| len > limit)) {
            return Err(StoreError::new(ErrorKind::Damaged, format!("{}: longer than {limit}", subject())));
        }
        let body = collect(output).await;
        body.map(Some).map_err(|error| StoreError::new(ErrorKind::Io, subject()).because(error))
    }

    /// Writes an object in place of what was there, as long as it takes.
    pub(crate) async fn put_over(&self, name: &str, body: Bytes) -> Result<(), StoreError> {
        let subject = || format!("writing object `{}`", self.key(name));
        let request = self.uploads.put_object().bucket(&self.name).key(self.key(name));
        let sent = request.body(ByteStream::from(body)).send().await;
        sent.map(drop).map_err(|error| written(error, &subject))
    }

    /// Copies an object to where its operator can look at it.
    pub(crate) async fn copy(&self, name: &str, to: &str) -> Result<(), StoreError> {
        let subject = || format!("copying object `{}`", self.key(name));
        let copy = self.uploads.copy_object().bucket(&self.name).key(self.key(to));
        let copy = copy.copy_source(format!("{}/{}", self.name, self.key(name)));
        copy.send().await.map(drop).map_err(|error| written(error, &subject))
    }

    /// The length of an object.
    pub(crate) async fn len(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let subject = || format!("looking for object `{}`", self.key(name));
        let read = async {
            let output = absent(
                self.client.head_object().bucket(&self.name).key(self.key(name)).send().await,
                &subject,
            )?;
            Ok(output.map(|output| output.content_length.unwrap_or(0).max(0) as u64))
        };
        patiently(ErrorKind::Io, &subject, read).await
    }

    /// When an object was written, by the server's clock.
    pub(crate) async fn written_at(&self, name: &str) -> Result<Option<SystemTime>, StoreError> {
        let subject = || format!("looking for object `{}`", self.key(name));
        let read = async {
            let output = absent(
                self.client.head_object().bucket(&self.name).key(self.key(name)).send().await,
                &subject,
            )?;
            Ok(output.map(|output| moment(output.last_modified.as_ref())))
        };
        patiently(ErrorKind::Io, &subject, read).await
    }

    /// Writes a small object. An error is [`ErrorKind::Unknown`] unless the server refused the request.
    pub(crate) async fn put(
        &self,
        name: &str,
        body: Bytes,
        condition: Condition<'_>,
    ) -> Result<Written, StoreError> {
        let subject = || format!("writing object `{}`", self.key(name));
        let request = self.put_request(name, condition).body(ByteStream::from(body));
        let write = async {
            match request.send().await {
                Ok(output) => Ok(Written::Done(output.e_tag.unwrap_or_default())),
                Err(error) if error.code() == Some("NoSuchBucket") => {
                    let why = format!("there is no bucket `{}`", self.name);
                    Err(StoreError::new(ErrorKind::Io, why))
                }
                Err(error) => match status(&error) {
                    Some(404 | 409 | 412) => Ok(Written::Refused),
                    _ => Err(written(error, &subject)),
                },
            }
        };
        patiently(ErrorKind::Unknown, &subject, write).await
    }

    fn put_request(&self, name: &str, condition: Condition<'_>) -> PutObjectFluentBuilder {
        let request = self.client.put_object().bucket(&self.name).key(self.key(name));
        match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Tag(tag) => request.if_match(tag),
        }
    }

    /// Deletes an object, be it there or not.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), StoreError> {
        let subject = || format!("deleting object `{}`", self.key(name));
        let delete = async {
            match self.client.delete_object().bucket(&self.name).key(self.key(name)).send().await {
                Err(error) if status(&error) != Some(404) => Err(written(error, &subject)),
                _ => Ok(()),
            }
        };
        patiently(ErrorKind::Unknown, &subject, delete).await
    }

    /// One page of the objects whose names begin with `folder`, those after `after`, in byte order.
    pub(crate) async fn list(
        &self,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        let subject = || format!("listing objects `{}*`", self.key(folder));
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(self.key(folder));
        let request =
            request.max_keys(limit.min(PAGE) as i32).set_start_after(after.map(|after| self.key(after)));
        let list = async {
            let output = request.send().await.map_err(|error| read(error, &subject))?;
            let objects = output.contents.unwrap_or_default().into_iter();
            Ok(objects
                .filter_map(|object| {
                    let name = object.key?.strip_prefix(&self.prefix)?.to_owned();
                    let written = moment(object.last_modified.as_ref());
                    Some(Listed { name, len: object.size.unwrap_or(0).max(0) as u64, written })
                })
                .collect())
        };
        patiently(ErrorKind::Io, &subject, list).await
    }
}

/// The objects whose names begin alike, page by page, in the order of their names.
pub(crate) struct Pages<'a> {
    bucket: &'a Bucket,
    folder: String,
    after: Option<String>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(bucket: &'a Bucket, folder: String) -> Self {
        Self { bucket, folder, after: None }
    }

    /// The next page; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        let page = self.bucket.list(&self.folder, self.after.as_deref(), PAGE).await?;
        self.after = page.last().map(|last| last.name.clone());
        Ok((!page.is_empty()).then_some(page))
    }
}

/// A server's time; one that says none says that it is long ago.
fn moment(time: Option<&DateTime>) -> SystemTime {
    let seconds = time.map_or(0, DateTime::secs).max(0) as u64;
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

async fn collect(output: GetObjectOutput) -> Result<Bytes, impl Error + Send + Sync + 'static> {
    output.body.collect().await.map(|body| body.into_bytes())
}

async fn patiently<T>(
    kind: ErrorKind,
    subject: &(dyn Fn() -> String + Send + Sync),
    request: impl Future<Output = Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    timeout(PATIENCE, request)
        .await
        .unwrap_or_else(|late| Err(StoreError::new(kind, subject()).because(late)))
}

/// The status of the answer, where there was one.
pub(crate) fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn absent<T, E>(
    sent: Result<T, SdkError<E>>,
    subject: &(dyn Fn() -> String + Send + Sync),
) -> Result<Option<T>, StoreError>
where
    E: Error + Send + Sync + 'static,
{
    match sent {
        Ok(output) => Ok(Some(output)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(read(error, subject)),
    }
}

pub(crate) fn read<E: Error + Send + Sync + 'static>(
    error: SdkError<E>,
    subject: &(dyn Fn() -> String + Send + Sync),
) -> StoreError {
    StoreError::new(ErrorKind::Io, subject()).because(error)
}

/// The error of a write: whatever was not clearly refused may have happened.
pub(crate) fn written<E: Error + Send + Sync + 'static>(
    error: SdkError<E>,
    subject: &(dyn Fn() -> String + Send + Sync),
) -> StoreError {
    let kind = match status(&error) {
        Some(507) => ErrorKind::Full,
        Some(400..=499) => ErrorKind::Io,
        _ if matches!(error, SdkError::ConstructionFailure(_)) => ErrorKind::Io,
        _ => ErrorKind::Unknown,
    };
    StoreError::new(kind, subject()).because(error)
}
