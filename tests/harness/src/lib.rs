//! What tests share: the real go command, the judge linked with golang.org/x/mod, servers and faults.

pub mod go;
pub mod place;
pub mod scripts;
