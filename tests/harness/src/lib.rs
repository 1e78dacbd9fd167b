//! What tests share: the real go command, the judge linked with golang.org/x/mod, servers and faults.

pub mod authority;
pub mod beside;
pub mod bucket;
pub mod build_cache;
pub mod checksumdb;
pub mod dice;
pub mod go;
pub mod hostile;
pub mod http;
pub mod judge;
pub mod mains;
pub mod modkeep;
pub mod place;
pub mod raw_zip;
pub mod resident;
pub mod s3;
pub mod script;
pub mod tables;
pub mod tree;
pub mod txtar;
pub mod universes;
pub mod upstream;
