//! The go.mod that a command leaves behind, and whether it says anything else than before.
//!
//! go writes a go.mod only when its meaning changed (tidy: always), in the layout of the release in its go line.
//! Source of the rules: `cmd/go/internal/modload/init.go:UpdateGoModFromReqs` and `modfile.go:modFileIsDirty`.

use std::collections::{BTreeMap, BTreeSet};

use modkeep_module::GoMod;
use modkeep_module::gomod::{EditError, Layout, Require};

use crate::error::TooNew;
use crate::go_version;
use crate::node::Node;
use crate::requirements::Requirements;
use crate::world::{Mode, World};

/// What a command changes in go.mod beside the requirements.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Whether the command is one that sets the go line even where its absence means the same (`get`, `mod tidy`).
    pub sets_go: bool,
    /// Whether it is `get`, which raises the go line for tools.
    pub is_get: bool,
    /// `get toolchain@none`
    pub drop_toolchain: bool,
    /// `get toolchain@…`
    pub explicit_toolchain: bool,
    /// `get -tool`
    pub add_tools: Vec<String>,
    /// `get -tool …@none`
    pub drop_tools: Vec<String>,
    /// The go line of `mod tidy -go`.
    pub go_version: Option<String>,
    /// Whether packages are loaded by a command that writes go.mod itself too (`work sync`): requirements are then laid
    /// out twice, and a line that lost its mark leaves the block of indirect ones only the second time.
    pub lays_out_twice: bool,
}

/// A go.mod, written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file as it was, formatted.
    pub before: Vec<u8>,
    /// The file as it is to be.
    pub after: Vec<u8>,
    /// The same as values.
    pub file: GoMod,
    /// Whether the meaning changed. Outside of `-mod=mod` a command with such a file fails.
    pub is_dirty: bool,
}

/// Why a go.mod can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The go line would be above the local release.
    #[error(transparent)]
    TooNew(#[from] TooNew),
    /// Tools need a newer go line than the one asked for.
    #[error("1.24 is required for tool directives in go.mod: go get go@1.24.0")]
    Tools,
    /// A version or a name that can't stand in the file.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl World {
    /// The go.mod of the only main module with these requirements; `None` where there is no file to write.
    ///
    /// # Errors
    /// When the file can't say what it should.
    pub fn written(
        &self,
        requirements: &Requirements,
        change: &Change,
    ) -> Result<Option<Written>, WriteError> {
        let main = self.main.first();
        let Some(module) = self.main.module(main).filter(|_| !self.main.is_workspace()) else {
            return Ok(None);
        };
        let mut file = module.file.clone();
        let before = file.format();
        let mut go = requirements.go_version(self).to_owned();
        if go_version::compare(&go, &self.local.version).is_gt() {
            return Err(self.too_new("updating go.mod".to_owned(), &go).into());
        }
        if let Some(version) = &change.go_version {
            file.add_go(version)?;
        }
        let line = file.go().map(|line| line.version.clone());
        let says_the_same = line.is_none() && go == go_version::DEFAULT_GO_MOD;
        let is_set = self.is_mod() || change.sets_go || !says_the_same;
        if line.as_deref() != Some(&*go) && is_set {
            file.add_go(&go)?;
        }
        if change.is_get && has_tools(&file, change) && go_version::compare(&go, go_version::TOOLS).is_lt() {
            if change.explicit_toolchain {
                return Err(WriteError::Tools);
            }
            go_version::TOOLS.clone_into(&mut go);
            file.add_go(&go)?;
        }
        self.write_toolchain(&mut file, requirements, change, &go)?;
        change.add_tools.iter().for_each(|tool| file.add_tool(tool));
        change.drop_tools.iter().for_each(|tool| file.drop_tool(tool));
        for _ in 0..=usize::from(change.lays_out_twice) {
            file.set_requires(layout(&go), &self.required(requirements));
            file.cleanup();
        }
        let is_dirty = module.was_fixed
            || !(change.add_tools.is_empty() && change.drop_tools.is_empty())
            || Meaning::of(&module.file).differs(&Meaning::of(&file), &self.mode);
        Ok(Some(Written { before, after: file.format(), file, is_dirty }))
    }

    fn write_toolchain(
        &self,
        file: &mut GoMod,
        requirements: &Requirements,
        change: &Change,
        go: &str,
    ) -> Result<(), EditError> {
        let implied = format!("go{go}");
        let path = self.nodes().find_path("toolchain");
        let root = path.and_then(|path| requirements.root(self, path));
        let toolchain = root.map_or(implied.as_str(), |root| self.nodes().version(root));
        let version = go_version::of_toolchain(toolchain);
        let is_too_old =
            go_version::compare(version, go_version::STRICT).is_lt() && !change.explicit_toolchain;
        if change.drop_toolchain || toolchain == implied || is_too_old {
            file.drop_toolchain();
            return Ok(());
        }
        file.add_toolchain(toolchain)
    }

    fn required(&self, requirements: &Requirements) -> Vec<Require> {
        let is_module = |path: &str| !crate::order::is_toolchain(path);
        let roots = requirements.roots().iter().map(|root| (root, self.nodes().node(*root)));
        let modules = roots.filter(|(_, node)| is_module(&node.path));
        let require = modules.map(|(root, Node { path, version })| Require {
            path: path.to_string(),
            version: version.to_string(),
            indirect: !requirements.direct().contains(&root.path()),
        });
        require.collect()
    }
}

