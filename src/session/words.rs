//! Errors of the upstream in go's words.

use modkeep_fetch::FetchError;
use modkeep_fetch::error::Flaw;
use modkeep_module::info::InfoError;
use modkeep_module::quote::{quote, quote_char};
use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::node::Node;

/// The error about a module's file (`modfetch/proxy.go:versionError`).
pub(super) fn of_fetch(about: &Node, error: &FetchError) -> ModuleError {
    let base_of = |url: &'_ str| base(url, &about.path);
    let kind = match error {
        error if error.is_absent() => Fault::NotExist,
        FetchError::Refused { .. } => Fault::Refused,
        _ => Fault::Other,
    };
    match error {
        // Nobody was asked: the error is that of the whole chain, and no module's.
        FetchError::Absent { url, text, .. } if url.is_empty() => {
            ModuleError { module: None, invalid: None, text: text.clone(), kind }
        }
        FetchError::Broken { source: Flaw::Info(cause), url } => {
            let text = match &**cause {
                InfoError::Json { source, stray } => {
                    let cause = match stray {
                        Some(c) => {
                            format!("invalid character {} looking for beginning of value", quote_char(*c))
                        }
                        None => source.to_string(),
                    };
                    format!("invalid response from proxy {}: {cause}", quote(base_of(url)))
                }
                cause => cause.to_string(),
            };
            ModuleError::of_source(about.clone(), text, kind)
        }
        _ => ModuleError::of_source(about.clone(), error.words(), kind),
    }
}

/// The URL of the proxy that was asked for a module's file.
fn base(url: &str, path: &str) -> String {
    let escaped = modkeep_module::ModulePath::parse(path).map(|path| path.escaped()).unwrap_or_default();
    let end = [format!("/{escaped}/@"), format!("/{}/@", escaped.replace('!', "%21"))];
    let at = end.iter().find_map(|end| url.rfind(end.as_str()));
    url[..at.unwrap_or(url.len())].to_owned()
}
