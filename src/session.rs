//! One go verb at work on modules: the files it found, what it knows of other modules, and the way to learn more.
//!
//! The resolver is asked again and again; whatever it says it needs is found out together, from the module cache where
//! that is enough, else from the upstream, many things at a time. Every go.mod and zip is checked against go.sum and the
//! checksum database before the resolver hears of it. At the end go.mod and go.sum are written as go writes them.
//! Source of the rules: `cmd/go/internal/modload/init.go`.

mod commit;
mod folders;
mod ground;
mod index;
mod infos;
mod learn;
mod main_files;
mod mode;
mod outside;
mod packages;
mod patterns;
mod provided;
mod source;
mod standard;
mod sums;
mod switch;
mod target;
mod toolchain;
mod words;
mod zips;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use modkeep_builder::tags::Tags;
use modkeep_module::GoMod;
use modkeep_module::info::{Info, Origin};
use modkeep_resolver::error::{Error, Halt, ModuleError};
use modkeep_resolver::main_modules::MainModule;
use modkeep_resolver::node::{Node, NodeId};
use modkeep_resolver::world::{LocalGo, World};

pub(crate) use folders::{ForTarget, holds_somewhere};
pub(crate) use ground::Ground;
pub(crate) use infos::{OriginDocument, shown_time};
pub(crate) use main_files::workspace_roots;
pub(crate) use outside::has_version;
pub(crate) use patterns::{cleaned, is_local};
pub(crate) use provided::{Packages, provide};
pub(crate) use source::{Source, Stop, module_version};
pub(crate) use target::has_compiler as has_c_compiler;
pub(crate) use toolchain::{fetch_toolchain, has_toolchain};

use crate::goenv::{GoEnv, paths};
use crate::report::{self, Failure};

/// Rounds of questions before a resolution counts as one that never ends.
const MOST_ROUNDS: usize = 100_000;

/// What a verb wants of its session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The verb's words, such as `mod graph`.
    pub(crate) verb: &'static str,
    /// Whether there must be a main module.
    pub(crate) needs_root: bool,
    /// Whether the go.mod and go.work around the program are no concern of the verb.
    pub(crate) is_outside: bool,
    /// Whether go.work files are no concern of the verb.
    pub(crate) ignores_workspace: bool,
    /// Whether requests are told (`-x`).
    pub(crate) tells_requests: bool,
    /// The flags that verbs share.
    pub(crate) flags: ModFlags,
}

/// Flags that all module verbs have, and `-mod`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModFlags {
    /// `-mod`, empty if not given.
    pub(crate) mode: String,
    /// `-modfile`, empty if not given.
    pub(crate) modfile: String,
    /// `-tags`, empty if not given.
    pub(crate) tags: String,
    /// `-modcacherw`
    pub(crate) is_cache_writable: bool,
    /// `-overlay`, empty if not given.
    pub(crate) overlay: String,
}

impl ModFlags {
    /// Takes a flag; false if it is none of these.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<bool, Failure> {
        match name {
            "mod" => value.clone_into(&mut self.mode),
            "modfile" => value.clone_into(&mut self.modfile),
            "tags" => value.clone_into(&mut self.tags),
            "modcacherw" => self.is_cache_writable = value == "true",
            "overlay" => value.clone_into(&mut self.overlay),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A verb at work.
pub(crate) struct Session<'a> {
    /// What is around it.
    pub(crate) go: &'a GoEnv,
    /// The resolver, and what it was told.
    pub(crate) world: World,
    /// Where modules come from.
    pub(crate) source: Arc<Source>,
    /// Where it runs.
    pub(crate) ground: Ground,
    /// What go.mod files said in earlier runs.
    index: index::Index,
    verb: &'static str,
    /// go.mod as it was read.
    go_mod_data: Vec<u8>,
    /// What is known of revisions beside what the resolver wants to know, by path and revision.
    infos: HashMap<(String, String), Arc<Info>>,
    /// The folders of modules that were downloaded.
    roots: HashMap<Node, Result<PathBuf, ModuleError>>,
    /// The build tags of the target, once somebody asked; none where the settings allow none.
    tags: OnceCell<Option<Tags>>,
    /// The resolver finds some errors again and again.
    told_faults: HashSet<String>,
    /// The go.mod files that sessions of the same verb have read before.
    read_before: HashSet<Node>,
    /// Whether an error was told that does not end the program.
    has_failed: bool,
    /// The target that packages are loaded for; none for verbs that are about all of them.
    pub(crate) target: Option<ForTarget>,
}

impl<'a> Session<'a> {
    /// Finds and reads the files of the main modules.
    pub(crate) fn start(go: &'a GoEnv, wanted: &Wanted) -> Result<Self, Failure> {
        Self::start_with(go, wanted, None)
    }

