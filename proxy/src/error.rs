//! What a client is told instead of a file, and the status that says it.
//!
//! The go command acts on the status: 404 and 410 send it to its next source, everything else stops it. It shows
//! the body only as `text/plain`, without control characters, up to the first blank line and at most eight lines
//! (`cmd/go/internal/web/api.go:formatErrorDetail`). So the status is chosen by meaning and the text is made to fit.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::protocol::caching;

/// Bytes of a text that a client is sent at most.
const MAX_TEXT_BYTES: usize = 600;
/// Lines of a text that a client is sent at most.
const MAX_TEXT_LINES: usize = 8;

/// An answer that is not a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Truly not there: the client may ask its next source. The status is 404, or 410 where the upstream said so.
    Absent { gone: bool, text: String, max_age: Duration },
    /// No request can ever be right in this form; the client may ask its next source.
    Malformed { text: String, max_age: Duration },
    /// Refused by the upstream, by policy or because a proof failed: nobody else should be asked.
    Refused { text: String },
    /// Not now.
    Later { text: String, retry_after: Duration },
    /// The request as HTTP is wrong, whatever it asks for; the connection ends.
    BadRequest { text: String },
    /// Neither GET nor HEAD.
    Method,
    /// A part of a file that it doesn't have; the length is the file's.
    Range { length: u64 },
    /// The request has been through this server already.
    Loop,
    /// Our own fault.
    Internal,
}

impl Problem {
    /// 404 that holds for as long as a mutable answer does.
    pub(crate) fn absent(text: impl Into<String>) -> Self {
        Self::Absent { gone: false, text: text.into(), max_age: caching::MUTABLE }
    }

    /// The status that leaves.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Absent { gone: false, .. } | Self::Malformed { .. } => StatusCode::NOT_FOUND,
            Self::Absent { gone: true, .. } => StatusCode::GONE,
            Self::Refused { .. } => StatusCode::FORBIDDEN,
            Self::Later { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Absent { text, .. }
            | Self::Malformed { text, .. }
            | Self::Refused { text }
            | Self::Later { text, .. }
            | Self::BadRequest { text } => text,
            Self::Method => "only GET and HEAD are answered here",
            Self::Range { .. } => "the file has no such range",
            Self::Loop => "the upstream of this proxy leads back to this proxy",
            Self::Internal => "internal error, see the server's log",
        }
    }

    /// The whole reply. `head` leaves the text out but not its length.
    pub(crate) fn reply(&self, head: bool) -> Response<Body> {
        let text = shown(self.text());
        let mut reply = Response::builder()
            .status(self.status())
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(header::CONTENT_LENGTH, text.len())
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(header::CACHE_CONTROL, self.cache_control());
        match self {
            Self::Method => reply = reply.header(header::ALLOW, "GET, HEAD"),
            Self::Later { retry_after, .. } => {
                reply = reply.header(header::RETRY_AFTER, retry_after.as_secs().max(1));
            }
            Self::Range { length } => {
                reply = reply.header(header::CONTENT_RANGE, format!("bytes */{length}"));
            }
            Self::BadRequest { .. } => reply = reply.header(header::CONNECTION, "close"),
            _ => {}
        }
        let body = if head { Body::empty() } else { Body::full(text) };
        reply.body(body).expect("status and headers are ours")
    }

    fn cache_control(&self) -> HeaderValue {
        match self {
            Self::Absent { max_age, .. } | Self::Malformed { max_age, .. } => {
                caching::for_seconds(max_age.as_secs())
            }
            _ => HeaderValue::from_static("no-store"),
        }
    }
}

/// The part of `text` that the go command will show: no control characters, no blank line, few lines, few bytes.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().take(MAX_TEXT_LINES) {
        if line.trim().is_empty() {
            break;
        }
        let line: String = line.chars().map(|c| if is_graphic(c) { c } else { '?' }).collect();
        let room = MAX_TEXT_BYTES.saturating_sub(out.len() + 1);
        let fits = &line[..line.floor_char_boundary(room)];
        if fits.is_empty() {
            break;
        }
        out.push_str(fits);
        out.push('\n');
    }
    out
}

fn is_graphic(c: char) -> bool {
    if c.is_ascii() { c == '\t' || !c.is_ascii_control() } else { c.escape_debug().len() == 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_what_the_go_command_shows() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            assert_eq!(shown(text), want, "{text:?}");
        }
        check(
            "not found: m@v1.0.0: unknown revision v1.0.0",
            "not found: m@v1.0.0: unknown revision v1.0.0\n",
        );
        check("404 page not found\n", "404 page not found\n");
        check("one\r\ntwo\r\n", "one\ntwo\n");
        check("first\n\nnever shown", "first\n");
        check("", "");
        check("\x1b[31mred\x1b[0m", "?[31mred?[0m\n");
        check("hidden\u{202e}order", "hidden?order\n");
        check("invalid char '☺'", "invalid char '☺'\n");
        check("1\n2\n3\n4\n5\n6\n7\n8\n9", "1\n2\n3\n4\n5\n6\n7\n8\n");
        check(&"x".repeat(700), &format!("{}\n", "x".repeat(599)));
        check(&"é".repeat(400), &format!("{}\n", "é".repeat(299)));
        check(&format!("{}\n{}", "x".repeat(598), "y"), &format!("{}\n", "x".repeat(598)));
        check(&format!("{}\n{}", "x".repeat(599), "y"), &format!("{}\n", "x".repeat(599)));
    }

    #[test]
    fn the_status_says_what_the_client_should_do_next() {
        #[track_caller]
        fn check(problem: Problem, status: u16, cache: &str) {
            let reply = problem.reply(false);
            assert_eq!(reply.status().as_u16(), status, "{problem:?}");
            assert_eq!(reply.headers()[header::CACHE_CONTROL], cache, "{problem:?}");
            assert_eq!(reply.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        }
        let text = || "because".to_owned();
        check(Problem::absent("because"), 404, "public, max-age=60");
        let gone = Problem::Absent { gone: true, text: text(), max_age: Duration::from_secs(600) };
        check(gone, 410, "public, max-age=600");
        let malformed = Problem::Malformed { text: text(), max_age: Duration::from_secs(86_400) };
        check(malformed, 404, "public, max-age=86400");
        check(Problem::Refused { text: text() }, 403, "no-store");
        check(Problem::Later { text: text(), retry_after: Duration::ZERO }, 503, "no-store");
        check(Problem::BadRequest { text: text() }, 400, "no-store");
        check(Problem::Method, 405, "no-store");
        check(Problem::Range { length: 5 }, 416, "no-store");
        check(Problem::Loop, 508, "no-store");
        check(Problem::Internal, 500, "no-store");
    }
}
