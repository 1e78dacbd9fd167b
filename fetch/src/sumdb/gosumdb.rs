//! GOSUMDB: which checksum database is asked, under which key, and where.
//!
//! `off`, `NAME`, `KEY`, `NAME URL` or `KEY URL`; a name stands for a key that the go command knows. With a URL the
//! database is asked there and nowhere else (`cmd/go/internal/modfetch/sumdb.go:dbDial`, `key.go`).

use modkeep_module::resource::DatabaseName;
use modkeep_module::sumdb::note::{KeyError, Verifier};

use crate::chain::Route;
use crate::goproxy::GoProxyError;

/// The one database whose key the go command knows.
const KNOWN: (&str, &str) =
    ("sum.golang.org", "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8");

/// The name under which that database is reached where the first is not.
const ALIAS: &str = "sum.golang.google.cn";

/// A database: its name, its key, and where it is where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gosumdb {
    /// The name, which is also the key's.
    pub name: DatabaseName,
    /// The key that its heads are signed with.
    pub verifier: Verifier,
    /// The place that was named; none to find the way as the go command does, through the upstream's own `/sumdb/`.
    pub route: Option<Route>,
}

/// A setting that names no database.
#[derive(Debug, thiserror::Error)]
pub enum GosumdbError {
    /// Nothing but space.
    #[error("missing GOSUMDB")]
    Missing,
    /// More than a key and a URL.
    #[error("invalid GOSUMDB: too many fields")]
    TooManyFields,
    /// The key is none, nor a name that stands for one.
    #[error("invalid GOSUMDB: {0}")]
    Key(#[source] KeyError),
    /// The name can't be a host and a path. Upper-case letters are refused too, which the go command takes.
    #[error("invalid sumdb name (must be host[/path]): {0}")]
    Name(String),
    /// The URL is none that can be asked.
    #[error("invalid GOSUMDB URL: {0}")]
    Url(#[source] GoProxyError),
}

impl Gosumdb {
    /// Reads the setting; none for `off`.
    ///
    /// # Errors
    /// In the go command's words.
    pub fn parse(setting: &str) -> Result<Option<Gosumdb>, GosumdbError> {
        if setting == "off" {
            return Ok(None);
        }
        let alias = format!("{} https://{ALIAS}", KNOWN.0);
        let setting = if setting == ALIAS { &alias } else { setting };
        let fields: Vec<&str> = setting.split_whitespace().collect();
        let (key, url) = match fields[..] {
            [] => return Err(GosumdbError::Missing),
            [key] => (key, None),
            [key, url] => (key, Some(url)),
            _ => return Err(GosumdbError::TooManyFields),
        };
        let key = if key == KNOWN.0 { KNOWN.1 } else { key };
        let verifier = Verifier::parse(key).map_err(GosumdbError::Key)?;
        let name = DatabaseName::parse(verifier.name());
        let name = name.map_err(|_| GosumdbError::Name(verifier.name().to_owned()))?;
        let route = url.map(Route::direct).transpose().map_err(GosumdbError::Url)?;
        Ok(Some(Gosumdb { name, verifier, route }))
    }
}

#[cfg(test)]
mod tests {
    use super::Gosumdb;

    const KEY: &str = "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6";

    #[test]
    fn every_form_names_a_database() {
        #[track_caller]
        fn check(setting: &str, name: Option<&str>, has_route: bool) {
            let database = Gosumdb::parse(setting).unwrap();
            assert_eq!(database.as_ref().map(|database| database.name.as_str()), name, "{setting}");
            assert_eq!(database.is_some_and(|database| database.route.is_some()), has_route, "{setting}");
        }
        check("off", None, false);
        check("sum.golang.org", Some("sum.golang.org"), false);
        check("sum.golang.google.cn", Some("sum.golang.org"), true);
        check("sum.golang.org https://sum.corp.example", Some("sum.golang.org"), true);
        check(KEY, Some("localhost.localdev/sumdb"), false);
        check(&format!("  {KEY}\thttp://127.0.0.1:7/x "), Some("localhost.localdev/sumdb"), true);
    }

    #[test]
    fn what_names_none_is_refused_in_the_words_of_go() {
        #[track_caller]
        fn check(setting: &str, error: &str) {
            assert_eq!(Gosumdb::parse(setting).unwrap_err().to_string(), error, "{setting}");
        }
        check("", "missing GOSUMDB");
        check(" \t", "missing GOSUMDB");
        check("sum.golang.org https://a.example b", "invalid GOSUMDB: too many fields");
        check("sum.corp.example", "invalid GOSUMDB: malformed verifier id");
        check(&KEY.replace("c67", "c68"), "invalid GOSUMDB: invalid verifier hash");
        for name in ["localhost.localdev/sumdb/", "Host.example", "a?b", "host//x", "../x"] {
            let key = modkeep_module::sumdb::note::Signer::from_seed(name, [1; 32]).unwrap().verifier();
            check(&key.to_string(), &format!("invalid sumdb name (must be host[/path]): {name}"));
        }
    }
}
