//! Requests to a checksum database that pass through a proxy: `/sumdb/NAME/REQUEST`.
//!
//! A database's name may hold slashes, so the name ends where the request begins: at the first element that is
//! `lookup` or `tile` and not the last, or at a last element `supported` or `latest`. A name may therefore hold
//! neither `lookup` nor `tile` as an element; no list of names is needed to read a path.

use std::fmt;

use super::ResourceError;
use crate::path::ModulePath;
use crate::sumdb::tile::TilePath;
use crate::version::Version;

/// A request to one checksum database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SumdbResource {
    /// The database.
    pub database: DatabaseName,
    /// What is asked of it.
    pub request: SumdbRequest,
}

/// What a checksum database can be asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SumdbRequest {
    /// Whether the proxy serves this database.
    Supported,
    /// The newest signed tree head.
    Latest,
    /// The record of a module's version.
    Lookup(ModulePath, Version),
    /// A tile of hashes, `tile/8/0/x001/234.p/5`, or of records, `tile/8/data/000`.
    Tile(TilePath),
}

impl SumdbResource {
    /// Reads what follows `/sumdb/`.
    pub(super) fn parse(path: &str) -> Result<Self, ResourceError> {
        let (name, request) = split_request(path);
        let database = DatabaseName::parse(name)?;
        match SumdbRequest::parse(request) {
            Some(request) => Ok(Self { database, request }),
            None => Err(ResourceError::SumdbRequest { database: database.0, request: request.to_owned() }),
        }
    }
}

impl fmt::Display for SumdbResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.database, self.request)
    }
}

impl SumdbRequest {
    /// Reads a request as it follows the database's name: `lookup/x.y/!z@v1.0.0`.
    fn parse(request: &str) -> Option<Self> {
        match request {
            "supported" => return Some(Self::Supported),
            "latest" => return Some(Self::Latest),
            _ => {}
        }
        if let Some(asked) = request.strip_prefix("lookup/") {
            let (module, version) = asked.split_once('@')?;
            return Some(Self::Lookup(
                ModulePath::from_escaped(module).ok()?,
                Version::from_escaped(version)?,
            ));
        }
        TilePath::parse(request).ok().map(Self::Tile)
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Supported => "sumdb_supported",
            Self::Latest => "sumdb_latest",
            Self::Lookup(..) => "sumdb_lookup",
            Self::Tile(_) => "sumdb_tile",
        }
    }
}

/// Escaped, as it stands in URLs.
impl fmt::Display for SumdbRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supported => f.write_str("supported"),
            Self::Latest => f.write_str("latest"),
            Self::Lookup(module, version) => write!(f, "lookup/{}@{}", module.escaped(), version.escaped()),
            Self::Tile(tile) => tile.fmt(f),
        }
    }
}

/// Where the request begins; the whole is the name when it nowhere does.
fn split_request(path: &str) -> (&str, &str) {
    let mut start = 0;
    for element in path.split('/') {
        let end = start + element.len();
        let last = end == path.len();
        if start > 0 && matches!((element, last), ("lookup" | "tile", false) | ("supported" | "latest", true))
        {
            return (&path[..start - 1], &path[start..]);
        }
        start = end + 1;
    }
    (path, "")
}

/// The name of a checksum database: `host` or `host/path`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseName(String);

impl DatabaseName {
    /// Checks a name. Stricter than Go: no upper-case letters, for keys must not depend on case, and few marks.
    pub fn parse(name: &str) -> Result<Self, ResourceError> {
        let sound = |element: &str| {
            !matches!(element, "" | "." | ".." | "lookup" | "tile")
                && element
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':'))
        };
        if name.split('/').all(sound) {
            Ok(Self(name.to_owned()))
        } else {
            Err(ResourceError::DatabaseName(name.to_owned()))
        }
    }

    /// The name as configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
