//! How clients reach the server: over TLS or not, through which proxies, and how many at a time.

use std::path::PathBuf;

use modkeep_proxy::Trusted;

use super::{ConfigError, Layers};

/// What `serve` was told about its clients.
#[derive(Debug)]
pub(crate) struct Clients {
    /// The host to listen on as it was named, where that is no address.
    pub(crate) host: Option<String>,
    /// The files of the certificate and its key; plain text without.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Whose word about a client counts.
    pub(crate) trusted: Trusted,
    /// At one time.
    pub(crate) max_connections: Option<usize>,
}

impl Clients {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        Ok(Self {
            host: layers.text("listen").and_then(|(text, _)| host_name(text)),
            tls: tls(layers)?,
            trusted: trusted(layers)?,
            max_connections: layers.parsed("max-connections", "a number above 0", positive)?,
        })
    }
}

/// The name in `HOST:PORT`, where it is one.
fn host_name(listen: &str) -> Option<String> {
    let (host, _) = listen.rsplit_once(':')?;
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    (!host.is_empty() && !is_address).then(|| host.to_owned())
}

/// Both files, or neither.
fn tls(layers: &Layers) -> Result<Option<(PathBuf, PathBuf)>, ConfigError> {
    let alone = |origin, missing: &str| {
        let problem = format!("needs --{missing} as well");
        Err(ConfigError::Unusable { origin, problem })
    };
    match (layers.text("tls-cert"), layers.text("tls-key")) {
        (None, None) => Ok(None),
        (Some((certificate, _)), Some((key, _))) => Ok(Some((certificate.into(), key.into()))),
        (Some((_, origin)), None) => alone(origin, "tls-key"),
        (None, Some((_, origin))) => alone(origin, "tls-cert"),
    }
}

fn trusted(layers: &Layers) -> Result<Trusted, ConfigError> {
    let Some((nets, origin)) = layers.texts("trusted-proxies") else { return Ok(Trusted::default()) };
    nets.iter().try_fold(Trusted::default(), |trusted, net| {
        trusted.with(net).ok_or_else(|| ConfigError::Value {
            origin: origin.clone(),
            value: net.clone(),
            expected: "an address or a network such as 10.0.0.0/8",
        })
    })
}

fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_or_is_an_address() {
        let cases =
            [("localhost:80", Some("localhost")), ("127.0.0.1:80", None), ("[::1]:80", None), (":80", None)];
        for (text, expected) in cases {
            assert_eq!(host_name(text).as_deref(), expected, "{text}");
        }
    }
}
