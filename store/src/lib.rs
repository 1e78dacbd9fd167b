//! Where bytes rest: content-addressed blobs, small named values, and cells with compare-and-swap.
//!
//! The one idea: a name becomes visible only when what it names is durable, and the first writer of a name wins, whatever
//! home the bytes have. [`Store`] says what every home owes; [`Memory`] is the twin for tests, [`Faulty`] breaks any home on purpose.
//!
//! What builds share lies elsewhere, on a shelf ([`remote`]): it is not precious. Of files that are not its own the store knows
//! what tells one state from another ([`Stamp`]).
//!
//! The store knows no Go: not what a module is, nor which value speaks of which blob.

mod batch;
mod blob;
mod bulk;
mod cell;
mod check;
mod digest;
mod durable;
mod error;
mod faulty;
mod folder;
mod home;
mod incoming;
mod key;
mod memory;
mod packed;
pub mod remote;
#[cfg(feature = "s3")]
mod s3;
mod stamp;

pub use blob::{Blob, Chunks, Ranged};
pub use bulk::put_all;
pub use cell::{Cell, Put, Revision, Swap};
pub use check::{Damage, Report, Stats, Tidied, check, scrub};
pub use digest::{Digest, DigestError, Hasher};
pub use durable::Disk;
pub use error::{ErrorKind, StoreError};
pub use faulty::{Fault, Faulty, Plan};
pub use folder::{Folder, Options};
pub use home::{Fate, MAX_VALUE, Store};
pub use incoming::{Incoming, Kept};
pub use key::{Key, KeyError};
pub use memory::Memory;
#[cfg(feature = "s3")]
pub use s3::{S3, S3Options};
pub use stamp::{OpenFolder, Stamp};
