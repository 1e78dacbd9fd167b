//! What the resolver was told so far, and what it has to be told next.
//!
//! The resolver does no I/O. Its functions run over the facts in [`Known`] and stop with [`Halt::Need`] where one is
//! missing; the caller finds out (all needs of a halt at once), tells, and calls the same function again. Facts don't
//! change once told, so that asking again gets further each time.

mod go_mod;

use std::sync::Arc;

use hashbrown::{Equivalent, HashMap, HashSet};
use modkeep_module::gomod::auto_quote;

pub use self::go_mod::GoModFacts;
use crate::error::{Halt, ModuleError};
use crate::node::{Node, NodeId, Nodes};

/// How the vendor directory is called in needs.
pub const VENDOR: &str = "./vendor";

/// One thing that the caller has to find out and tell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// The bytes of a go.mod: of a module version, or of the directory that the node's path is when its version is
    /// empty (relative to the go.work or the main module). Replacements are applied already. Told with
    /// [`Known::tell_go_mod`].
    GoMod(Node),
    /// The versions that the source lists for a module, without pseudo-versions. Told with [`Known::tell_versions`].
    Versions(String),
    /// What a revision or a version of a module is: the `.info` of it. Told with [`Known::tell_revision`].
    Revision {
        /// The module.
        path: String,
        /// A version, a branch, a hash: as one may write it after `@`.
        revision: String,
    },
    /// The latest version of a module by its source's own opinion (`@latest`). Told with [`Known::tell_latest`].
    Latest(String),
    /// The files of one directory of a module, which must be downloaded and extracted for it; `module` is what is to be
    /// read, replacements applied. Told with [`Known::tell_folder`].
    Folder {
        /// A module version; a main module (its path, version empty); or a directory that replaces a module or is the
        /// vendor directory (`./…`, `../…` or `/…`, version empty; relative to the go.work or the main module).
        module: Node,
        /// Relative to the module, `/` between elements, empty for its root.
        directory: String,
    },
    /// All directories of a module, as in [`Need::Folder`], in which packages may be. Told with
    /// [`Known::tell_directories`].
    Directories(Node),
    /// The zip of a module version must be there, and its line in go.sum known. Told with [`Known::tell_download`].
    Download(Node),
}

/// What a revision of a module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The canonical version.
    pub version: String,
    /// When it was committed, RFC 3339, if the source says so.
    pub time: Option<String>,
}

/// A directory that one walks into in search of packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Relative to the module, `/` between elements, empty for its root.
    pub path: String,
    /// Whether there is a regular file whose name ends in `.go`.
    pub has_go_files: bool,
}

/// One directory of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// Whether there is a regular file whose name ends in `.go`, tags not considered. In a main module or a directory
    /// that replaces one, a go.mod in the directory or between it and the module's root hides it (`dirInModule`).
    pub has_go_files: bool,
    /// The directory as errors show it: absolute.
    pub shown: String,
    /// What the files import if (nearly) all build constraints are taken to hold (`imports.AnyTags`).
    pub any: Scan,
    /// What they import for the platform and the tags of the command (`imports.Tags`).
    pub target: Scan,
}

/// What the `.go` files of a directory import (`imports.ScanDir`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// What the files import that are no tests: sorted, each once; `C` may be among them.
    pub imports: Vec<String>,
    /// What the tests import, in the package or beside it: sorted, each once.
    pub test_imports: Vec<String>,
    /// Why nothing is known.
    pub error: Option<ScanError>,
}

/// Why a directory's imports are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// No file is left that counts.
    #[error("no Go source files")]
    NoGo,
    /// A file can't be read or understood; in go's words.
    #[error("{0}")]
    Unreadable(String),
}

/// The key of a revision, which need not be made to look for it. Its hash is that of the pair.
#[derive(Hash)]
struct RevisionOf<'a>(&'a str, &'a str);

impl Equivalent<(String, String)> for RevisionOf<'_> {
    fn equivalent(&self, (path, revision): &(String, String)) -> bool {
        path == self.0 && revision == self.1
    }
}

