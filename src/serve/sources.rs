//! Whom the server asks: the chain that modules come from, and the databases that vouch for them.

use std::net::SocketAddr;
use std::sync::Arc;

use modkeep_fetch::sumdb::{Config as DatabaseConfig, Database, Gosumdb, Now};
use modkeep_fetch::via::Identity;
use modkeep_fetch::{Config, Manners, Upstream};
use modkeep_proxy::Clock;
use modkeep_store::Store;

use crate::config::Environment;
use crate::config::serve::ServeConfig;
use crate::report::Failure;

/// The chain, unless the server is offline. Nothing is asked yet.
pub(super) fn upstream(
    config: &ServeConfig,
    environment: &Environment,
    identity: &Identity,
    listening: SocketAddr,
) -> Result<Option<Arc<Upstream>>, Failure> {
    let Some(goproxy) = config.upstream.clone() else { return Ok(None) };
    let environment = environment.of_go();
    let mut manners = Manners::new(identity.clone());
    manners.netrc = environment.netrc();
    manners.forward = environment.forward();
    let chain = Config { goproxy, private: config.go.private.clone(), manners, listening: Some(listening) };
    Upstream::new(chain).map(|upstream| Some(Arc::new(upstream))).map_err(Failure::of)
}

/// The databases, reached through the chain unless they have a place of their own. Nothing is asked yet.
pub(super) fn databases(
    config: &ServeConfig,
    upstream: Option<&Arc<Upstream>>,
    store: &Arc<dyn Store>,
    clock: &Clock,
) -> Vec<Database> {
    let clock = clock.clone();
    let now: Now = Arc::new(move || clock.now().0 / 1000);
    let open = |database: &Gosumdb| {
        Database::new(DatabaseConfig {
            database: database.clone(),
            upstream: upstream.cloned(),
            store: Arc::clone(store),
            now: Arc::clone(&now),
        })
    };
    config.databases.iter().map(open).collect()
}
