//! Forgetting: what a store remembers of a module, taken out of it by hand.
//!
//! Works on the store alone, beside a running server or without one. A server finds nothing the next time and asks its
//! upstream; files that it holds ready it gives for up to ten seconds more. Blobs go with their last name.

use std::sync::Arc;

use modkeep_module::path::ModulePath;
use modkeep_module::resource::Resource;
use modkeep_module::version::{ModuleVersion, Version};
use modkeep_store::{Digest, Store};

use crate::clock::Clock;
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::facts::{Facts, FactsError};
use crate::upkeep::{self, Swept};

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Remembered lists, queries, absences and refusals.
    pub answers: usize,
    /// Kept files of versions.
    pub files: usize,
    /// What nobody names any more.
    pub freed: Swept,
}

/// Why the store could not be brought to forget.
#[derive(Debug, thiserror::Error)]
#[error("forgetting what is known of `{module}`")]
pub struct ForgetError {
    module: ModulePath,
    source: FactsError,
}

/// Forgets the answers about a module, or about one version of it; with `files` also what is kept of it, and frees its blobs.
///
/// # Errors
/// When the store can't be read or written; some of it may be forgotten then.
pub async fn forget(
    store: Arc<dyn Store>,
    module: &ModulePath,
    version: Option<&Version>,
    files: bool,
    clock: &Clock,
) -> Result<Forgotten, ForgetError> {
    let facts = Facts::new(Arc::clone(&store));
    let forgotten = async {
        let (mut forgotten, blobs) = run(&facts, module, version, files).await?;
        forgotten.freed = upkeep::free(&*store, blobs, clock.now().into()).await?;
        Ok(forgotten)
    };
    let forgotten = forgotten.await;
    forgotten.map_err(|source| ForgetError { module: module.clone(), source })
}

async fn run(
    facts: &Facts,
    module: &ModulePath,
    version: Option<&Version>,
    files: bool,
) -> Result<(Forgotten, Vec<Digest>), FactsError> {
    let is_meant = |resource: &Resource| match version {
        None => true,
        Some(version) => is_of(resource, version),
    };
    let mut forgotten = Forgotten::default();
    for resource in facts.answers_of(module).await?.iter().filter(|resource| is_meant(resource)) {
        facts.forget_answer(resource).await?;
        forgotten.answers += 1;
    }
    let mut blobs = Vec::new();
    if files {
        for resource in facts.files_of(module).await?.iter().filter(|resource| is_meant(resource)) {
            if let Some(Fact { state: State::Proved(Proved { content, .. }), .. }) =
                facts.file(resource).await?
                && let Content::Blob { digest, .. } = content
            {
                blobs.push(digest);
            }
            facts.forget_file(resource).await?;
            forgotten.files += 1;
        }
    }
    Ok((forgotten, blobs))
}

fn is_of(resource: &Resource, version: &Version) -> bool {
    match resource {
        Resource::Query(query) => query.revision() == version.as_str(),
        _ => matches!(resource.version(), Some(ModuleVersion { version: own, .. }) if own == version),
    }
}
