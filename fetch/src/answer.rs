//! What an upstream gave: a body of bounded length, whole or arriving.

use std::fmt;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use crate::error::FetchError;

/// The bytes of an answer in order. After an error nothing follows; without one the body is complete, of the
/// announced length and within the limit of its kind.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, FetchError>> + Send>>;

/// Content from an upstream.
pub struct Answer {
    /// Where it came from, redacted.
    pub url: String,
    /// The length of the body in bytes, where the upstream announced it.
    pub length: Option<u64>,
    /// `Content-Type`, as sent.
    pub content_type: Option<String>,
    /// The content. Dropping it ends the transfer.
    pub body: BodyStream,
}

impl Answer {
    /// An answer that is already here.
    pub(crate) fn whole(url: String, content_type: Option<String>, bytes: Bytes) -> Self {
        let length = Some(bytes.len() as u64);
        let body = stream::iter((!bytes.is_empty()).then_some(Ok(bytes))).boxed();
        Self { url, length, content_type, body }
    }

    /// The whole body.
    ///
    /// # Errors
    /// When the body breaks off.
    pub async fn bytes(mut self) -> Result<Bytes, FetchError> {
        let Some(first) = self.body.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.body.next().await.transpose()? else { return Ok(first) };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.body.next().await.transpose()? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, length, content_type, body: _ } = self;
        f.debug_struct("Answer")
            .field("url", url)
            .field("length", length)
            .field("content_type", content_type)
            .finish_non_exhaustive()
    }
}
