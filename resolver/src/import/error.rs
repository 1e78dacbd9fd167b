//! Why a package has no place, or too many, in go's sentences.

use std::fmt;

use modkeep_module::pseudo;

use crate::node::Node;

/// Why a package has no place, or too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The text can't be an import path.
    #[error("{0}")]
    Invalid(String),
    /// Several modules have it.
    #[error("ambiguous import: found package {path} in multiple modules:{}", Places(places))]
    Ambiguous {
        /// The import path.
        path: String,
        /// The modules, shortest path first, with the directories as told.
        places: Vec<(Node, String)>,
    },
    /// A main module and the vendor directory have it.
    #[error("ambiguous import: found package {path} in multiple directories:{}", Directories(directories))]
    AmbiguousDirectories {
        /// The import path.
        path: String,
        /// The directories as told.
        directories: Vec<String>,
    },
    /// Lines of go.sum are missing without which nobody can tell.
    #[error("missing go.sum entry {}", MissingSum { path, modules, is_found: *is_found, importer: importer.as_ref() })]
    MissingSums {
        /// The import path.
        path: String,
        /// The modules whose zips could not be checked.
        modules: Vec<Node>,
        /// Whether another module has the package.
        is_found: bool,
        /// Who imports it.
        importer: Option<Importer>,
    },
    /// No module of the build has it.
    #[error(transparent)]
    Missing(Box<MissingImport>),
    /// A main module imports it, but does not require the module that has it.
    #[error(
        "package {importer} imports {path} from implicitly required module; to add missing requirements, run:\n\tgo get {module}"
    )]
    Implicit {
        /// The importing package.
        importer: String,
        /// The import path.
        path: String,
        /// The module that has it.
        module: Node,
    },
    /// A module was found, but not with the package.
    #[error(transparent)]
    NotInModule(Box<NotInModule>),
    /// A package could not be scanned.
    #[error(transparent)]
    Scan(#[from] crate::known::ScanError),
    /// Another version of its module was decided on while it was loaded (`get`).
    #[error("version change needed")]
    VersionChange,
}

/// The package that imports another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Importer {
    /// Its import path.
    pub path: String,
    /// The version of its module, empty for a main module.
    pub version: String,
    /// Whether it is a test.
    pub is_test: bool,
}

impl From<MissingImport> for ImportError {
    fn from(missing: MissingImport) -> Self {
        Self::Missing(Box::new(missing))
    }
}

impl From<NotInModule> for ImportError {
    fn from(error: NotInModule) -> Self {
        Self::NotInModule(Box::new(error))
    }
}

struct Places<'a>(&'a [(Node, String)]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (Node { path, version }, directory) in self.0 {
            let space = if version.is_empty() { "" } else { " " };
            write!(f, "\n\t{path}{space}{version} ({directory})")?;
        }
        Ok(())
    }
}

struct Directories<'a>(&'a [String]);

impl fmt::Display for Directories<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|directory| write!(f, "\n\t{directory}"))
    }
}

struct MissingSum<'a> {
    path: &'a str,
    modules: &'a [Node],
    is_found: bool,
    importer: Option<&'a Importer>,
}

impl fmt::Display for MissingSum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = match self.is_found {
            true => ("needed to verify package", " is provided by exactly one module"),
            false => ("for module providing package", ""),
        };
        write!(f, "{before} {}", self.path)?;
        if let Some(importer) = self.importer {
            write!(f, " (imported by {})", importer.path)?;
        }
        f.write_str(after)?;
        match self.importer {
            Some(Importer { path, version, is_test }) => {
                let test = if *is_test { " -t" } else { "" };
                let at = if version.is_empty() { "" } else { "@" };
                write!(f, "; to add:\n\tgo get{test} {path}{at}{version}")
            }
            None if self.modules.is_empty() => Ok(()),
            None => {
                let paths: Vec<_> = self.modules.iter().map(|module| &*module.path).collect();
                write!(f, "; to add:\n\tgo mod download {}", paths.join(" "))
            }
        }
    }
}

