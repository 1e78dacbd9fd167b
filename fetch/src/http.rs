//! One question to one module proxy over HTTP: sent, sent again where that helps, or not sent because the host
//! is known to be silent.
//!
//! How requests are made is said in `manners`, what the transport is made of (TLS, forward proxies, redirects) in
//! `connect`; `body` reads bodies, `resume` goes on with a zip that was cut off, `probe` asks a silent host whether
//! it is back.

mod body;
mod connect;
mod manners;
mod probe;
mod resume;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER, VIA,
};
use reqwest::{Method, RequestBuilder, StatusCode};
use tokio::task::JoinSet;
use url::Url;

use crate::answer::Answer;
use crate::base::Base;
use crate::breaker::{Breaker, Failure, Resting};
use crate::detail;
use crate::error::{FetchError, Flaw, Silence};
use crate::kind::Kind;
use crate::requests::Requests;
use crate::retry::roll;
use crate::secret::{Secret, shown};

pub use connect::{ConnectError, Forward};
pub use manners::{Manners, Timeouts};

/// Asks module proxies over HTTP.
#[derive(Debug)]
pub(crate) struct Client {
    transport: reqwest::Client,
    manners: Manners,
    breakers: Mutex<HashMap<String, Arc<Breaker>>>,
    /// Ends with the client.
    probes: Mutex<JoinSet<()>>,
    requests: Arc<Requests>,
}

/// A failure, and whether the answer said that it passed through ourselves before.
pub(crate) struct Failed {
    pub(crate) error: FetchError,
    pub(crate) is_shadow: bool,
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        Self { error, is_shadow: false }
    }
}

impl Client {
    pub(crate) fn new(manners: Manners) -> Result<Self, ConnectError> {
        Ok(Self {
            transport: connect::transport(&manners)?,
            manners,
            breakers: Mutex::default(),
            probes: Mutex::default(),
            requests: Arc::default(),
        })
    }

    pub(crate) fn requests(&self) -> &Arc<Requests> {
        &self.requests
    }

    /// Gets what stands at `path` (escaped, with a leading slash) below `base`.
    pub(crate) async fn get(&self, base: &Base, path: &str, kind: Kind) -> Result<Answer, Failed> {
        let url = base.join(path);
        let breaker = self.breaker(&url);
        let mut sent = 0;
        loop {
            let started = Instant::now();
            if let Err(Resting { since, reason }) = breaker.admit(started) {
                return Err(silent(&url, Silence::Resting { since, reason }).into());
            }
            sent += 1;
            self.requests.count(kind);
            let failed = match self.once(base, &url, kind).await {
                Ok(answer) => {
                    breaker.succeeded(Instant::now());
                    return Ok(answer);
                }
                Err(failed) => failed,
            };
            match self.manners.retry.pause(sent, &failed.error, roll()) {
                Some(pause) => {
                    tracing::debug!(error = failed.error.chain(), ?pause, "asking again");
                    tokio::time::sleep(pause).await;
                }
                None => {
                    self.note(&breaker, base, started, &failed.error);
                    return Err(failed);
                }
            }
        }
    }

    fn breaker(&self, url: &Url) -> Arc<Breaker> {
        let origin = url.origin().ascii_serialization();
        let mut breakers = self.breakers.lock();
        Arc::clone(breakers.entry(origin).or_insert_with(|| Arc::new(Breaker::new(self.manners.patience))))
    }

    /// Tells the breaker how a request ended, and starts the probe when that opens it.
    fn note(&self, breaker: &Arc<Breaker>, base: &Base, started: Instant, error: &FetchError) {
        let failure = match error {
            FetchError::Unreachable { source: Silence::Resting { .. }, .. } => return,
            FetchError::Unreachable { .. }
            | FetchError::Broken { source: Flaw::Stalled(_) | Flaw::Slow(_), .. } => Failure::Silent,
            FetchError::Busy { status: 502..=504, .. }
            | FetchError::Broken { source: Flaw::Truncated(_) | Flaw::Length { .. }, .. } => Failure::Busy,
            _ => return breaker.succeeded(Instant::now()),
        };
        let reason = error.chain();
        if breaker.failed(started, Instant::now(), failure, &reason) {
            tracing::warn!(
                upstream = shown(base.url()),
                reason,
                "upstream is silent, not asking it for a while"
            );
            let request = self.request(Method::HEAD, base, base.url());
            let mut probes = self.probes.lock();
            while probes.try_join_next().is_some() {}
            probes.spawn(probe::until_answered(
                request,
                self.manners.timeouts.first_byte,
                Arc::clone(breaker),
                Arc::clone(&self.requests),
            ));
        }
    }

