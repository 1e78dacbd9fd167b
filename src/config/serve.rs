//! The settings of `serve`, checked whole before anything is started.

use std::net::{SocketAddr, ToSocketAddrs};

use modkeep_fetch::environment::{GoSettings, Setting};
use modkeep_fetch::goproxy::GoProxy;
use modkeep_fetch::sumdb::Gosumdb;
use modkeep_proxy::Freshness;

use super::builds::BuildsConfig;
use super::clients::Clients;
use super::layers::Origin;
use super::places::{self, Place};
use super::{ConfigError, Environment, Layers, units};

/// Where the server listens when nobody says where.
const LISTEN: &str = "127.0.0.1:3000";
/// The database that the go command asks when nobody says which.
const SUMDB: &str = "sum.golang.org";
/// What must stay free on the store's disk, in bytes: enough to forget things there.
const FREE_SPACE: u64 = 64 << 20;
/// How many absences a store remembers: some hundred megabytes of them.
const ABSENCES: u64 = 1_000_000;

/// What `serve` was told, and what it takes where it was told nothing.
#[derive(Debug)]
pub(crate) struct ServeConfig {
    /// The addresses that the host has, in the order to try.
    pub(crate) listen: Vec<SocketAddr>,
    /// How clients reach it.
    pub(crate) clients: Clients,
    pub(crate) store: Place,
    /// What builds share.
    pub(crate) builds: Option<BuildsConfig>,
    /// Nothing when offline, and where nobody says where modules come from.
    pub(crate) upstream: Option<GoProxy>,
    pub(crate) is_offline: bool,
    /// Bytes of the store's disk that must stay free.
    pub(crate) free_space: u64,
    pub(crate) freshness: Freshness,
    /// How many absences the store remembers.
    pub(crate) absences: u64,
    /// The first verifies what is fetched; with none files are taken as they first come.
    pub(crate) databases: Vec<Gosumdb>,
    /// Empty, or begins with a slash and does not end with one.
    pub(crate) base_path: String,
    pub(crate) private_is_absent: bool,
    pub(crate) access_log: bool,
    /// What go itself would use.
    pub(crate) go: GoSettings,
}

impl ServeConfig {
    /// Reads every setting; nothing is opened yet. Blocking: go may be asked for its own.
    pub(crate) fn read(layers: &Layers, environment: &Environment) -> Result<Self, ConfigError> {
        let address = |text: &str| text.to_socket_addrs().ok().map(|found| found.collect::<Vec<_>>());
        let listen = layers.parsed("listen", "HOST:PORT", address)?;
        let go = GoSettings::find(&environment.of_go());
        let is_offline = layers.switch("offline")?.unwrap_or(false);
        Ok(Self {
            listen: listen.unwrap_or_else(|| address(LISTEN).unwrap_or_default()),
            clients: Clients::read(layers)?,
            store: places::store(layers, environment)?,
            builds: BuildsConfig::read(layers)?,
            upstream: upstream(layers, &go)?.filter(|_| !is_offline),
            is_offline,
            free_space: layers.parsed("free-space", units::SIZE, units::size)?.unwrap_or(FREE_SPACE),
            freshness: freshness(layers)?,
            absences: layers.parsed("absences", "a number", |text| text.parse().ok())?.unwrap_or(ABSENCES),
            databases: databases(layers, &go)?,
            base_path: layers.parsed("base-path", "a path such as /go", base_path)?.unwrap_or_default(),
            private_is_absent: layers.switch("private-absent")?.unwrap_or(false),
            access_log: layers.switch("access-log")?.unwrap_or(true),
            go,
        })
    }
}

/// As set, else what go would use; without either there is none.
fn upstream(layers: &Layers, go: &GoSettings) -> Result<Option<GoProxy>, ConfigError> {
    let set = layers.text("upstream").map(|(list, origin)| (list.to_owned(), origin));
    let of_go = |setting: &Setting| (setting.value.clone(), Origin::Go(setting.from.to_string()));
    let Some((list, origin)) = set.or_else(|| go.goproxy.as_ref().map(of_go)) else { return Ok(None) };
    GoProxy::parse(&list).map(Some).map_err(|error| unusable(origin, &error))
}

/// How long answers are remembered, as set.
fn freshness(layers: &Layers) -> Result<Freshness, ConfigError> {
    let time = |name| layers.parsed(name, units::TIME, units::time);
    let usual = Freshness::default();
    Ok(Freshness {
        list: time("freshness-list")?.unwrap_or(usual.list),
        latest: time("freshness-latest")?.unwrap_or(usual.latest),
        query: time("freshness-query")?.unwrap_or(usual.query),
        absent: time("freshness-not-found")?.unwrap_or(usual.absent),
        absent_version: time("freshness-not-found-version")?.unwrap_or(usual.absent_version),
        refused: time("freshness-refusal")?.unwrap_or(usual.refused),
        malformed: time("freshness-malformed")?.unwrap_or(usual.malformed),
        patience: time("freshness-wait")?.unwrap_or(usual.patience),
        cold_patience: usual.cold_patience,
    })
}

/// As set, else what go would use. Nobody has to ask for verification: without either it is the public database.
fn databases(layers: &Layers, go: &GoSettings) -> Result<Vec<Gosumdb>, ConfigError> {
    let (specs, origin) = match (layers.texts("sumdb"), &go.gosumdb) {
        (Some((specs, origin)), _) => (specs.to_vec(), origin),
        (None, Some(setting)) => (vec![setting.value.clone()], Origin::Go(setting.from.to_string())),
        (None, None) => (vec![SUMDB.to_owned()], Origin::Go("the default".to_owned())),
    };
    let parsed = specs.iter().filter_map(|spec| Gosumdb::parse(spec).transpose());
    parsed.collect::<Result<_, _>>().map_err(|error| unusable(origin, &error))
}

fn unusable(origin: Origin, problem: &dyn std::error::Error) -> ConfigError {
    ConfigError::Unusable { origin, problem: problem.to_string() }
}

/// `/go/` and `go` are `/go`; what a URL would have to escape is no base path.
fn base_path(text: &str) -> Option<String> {
    let inner = text.trim_matches('/');
    let is_plain = |element: &str| {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        element.bytes().all(is_word) && !matches!(element, "" | "." | "..")
    };
    match inner {
        "" => Some(String::new()),
        _ => inner.split('/').all(is_plain).then(|| format!("/{inner}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_plain_elements_after_a_slash() {
        let cases = [("/", Some("")), ("go", Some("/go")), ("/a/b/", Some("/a/b")), ("/a//b", None)];
        let refused = ["/a/../b", "/a b", "/a?b", "/%61", "/a/!b"].map(|text| (text, None));
        for (text, expected) in cases.into_iter().chain(refused) {
            assert_eq!(base_path(text).as_deref(), expected, "{text}");
        }
    }
}