    /// The same; the go.mod of the main module with that path is another one than on disk.
    pub(crate) fn start_with(
        go: &'a GoEnv,
        wanted: &Wanted,
        changed: Option<(String, GoMod)>,
    ) -> Result<Self, Failure> {
        go.lay_over(&wanted.flags.overlay)?;
        let ground = Ground::find(go, wanted)?;
        mode::check_flag(&ground, wanted)?;
        Self::on(go, wanted, ground, changed)
    }

    /// The same on ground that is known.
    pub(crate) fn start_on(go: &'a GoEnv, wanted: &Wanted, ground: Ground) -> Result<Self, Failure> {
        Self::on(go, wanted, ground, None)
    }

    fn on(
        go: &'a GoEnv,
        wanted: &Wanted,
        ground: Ground,
        changed: Option<(String, GoMod)>,
    ) -> Result<Self, Failure> {
        let source = Arc::new(Source::new(go, &ground, wanted)?);
        let mut main = main_files::read(go, &ground, wanted, &source)?;
        if let Some((path, file)) = changed {
            let is_meant =
                |module: &&mut MainModule| module.file.module().is_some_and(|module| module.path == path);
            if let Some(module) = main.modules.iter_mut().find(is_meant) {
                module.file = file;
            }
        }
        let vendor = ground.vendor_folder();
        let mode = mode::choose(go, &ground, wanted, &main)?;
        let go_mod_data = main.data;
        let world = World::new(main.modules, main.workspace, mode, local(go))
            .map_err(|error| Failure::go(error.to_string()))?;
        let mut session = Self::of(go, world, source, ground, wanted.verb);
        session.go_mod_data = go_mod_data;
        session.world.here = session.here();
        session.world.may_switch = session.way_to_switch().is_some();
        session.world.standard_module = session.standard_module();
        session.check_vendor(vendor.as_deref())?;
        session.require_sums()?;
        Ok(session)
    }

    fn of(go: &'a GoEnv, world: World, source: Arc<Source>, ground: Ground, verb: &'static str) -> Self {
        let (go_mod_data, infos, roots) = (Vec::new(), HashMap::new(), HashMap::new());
        let (tags, told_faults) = (OnceCell::new(), HashSet::new());
        let index = index::Index::of(go, &ground, source.cache.root());
        Self {
            go,
            world,
            source,
            ground,
            index,
            verb,
            go_mod_data,
            infos,
            roots,
            tags,
            told_faults,
            read_before: HashSet::new(),
            has_failed: false,
            target: None,
        }
    }

    /// Keeps what is to be kept, and leaves the rest to the end of the process.
    pub(crate) fn leave(mut self) {
        self.index.write(&self.world.known);
        std::mem::forget(self);
    }

    /// Takes over which go.mod files were read before: go checks each once in its life, so go.sum files of later modules
    /// don't hear of those (`modload/modfile.go:rawGoModSummaryCache`).
    pub(crate) fn goes_on_after(&mut self, read: &HashSet<Node>) {
        self.read_before.clone_from(read);
    }

    /// Whether there is a main module with a file.
    pub(crate) fn has_main(&self) -> bool {
        self.world.main.module(self.world.main.first()).is_some()
    }

    /// The main module that is called std and lies in GOROOT/src, if it is one.
    fn standard_module(&self) -> Option<NodeId> {
        let id = self.world.main.first();
        let module = self.world.main.module(id)?;
        let is_std = module.file.module().is_some_and(|module| module.path == "std");
        let sources = paths::join(&self.go.root().filter(|_| is_std)?, "src");
        (module.directory == sources).then_some(id)
    }

