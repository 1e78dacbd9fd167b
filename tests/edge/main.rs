//! The door under load, over the real program: TLS and HTTP/2, clients that cost much and ask for little, and an end
//! that loses no reply.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod floods;
mod frames;
mod h2c;
mod h2spec;
mod memory;
mod places;
mod server;
mod stopping;
mod tls;
