//! The service: the GOPROXY protocol, the mirror behind it, metrics.
//!
//! A request goes from the socket (`server`) through its head (`service`) to the `protocol`, which makes one
//! [`Resource`](modkeep_module::resource::Resource) of its path; the `mirror` gives what is kept, or fetches it once
//! for all who ask, has it proved, and keeps it.

mod access;
mod body;
mod builds;
mod clock;
mod config;
mod error;
mod forget;
mod forwarded;
mod freshness;
mod metrics;
mod mirror;
mod protocol;
mod resolve;
mod server;
mod service;
mod sumdb;
pub mod upkeep;
mod wire;

use std::io;
use std::sync::Arc;

pub use builds::{BuildRules, Builds};
pub use clock::{Clock, Moment};
pub use config::Config;
pub use forget::{ForgetError, Forgotten, forget};
pub use forwarded::Trusted;
pub use freshness::Freshness;
pub use protocol::Policy;
pub use server::Limits;
pub use server::tls::{Certificates, TlsError};

use metrics::Metrics;
use mirror::absences::Absences;
use mirror::facts::Facts;
use mirror::flight::Hangar;
use mirror::{Mirror, Notary, Parts};
use protocol::Protocol;
use service::Service;
use sumdb::Databases;

/// The names of all that `/metrics` tells, as a monitor sees them.
pub fn metric_names(certificates: Option<Arc<Certificates>>) -> std::collections::BTreeSet<String> {
    Metrics::new(Some(Arc::default()), certificates).names()
}

/// Serves until `shutdown` ends, then finishes the replies under way.
///
/// # Errors
/// When the listener can't be handed over at the end; one that fails for a moment is tried again.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let requests = config.upstream.as_ref().map(|upstream| Arc::clone(upstream.requests()));
    let metrics = Arc::new(Metrics::new(requests, config.certificates.clone()));
    let hangar = Hangar::default();
    let notary = Notary::new(config.databases.first().cloned(), config.policy.private.clone());
    let absences = Arc::new(Absences::new(config.absences));
    let facts = Facts::bounded(Arc::clone(&config.store), absences);
    hangar.spawn(facts.clone().tend());
    let databases = Databases {
        all: config.databases,
        private: config.policy.private.clone(),
        is_offline: config.is_offline,
        facts: facts.clone(),
        freshness: config.freshness,
        clock: config.clock.clone(),
    };
    let parts = Parts {
        store: config.store,
        facts,
        upstream: config.upstream,
        is_offline: config.is_offline,
        notary,
        freshness: config.freshness,
        clock: config.clock,
        metrics: Arc::clone(&metrics),
    };
    let mirror = Mirror::new(parts, &hangar);
    let protocol = Protocol::new(mirror, databases, config.policy, Arc::clone(&metrics));
    if let Some(builds) = &config.builds {
        hangar.spawn(Arc::clone(builds).tend());
    }
    let service = Service::new(
        protocol,
        config.builds,
        metrics,
        &config.base_path,
        config.identity,
        config.trusted,
        config.access_log,
    );
    let run =
        server::run(config.listener, Arc::new(service), config.certificates.clone(), config.limits, shutdown);
    let watch = async {
        match config.certificates {
            Some(certificates) => server::tls::watch(certificates).await,
            None => std::future::pending().await,
        }
    };
    let served = tokio::select! {
        served = run => served,
        never = watch => match never {},
    };
    hangar.stop().await;
    served
}
