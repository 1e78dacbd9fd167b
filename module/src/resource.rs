//! What a client can ask a proxy for: a URL path, a value, and the key it is kept under.
//!
//! One type, three uses. [`Resource::parse`] reads the path of a request, [`Resource::url_path`] is the path that
//! the go command would ask an upstream for, [`Resource::store_key`] names the thing in a store. Reading is
//! strict, so that one resource has one key however its request was spelled: the path is percent-decoded once,
//! then the module and the version are unescaped and checked. Nothing else decides on the raw text.
//!
//! Every method that says what a request is for (policy, routing, keys) stands on the value, never on the URL.

use std::fmt;

use crate::escape::{EscapeError, unescape_version};
use crate::path::ModulePath;
use crate::version::{ModuleVersion, Version};

mod error;
mod query;
mod sumdb;
mod url;

pub use error::{ResourceError, UrlProblem};
pub use query::Query;
pub use sumdb::{DatabaseName, SumdbRequest, SumdbResource};
use url::Bangs;

/// Longest store key in bytes; a request for a longer one is refused. Stricter than Go.
pub const MAX_KEY_LEN: usize = 800;

/// One thing that a GOPROXY serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// `/@v/list`: the tagged versions of a module.
    List(ModulePath),
    /// `/@latest`: the `.info` of the version to use when the list has none.
    Latest(ModulePath),
    /// The `.info` of a branch, a tag, a commit or another name that is no version of the module.
    Query(Query),
    /// The `.info` of a version.
    Info(ModuleVersion),
    /// The go.mod of a version.
    Mod(ModuleVersion),
    /// The zip of a version.
    Zip(ModuleVersion),
    /// A request to a checksum database, passed on.
    Sumdb(SumdbResource),
}

impl Resource {
    /// Reads the path of a request: raw, without the base the server is mounted at, beginning with `/`.
    pub fn parse(path: &str) -> Result<Self, ResourceError> {
        let decoded = url::decode(path).map_err(|problem| ResourceError::url(path, problem))?;
        let resource = match decoded.strip_prefix("/sumdb/") {
            Some(rest) => Self::Sumdb(SumdbResource::parse(rest)?),
            None => Self::parse_module(&decoded)?,
        };
        // Encoding makes three bytes of one at most.
        if path.len() > MAX_KEY_LEN / 3 && resource.store_key().len() > MAX_KEY_LEN {
            return Err(ResourceError::url(path, UrlProblem::TooLong));
        }
        Ok(resource)
    }

    fn parse_module(path: &str) -> Result<Self, ResourceError> {
        let unknown = || ResourceError::url(path, UrlProblem::Unknown);
        if let Some(module) = path.strip_suffix("/@latest") {
            return Ok(Self::Latest(module_path(module)?));
        }
        let (module, file) = path.rsplit_once("/@v/").ok_or_else(unknown)?;
        let module = module_path(module)?;
        if file == "list" {
            return Ok(Self::List(module));
        }
        let (version, kind) = file.rsplit_once('.').ok_or_else(unknown)?;
        let version = unescape_version(version)?;
        match kind {
            "info" => Self::info(module, &version),
            "mod" => Ok(Self::Mod(module_version(module, &version)?)),
            "zip" => Ok(Self::Zip(module_version(module, &version)?)),
            _ => Err(unknown()),
        }
    }

    /// The `.info` of a revision: [`Resource::Info`] for a version of the module, else a [`Resource::Query`].
    pub fn info(module: ModulePath, revision: &str) -> Result<Self, ResourceError> {
        match ModuleVersion::parse(module.as_str(), revision) {
            Ok(version) => Ok(Self::Info(version)),
            Err(_) => Query::new(module, revision).map(Self::Query),
        }
    }

    /// The path that the go command would ask for, beginning with `/`.
    pub fn url_path(&self) -> String {
        let mut path = String::from("/");
        // The go command encodes the paths of module files, and not what it asks a database.
        let bangs = if matches!(self, Self::Sumdb(_)) { Bangs::Raw } else { Bangs::Encoded };
        url::push_encoded(&mut path, &self.to_string(), bangs);
        path
    }

    /// The `/`-separated key of this resource, its own and nobody else's; printable ASCII without upper-case letters
    /// but those of percent-encoded bytes.
    pub fn store_key(&self) -> String {
        let mut key = String::new();
        url::push_encoded(&mut key, &self.to_string(), Bangs::Raw);
        key
    }

