//! Where settings come from: flags, then `MODKEEP_…` variables, then the file, then a default.
//!
//! One table names each setting once; flags, variables and keys of the file are made from it, so they can't drift
//! apart. The environment is read here and nowhere else, once.

pub(crate) mod builds;
mod clients;
pub(crate) mod environment;
mod error;
mod file;
mod layers;
pub(crate) mod places;
pub(crate) mod serve;
pub(crate) mod setting;
pub(crate) mod units;

pub(crate) use environment::Environment;
pub(crate) use error::ConfigError;
pub(crate) use layers::Layers;
