//! `modkeep mod …`: go's verbs for go.mod files.

pub(crate) mod edit;
pub(crate) mod init;
mod main_module;
