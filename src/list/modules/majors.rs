//! Newer major versions of a module, which are modules of their own (`list -m -major`).
//!
//! Go has no such question. Nobody lists the paths that there are, so they are tried: `/v2` and on, for gopkg.in `.v2` and
//! on, all that may follow at the same time. A few that are missing are looked across, for majors were skipped when
//! modules came up (github.com/golang-jwt/jwt has v3 as `+incompatible`, then `/v4`).

use modkeep_module::path::major::split_path_version;
use modkeep_module::semver;
use modkeep_resolver::error::{Error, Fault};
use modkeep_resolver::gather::Gather;
use modkeep_resolver::query::{Allowed, Query, QueryError};
use modkeep_resolver::world::World;

use crate::list::public::ModulePublic;
use crate::session::shown_time;

/// So many missing majors in a row end the search.
const GAP: u64 = 3;

/// More majors than any module has; a registry that knows every path must not keep us for ever.
const MOST: u64 = 200;

/// Adds what is found, the latest version of each.
pub(super) fn add(world: &mut World, module: &mut ModulePublic, gather: &mut Gather) {
    let own = module.path.clone();
    let Some((prefix, suffix)) = split_path_version(&own) else { return };
    let separator = if own.starts_with("gopkg.in/") { ".v" } else { "/v" };
    let update = module.update.as_ref().map(|update| number(semver::major(&update.version)));
    // A path without a suffix is that of v0 and v1.
    let current = [number(suffix.trim_start_matches(['/', '.'])), number(semver::major(&module.version)), 1];
    let current = current.into_iter().chain(update).max().unwrap_or_default();
    let mut missing = 0;
    for major in current + 1..=current + MOST {
        let path = format!("{prefix}{separator}{major}");
        let query = Query { path: &path, query: "latest", current: "", allowed: Allowed::NotRetracted };
        match gather.take(world.query(&query)) {
            Some(Ok(revision)) => {
                missing = 0;
                module.majors.push(ModulePublic {
                    path,
                    version: revision.version.clone(),
                    time: Some(shown_time(revision.time.as_deref())),
                    ..ModulePublic::default()
                });
            }
            answer => {
                missing += 1;
                if let Some(Err(error)) =
                    answer.filter(|answer| answer.as_ref().is_err_and(|e| !is_absence(e)))
                {
                    module.blame(error);
                }
            }
        }
        if missing == GAP {
            return;
        }
    }
}

fn number(major: &str) -> u64 {
    let digits = major.trim_start_matches('v').trim_end_matches("-unstable");
    digits.parse().unwrap_or_default()
}

/// A registry may refuse what it has never heard of.
fn is_absence(error: &Error) -> bool {
    match error {
        Error::Query(QueryError::NoMatch { .. }) => true,
        Error::Module(error) => matches!(error.kind, Fault::NotExist | Fault::Disallowed | Fault::Refused),
        _ => false,
    }
}
