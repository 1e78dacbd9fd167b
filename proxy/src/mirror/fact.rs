//! What is known of a resource, since when, and how that is written down.
//!
//! A resource is absent, pending, proved or refused. Pending is a [flight](super::flight); the other three are facts
//! and are kept in the store, each with the moment it was learned. The form is a head of `name value` lines, an empty
//! line and, for what is small, the bytes themselves:
//!
//! ```text
//! modkeep-fact 1
//! state proved
//! at 1790000000000
//! length 21
//! sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! by sum.golang.org
//!
//! module rsc.io/quote
//! ```
//!
//! Of a zip the head has `blob` in the place of `sha256`, and `h1`; its bytes are in the blob of that digest. A name that
//! is not known is skipped, so that later versions may add some.

use bytes::Bytes;
use modkeep_store::Digest;

use crate::clock::Moment;

const FIRST_LINE: &str = "modkeep-fact 1";

/// A state and the moment it was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) at: Moment,
    pub(crate) state: State,
}

/// What is known of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The upstream says that there is none.
    Absent { gone: bool, text: String },
    /// Here it is. For lists, `@latest` and queries this is what the upstream answered: nothing else proves them.
    Proved(Proved),
    /// It must not be given.
    Refused { text: String },
}

/// A file, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proved {
    pub(crate) content: Content,
    /// The hash that go.sum has for it, `h1:…`; only zips and go.mod files have one.
    pub(crate) h1: Option<String>,
    /// The checksum database that vouches for it; `None` where none is asked.
    pub(crate) by: Option<String>,
}

/// The bytes of a file, or where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Here { digest: Digest, bytes: Bytes },
    Blob { digest: Digest, length: u64 },
}

/// A value in the store that is no fact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FactError {
    #[error("no fact of a known form")]
    Form,
    #[error("no valid `{0}`")]
    Field(&'static str),
}

impl Content {
    pub(crate) fn here(bytes: Bytes) -> Self {
        Self::Here { digest: Digest::of(&bytes), bytes }
    }

    pub(crate) fn digest(&self) -> Digest {
        match self {
            Self::Here { digest, .. } | Self::Blob { digest, .. } => *digest,
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Here { bytes, .. } => bytes.len() as u64,
            Self::Blob { length, .. } => *length,
        }
    }
}

impl Fact {
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(512);
        let mut line = |name: &str, value: &str| {
            out.extend_from_slice(name.as_bytes());
            out.push(b' ');
            out.extend_from_slice(value.as_bytes());
            out.push(b'\n');
        };
        line("modkeep-fact", "1");
        let (name, body) = match &self.state {
            State::Absent { gone: false, text } => ("absent", text.as_bytes()),
            State::Absent { gone: true, text } => ("gone", text.as_bytes()),
            State::Refused { text } => ("refused", text.as_bytes()),
            State::Proved(Proved { content: Content::Here { bytes, .. }, .. }) => ("proved", &bytes[..]),
            State::Proved(_) => ("proved", &[][..]),
        };
        line("state", name);
        line("at", &self.at.0.to_string());
        if let State::Proved(proved) = &self.state {
            line("length", &proved.content.length().to_string());
            let place = if matches!(proved.content, Content::Here { .. }) { "sha256" } else { "blob" };
            line(place, &proved.content.digest().to_string());
            if let Some(h1) = &proved.h1 {
                line("h1", h1);
            }
            if let Some(by) = &proved.by {
                line("by", by);
            }
        }
        out.push(b'\n');
        out.extend_from_slice(body);
        out.into()
    }

    pub(crate) fn decode(value: &Bytes) -> Result<Self, FactError> {
        let end = value.windows(2).position(|pair| pair == b"\n\n").ok_or(FactError::Form)?;
        let head = std::str::from_utf8(&value[..end]).map_err(|_| FactError::Form)?;
        let body = value.slice(end + 2..);
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(FactError::Form);
        }
        let mut fields = Fields::default();
        for (name, value) in lines.filter_map(|line| line.split_once(' ')) {
            match name {
                "state" => fields.state = Some(value),
                "at" => fields.at = value.parse().ok(),
                "length" => fields.length = value.parse().ok(),
                "sha256" => fields.sha256 = Digest::parse(value).ok(),
                "blob" => fields.blob = Digest::parse(value).ok(),
                "h1" => fields.h1 = Some(value.to_owned()),
                "by" => fields.by = Some(value.to_owned()),
                _ => {}
            }
        }
        let at = Moment(fields.at.ok_or(FactError::Field("at"))?);
        let text = || String::from_utf8_lossy(&body).into_owned();
        let state = match fields.state {
            Some("absent") => State::Absent { gone: false, text: text() },
            Some("gone") => State::Absent { gone: true, text: text() },
            Some("refused") => State::Refused { text: text() },
            Some("proved") => State::Proved(fields.proved(body)?),
            _ => return Err(FactError::Field("state")),
        };
        Ok(Self { at, state })
    }
}

