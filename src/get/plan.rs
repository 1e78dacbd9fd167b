//! `get -diff`: what would change, and nothing written; as `mod tidy -diff` shows it.

use modkeep_resolver::get::Got;
use modkeep_resolver::sums::LoadedPackages;

use crate::difference::unified;
use crate::report::{self, Failure};
use crate::session::Session;

/// Shows the changes of the build list, then those of go.mod and go.sum; status 1 if there are any.
pub(super) fn show(
    session: &mut Session<'_>,
    got: &Got,
    sums: Option<&LoadedPackages>,
) -> Result<(), Failure> {
    got.changes.iter().for_each(|change| report::tell(&format!("go: {change}")));
    let mut text = String::new();
    if let Some(written) = &got.written {
        text.push_str(&unified("current/go.mod", &written.before, "new/go.mod", &written.after));
    }
    let keep = session.answer(|world| world.kept_sums(&got.requirements, sums, true))?;
    let (before, after) = session
        .source
        .sums
        .lock()
        .difference(&keep)
        .map_err(|error| Failure::exact(1, error.trim_end_matches('\n')))?;
    text.push_str(&unified("current/go.sum", &before, "new/go.sum", &after));
    report::out(&text)?;
    if text.is_empty() { Ok(()) } else { Err(Failure::told(1)) }
}
