//! Why an upstream did not give what was asked for.
//!
//! The variants are what the proxy decides its status by. URLs in here are redacted, texts are what the
//! upstream wrote for its user, within the go command's limits.

use std::sync::Arc;
use std::time::Duration;

use modkeep_module::info::InfoError;
use modkeep_module::path::ModulePath;
use reqwest::StatusCode;

/// The answer of an upstream, or of a chain of them, that is not the content. Cheap to clone: all that follow
/// one flight get the same.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// 404 or 410: not here, the next may have it.
    #[error("{}", said(url, *status, text))]
    Absent {
        /// what was asked, redacted; empty when nothing was
        url: String,
        /// 404 or 410
        status: u16,
        /// what the upstream said to the user, may be empty
        text: String,
    },
    /// Any other 4xx: asking again changes nothing, and the next source must not be asked.
    #[error("{}", said(url, *status, text))]
    Refused {
        /// what was asked, redacted
        url: String,
        /// 400, 401, 403, 451 …
        status: u16,
        /// what the upstream said to the user, may be empty
        text: String,
    },
    /// 408, 425, 429 or 5xx, after retries: later it may be there.
    #[error("{}", said(url, *status, text))]
    Busy {
        /// what was asked, redacted
        url: String,
        /// the last status
        status: u16,
        /// when the upstream wants to be asked again
        retry_after: Option<Duration>,
        /// what the upstream said to the user, may be empty
        text: String,
    },
    /// No answer at all.
    #[error("reading {url}")]
    Unreachable {
        /// what was asked, redacted
        url: String,
        /// why there was none
        source: Silence,
    },
    /// An answer that can't be used.
    #[error("reading {url}")]
    Broken {
        /// what was asked, redacted
        url: String,
        /// what is wrong with it
        source: Flaw,
    },
    /// The name is private (GONOPROXY, GONOSUMDB, GOPRIVATE): nobody was asked.
    #[error("`{0}` is private: no upstream is asked for it")]
    Private(ModulePath),
}

fn said(url: &str, status: u16, text: &str) -> String {
    match (url, text) {
        ("", text) => text.to_owned(),
        (url, "") => format!("reading {url}: {status}"),
        (url, text) => format!("reading {url}: {status}: {text}"),
    }
}

/// Why an upstream is silent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Silence {
    /// Name not resolved, connection refused or reset, TLS failed.
    #[error("no connection")]
    Connection(#[source] Arc<reqwest::Error>),
    /// It took the request and did not answer.
    #[error("no answer within {0:?}")]
    NoAnswer(Duration),
    /// Not asked, because it was silent a moment ago.
    #[error("not asked: silent since {since:?} ({reason})")]
    Resting {
        /// how long the breaker has been open
        since: Duration,
        /// the failure that opened it
        reason: String,
    },
    /// A folder that can't be read.
    #[error("unreadable")]
    Unreadable(#[source] Arc<std::io::Error>),
}

impl Silence {
    /// The error about a request for `url` as net/http tells it; none about files.
    fn words(&self, url: &str) -> Option<String> {
        let cause = match self {
            Self::Connection(error) => connection_words(url, error),
            Self::NoAnswer(_) => self.to_string(),
            Self::Resting { reason, .. } => format!("another request had no answer ({reason})"),
            Self::Unreadable(_) => return None,
        };
        Some(format!("Get {}: {cause}", modkeep_module::quote::quote(url)))
    }
}

/// What dialling says in Go's words, as far as they are known.
fn connection_words(url: &str, error: &reqwest::Error) -> String {
    let place = reqwest::Url::parse(url).ok();
    let host = place.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    let port = place.as_ref().and_then(|url| url.port_or_known_default()).unwrap_or_default();
    let mut last: &dyn std::error::Error = error;
    let mut is_about_names = false;
    while let Some(cause) = last.source() {
        is_about_names |= cause.to_string().starts_with("dns error");
        last = cause;
    }
    let refused = std::io::ErrorKind::ConnectionRefused;
    match last.downcast_ref::<std::io::Error>() {
        _ if is_about_names => format!("dial tcp: lookup {host}: {}", lookup_words(&last.to_string())),
        Some(error) if error.kind() == refused => {
            format!("dial tcp {host}:{port}: connect: connection refused")
        }
        _ => last.to_string(),
    }
}

/// That a name is unknown is told in Go's words; why it could not be looked up in the system's.
fn lookup_words(cause: &str) -> &str {
    const UNKNOWN: [&str; 3] = [
        "Name or service not known",
        "No address associated with hostname",
        "nodename nor servname provided",
    ];
    if UNKNOWN.iter().any(|words| cause.contains(words)) { "no such host" } else { cause }
}

/// What is wrong with an answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Flaw {
    /// Longer than its kind may be.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Cut off, or not decodable.
    #[error("body cut off")]
    Truncated(#[source] Arc<reqwest::Error>),
    /// Of another length than announced.
    #[error("{received} bytes instead of the announced {announced}")]
    Length {
        /// bytes announced
        announced: u64,
        /// bytes received
        received: u64,
    },
    /// No byte came for this long in the middle of the body.
    #[error("body stalled for {0:?}")]
    Stalled(Duration),
    /// It came in drips, and was not complete after this long.
    #[error("body not complete after {0:?}")]
    Slow(Duration),
    /// Neither content nor an error: 206, 204, 304 …
    #[error("unexpected status {0}")]
    Status(u16),
    /// A redirect that must not be followed.
    #[error("{0}")]
    Redirect(String),
    /// A file of a folder that can't be read to its end.
    #[error("unreadable")]
    Unreadable(#[source] Arc<std::io::Error>),
    /// An `.info` that says nothing, or speaks of another version.
    #[error("unusable")]
    Info(#[source] Arc<InfoError>),
}

/// A status with its reason, such as `404 Not Found`.
pub fn status_line(status: u16) -> String {
    match StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

impl FetchError {
    /// Whether the go command would ask the next source after a comma: 404 and 410 only.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// As the go command prints it (`cmd/go/internal/web/api.go:HTTPError`).
    pub fn words(&self) -> String {
        let (url, status, text) = match self {
            Self::Absent { url, status, text }
            | Self::Refused { url, status, text }
            | Self::Busy { url, status, text, .. } => (url, *status, text),
            Self::Broken { url, source: Flaw::Status(status) } => (url, *status, &String::new()),
            Self::Unreachable { url, source } => return source.words(url).unwrap_or_else(|| self.chain()),
            _ => return self.chain(),
        };
        if url.is_empty() {
            return text.clone();
        }
        if url.starts_with("file:") {
            let cause = if status == 404 { "no such file or directory" } else { "permission denied" };
            return format!("reading {url}: {cause}");
        }
        let status = status_line(status);
        let said = match text.as_str() {
            "" => String::new(),
            text if text.contains('\n') => format!("\n\tserver response:\n\t{}", text.replace('\n', "\n\t")),
            text => format!("\n\tserver response: {text}"),
        };
        format!("reading {url}: {status}{said}")
    }

    /// The error and its causes in one line, for the log.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !line.ends_with(&said) {
                line.push_str(": ");
                line.push_str(&said);
            }
            cause = error.source();
        }
        line
    }
}