/// The facts told so far.
#[derive(Debug, Default)]
pub struct Known {
    pub(crate) nodes: Nodes,
    go_mods: HashMap<NodeId, Result<Arc<GoModFacts>, ModuleError>>,
    /// Whether a go.mod is the one that go makes up for a version without, or why it can't be had.
    made_up: HashMap<NodeId, Result<bool, ModuleError>>,
    versions: HashMap<String, Result<Arc<[String]>, ModuleError>>,
    revisions: HashMap<(String, String), Result<Arc<Revision>, ModuleError>>,
    latest: HashMap<String, Result<Arc<Revision>, ModuleError>>,
    folders: HashMap<NodeId, HashMap<String, Result<Arc<Folder>, ModuleError>>>,
    directories: HashMap<NodeId, Result<Arc<[Directory]>, ModuleError>>,
    downloads: HashMap<NodeId, Result<(), ModuleError>>,
    needs: Vec<Need>,
    asked: HashSet<Need>,
}

impl Known {
    /// Tells the bytes of a go.mod, or why they can't be had. `file_name` stands in errors: `go.mod`.
    pub fn tell_go_mod(&mut self, module: &Node, file_name: &str, data: Result<&[u8], ModuleError>) {
        self.tell_local_go_mod(module, file_name, file_name, data);
    }

    /// The same of a directory. `file_name` stands before what is wrong, `shown` before that.
    pub fn tell_local_go_mod(
        &mut self,
        module: &Node,
        file_name: &str,
        shown: &str,
        data: Result<&[u8], ModuleError>,
    ) {
        let id = self.nodes.id(&module.path, &module.version);
        let made_up = format!("module {}\n", auto_quote(&module.path));
        self.made_up.insert(id, data.clone().map(|data| data == made_up.as_bytes()));
        let facts = data.and_then(|data| {
            GoModFacts::read(&mut self.nodes, data, file_name)
                .map_err(|errors| ModuleError::about(module.clone(), format!("parsing {shown}: {errors}")))
        });
        self.go_mods.insert(id, facts.map(Arc::new));
    }

    /// Tells what a go.mod was found to say in an earlier run, and what [`Known::is_made_up`] said then.
    pub fn tell_facts(&mut self, module: NodeId, facts: Arc<GoModFacts>, is_made_up: bool) {
        self.made_up.insert(module, Ok(is_made_up));
        self.go_mods.insert(module, Ok(facts));
    }

    /// Whether a go.mod that was told is the one that go makes up for a version without.
    pub fn is_made_up(&self, module: NodeId) -> bool {
        matches!(self.made_up.get(&module), Some(Ok(true)))
    }

    /// The modules whose go.mod was told.
    pub fn go_mods(&self) -> impl Iterator<Item = &Node> {
        self.go_mods.keys().map(|id| self.nodes.node(*id))
    }

    /// Tells the versions of a module, in any order.
    pub fn tell_versions(&mut self, path: &str, versions: Result<Vec<String>, ModuleError>) {
        self.versions.insert(path.to_owned(), versions.map(Arc::from));
    }

    /// Tells what a revision is.
    pub fn tell_revision(&mut self, path: &str, revision: &str, answer: Result<Revision, ModuleError>) {
        self.revisions.insert((path.to_owned(), revision.to_owned()), answer.map(Arc::new));
    }

    /// Tells the latest version.
    pub fn tell_latest(&mut self, path: &str, answer: Result<Revision, ModuleError>) {
        self.latest.insert(path.to_owned(), answer.map(Arc::new));
    }

    /// Tells what is in a directory; one that does not exist is a [`Folder`] without anything. An error is one about
    /// the module as a whole or about the file system. Where a directory that should replace a module is missing, it
    /// has no `module`, and the text `replacement directory ../x does not exist`.
    pub fn tell_folder(&mut self, module: &Node, directory: &str, answer: Result<Folder, ModuleError>) {
        let id = self.nodes.id(&module.path, &module.version);
        self.folders.entry(id).or_default().insert(directory.to_owned(), answer.map(Arc::new));
    }

    /// Tells the directories in which packages may be, in any order; those without `.go` files hide modules of that
    /// name. Left out are: nested modules (but not in what was downloaded), names that begin with `.` or `_`,
    /// `testdata`, and what is below a `vendor` (which itself may be there). `ignore` directives are the resolver's
    /// business.
    pub fn tell_directories(&mut self, module: &Node, answer: Result<Vec<Directory>, ModuleError>) {
        let id = self.nodes.id(&module.path, &module.version);
        self.directories.insert(id, answer.map(Arc::from));
    }

