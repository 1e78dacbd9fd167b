//! `modkeep work init`: a go.work for the current folder.
//!
//! Source of the rules: `cmd/go/internal/workcmd/init.go`.

use modkeep_module::gowork::GoWork;

use super::{file, uses};
use crate::flags::{Usage, module_flags};
use crate::goenv::{GoEnv, paths};
use crate::report::Failure;
use crate::session::ModFlags;

/// How the verb is used.
pub(crate) const USAGE: Usage =
    Usage { name: "work init", line: "go work init [moddirs]", flags: module_flags![] };

/// Writes the file.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = ModFlags::default();
    let folders = USAGE.parse(words, go.goflags(), |name, value| flags.set(name, value).map(drop))?;
    go.lay_over(&flags.overlay)?;
    let path = go.go_work()?.unwrap_or_else(|| paths::join(go.folder(), "go.work"));
    if go.seen().check(&path).is_ok() {
        return Err(Failure::go(format!("{path} already exists")));
    }
    let mut workspace = GoWork::new();
    workspace.add_go(go.release()).map_err(|error| Failure::go(format!("internal error: {error}")))?;
    uses::apply(go, (USAGE.name, &flags), &path, &mut workspace, (&folders, false))?;
    file::write(&path, &mut workspace)
}