    /// The main module in whose folder the program runs.
    fn here(&self) -> Option<NodeId> {
        let folder = self.go.folder();
        let mains = self.world.main.ids().into_iter();
        let around = mains.filter_map(|id| {
            let root = &self.world.main.module(id)?.directory;
            let rest = folder.strip_prefix(root.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((root.len(), id))
        });
        around.max_by_key(|(length, _)| *length).map(|(_, id)| id)
    }

    /// As [`Session::answer`]; of several errors each is told on a line of its own.
    pub(crate) fn answer_each<T>(
        &mut self,
        question: impl FnMut(&mut World) -> Result<T, Halt>,
    ) -> Result<T, Failure> {
        match self.ask(question)? {
            Ok(answer) => {
                self.exit_if_failed()?;
                Ok(answer)
            }
            Err(error) => Err(self.switch(std::slice::from_ref(&error)).unwrap_or_else(|| {
                self.fail_with(&error);
                Failure::told(1)
            })),
        }
    }

    /// The verb's words.
    pub(crate) fn verb(&self) -> &'static str {
        self.verb
    }

    /// Where the answer to a revision came from, if that was told.
    pub(crate) fn origin_of(&self, path: &str, revision: &str) -> Option<Origin> {
        match self.infos.get(&(path.to_owned(), revision.to_owned())) {
            Some(info) => info.origin.clone(),
            None => self.source.kept_info(&module_version(path, revision).ok()?)?.origin.clone(),
        }
    }

    /// Asks the resolver until it has an answer or a final error. What go prints on the way is printed once.
    pub(crate) fn ask<T>(
        &mut self,
        mut question: impl FnMut(&mut World) -> Result<T, Halt>,
    ) -> Result<Result<T, Error>, Failure> {
        for _ in 0..MOST_ROUNDS {
            let answer = match self.world.attempt(&mut question) {
                Ok(answer) => Ok(answer),
                Err(Halt::Error(error)) => Err(*error),
                Err(Halt::Need(needs)) => {
                    self.learn(needs)?;
                    continue;
                }
            };
            self.tell_notes();
            return Ok(answer);
        }
        Err(Failure::go("internal error: the resolution does not come to an end"))
    }

    /// The same where an error ends the program, as `base.Fatal`.
    pub(crate) fn answer<T>(
        &mut self,
        question: impl FnMut(&mut World) -> Result<T, Halt>,
    ) -> Result<T, Failure> {
        let answer = self.ask(question)?;
        answer.map_err(|error| {
            let switch = self.switch(std::slice::from_ref(&error));
            switch.unwrap_or_else(|| Failure::go(error.to_string()))
        })
    }

    fn tell_notes(&mut self) {
        let lasting = std::mem::take(&mut self.world.lasting_notes);
        for note in lasting.into_iter().chain(std::mem::take(&mut self.world.notes)) {
            report::tell(&format!("go: {note}"));
        }
        for fault in std::mem::take(&mut self.world.faults) {
            if self.told_faults.insert(fault.clone()) {
                self.fail(&fault);
            }
        }
    }

    /// Tells an error that does not end the program (`base.Error`).
    pub(crate) fn fail(&mut self, text: &str) {
        report::tell(&format!("go: {text}"));
        self.has_failed = true;
    }

    /// Fails if an error was told (`base.ExitIfErrors`).
    pub(crate) fn exit_if_failed(&self) -> Result<(), Failure> {
        if self.has_failed { Err(Failure::told(1)) } else { Ok(()) }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.index.write(&self.world.known);
    }
}

/// The failure of a program that ends where it stands.
pub(crate) fn end(stop: Stop) -> Failure {
    match stop {
        Stop::End(text) => Failure::exact(1, text.strip_suffix('\n').unwrap_or(&text)),
        Stop::Error(error) => Failure::go(error.to_string()),
    }
}

/// The local release, as errors explain it.
pub(crate) fn local(go: &GoEnv) -> LocalGo {
    let wish = go.get("GOTOOLCHAIN").filter(|wish| *wish != "auto");
    let explain = wish.map(|wish| format!("; GOTOOLCHAIN={wish}")).unwrap_or_default();
    LocalGo { version: go.release().to_owned(), explain }
}
