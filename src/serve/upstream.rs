//! Where modules come from, as a chain that can be asked.

use std::net::SocketAddr;
use std::sync::Arc;

use modkeep_fetch::via::Identity;
use modkeep_fetch::{Config, Manners, Upstream};

use crate::config::Environment;
use crate::config::serve::ServeConfig;
use crate::report::Failure;

/// The chain, unless the server is offline. Nothing is asked yet.
pub(super) fn open(
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
