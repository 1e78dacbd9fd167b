//! Where modules come from, and the proof that they are genuine: GOPROXY chains and checksum databases.
//!
//! [`chain::Upstream`] asks the sources of a GOPROXY list as the go command would, and adds what a server needs:
//! limits, time, repetition, a circuit breaker for each host. [`environment`] says where the list comes from.

pub mod answer;
pub mod base;
mod breaker;
pub mod chain;
mod detail;
pub mod environment;
pub mod error;
mod folder;
pub mod goproxy;
mod http;
pub mod kind;
pub mod modcache;
pub mod netrc;
pub mod private;
pub mod requests;
mod retry;
mod secret;
pub mod sumdb;
pub mod via;

pub use answer::{Answer, BodyStream};
pub use breaker::Patience;
pub use chain::{Config, Upstream};
pub use error::FetchError;
pub use http::{ConnectError, Forward, Manners, Timeouts};
pub use retry::Retry;
pub use secret::{Secret, shown, shown_text};
pub use sumdb::{Database, SumdbError};
