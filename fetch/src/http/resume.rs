//! Going on with a body that was cut off after its first bytes were handed on.
//!
//! Its readers have seen those bytes, so only the rest may be asked for, and only of an upstream that promises by a
//! strong ETag that it is the rest of the same. The go command would give up; what arrives is proved by its hash
//! afterwards in any case.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, RANGE};
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::error::FetchError;
use crate::kind::Kind;
use crate::requests::Requests;
use crate::retry::{Retry, roll};

/// How to ask for the rest.
pub(super) struct Resume {
    request: RequestBuilder,
    etag: HeaderValue,
    sent: u32,
    retry: Retry,
    patience: Duration,
    kind: Kind,
    requests: Arc<Requests>,
}

impl Resume {
    /// None when the answer does not let one ask for parts of it.
    pub(super) fn of(
        response: &Response,
        request: RequestBuilder,
        retry: Retry,
        patience: Duration,
        kind: Kind,
        requests: Arc<Requests>,
    ) -> Option<Self> {
        let etag = response.headers().get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\""))?.clone();
        Some(Self { request, etag, sent: 0, retry, patience, kind, requests })
    }

    /// The answer that goes on at `received` of `announced` bytes; none when that can't be had.
    pub(super) async fn from(
        &mut self,
        received: u64,
        announced: u64,
        error: &FetchError,
    ) -> Option<Response> {
        loop {
            self.sent += 1;
            tokio::time::sleep(self.retry.pause(self.sent, error, roll())?).await;
            tracing::debug!(error = error.chain(), received, announced, "asking for the rest");
            self.requests.count(self.kind);
            let request = self.request.try_clone()?;
            let request = request.header(RANGE, format!("bytes={received}-")).header(IF_RANGE, &self.etag);
            match tokio::time::timeout(self.patience, request.send()).await {
                Ok(Ok(response)) => {
                    return Some(response).filter(|response| is_rest(response, received, announced));
                }
                Ok(Err(_)) => {}
                Err(_) => return None,
            }
        }
    }
}

fn is_rest(response: &Response, received: u64, announced: u64) -> bool {
    let expected = format!("bytes {received}-{}/{announced}", announced - 1);
    response.status() == StatusCode::PARTIAL_CONTENT
        && response.headers().get(CONTENT_RANGE).is_some_and(|range| range.as_bytes() == expected.as_bytes())
}
