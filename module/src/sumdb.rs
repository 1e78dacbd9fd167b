//! Checksum databases: what their replies say and what makes them believable.
//!
//! A database is a transparency log. Its head ([`head`]) is a signed note ([`note`]); its records ([`record`])
//! are the leaves of a Merkle tree ([`tlog`]) that is fetched in tiles ([`tile`]). Nothing fetched is believed until
//! it is hashed up to a signed head, and [`AuthenticatedTile`] exists only where that was done ([`authenticate`]).
//! [`check`] joins the parts: it says which tiles it needs, is given bytes, and answers with proof or an error.
//! [`edge`] is the other side: what a log of our own appends to.
//!
//! Fetching, keeping and choosing a database are not here.
//! The specification is `golang.org/x/mod/sumdb` as vendored by Go 1.27 (older copies accept forged tiles and
//! unlogged lines: CVE-2026-56865, CVE-2026-56864), with the stricter rules named at each place.

pub mod authenticate;
mod base64;
pub mod check;
pub mod edge;
pub mod fork;
pub mod head;
pub mod lines;
pub mod note;
pub mod record;
pub mod tile;
pub mod tlog;

pub use authenticate::AuthenticatedTile;
pub use check::Check;
pub use fork::Fork;
pub use head::{SignedHead, TreeHead};
pub use lines::Lines;
pub use tile::Tile;
pub use tlog::Hash;
