//! How long others may keep an answer: by what can change.

use std::time::Duration;

use http::HeaderValue;

/// Lists, `@latest`, queries, and the absence of any of them.
pub(crate) const MUTABLE: Duration = Duration::from_secs(60);

/// A file that is never another one: `.info`, `.mod` and `.zip` of a version, full tiles, records.
pub(crate) fn immutable() -> HeaderValue {
    HeaderValue::from_static("public, max-age=31536000, immutable")
}

/// An answer that may be another one tomorrow; caches between us and the client may bridge our own absence.
pub(crate) fn mutable(seconds: u64) -> HeaderValue {
    header(format!("public, max-age={seconds}, stale-while-revalidate=60, stale-if-error=86400"))
}

/// An answer without any leave to be used beyond its time.
pub(crate) fn for_seconds(seconds: u64) -> HeaderValue {
    header(format!("public, max-age={seconds}"))
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and ASCII words")
}