    fn request(&self, method: Method, base: &Base, url: &Url) -> RequestBuilder {
        let request = self.transport.request(method, url.clone()).header(VIA, self.manners.identity.via());
        match base.authorization().or_else(|| self.manners.netrc.authorization(url)).and_then(sensitive) {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        }
    }

    /// A zip is asked for as it is: nothing is gained by packing it again, and its length stays known.
    fn question(&self, base: &Base, url: &Url, kind: Kind) -> RequestBuilder {
        let request = self.request(Method::GET, base, url);
        if kind.is_streamed() {
            return request.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        request
    }

    fn resume(
        &self,
        response: &reqwest::Response,
        base: &Base,
        url: &Url,
        kind: Kind,
    ) -> Option<resume::Resume> {
        let Manners { retry, timeouts, .. } = &self.manners;
        let request = self.question(base, url, kind);
        resume::Resume::of(response, request, *retry, timeouts.first_byte, kind, Arc::clone(&self.requests))
    }

    async fn once(&self, base: &Base, url: &Url, kind: Kind) -> Result<Answer, Failed> {
        let timeouts = &self.manners.timeouts;
        let request = self.question(base, url, kind);
        let response = match tokio::time::timeout(timeouts.first_byte, request.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.unanswered(url, error).into()),
            Err(_) => return Err(silent(url, Silence::NoAnswer(timeouts.first_byte)).into()),
        };
        if response.status() != StatusCode::OK {
            return Err(self.not_content(url, response).await);
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        if kind.is_streamed() {
            let resume = self.resume(&response, base, url, kind);
            let body = body::Body::new(shown(url), response, kind.limit(), timeouts.idle);
            return Ok(body.peeked(content_type, resume).await?);
        }
        Ok(body::Body::new(shown(url), response, kind.limit(), timeouts.idle).whole(content_type).await?)
    }

    fn unanswered(&self, url: &Url, error: reqwest::Error) -> FetchError {
        let error = error.without_url();
        if error.is_redirect() {
            let said =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            return broken(url, Flaw::Redirect(said));
        }
        if error.is_timeout() {
            return silent(url, Silence::NoAnswer(self.manners.timeouts.connect));
        }
        silent(url, Silence::Connection(Arc::new(error)))
    }

    async fn not_content(&self, url: &Url, response: reqwest::Response) -> Failed {
        let status = response.status();
        let is_shadow =
            status == StatusCode::LOOP_DETECTED && self.manners.identity.is_in(response.headers());
        let retry_after = retry_after(response.headers());
        let status = status.as_u16();
        if status < 400 {
            return broken(url, Flaw::Status(status)).into();
        }
        let text = tokio::time::timeout(self.manners.timeouts.idle, detail::read(response)).await;
        let (url, text) = (shown(url), text.unwrap_or_default());
        let error = match status {
            404 | 410 => FetchError::Absent { url, status, text },
            408 | 425 | 429 | 500.. => FetchError::Busy { url, status, retry_after, text },
            _ => FetchError::Refused { url, status, text },
        };
        Failed { error, is_shadow }
    }
}

fn silent(url: &Url, source: Silence) -> FetchError {
    FetchError::Unreachable { url: shown(url), source }
}

fn broken(url: &Url, source: Flaw) -> FetchError {
    FetchError::Broken { url: shown(url), source }
}

/// A header value that no log prints.
fn sensitive(secret: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(secret.reveal()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Retry-After in seconds, or as a date measured against the answer's own `Date`: clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (value, date, expected) in [
            ("120", None, Some(120)),
            ("0", None, Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(date), Some(30)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(date), Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, None),
            ("soon", Some(date), None),
            ("-1", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{value}");
        }
    }
}
