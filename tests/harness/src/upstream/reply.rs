//! One answer, and what goes wrong with it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

/// What to answer. Changes are made by value: `Reply::new(503).header("Retry-After", "1").text("later")`.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
    pub(super) announced: Option<u64>,
    pub(super) delay: Duration,
    pub(super) held: Option<Gate>,
    pub(super) fault: Option<Fault>,
    pub(super) gives_parts: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    /// So many zero bytes, made while they are sent.
    Zeros(u64),
}

#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Never an answer.
    Stall,
    /// The connection ends without an answer.
    Close,
    /// The connection ends after so many bytes of the body.
    CutAfter(u64),
    /// Nothing more after so many bytes of the body.
    StallAfter(u64),
    /// Nothing more after so many bytes of the body until the gate opens.
    HeldAfter(u64, Gate),
    /// One byte of the body after each of these times.
    Drip(Duration),
}

impl Reply {
    /// An empty answer with this status.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Bytes(Bytes::new()),
            announced: None,
            delay: Duration::ZERO,
            held: None,
            fault: None,
            gives_parts: false,
        }
    }

    /// 200 with the content type that its path asks for.
    pub(super) fn content(path: &str, content: Bytes) -> Self {
        let content_type = match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("zip") => "application/zip",
            Some("info") => "application/json",
            _ if path.ends_with("/@latest") => "application/json",
            _ if path.contains("/tile/") => "application/octet-stream",
            _ => "text/plain; charset=utf-8",
        };
        Self::new(200).header("Content-Type", content_type).body(content)
    }

    /// A redirect.
    pub fn redirect(location: &str) -> Self {
        Self::new(302).header("Location", location)
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// A header; one with the same name is replaced.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.content = Content::Bytes(body.into());
        self
    }

    /// A body of `text/plain`.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.header("Content-Type", "text/plain; charset=utf-8").body(text.to_owned())
    }

    /// A body of `text/html`.
    #[must_use]
    pub fn html(self, text: &str) -> Self {
        self.header("Content-Type", "text/html; charset=utf-8").body(text.to_owned())
    }

    /// A body of so many bytes, of which few are in memory at any time.
    #[must_use]
    pub fn zeros(mut self, length: u64) -> Self {
        self.content = Content::Zeros(length);
        self
    }

    /// A changed body.
    #[must_use]
    pub fn map(mut self, change: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        if let Content::Bytes(bytes) = &self.content {
            self.content = Content::Bytes(change(bytes).into());
        }
        self
    }

    /// Without `Content-Length`.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        self.announced = Some(u64::MAX);
        self
    }

    /// With this `Content-Length`, true or not. Of a longer body the rest isn't sent; a shorter one ends the
    /// connection.
    #[must_use]
    pub fn announcing(mut self, length: u64) -> Self {
        self.announced = Some(length);
        self
    }

    /// After this time.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Not before the gate opens.
    #[must_use]
    pub fn held(mut self, gate: &Gate) -> Self {
        self.held = Some(gate.clone());
        self
    }

    /// Never.
    #[must_use]
    pub fn stalled(self) -> Self {
        self.with(Fault::Stall)
    }

    /// The connection ends instead.
    #[must_use]
    pub fn closed(self) -> Self {
        self.with(Fault::Close)
    }

    /// The connection ends after so many bytes of the body.
    #[must_use]
    pub fn cut_after(self, bytes: u64) -> Self {
        self.with(Fault::CutAfter(bytes))
    }

    /// Nothing comes after so many bytes of the body.
    #[must_use]
    pub fn stalled_after(self, bytes: u64) -> Self {
        self.with(Fault::StallAfter(bytes))
    }

    /// Nothing comes after so many bytes of the body until the gate opens.
    #[must_use]
    pub fn held_after(self, bytes: u64, gate: &Gate) -> Self {
        let gate = gate.clone();
        self.with(Fault::HeldAfter(bytes, gate))
    }

    /// The body comes byte by byte with this time before each.
    #[must_use]
    pub fn dripping(self, pause: Duration) -> Self {
        self.with(Fault::Drip(pause))
    }

    /// With this ETag; to requests with `Range: bytes=N-` and the same ETag in `If-Range`, only the part from there.
    #[must_use]
    pub fn in_parts(mut self, etag: &str) -> Self {
        self.gives_parts = true;
        self.header("ETag", etag)
    }

    /// The part of it that was asked for, if it gives parts.
    pub(super) fn part(self, range: Option<&str>, if_range: Option<&str>) -> Self {
        let etag = self.headers.iter().find(|(name, _)| name == "ETag").map(|(_, etag)| etag.as_str());
        let start =
            range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<u64>().ok());
        let length = self.length();
        match (&self.content, start) {
            (Content::Bytes(bytes), Some(start))
                if self.gives_parts && etag == if_range && start < length =>
            {
                let part = bytes.slice(start as usize..);
                let range = format!("bytes {start}-{}/{length}", length - 1);
                self.status(206).header("Content-Range", &range).body(part)
            }
            _ => self,
        }
    }

    fn with(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// The length of the body as it is.
    pub(super) fn length(&self) -> u64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Zeros(length) => *length,
        }
    }
}

/// Holds answers back until the test opens it, once and for all.
#[derive(Clone, Debug)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { open: Arc::new(watch::Sender::new(false)) }
    }
}

impl Gate {
    /// Lets everything go.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        let mut open = self.open.subscribe();
        // The sender can't be gone: we hold it.
        let _ = open.wait_for(|open| *open).await;
    }
}