#[derive(Default)]
struct Fields<'a> {
    state: Option<&'a str>,
    at: Option<u64>,
    length: Option<u64>,
    sha256: Option<Digest>,
    blob: Option<Digest>,
    h1: Option<String>,
    by: Option<String>,
}

impl Fields<'_> {
    fn proved(self, bytes: Bytes) -> Result<Proved, FactError> {
        let length = self.length.ok_or(FactError::Field("length"))?;
        let content = match (self.sha256, self.blob) {
            (Some(digest), None) if bytes.len() as u64 == length => Content::Here { digest, bytes },
            (Some(_), None) => return Err(FactError::Field("length")),
            (None, Some(digest)) => Content::Blob { digest, length },
            _ => return Err(FactError::Field("sha256")),
        };
        Ok(Proved { content, h1: self.h1, by: self.by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_comes_back_as_it_was_written() {
        #[track_caller]
        fn check(state: State) {
            let fact = Fact { at: Moment(1_790_000_000_123), state };
            assert_eq!(Fact::decode(&fact.encode()).unwrap(), fact);
        }
        let digest = Content::here(Bytes::from_static(b"abc")).digest();
        check(State::Absent { gone: false, text: "404 page not found".to_owned() });
        check(State::Absent { gone: true, text: String::new() });
        check(State::Refused { text: "two\nlines, and\n\nmore".to_owned() });
        check(State::Proved(Proved { content: Content::here(Bytes::new()), h1: None, by: None }));
        check(State::Proved(Proved {
            content: Content::here(Bytes::from_static(b"module m\n\n\nrequire x v1.0.0\n")),
            h1: Some("h1:abc=".to_owned()),
            by: Some("localhost.localdev/sumdb".to_owned()),
        }));
        check(State::Proved(Proved {
            content: Content::Blob { digest, length: 500 << 20 },
            h1: Some("h1:abc=".to_owned()),
            by: None,
        }));
    }

    #[test]
    fn damage_is_an_error_and_never_an_answer() {
        #[track_caller]
        fn check(value: &str, want: &str) {
            let error = Fact::decode(&Bytes::copy_from_slice(value.as_bytes())).unwrap_err();
            assert_eq!(error.to_string(), want, "{value:?}");
        }
        check("", "no fact of a known form");
        check("modkeep-fact 2\nstate absent\n\n", "no fact of a known form");
        check("modkeep-fact 1\nstate absent\n\n", "no valid `at`");
        check("modkeep-fact 1\nat 5\n\n", "no valid `state`");
        check("modkeep-fact 1\nat 5\nstate proved\n\n", "no valid `length`");
        check("modkeep-fact 1\nat 5\nstate proved\nlength 3\nsha256 zz\n\nabc", "no valid `sha256`");
        let digest = Content::here(Bytes::from_static(b"abc")).digest();
        let short = format!("modkeep-fact 1\nat 5\nstate proved\nlength 3\nsha256 {digest}\n\nab");
        check(&short, "no valid `length`");
    }
}
