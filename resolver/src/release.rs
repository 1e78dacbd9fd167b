//! Where the releases that we follow differ.
//!
//! Everything else is the go command of 1.27, which answers as 1.26 does for a go line that both understand: the layout
//! with at most two blocks of requirements belongs to the go line, which can't be above the local release. Compared with
//! 1.26.0, file by file, in `cmd/go/internal/{modload,modget,modcmd,workcmd,mvs,gover,imports,search}`.

use crate::error::Error;
use crate::go_version;

/// The newest release whose rules are followed.
pub const NEWEST: &str = "1.27.3";

/// The release that changed what is below.
const CHANGED: &str = "1.27";

fn is_before(local: &str) -> bool {
    go_version::compare(local, CHANGED).is_lt()
}

/// Whether `work sync` insists on the versions of the workspace, so that a module that can't have them is an error,
/// rather than raise to them what can be raised.
pub(crate) fn sync_insists(local: &str) -> bool {
    is_before(local)
}

/// An error as the local release tells it.
pub fn told_by(local: &str, error: Error) -> Error {
    match error {
        Error::WorkspaceTooOld { directory, needs, verb, has } if is_before(local) => Error::Text(format!(
            "module {directory} listed in go.work file requires go >= {needs}, but go.work {verb} go {has}; to update it:\n\tgo work use"
        )),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_release_tells_less() {
        let error = || Error::WorkspaceTooOld {
            directory: "a".to_owned(),
            needs: "1.25".to_owned(),
            verb: "lists",
            has: "1.24".to_owned(),
        };
        let end = |local: &str| told_by(local, error()).to_string().split("; ").last().map(str::to_owned);
        assert_eq!(end("1.26.4").as_deref(), Some("to update it:\n\tgo work use"));
        assert_eq!(end("1.27.3").as_deref(), Some("to download and use go 1.25:\n\tgo work use"));
    }
}
