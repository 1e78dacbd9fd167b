//! What a service is made of, given in whole by whoever starts it.

use std::sync::Arc;

use modkeep_fetch::Upstream;
use modkeep_fetch::sumdb::Database;
use modkeep_fetch::via::Identity;
use modkeep_store::Store;
use tokio::net::TcpListener;

use crate::builds::Builds;
use crate::clock::Clock;
use crate::forwarded::Trusted;
use crate::freshness::Freshness;
use crate::protocol::Policy;
use crate::server::Limits;
use crate::server::tls::Certificates;

/// Everything that [`serve`](crate::serve) needs.
pub struct Config {
    /// Where clients connect; bound already, so that its address is known.
    pub listener: TcpListener,
    /// What it speaks TLS with; nothing for plain text. The files are looked at while it serves.
    pub certificates: Option<Arc<Certificates>>,
    /// Where files and answers rest.
    pub store: Arc<dyn Store>,
    /// What builds share; nothing where they share nothing.
    pub builds: Option<Arc<Builds>>,
    /// Where modules come from; `None` serves what is kept and nothing else.
    pub upstream: Option<Arc<Upstream>>,
    /// Whether nobody may be asked (`--offline`), rather than that there is nobody to ask.
    pub is_offline: bool,
    /// The checksum databases: the first proves what is fetched, all are passed on. None is GOSUMDB=off: files are then
    /// taken as they first came.
    pub databases: Vec<Database>,
    /// Names that stay inside.
    pub policy: Policy,
    /// The path below which modules are served: empty, or `/path`.
    pub base_path: String,
    /// How this server is called in `Via` and in request ids; the upstream must be given the same one.
    pub identity: Identity,
    /// The proxies in front of this server, whose word about the client counts.
    pub trusted: Trusted,
    /// Whether every request is logged.
    pub access_log: bool,
    /// What connections may cost.
    pub limits: Limits,
    /// How long answers are remembered without asking again.
    pub freshness: Freshness,
    /// How many absences and refusals are remembered in the store; further ones are in memory only.
    pub absences: u64,
    /// The time.
    pub clock: Clock,
}
