//! `modkeep work …`: go's verbs for go.work files.

pub(crate) mod edit;
pub(crate) mod file;
pub(crate) mod init;
pub(crate) mod sync;
pub(crate) mod uses;
