//! How requests are made: patience, credentials, and whom to trust.

use std::time::Duration;

use super::connect::Forward;
use crate::breaker::Patience;
use crate::netrc::Netrc;
use crate::retry::Retry;
use crate::via::Identity;

/// How long each part of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// Until the head of the answer is here, redirects included. A proxy that has to look into version control
    /// first may take long.
    pub first_byte: Duration,
    /// Between two pieces of a body.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(30),
        }
    }
}

/// How requests are made; one for all sources of a chain.
#[derive(Clone, Debug)]
pub struct Manners {
    /// Time limits.
    pub timeouts: Timeouts,
    /// Repetition.
    pub retry: Retry,
    /// The circuit breaker.
    pub patience: Patience,
    /// Who we are in `Via`.
    pub identity: Identity,
    /// Credentials by machine.
    pub netrc: Netrc,
    /// HTTPS_PROXY and its like.
    pub forward: Forward,
    /// Certificates to trust beside the system's, PEM.
    pub authorities: Vec<u8>,
}

impl Manners {
    /// The defaults: no credentials, no forward proxy, the system's certificates.
    pub fn new(identity: Identity) -> Self {
        Self {
            timeouts: Timeouts::default(),
            retry: Retry::default(),
            patience: Patience::default(),
            identity,
            netrc: Netrc::default(),
            forward: Forward::default(),
            authorities: Vec::new(),
        }
    }
}
