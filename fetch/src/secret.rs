//! What must never be read by a person: credentials, and URLs with credentials in them.
//!
//! A [`Secret`] prints as `[redacted]` under every formatter; only [`Secret::reveal`] gives the text, and its
//! callers put it into a header marked sensitive. A URL is shown without userinfo, query and fragment.

use std::fmt;

use url::Url;

/// A text that no formatter prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text away from formatters.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one header it belongs in.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The URL as errors and logs show it: scheme, host, port and path.
///
/// The go command hides the password only; tokens are often written as the user name or in the query.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for URLs that can't hold userinfo.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The same for a text that may not be a URL: what stands before the last `@` of the authority, and what
/// follows `?` or `#`, is dropped.
pub fn shown_text(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match text.find(":/") {
        Some(at) => {
            let end = at + 1 + text[at + 1..].bytes().take_while(|byte| *byte == b'/').count();
            text.split_at(end)
        }
        None => ("", text),
    };
    let rest = match rest.rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    format!("{scheme}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatters_print_no_secret() {
        let secret = Secret::new("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[redacted] [redacted] Some([redacted])"
        );
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn urls_are_shown_without_userinfo_query_and_fragment() {
        for (url, expected) in [
            ("https://u:p@h.example/a/b?t=1#f", "https://h.example/a/b"),
            ("https://token@h.example:8443/a", "https://h.example:8443/a"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/"),
            ("file:///srv/go", "file:///srv/go"),
        ] {
            assert_eq!(shown(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn broken_urls_are_shown_without_them_too() {
        for (text, expected) in [
            ("https://u:p@h ost/a?t=1", "https://h ost/a"),
            ("https://u:p@ss@h:port/", "https://h:port/"),
            ("u:p@host", "host"),
            ("https://u:pa/ss@host:x/", "https://host:x/"),
            ("ftp:/u:p@h/x", "ftp:/h/x"),
            ("plain", "plain"),
        ] {
            assert_eq!(shown_text(text), expected, "{text}");
        }
    }
}
