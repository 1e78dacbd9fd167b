//! A shelf that a server has: `GET`, `HEAD` and `PUT` of `URL/cache/v1/{blob,manifest}/KEY`, with `Authorization: Bearer`.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect};

use super::{Name, ROUTE, Shelf};
use crate::error::{ErrorKind, StoreError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the server may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of an answer that explain a refusal.
const MAX_REASON: u64 = 600;

/// Shared things on a server.
#[derive(Clone)]
pub struct ServerShelf {
    client: reqwest::Client,
    /// Without a slash at its end.
    url: String,
    token: Option<String>,
}

impl std::fmt::Debug for ServerShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerShelf").field("url", &self.url).finish_non_exhaustive()
    }
}

impl ServerShelf {
    /// The server at a URL with nothing behind its path. No proxy is used but what `url` names: a cache is near, or worth
    /// nothing.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, StoreError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("modkeep/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            // A token goes to nobody but who it was given for.
            .redirect(redirect::Policy::none())
            .http1_only()
            .tcp_nodelay(true)
            .no_proxy()
            .build();
        let client = client.map_err(|error| {
            StoreError::new(ErrorKind::Io, format!("speaking to `{url}`")).because(error.without_url())
        })?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), token })
    }

    fn request(&self, method: Method, name: &Name) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{ROUTE}{name}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder, name: &Name) -> Result<Response, StoreError> {
        let again = request.try_clone();
        let sent = match (request.send().await, again) {
            // The server may have closed a connection that we kept; once is enough to find out.
            (Err(error), Some(again)) if !error.is_timeout() => again.send().await,
            (sent, _) => sent,
        };
        sent.map_err(|error| self.failed(name, error))
    }

    fn failed(&self, name: &Name, error: reqwest::Error) -> StoreError {
        StoreError::new(ErrorKind::Io, format!("asking `{}` for {name}", self.url))
            .because(error.without_url())
    }

    /// The error that an answer is.
    async fn refusal(&self, name: &Name, answer: Response) -> StoreError {
        let status = answer.status();
        let reason = collect(answer, MAX_REASON).await.unwrap_or_default().unwrap_or_default();
        let reason = String::from_utf8_lossy(&reason);
        let reason = reason.lines().next().unwrap_or_default();
        let kind = match status {
            StatusCode::INSUFFICIENT_STORAGE => ErrorKind::Full,
            _ if status.is_client_error() => ErrorKind::Refused,
            _ => ErrorKind::Io,
        };
        StoreError::new(kind, format!("asking `{}` for {name}: {status}: {reason}", self.url))
    }
}

/// The whole body; `None` when it is longer than `limit`.
async fn collect(mut answer: Response, limit: u64) -> Result<Option<Bytes>, reqwest::Error> {
    if answer.content_length().is_some_and(|len| len > limit) {
        return Ok(None);
    }
    let expected = answer.content_length().and_then(|len| usize::try_from(len).ok()).unwrap_or(0);
    let mut content = BytesMut::with_capacity(expected);
    while let Some(piece) = answer.chunk().await? {
        if (content.len() + piece.len()) as u64 > limit {
            return Ok(None);
        }
        content.extend_from_slice(&piece);
    }
    Ok(Some(content.freeze()))
}

#[async_trait]
impl Shelf for ServerShelf {
    async fn get(&self, name: &Name, limit: u64) -> Result<Option<Bytes>, StoreError> {
        let answer = self.send(self.request(Method::GET, name), name).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(self.refusal(name, answer).await),
        }
        match collect(answer, limit).await.map_err(|error| self.failed(name, error))? {
            Some(content) => Ok(Some(content)),
            None => {
                let subject = format!("asking `{}` for {name}: longer than {limit} bytes", self.url);
                Err(StoreError::new(ErrorKind::Damaged, subject))
            }
        }
    }

    async fn has(&self, name: &Name) -> Result<bool, StoreError> {
        let answer = self.send(self.request(Method::HEAD, name), name).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.refusal(name, answer).await),
        }
    }

    async fn put(&self, name: &Name, content: Bytes) -> Result<(), StoreError> {
        let answer = self.send(self.request(Method::PUT, name).body(content), name).await?;
        if answer.status().is_success() { Ok(()) } else { Err(self.refusal(name, answer).await) }
    }
}
