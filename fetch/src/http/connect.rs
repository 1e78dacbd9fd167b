//! The transport: TLS, HTTP/2, forward proxies and redirects.

use std::fmt;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, NoProxy, Proxy};
use url::Url;

use super::Manners;
use crate::secret::{Secret, shown, shown_text};

/// The go command follows this many (`cmd/go/internal/web/http.go:checkRedirect`).
const MAX_REDIRECTS: usize = 10;
/// Hosts that are never reached through a forward proxy, as in Go's `httpproxy`.
const NEVER_FORWARDED: &str = "localhost,127.0.0.0/8,::1";

/// The proxies between us and the upstreams, as the environment names them.
#[derive(Clone, Debug, Default)]
pub struct Forward {
    /// HTTP_PROXY, for plain http.
    pub http: Option<Secret>,
    /// HTTPS_PROXY, for https.
    pub https: Option<Secret>,
    /// NO_PROXY: hosts, domains and networks reached without.
    pub except: String,
}

/// Why there can be no transport.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// HTTP_PROXY or HTTPS_PROXY is not the URL of a proxy.
    #[error("forward proxy `{url}`")]
    Forward {
        /// redacted
        url: String,
        /// why not
        source: reqwest::Error,
    },
    /// The further authorities are no certificates in PEM.
    #[error("reading certificates of further authorities")]
    Authorities(#[source] reqwest::Error),
    /// TLS can't be set up.
    #[error("setting up TLS")]
    Tls(#[source] reqwest::Error),
}

/// The transport for these manners. Credentials, encodings and `Via` are a matter of each request.
pub(super) fn transport(manners: &Manners) -> Result<reqwest::Client, ConnectError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("modkeep/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(manners.timeouts.connect)
        .redirect(Policy::custom(follow))
        // It would carry the query of the base to another host.
        .referer(false)
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(manners.timeouts.idle / 2)
        .http2_keep_alive_timeout(manners.timeouts.idle / 2)
        .retry(reqwest::retry::never())
        .no_proxy();
    let authorities =
        Certificate::from_pem_bundle(&manners.authorities).map_err(ConnectError::Authorities)?;
    if !authorities.is_empty() {
        builder = builder.tls_certs_merge(authorities);
    }
    let Forward { http, https, except } = &manners.forward;
    let except = NoProxy::from_string(&format!("{NEVER_FORWARDED},{except}"));
    if let Some(url) = http {
        let proxy = Proxy::http(url.reveal()).map_err(|error| not_a_proxy(url, error))?;
        builder = builder.proxy(proxy.no_proxy(except.clone()));
    }
    if let Some(url) = https {
        let proxy = Proxy::https(url.reveal()).map_err(|error| not_a_proxy(url, error))?;
        builder = builder.proxy(proxy.no_proxy(except));
    }
    builder.build().map_err(ConnectError::Tls)
}

fn not_a_proxy(url: &Secret, error: reqwest::Error) -> ConnectError {
    ConnectError::Forward { url: shown_text(url.reveal()), source: error.without_url() }
}

/// Follows as the go command does: ten hops, and never from https to anything else.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let hops = attempt.previous();
    let is_downgrade = |first: &Url| first.scheme() == "https" && attempt.url().scheme() != "https";
    if hops.first().is_some_and(is_downgrade) {
        let last = hops.last().map(shown).unwrap_or_default();
        let said = format!("redirected from secure URL {last} to insecure URL {}", shown(attempt.url()));
        return attempt.error(NotFollowed(said));
    }
    if hops.len() >= MAX_REDIRECTS {
        return attempt.error(NotFollowed(format!("stopped after {MAX_REDIRECTS} redirects")));
    }
    attempt.follow()
}

/// In the words of the go command.
#[derive(Debug)]
struct NotFollowed(String);

impl fmt::Display for NotFollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFollowed {}
