//! Errors of the upstream in go's words.

use modkeep_fetch::FetchError;
use modkeep_fetch::error::Flaw;
use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::node::Node;

/// The error about a module's file (`modfetch/proxy.go:versionError`).
pub(super) fn of_fetch(about: &Node, error: &FetchError) -> ModuleError {
    let kind = if error.is_absent() { Fault::NotExist } else { Fault::Other };
    match error {
        // Nobody was asked: the error is that of the whole chain, and no module's.
        FetchError::Absent { url, text, .. } if url.is_empty() => {
            ModuleError { module: None, invalid: None, text: text.clone(), kind }
        }
        FetchError::Broken { source: Flaw::Info(cause), .. } => {
            ModuleError::of_source(about.clone(), cause.to_string(), kind)
        }
        _ => ModuleError::of_source(about.clone(), error.words(), kind),
    }
}
