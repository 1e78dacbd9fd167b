//! What is asked for, as far as limits and counting care.

use modkeep_module::resource::{Resource, SumdbRequest};

const MIB: u64 = 1 << 20;

/// The kind of a request to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `@v/list`
    List,
    /// `@latest`
    Latest,
    /// `.info` of a branch, a hash or a version prefix
    Query,
    /// `.info` of a canonical version
    Info,
    /// `.mod`
    Mod,
    /// `.zip`
    Zip,
    /// whether a checksum database is passed on
    SumdbSupported,
    /// the newest tree head of a checksum database
    SumdbLatest,
    /// a record of a checksum database
    SumdbLookup,
    /// a tile of a checksum database
    SumdbTile,
    /// our own question whether an upstream that failed answers again
    Probe,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 11] = [
        Self::List,
        Self::Latest,
        Self::Query,
        Self::Info,
        Self::Mod,
        Self::Zip,
        Self::SumdbSupported,
        Self::SumdbLatest,
        Self::SumdbLookup,
        Self::SumdbTile,
        Self::Probe,
    ];

    /// The kind of a resource.
    pub fn of(resource: &Resource) -> Self {
        match resource {
            Resource::List(_) => Self::List,
            Resource::Latest(_) => Self::Latest,
            Resource::Query(..) => Self::Query,
            Resource::Info(_) => Self::Info,
            Resource::Mod(_) => Self::Mod,
            Resource::Zip(_) => Self::Zip,
            Resource::Sumdb(sumdb) => match sumdb.request {
                SumdbRequest::Supported => Self::SumdbSupported,
                SumdbRequest::Latest => Self::SumdbLatest,
                SumdbRequest::Lookup(..) => Self::SumdbLookup,
                SumdbRequest::Tile(_) => Self::SumdbTile,
            },
        }
    }

    /// The label of metrics, equal to [`Resource::kind`].
    pub fn label(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Latest => "latest",
            Self::Query => "query",
            Self::Info => "info",
            Self::Mod => "mod",
            Self::Zip => "zip",
            Self::SumdbSupported => "sumdb_supported",
            Self::SumdbLatest => "sumdb_latest",
            Self::SumdbLookup => "sumdb_lookup",
            Self::SumdbTile => "sumdb_tile",
            Self::Probe => "probe",
        }
    }

    /// The most bytes that an answer may have, after decoding.
    ///
    /// Zips and go.mod files have the go command's limits (`codehost.MaxZipFile`, `codehost.MaxGoMod`); go
    /// reads the others without one, so theirs are far above anything seen: a list of 100 000 versions is
    /// 3 MiB, a tile 8 KiB, a lookup 1 KiB.
    pub fn limit(self) -> u64 {
        match self {
            Self::Zip => 500 * MIB,
            Self::Mod | Self::List => 16 * MIB,
            Self::Latest
            | Self::Query
            | Self::Info
            | Self::SumdbSupported
            | Self::SumdbLatest
            | Self::SumdbLookup
            | Self::SumdbTile => MIB,
            Self::Probe => 0,
        }
    }

    /// Whether the body is handed on while it arrives. All others are read whole before anything is said, so
    /// that one cut short is asked for again.
    pub fn is_streamed(self) -> bool {
        self == Self::Zip
    }
}
