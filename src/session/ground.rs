//! Where a verb runs: in a workspace, in a module, or in neither (`modload/init.go:Init`).

use super::Wanted;
use crate::goenv::{GoEnv, paths};
use crate::modcmd::main_module;
use crate::report::{self, Failure};

/// Where a verb runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// There is no main module.
    Open,
    /// In a module.
    Module {
        /// Its folder.
        root: String,
        /// Its go.mod, which may be elsewhere (`-modfile`).
        go_mod: String,
    },
    /// In a workspace.
    Workspace {
        /// The go.work file.
        go_work: String,
    },
}

impl Ground {
    /// Looks around.
    pub(crate) fn find(go: &GoEnv, wanted: &Wanted) -> Result<Self, Failure> {
        if wanted.is_outside {
            go.check_modules_enabled()?;
            if !wanted.flags.modfile.is_empty() {
                return Err(Failure::go(
                    "-modfile cannot be used with commands that ignore the current module",
                ));
            }
            return Ok(Self::Open);
        }
        let workspace = if wanted.ignores_workspace { None } else { go.go_work()? };
        go.check_modules_enabled()?;
        let modfile = &wanted.flags.modfile;
        let ground = match (workspace, go.module_root()) {
            (Some(_), _) if !modfile.is_empty() => {
                return Err(Failure::go("-modfile cannot be used in workspace mode"));
            }
            (Some(go_work), _) => Self::Workspace { go_work },
            (None, None) if !modfile.is_empty() => {
                return Err(Failure::go(
                    "cannot find main module, but -modfile was set.\n\t-modfile cannot be used to set the module root directory.",
                ));
            }
            (None, None) => Self::Open,
            (None, Some(root)) if paths::clean(main_module::temporary(go)) == root => {
                let temporary = main_module::temporary(go);
                report::tell(&format!("go: warning: ignoring go.mod in system temp root {temporary}"));
                Self::Open
            }
            (None, Some(root)) => {
                let go_mod = match modfile.as_str() {
                    "" => paths::join(&root, "go.mod"),
                    modfile => modfile.to_owned(),
                };
                Self::Module { root, go_mod }
            }
        };
        if ground == Self::Open && wanted.needs_root {
            return Err(none());
        }
        main_module::check_modfile(modfile)?;
        if let Some(gopath) = go.gopath().first()
            && go.seen().check(&paths::join(gopath, "go.mod")).is_ok()
        {
            report::tell(&format!("go: warning: ignoring go.mod in $GOPATH {gopath}"));
            if wanted.needs_root {
                return Err(none());
            }
        }
        Ok(ground)
    }

    /// In the module of a folder.
    pub(crate) fn of_module(root: &str) -> Self {
        Self::Module { root: root.to_owned(), go_mod: paths::join(root, "go.mod") }
    }

    /// Whether it is a workspace.
    pub(crate) fn is_workspace(&self) -> bool {
        matches!(self, Self::Workspace { .. })
    }

    /// Whether there are main modules, or at least a place for them.
    pub(crate) fn has_root(&self) -> bool {
        *self != Self::Open
    }

    /// The folder from which relative replacements are given.
    pub(crate) fn folder(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Module { root, .. } => Some(root),
            Self::Workspace { go_work } => paths::parent(go_work),
        }
    }

    /// The full path of a directory that replaces a module.
    pub(super) fn rooted(&self, directory: &str) -> String {
        match directory.starts_with('/') {
            true => paths::clean(directory),
            false => paths::join(self.folder().unwrap_or_default(), directory),
        }
    }

    /// The go.mod of such a directory.
    pub(super) fn replaced(&self, directory: &str) -> String {
        paths::join(&self.rooted(directory), "go.mod")
    }

    /// Where a vendor folder would be.
    pub(crate) fn vendor_folder(&self) -> Option<String> {
        self.folder().map(|folder| paths::join(folder, "vendor"))
    }

    /// The go.sum or go.work.sum.
    pub(crate) fn sum_file(&self) -> Option<String> {
        match self {
            Self::Open => None,
            Self::Module { go_mod, .. } => Some(beside(go_mod)),
            Self::Workspace { go_work } => Some(format!("{go_work}.sum")),
        }
    }

    /// The error of a verb that needs a main module where there is none.
    pub(crate) fn no_main_module(&self) -> String {
        match self {
            Self::Workspace { .. } => {
                "no modules were found in the current workspace; see 'go help work'".into()
            }
            _ => "go.mod file not found in current directory or any parent directory; see 'go help modules'"
                .into(),
        }
    }
}

/// The go.sum of a go.mod.
pub(super) fn beside(go_mod: &str) -> String {
    format!("{}.sum", go_mod.strip_suffix(".mod").unwrap_or(go_mod))
}

fn none() -> Failure {
    Failure::go(Ground::Open.no_main_module())
}