    /// Tells whether a zip is there.
    pub fn tell_download(&mut self, module: &Node, answer: Result<(), ModuleError>) {
        let id = self.nodes.id(&module.path, &module.version);
        self.downloads.insert(id, answer);
    }

    /// The texts of nodes.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// What a go.mod says, if it was told.
    pub fn facts(&self, module: NodeId) -> Option<&Result<Arc<GoModFacts>, ModuleError>> {
        self.go_mods.get(&module)
    }

    pub(crate) fn go_mod(&mut self, module: NodeId) -> Option<Result<Arc<GoModFacts>, ModuleError>> {
        let told = self.go_mods.get(&module).cloned();
        if told.is_none() {
            let node = self.nodes.node(module).clone();
            self.need(Need::GoMod(node));
        }
        told
    }

    /// Whether a version has no go.mod of its own (`versionHasGoMod`).
    pub(crate) fn is_go_mod_made_up(&mut self, module: NodeId) -> Option<Result<bool, ModuleError>> {
        let told = self.made_up.get(&module).cloned();
        if told.is_none() {
            let node = self.nodes.node(module).clone();
            self.need(Need::GoMod(node));
        }
        told
    }

    pub(crate) fn versions(&mut self, path: &str) -> Option<Result<Arc<[String]>, ModuleError>> {
        let told = self.versions.get(path).cloned();
        if told.is_none() {
            self.need(Need::Versions(path.to_owned()));
        }
        told
    }

    pub(crate) fn revision(
        &mut self,
        path: &str,
        revision: &str,
    ) -> Option<Result<Arc<Revision>, ModuleError>> {
        let told = self.revisions.get(&RevisionOf(path, revision)).cloned();
        if told.is_none() {
            self.need(Need::Revision { path: path.to_owned(), revision: revision.to_owned() });
        }
        told
    }

    pub(crate) fn latest(&mut self, path: &str) -> Option<Result<Arc<Revision>, ModuleError>> {
        let told = self.latest.get(path).cloned();
        if told.is_none() {
            self.need(Need::Latest(path.to_owned()));
        }
        told
    }

    pub(crate) fn folder(
        &mut self,
        module: NodeId,
        directory: &str,
    ) -> Option<Result<Arc<Folder>, ModuleError>> {
        let told = self.folders.get(&module).and_then(|folders| folders.get(directory)).cloned();
        if told.is_none() {
            let module = self.nodes.node(module).clone();
            self.need(Need::Folder { module, directory: directory.to_owned() });
        }
        told
    }

    /// The directories of a module in which packages may be.
    pub(crate) fn directories(&mut self, module: NodeId) -> Option<Result<Arc<[Directory]>, ModuleError>> {
        let told = self.directories.get(&module).cloned();
        if told.is_none() {
            let module = self.nodes.node(module).clone();
            self.need(Need::Directories(module));
        }
        told
    }

    /// Whether a zip is there.
    pub(crate) fn download(&mut self, module: NodeId) -> Option<Result<(), ModuleError>> {
        let told = self.downloads.get(&module).cloned();
        if told.is_none() {
            let module = self.nodes.node(module).clone();
            self.need(Need::Download(module));
        }
        told
    }

    /// Asks for one more thing; each is asked for once until the needs are taken.
    pub(crate) fn need(&mut self, need: Need) {
        if self.asked.insert(need.clone()) {
            self.needs.push(need);
        }
    }

    /// Asks again for what a part of a resolution asked for, so that others can ask too.
    pub(crate) fn put_back(&mut self, needs: Vec<Need>) {
        needs.into_iter().for_each(|need| self.need(need));
    }

    /// What was told, or a stop with everything that was asked for.
    pub(crate) fn or_halt<T>(&mut self, told: Option<T>) -> Result<T, Halt> {
        match told {
            Some(told) => Ok(told),
            None => Err(self.halt()),
        }
    }

    /// Stops with everything that was asked for.
    pub(crate) fn halt(&mut self) -> Halt {
        self.asked.clear();
        Halt::Need(std::mem::take(&mut self.needs))
    }
}
