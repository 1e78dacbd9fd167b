//! The module `golang.org/toolchain`: downloaded, always proved by the checksum database, and unpacked into the module
//! cache, as go does it when it switches.

use std::path::PathBuf;
use std::sync::Arc;

use modkeep_resolver::error::{Fault, ModuleError};

use super::source::TOOLCHAIN;
use super::{Ground, Source, Wanted, end, module_version};
use crate::goenv::GoEnv;
use crate::report::Failure;

/// The folder of a version such as `v0.0.1-go1.27.3.linux-amd64`.
pub(crate) fn fetch_toolchain(go: &GoEnv, version: &str) -> Result<PathBuf, Failure> {
    let source = Arc::new(Source::new(go, &Ground::Open, &Wanted::default())?);
    let module = module_version(TOOLCHAIN, version).map_err(|error| Failure::go(error.to_string()))?;
    source.block_on(source.folder(&module)).map_err(end)
}

/// Whether there is such a version to fetch.
pub(crate) fn has_toolchain(go: &GoEnv, version: &str) -> Result<bool, Failure> {
    let source = Source::new(go, &Ground::Open, &Wanted::default())?;
    match source.block_on(source.info(TOOLCHAIN, version)) {
        Ok(_) => Ok(true),
        Err(ModuleError { kind: Fault::NotExist, .. }) => Ok(false),
        Err(error) => Err(Failure::exact(1, error.to_string())),
    }
}
