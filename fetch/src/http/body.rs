//! Reading the body of an answer: bounded, watched for stalls, its length compared with what was announced.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::resume::Resume;
use crate::answer::{Answer, BodyStream};
use crate::error::{FetchError, Flaw};

/// A body that is read whole must be here after so many idle times, however it drips.
const WHOLE_BODY: u32 = 4;

/// A body that is being read.
pub(super) struct Body {
    url: String,
    response: reqwest::Response,
    announced: Option<u64>,
    received: u64,
    limit: u64,
    idle: Duration,
    resume: Option<Resume>,
}

impl Body {
    pub(super) fn new(url: String, response: reqwest::Response, limit: u64, idle: Duration) -> Self {
        let announced = response.content_length();
        Self { url, response, announced, received: 0, limit, idle, resume: None }
    }

    /// The answer with all of its body, or none of it.
    pub(super) async fn whole(mut self, content_type: Option<String>) -> Result<Answer, FetchError> {
        let patience = self.idle * WHOLE_BODY;
        match tokio::time::timeout(patience, self.all()).await {
            Ok(all) => Ok(Answer::whole(self.url, content_type, all?)),
            Err(_) => Err(self.broken(Flaw::Slow(patience))),
        }
    }

    async fn all(&mut self) -> Result<Bytes, FetchError> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await? else { return Ok(first) };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.next().await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// The answer as soon as its first bytes are here. What breaks off later is resumed where that can be.
    pub(super) async fn peeked(
        mut self,
        content_type: Option<String>,
        resume: Option<Resume>,
    ) -> Result<Answer, FetchError> {
        let first = self.next().await?;
        self.resume = resume;
        let (url, length) = (self.url.clone(), self.announced);
        let body: BodyStream = match first {
            Some(first) => stream::iter([Ok(first)]).chain(self.rest()).boxed(),
            None => stream::empty().boxed(),
        };
        Ok(Answer { url, length, content_type, body })
    }

    fn rest(self) -> impl stream::Stream<Item = Result<Bytes, FetchError>> {
        stream::try_unfold(self, |mut body| async move { Ok(body.next().await?.map(|chunk| (chunk, body))) })
            .into_stream()
    }

    /// The next bytes, `None` at an end that is where it should be.
    async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let error = match self.read().await {
                Err(error) => error,
                read => return read,
            };
            let (Some(resume), Some(announced)) = (&mut self.resume, self.announced) else {
                return Err(error);
            };
            match resume.from(self.received, announced, &error).await {
                Some(response) => self.response = response,
                None => return Err(error),
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, FetchError> {
        if self.announced.is_some_and(|announced| announced > self.limit) {
            return Err(self.broken(Flaw::TooLarge(self.limit)));
        }
        let chunk = match tokio::time::timeout(self.idle, self.response.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => return Err(self.broken(Flaw::Truncated(Arc::new(error.without_url())))),
            Err(_) => return Err(self.broken(Flaw::Stalled(self.idle))),
        };
        self.received += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.received > self.limit {
            return Err(self.broken(Flaw::TooLarge(self.limit)));
        }
        match (&chunk, self.announced) {
            (None, Some(announced)) if announced != self.received => {
                Err(self.broken(Flaw::Length { announced, received: self.received }))
            }
            _ => Ok(chunk),
        }
    }

    fn broken(&self, source: Flaw) -> FetchError {
        FetchError::Broken { url: self.url.clone(), source }
    }
}
