//! What tests share: the real go command, the judge linked with golang.org/x/mod, servers and faults.

pub mod checksumdb;
pub mod dice;
pub mod go;
pub mod http;
pub mod judge;
pub mod modkeep;
pub mod place;
pub mod scripts;
pub mod upstream;