    /// The module it belongs to; none for what a database is asked apart from lookups.
    pub fn module(&self) -> Option<&ModulePath> {
        match self {
            Self::List(module) | Self::Latest(module) => Some(module),
            Self::Query(query) => Some(query.module()),
            Self::Info(version) | Self::Mod(version) | Self::Zip(version) => Some(&version.path),
            Self::Sumdb(SumdbResource { request: SumdbRequest::Lookup(module, _), .. }) => Some(module),
            Self::Sumdb(_) => None,
        }
    }

    /// The version of which this is a file.
    pub fn version(&self) -> Option<&ModuleVersion> {
        match self {
            Self::Info(version) | Self::Mod(version) | Self::Zip(version) => Some(version),
            _ => None,
        }
    }

    /// A word for metrics and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::List(_) => "list",
            Self::Latest(_) => "latest",
            Self::Query(_) => "query",
            Self::Info(_) => "info",
            Self::Mod(_) => "mod",
            Self::Zip(_) => "zip",
            Self::Sumdb(sumdb) => sumdb.request.kind(),
        }
    }
}

/// Escaped, `/`-separated, not percent-encoded.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(module) => write!(f, "{}/@v/list", module.escaped()),
            Self::Latest(module) => write!(f, "{}/@latest", module.escaped()),
            Self::Query(query) => write!(f, "{}/@v/{}.info", query.module().escaped(), query.escaped()),
            Self::Info(of) => write!(f, "{}/@v/{}.info", of.path.escaped(), of.version.escaped()),
            Self::Mod(of) => write!(f, "{}/@v/{}.mod", of.path.escaped(), of.version.escaped()),
            Self::Zip(of) => write!(f, "{}/@v/{}.zip", of.path.escaped(), of.version.escaped()),
            Self::Sumdb(sumdb) => write!(f, "sumdb/{sumdb}"),
        }
    }
}

fn module_path(escaped: &str) -> Result<ModulePath, EscapeError> {
    ModulePath::from_escaped(escaped.strip_prefix('/').unwrap_or(escaped))
}

