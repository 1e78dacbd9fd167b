//! GOPROXY: a list of places to ask, and what lets a request go on from one to the next.
//!
//! Source of the rules: `cmd/go/internal/modfetch/proxy.go` (`proxyList`, `newProxyRepo`). Two differences, both
//! because a server reads its configuration once and refuses it whole: a URL without a host, and credentials
//! that would travel unencrypted to another machine, are errors here and not at the first request.

use std::path::PathBuf;

use url::Url;

use crate::base::Base;
use crate::secret::shown_text;

/// The places of a GOPROXY list, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoProxy {
    /// At least one.
    pub sources: Vec<Source>,
}

/// One element of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where to ask.
    pub place: Place,
    /// Whether any error lets the next one be asked (`|` follows), or only 404 and 410 (`,` follows).
    pub falls_through: bool,
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A module proxy.
    Http(Base),
    /// A tree of files in the layout of a proxy, such as `GOMODCACHE/cache/download`.
    Folder(PathBuf),
    /// The module's own version control; always the last.
    Direct,
    /// Nowhere; always the last.
    Off,
}

/// Why a GOPROXY can't be used. URLs are shown without credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoProxyError {
    /// Only separators and blanks.
    #[error("GOPROXY list is not the empty string, but contains no entries")]
    Empty,
    /// `url.Parse` fails too, with another cause.
    #[error("parse {url:?}: {cause}")]
    Syntax {
        /// redacted
        url: String,
        /// what the parser found
        cause: url::ParseError,
    },
    /// Such as a single word.
    #[error("invalid proxy URL missing scheme: {0}")]
    MissingScheme(String),
    /// Neither http nor https nor file.
    #[error("invalid proxy URL scheme (must be https, http, file): {0}")]
    Scheme(String),
    /// A file URL with host, query or fragment.
    #[error("invalid file:// proxy URL with non-path elements: {0}")]
    FileElements(String),
    /// `https:/path`
    #[error("invalid proxy URL missing host: {0}")]
    MissingHost(String),
    /// Userinfo with plain http to another machine.
    #[error("refusing to pass credentials to insecure URL: {0}")]
    InsecureCredentials(String),
}

impl GoProxy {
    /// Reads a list as the go command does.
    ///
    /// # Errors
    /// In the words of the go command, when an element can't be a proxy or there is none.
    pub fn parse(list: &str) -> Result<Self, GoProxyError> {
        let mut sources = Vec::new();
        for element in list.split_inclusive([',', '|']) {
            let falls_through = element.ends_with('|');
            let place = match element.trim_end_matches([',', '|']).trim() {
                "" => continue,
                "off" => Place::Off,
                "direct" => Place::Direct,
                url => Place::parse(url)?,
            };
            let is_last = matches!(place, Place::Off | Place::Direct);
            sources.push(Source { place, falls_through });
            if is_last {
                break;
            }
        }
        if sources.is_empty() { Err(GoProxyError::Empty) } else { Ok(Self { sources }) }
    }

    /// The one tree of files, when the list is nothing else: the only case in which the go command takes
    /// toolchains without the checksum database.
    pub fn is_lone_folder(&self) -> bool {
        matches!(self.sources.as_slice(), [Source { place: Place::Folder(_), .. }])
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self, GoProxyError> {
        let bare = text.contains(['.', ':', '/']) && !text.contains(":/") && !text.starts_with('/');
        let text = if bare { format!("https://{text}") } else { text.to_owned() };
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(GoProxyError::MissingScheme(shown_text(&text)));
        };
        if scheme.is_empty() || scheme.contains('/') {
            return Err(GoProxyError::MissingScheme(shown_text(&text)));
        }
        match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if !path.starts_with('/') || path.contains(['?', '#']) {
                    return Err(GoProxyError::FileElements(shown_text(&text)));
                }
                Ok(Self::Folder(folder(path)))
            }
            "http" | "https" if rest.starts_with("//") && !rest.starts_with("///") => {
                let url = Url::parse(&text)
                    .map_err(|cause| GoProxyError::Syntax { url: shown_text(&text), cause })?;
                Base::new(url).map(Self::Http)
            }
            "http" | "https" => Err(GoProxyError::MissingHost(shown_text(&text))),
            _ => Err(GoProxyError::Scheme(shown_text(&text))),
        }
    }
}

/// The path of a file URL, percent-decoded.
fn folder(path: &str) -> PathBuf {
    let bytes = percent_encoding::percent_decode_str(path).collect::<Vec<_>>();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        PathBuf::from(std::ffi::OsString::from_vec(bytes))
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list in a short notation: `URL`, `DIR`, `direct`, `off`, each followed by `|` if anything goes on.
    fn read(list: &str) -> String {
        let goproxy = match GoProxy::parse(list) {
            Ok(goproxy) => goproxy,
            Err(error) => return error.to_string(),
        };
        let short = |source: &Source| {
            let place = match &source.place {
                Place::Http(base) => base.url().to_string(),
                Place::Folder(path) => path.display().to_string(),
                Place::Direct => "direct".to_owned(),
                Place::Off => "off".to_owned(),
            };
            format!("{place}{}", if source.falls_through { "|" } else { "" })
        };
        goproxy.sources.iter().map(short).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_list_is_read_as_the_go_command_reads_it() {
        for (list, expected) in [
            ("https://a.example,direct", "https://a.example/ direct"),
            ("https://a.example|direct", "https://a.example/| direct"),
            ("https://a.example|https://b.example/p/,off", "https://a.example/| https://b.example/p off"),
            ("direct,https://a.example", "direct"),
            ("off|https://a.example", "off|"),
            (" https://a.example , , | direct", "https://a.example/ direct"),
            ("a.example", "https://a.example/"),
            ("localhost:3000", "https://localhost:3000/"),
            ("a.example:8080/path", "https://a.example:8080/path"),
            ("http://[::1]:80/x", "http://[::1]/x"),
            ("https://a.example//b//c/", "https://a.example/b/c"),
            ("https://a.example/b?token=t", "https://a.example/b?token=t"),
            ("file:///srv/go", "/srv/go"),
            ("file:/srv/go", "/srv/go"),
            ("file:///srv/a%20b", "/srv/a b"),
            ("HTTPS://A.example", "https://a.example/"),
            ("https://user:pass@a.example/x", "https://a.example/x"),
            ("http://user:pass@127.0.0.1:3000", "http://127.0.0.1:3000/"),
            ("", "GOPROXY list is not the empty string, but contains no entries"),
            (",", "GOPROXY list is not the empty string, but contains no entries"),
            (" | ", "GOPROXY list is not the empty string, but contains no entries"),
            ("foo", "invalid proxy URL missing scheme: foo"),
            ("/srv/go", "invalid proxy URL missing scheme: /srv/go"),
            ("ftp://a.example", "invalid proxy URL scheme (must be https, http, file): ftp://a.example"),
            ("file://host/srv", "invalid file:// proxy URL with non-path elements: file://host/srv"),
            ("file:///srv?x", "invalid file:// proxy URL with non-path elements: file:///srv"),
            ("https:/a.example", "invalid proxy URL missing host: https:/a.example"),
            ("https:///a", "invalid proxy URL missing host: https:///a"),
            ("https://u:p@a.example:port", "parse \"https://a.example:port\": invalid port number"),
            ("http://u:p@a.example/x", "refusing to pass credentials to insecure URL: http://a.example/x"),
        ] {
            assert_eq!(read(list), expected, "{list}");
        }
    }
}