/// No module of the build has a package (`ImportMissingError`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingImport {
    /// The import path.
    pub path: String,
    /// A module that has it, but can't be added.
    pub module: Option<Node>,
    /// Why none can be found outside of the build.
    pub query: Option<String>,
    /// Whether it looks like one of the standard library's.
    pub is_standard: bool,
    /// The go line of the importing module, if that is newer than the local release.
    pub importer_go: Option<String>,
    /// What has it and is replaced, but not required.
    pub replaced: Option<Node>,
    /// The version of `module` that is selected instead.
    pub newer: Option<String>,
    /// The directory of the importing main module, if the command does not run in it.
    pub elsewhere: Option<String>,
    pub(crate) standard_directory: String,
    pub(crate) is_mod: bool,
    pub(crate) allows_missing: bool,
    pub(crate) has_no_main: bool,
}

impl fmt::Display for MissingImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        if let Some(Node { path: module, version }) = &self.module {
            return match &self.newer {
                Some(newer) => {
                    let at_latest =
                        format!("package {path} provided by {module} at latest version {version}");
                    write!(f, "{at_latest} but not at required version {newer}")
                }
                None => write!(f, "missing module for import: {module}@{version} provides {path}"),
            };
        }
        if self.is_standard {
            write!(f, "package {path} is not in std ({}/{path})", self.standard_directory)?;
            return match &self.importer_go {
                Some(go) => write!(f, "\nnote: imported by a module that requires go {go}"),
                None => Ok(()),
            };
        }
        if let Some(query) = self.query.as_ref().filter(|_| !self.has_no_main) {
            return write!(f, "cannot find module providing package {path}: {query}");
        }
        if self.is_mod || self.allows_missing {
            return write!(f, "cannot find module providing package {path}");
        }
        if let Some(replaced) = &self.replaced {
            let Node { path: module, version } = replaced;
            let at = if pseudo::is_zero_pseudo_version(version) { "" } else { "@" };
            let version = if at.is_empty() { "" } else { version };
            return write!(
                f,
                "module {module} provides package {path} and is replaced but not required; to add it:\n\tgo get {module}{at}{version}"
            );
        }
        write!(f, "no required module provides package {path}")?;
        match (&self.query, &self.elsewhere) {
            _ if self.has_no_main => write!(
                f,
                ": go.mod file not found in current directory or any parent directory; see 'go help modules'"
            ),
            (Some(query), _) => write!(f, ": {query}"),
            (None, Some(directory)) => write!(f, "; to add it:\n\tcd {directory}\n\tgo get {path}"),
            (None, None) => write!(f, "; to add it:\n\tgo get {path}"),
        }
    }
}

impl std::error::Error for MissingImport {}

/// A module was found at the version that was asked for, but has no package that matches (`PackageNotInModuleError`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotInModule {
    /// Main modules that should have it, if it is about those.
    pub mains: Vec<Node>,
    /// The module that was found.
    pub module: Option<Node>,
    /// What replaces that.
    pub replacement: Option<Node>,
    /// As asked.
    pub query: String,
    /// The import path or pattern.
    pub pattern: String,
}

impl fmt::Display for NotInModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.pattern.contains("...") { "packages matching" } else { "package" };
        let pattern = &self.pattern;
        match &self.mains[..] {
            [] => {}
            [main] => return write!(f, "main module ({main}) does not contain {kind} {pattern}"),
            _ => return write!(f, "workspace modules do not contain {kind} {pattern}"),
        }
        let empty = Node::new("", "");
        let module = self.module.as_ref().unwrap_or(&empty);
        let query = &self.query;
        write!(f, "module {}@{query} found", module.path)?;
        match &self.replacement {
            Some(replacement) if **query == *module.version => write!(f, " (replaced by {replacement})")?,
            Some(replacement) => write!(f, " ({}, replaced by {replacement})", module.version)?,
            None if **query != *module.version => write!(f, " ({})", module.version)?,
            None => {}
        }
        write!(f, ", but does not contain {kind} {pattern}")
    }
}

impl std::error::Error for NotInModule {}