fn has_tools(file: &GoMod, change: &Change) -> bool {
    let mut tools: BTreeSet<&str> = file.tools().iter().map(|tool| tool.path.as_str()).collect();
    tools.retain(|tool| !change.drop_tools.iter().any(|dropped| dropped == tool));
    !(tools.is_empty() && change.add_tools.is_empty())
}

fn layout(go: &str) -> Layout {
    let is_before = |version| go_version::compare(go, version).is_lt();
    if is_before(go_version::EXPLICIT_INDIRECT) {
        Layout::AsFound
    } else if is_before(go_version::SIMPLE_REQUIRES) {
        Layout::SeparateIndirect
    } else {
        Layout::AtMostTwo
    }
}

/// What counts in a go.mod; comments, order and layout don't.
struct Meaning<'a> {
    module: Option<&'a str>,
    go: &'a str,
    toolchain: &'a str,
    /// How many directives there are, and what they say.
    requires: (usize, BTreeMap<(&'a str, &'a str), bool>),
    replaces: (usize, BTreeSet<[Option<&'a str>; 4]>),
    excludes: (usize, BTreeSet<(&'a str, &'a str)>),
}

impl<'a> Meaning<'a> {
    fn of(file: &'a GoMod) -> Self {
        let requires = file.requires().iter();
        let replaces = file.replaces().iter().map(|replace| {
            let old = [Some(replace.old_path.as_str()), replace.old_version.as_deref()];
            [old[0], old[1], Some(replace.new_path.as_str()), replace.new_version.as_deref()]
        });
        let excludes =
            file.excludes().iter().map(|exclude| (exclude.path.as_str(), exclude.version.as_str()));
        Self {
            module: file.module().map(|module| module.path.as_str()),
            go: file.go().map_or("", |go| &go.version),
            toolchain: file.toolchain().map_or("", |toolchain| &toolchain.name),
            requires: (
                file.requires().len(),
                requires.map(|require| ((&*require.path, &*require.version), require.indirect)).collect(),
            ),
            replaces: (file.replaces().len(), replaces.collect()),
            excludes: (file.excludes().len(), excludes.collect()),
        }
    }

    /// Go counts the directives of the new file against the different ones of the old, so a file with a repeated
    /// line differs from itself.
    fn differs(&self, new: &Self, mode: &Mode) -> bool {
        let (_, old_requires) = &self.requires;
        let changed_mark = |(key, indirect): (&(&str, &str), &bool)| match old_requires.get(key) {
            None => true,
            Some(before) => before != indirect && !matches!(mode, Mode::Readonly(_)),
        };
        self.module != new.module
            || self.go != new.go
            || self.toolchain != new.toolchain
            || new.requires.0 != old_requires.len()
            || new.replaces.0 != self.replaces.1.len()
            || new.excludes.0 != self.excludes.1.len()
            || new.requires.1.iter().any(changed_mark)
            || !new.replaces.1.is_subset(&self.replaces.1)
            || !new.excludes.1.is_subset(&self.excludes.1)
    }
}
