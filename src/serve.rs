//! `modkeep serve`: the server, from settings to the last reply.

mod signals;
mod sources;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;

use clap::{ArgMatches, Command};
use modkeep_fetch::via::Identity;
use modkeep_proxy::{Builds, Certificates, Clock, Config, Limits, Policy};
use modkeep_store::remote::FolderShelf;
use modkeep_store::{Options, Store};
use tokio::net::TcpListener;

use crate::config::builds::BuildsConfig;
use crate::config::serve::ServeConfig;
use crate::config::setting::{SERVE, Setting};
use crate::config::{Environment, Layers};
use crate::logs::Format;
use crate::report::Failure;
use crate::{home, logs, report};
use signals::Signals;

/// The verb and its flags.
pub(crate) fn command() -> Command {
    Command::new("serve")
        .about("Run the module proxy")
        .after_help(
            "Each setting can be a flag, a MODKEEP_ variable or a key of the file, in this order. Without an \
             upstream or a checksum database the server takes what the go command would.",
        )
        .args(SERVE.iter().map(Setting::argument))
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(flags: &ArgMatches, environment: &Environment) -> Result<(), Failure> {
    let layers = Layers::gather(SERVE, flags, environment)?;
    let config = ServeConfig::read(&layers, environment)?;
    let log = logs::start(&layers)?;
    if config.databases.is_empty() {
        log.warn("no checksum database: files are served as they first came, unproved");
    }
    if config.upstream.is_none() && !config.is_offline {
        log.warn(
            "no upstream: neither --upstream nor go's GOPROXY says where modules come from, so only what is kept is served",
        );
    }
    let options = Options { free_floor: config.free_space, ..Options::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(format!("starting threads: {error}")))?;
    runtime.block_on(async {
        let store = home::open(config.store.clone(), options).await?;
        serve(config, environment, store, log).await
    })
}

async fn serve(
    config: ServeConfig,
    environment: &Environment,
    store: Arc<dyn Store>,
    log: Format,
) -> Result<(), Failure> {
    let certificates =
        config.clients.tls.as_ref().map(|(certificate, key)| Certificates::load(certificate, key));
    let certificates = certificates.transpose().map_err(Failure::of)?;
    let signals = Signals::listen(certificates.clone())?;
    let listener = bind(&config.listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::of(format!("listening: {error}")))?;
    warn_if_open(address, certificates.is_some(), log);
    let url = match &certificates {
        Some(certificates) => https_url(address, config.clients.host.as_deref(), &certificates.names()),
        None => http_url(address),
    };
    let limits = Limits::default();
    let limits =
        Limits { connections: config.clients.max_connections.unwrap_or(limits.connections), ..limits };
    let (identity, clock) = (identity(), Clock::system());
    let upstream = sources::upstream(&config, environment, &identity, address)?;
    let service = Config {
        databases: sources::databases(&config, upstream.as_ref(), &store, &clock),
        listener,
        certificates,
        store,
        builds: builds(config.builds, config.free_space)?,
        upstream,
        is_offline: config.is_offline,
        policy: Policy { private: config.go.private, private_is_absent: config.private_is_absent },
        base_path: config.base_path.clone(),
        identity,
        trusted: config.clients.trusted,
        access_log: config.access_log,
        limits,
        freshness: config.freshness,
        absences: config.absences,
        clock,
    };
    report::out(&format!("export GOPROXY={url}{}\n", config.base_path))?;
    signals.run(|stop| modkeep_proxy::serve(service, stop.told())).await
}

/// The shelf of builds, opened.
fn builds(config: Option<BuildsConfig>, free_space: u64) -> Result<Option<Arc<Builds>>, Failure> {
    let Some(BuildsConfig { folder, rules }) = config else { return Ok(None) };
    let shelf = FolderShelf::open(&folder).map_err(Failure::of)?.above(free_space);
    Ok(Some(Arc::new(Builds::new(shelf, rules))))
}

/// The first of the host's addresses that can be had.
async fn bind(addresses: &[SocketAddr]) -> Result<TcpListener, Failure> {
    let refused = |error| {
        let all: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
        Failure::of(format!("listening on {}: {error}", all.join(", ")))
            .with_hint("say where with --listen HOST:PORT; port 0 takes a free one")
    };
    TcpListener::bind(addresses).await.map_err(refused)
}

/// What this machine's clients dial: for a wildcard that is the loopback address.
fn http_url(address: SocketAddr) -> String {
    format!("http://{}", dialled(address))
}

fn dialled(address: SocketAddr) -> SocketAddr {
    let loopback = match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    let host = if address.ip().is_unspecified() { loopback } else { address.ip() };
    SocketAddr::new(host, address.port())
}

/// What clients dial so that the certificate is for it: the host as it was named, or the address, or else the first
/// name in the certificate that stands for one host.
fn https_url(address: SocketAddr, host: Option<&str>, names: &[String]) -> String {
    let dialled = dialled(address);
    let is_named = |host: &str| names.iter().any(|name| name.eq_ignore_ascii_case(host));
    let port = match address.port() {
        443 => String::new(),
        port => format!(":{port}"),
    };
    let is_plain = |name: &&String| !name.contains('*') && name.parse::<std::net::IpAddr>().is_err();
    match (host, names.iter().find(is_plain)) {
        (Some(host), _) if is_named(host) => format!("https://{host}{port}"),
        (_, Some(name)) if !is_named(&dialled.ip().to_string()) => format!("https://{name}{port}"),
        _ => format!("https://{dialled}"),
    }
}

/// Anybody who can connect is served: that must be meant.
fn warn_if_open(address: SocketAddr, is_tls: bool, log: Format) {
    if !address.ip().is_loopback() {
        let plain = if is_tls { "" } else { ", in plain text" };
        log.warn(&format!(
            "listening on {address} without authentication: everybody who can reach it is served{plain}"
        ));
    }
}

/// A name that no other server has.
fn identity() -> Identity {
    let random = RandomState::new().build_hasher().finish();
    Identity::new(&format!("{random:016x}")).expect("hexadecimal digits can stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_one_that_this_machine_can_dial() {
        let cases = [
            ("127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("10.1.2.3:80", "http://10.1.2.3:80"),
        ];
        for (address, expected) in cases {
            assert_eq!(http_url(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn the_url_of_tls_is_one_that_the_certificate_is_for() {
        let cases: &[(&str, Option<&str>, &[&str], &str)] = &[
            ("127.0.0.1:3000", None, &["localhost", "127.0.0.1"], "https://127.0.0.1:3000"),
            ("127.0.0.1:3000", Some("localhost"), &["localhost", "127.0.0.1"], "https://localhost:3000"),
            ("127.0.0.1:3000", Some("other"), &["go.example.com"], "https://go.example.com:3000"),
            ("0.0.0.0:443", None, &["*.example.com", "go.example.com"], "https://go.example.com"),
            ("0.0.0.0:443", None, &["*.example.com"], "https://127.0.0.1:443"),
            ("[::]:8443", None, &[], "https://[::1]:8443"),
        ];
        for (address, host, names, expected) in cases {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(https_url(address.parse().unwrap(), *host, &names), *expected);
        }
    }
}
