//! The URL of a server, its credentials kept apart, and where credentials may travel.

use std::fmt;

use data_encoding::BASE64;
use url::{Host, Url};

use crate::goproxy::GoProxyError;
use crate::secret::{Secret, shown};

/// The URL below which resources are, without userinfo.
#[derive(Clone, PartialEq, Eq)]
pub struct Base {
    url: Url,
    authorization: Option<Secret>,
}

impl Base {
    /// Takes userinfo out of the URL and cleans its path as Go's `path.Join` would.
    ///
    /// # Errors
    /// When there is userinfo that would travel unencrypted to another machine.
    pub fn new(mut url: Url) -> Result<Self, GoProxyError> {
        let authorization = userinfo(&url);
        if authorization.is_some() && !may_carry_credentials(&url) {
            return Err(GoProxyError::InsecureCredentials(shown(&url)));
        }
        // Both fail only for URLs that can't hold userinfo.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        let elements: Vec<&str> = url.path().split('/').filter(|element| !element.is_empty()).collect();
        let path = format!("/{}", elements.join("/"));
        url.set_path(&path);
        Ok(Self { url, authorization })
    }

    /// The URL of a resource below; `path` begins with a slash and is escaped. A query of the base stays.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = self.url.path().trim_end_matches('/');
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Without credentials (a query is kept).
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The value of the `Authorization` header that the userinfo stands for.
    pub(crate) fn authorization(&self) -> Option<&Secret> {
        self.authorization.as_ref()
    }
}

/// The userinfo as net/http sends it.
fn userinfo(url: &Url) -> Option<Secret> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<_>>();
    Some(basic(&decode(url.username()), &decode(url.password().unwrap_or_default())))
}

/// `Basic …`
pub(crate) fn basic(user: &[u8], password: &[u8]) -> Secret {
    Secret::new(format!("Basic {}", BASE64.encode(&[user, b":", password].concat())))
}

/// Credentials travel over TLS only, or not beyond this machine.
///
/// The go command refuses the second too; a proxy beside us in the same pod is the reason to allow it.
pub(crate) fn may_carry_credentials(url: &Url) -> bool {
    url.scheme() == "https" || is_loopback(url)
}

/// Whether the host is this machine by its name or address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Base").field(&shown(&self.url)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_put_below_the_base() {
        for (base, path, expected) in [
            ("https://a.example", "/rsc.io/quote/@v/list", "https://a.example/rsc.io/quote/@v/list"),
            (
                "https://a.example/p/",
                "/m/@v/v1.0.0+incompatible.zip",
                "https://a.example/p/m/@v/v1.0.0+incompatible.zip",
            ),
            (
                "https://a.example/p?t=1",
                "/github.com/%21azure/x/@latest",
                "https://a.example/p/github.com/%21azure/x/@latest?t=1",
            ),
            (
                "https://a.example/a%2Fb",
                "/sumdb/s.example/lookup/!a@v1.0.0",
                "https://a.example/a%2Fb/sumdb/s.example/lookup/!a@v1.0.0",
            ),
        ] {
            let base = Base::new(Url::parse(base).unwrap()).unwrap();
            assert_eq!(base.join(path).as_str(), expected);
        }
    }

    #[test]
    fn userinfo_becomes_basic_authorization_and_is_never_printed() {
        let base = Base::new(Url::parse("https://user:p%40ss@a.example/x?token=t0k").unwrap()).unwrap();
        assert_eq!(base.authorization().unwrap().reveal(), "Basic dXNlcjpwQHNz");
        assert_eq!(format!("{base:?}"), "Base(\"https://a.example/x\")");
    }
}
