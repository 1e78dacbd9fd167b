//! A checksum database of our own making, honest until a test wants otherwise: a log with its signed heads, and a
//! server on loopback.

mod log;
mod server;

pub use log::{Log, Reply};
pub use server::{Server, Tampering};