fn module_version(module: ModulePath, version: &str) -> Result<ModuleVersion, ResourceError> {
    match Version::parse(version) {
        Ok(version) => ModuleVersion::new(module, version).map_err(ResourceError::Module),
        Err(_) => Err(ResourceError::UnrecognizedVersion { module, version: version.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_path_is_one_resource_with_one_url_and_one_key() {
        for (path, kind, url, key) in [
            ("/x.y/z/@v/list", "list", "/x.y/z/@v/list", "x.y/z/@v/list"),
            ("/x.y/z/@latest", "latest", "/x.y/z/@latest", "x.y/z/@latest"),
            ("/x.y/!z/@v/v1.0.0.info", "info", "/x.y/%21z/@v/v1.0.0.info", "x.y/!z/@v/v1.0.0.info"),
            ("/x.y/%21z/@v/v1.0.0.mod", "mod", "/x.y/%21z/@v/v1.0.0.mod", "x.y/!z/@v/v1.0.0.mod"),
            (
                "/x.y/z/@v/v2.0.0%2bincompatible.zip",
                "zip",
                "/x.y/z/@v/v2.0.0+incompatible.zip",
                "x.y/z/@v/v2.0.0+incompatible.zip",
            ),
            (
                "/x.y/z/@v/v1.0.0-!r!c1.zip",
                "zip",
                "/x.y/z/@v/v1.0.0-%21r%21c1.zip",
                "x.y/z/@v/v1.0.0-!r!c1.zip",
            ),
            ("/x.y/z/@v/v1.info", "query", "/x.y/z/@v/v1.info", "x.y/z/@v/v1.info"),
            ("/x.y/z/@v/v2.0.0.info", "query", "/x.y/z/@v/v2.0.0.info", "x.y/z/@v/v2.0.0.info"),
            (
                "/x.y/z/@v/!main%20%25(.info",
                "query",
                "/x.y/z/@v/%21main%20%25%28.info",
                "x.y/z/@v/!main%20%25%28.info",
            ),
            (
                "/golang.org/toolchain/@v/v0.0.1-go1.27.3.linux-amd64.zip",
                "zip",
                "/golang.org/toolchain/@v/v0.0.1-go1.27.3.linux-amd64.zip",
                "golang.org/toolchain/@v/v0.0.1-go1.27.3.linux-amd64.zip",
            ),
            ("/sumdb/x.y/supported", "sumdb_supported", "/sumdb/x.y/supported", "sumdb/x.y/supported"),
            (
                "/sumdb/x.y/latest/supported",
                "sumdb_supported",
                "/sumdb/x.y/latest/supported",
                "sumdb/x.y/latest/supported",
            ),
            ("/sumdb/x.y/db/latest", "sumdb_latest", "/sumdb/x.y/db/latest", "sumdb/x.y/db/latest"),
            (
                "/sumdb/x.y/db/lookup/x.y/%21z/tile/a@v1.0.0",
                "sumdb_lookup",
                "/sumdb/x.y/db/lookup/x.y/!z/tile/a@v1.0.0",
                "sumdb/x.y/db/lookup/x.y/!z/tile/a@v1.0.0",
            ),
            (
                "/sumdb/x.y/tile/8/0/x001/234.p/5",
                "sumdb_tile",
                "/sumdb/x.y/tile/8/0/x001/234.p/5",
                "sumdb/x.y/tile/8/0/x001/234.p/5",
            ),
        ] {
            let resource = Resource::parse(path).unwrap_or_else(|err| panic!("{path}: {err}"));
            assert_eq!(
                (resource.kind(), &*resource.url_path(), &*resource.store_key()),
                (kind, url, key),
                "{path}"
            );
            assert_eq!(Resource::parse(url).unwrap(), resource);
        }
    }

    #[test]
    fn what_no_resource_is_spelled_like_is_refused() {
        for (path, want) in [
            ("x.y/z/@v/list", "missing leading slash in path \"x.y/z/@v/list\""),
            ("/x.y//z/@v/list", "empty element in path \"/x.y//z/@v/list\""),
            ("/x.y/z/@v/list/", "empty element in path \"/x.y/z/@v/list/\""),
            ("/x.y/../z/@v/list", "dot element in path \"/x.y/../z/@v/list\""),
            ("/x.y/%2e%2E/z/@v/list", "dot element in path \"/x.y/%2e%2E/z/@v/list\""),
            ("/x.y%2fz/@v/list", "encoded slash in path \"/x.y%2fz/@v/list\""),
            ("/x.y%5cz/@v/list", "invalid character '\\\\' in path \"/x.y%5cz/@v/list\""),
            ("/x.y/z/@v/v1.0.0%00.info", "invalid character '\\0' in path \"/x.y/z/@v/v1.0.0%00.info\""),
            ("/x.y/z;a/@v/list", "invalid character ';' in path \"/x.y/z;a/@v/list\""),
            ("/x.y/é/@v/list", "invalid character 'é' in path \"/x.y/é/@v/list\""),
            ("/x.y/%C3%A9/@v/list", "invalid character 'Ã' in path \"/x.y/%C3%A9/@v/list\""),
            ("/x.y/z%2/@v/list", "invalid percent-encoding in path \"/x.y/z%2/@v/list\""),
            ("/x.y/z%+2/@v/list", "invalid percent-encoding in path \"/x.y/z%+2/@v/list\""),
            (
                "/x.y/z%2521/@v/list",
                "invalid escaped module path \"x.y/z%21\": malformed module path \"x.y/z%21\": invalid char '%'",
            ),
            ("/x.y/Z/@v/list", "invalid escaped module path \"x.y/Z\""),
            (
                "/z/@v/list",
                "invalid escaped module path \"z\": malformed module path \"z\": missing dot in first path element",
            ),
            ("/x.y/z", "no known resource in path \"/x.y/z\""),
            ("/x.y/z/@v/v1.0.0.ziphash", "no known resource in path \"/x.y/z/@v/v1.0.0.ziphash\""),
            ("/x.y/z/@v/v1.zip", "x.y/z@v1: unrecognized version"),
            ("/x.y/z/@v/!main.mod", "x.y/z@Main: unrecognized version"),
            ("/x.y/z/@v/v2.0.0.mod", "x.y/z@v2.0.0: invalid version: should be v0 or v1, not v2"),
            (
                "/x.y/z/@v/latest.info",
                "x.y/z@latest: invalid version: a query that the go command resolves itself",
            ),
            ("/sumdb/x.y/nothing", "invalid request \"\" to checksum database x.y/nothing"),
            ("/sumdb/x.y/lookup/x.y/z@v1", "invalid request \"lookup/x.y/z@v1\" to checksum database x.y"),
            ("/sumdb/supported", "invalid request \"\" to checksum database supported"),
            ("/sumdb/X.y/supported", "invalid sumdb name (must be host[/path]): X.y"),
        ] {
            assert_eq!(Resource::parse(path).unwrap_err().to_string(), want);
        }
        let long = format!("/x.y/{}/@v/list", "z".repeat(MAX_KEY_LEN));
        assert!(matches!(
            Resource::parse(&long),
            Err(ResourceError::Url { problem: UrlProblem::TooLong, .. })
        ));
    }
}
