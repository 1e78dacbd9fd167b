//! Where a build takes place: its packages are loaded for each target, and what is planned for them is carried out.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use modkeep_builder::build::{Build, BuildMode};
use modkeep_builder::execute::Machine;
use modkeep_builder::goal::Goal;
use modkeep_builder::gocache::GoCache;
use modkeep_builder::load::{Loader, Match, Options, PackageError, Problem, Scans, are_files};
use modkeep_builder::memory::{self, Memory};
use modkeep_builder::package::{Graph, PackageId};
use modkeep_builder::perform::{Before, Outcome, Reasons};
use modkeep_builder::plan::Plan;
use modkeep_builder::platform;
use modkeep_builder::shop::{Flags, Shop};
use modkeep_builder::target::Target;
use modkeep_builder::transcript::{Told, Transcript};
use parking_lot::Mutex;

use super::settings::{build, cache_folder, host, lay_over, toolchain};
use super::telling::{events, tell_as_text, tell_line};
use super::work_folder::WorkFolder;
use super::{BuildFlags, interrupt, rebuild, remote};
use crate::goenv::GoEnv;
use crate::report::{self, Failure};
use crate::session::{Packages, Wanted, has_version, provide};

/// Bytes of archives' keys and of programs that are kept beside the build cache.
const MAX_TIERS: u64 = 4 << 30;

/// All that a verb needs to build.
pub(crate) struct Site<'a> {
    pub(super) go: &'a GoEnv,
    pub(super) flags: &'a BuildFlags,
    /// One for each target.
    pub(crate) builds: Vec<Build>,
    scans: Arc<Scans>,
    cache: GoCache,
    verb: &'static str,
    /// What could not be told on stdout.
    lost: Arc<OnceLock<String>>,
    /// Made before anything is loaded; it goes with what is built first.
    work: Mutex<Option<WorkFolder>>,
}

/// The packages of one target.
pub(super) struct Loaded {
    pub(super) graph: Graph,
    /// Those that the command line names.
    pub(super) named: Vec<PackageId>,
}

impl<'a> Site<'a> {
    pub(crate) fn find(go: &'a GoEnv, flags: &'a BuildFlags, verb: &'static str) -> Result<Self, Failure> {
        lay_over(go, flags)?;
        let host = host();
        let toolchain = toolchain(go, host.clone())?;
        let cache = cache_folder(go)?;
        let cache = GoCache::open(&cache).map_err(|error| Failure::exact(1, error.to_string()))?;
        let targets = match flags.targets.is_empty() {
            true => vec![Target {
                os: go.get("GOOS").unwrap_or(&host.os).to_owned(),
                arch: go.get("GOARCH").unwrap_or(&host.arch).to_owned(),
            }],
            false => flags.targets.clone(),
        };
        let is_before_1_27 = toolchain.release.minor() < 27;
        let is_known = |target: &&Target| platform::exists(&target.os, &target.arch, is_before_1_27);
        if let Some(target) = targets.iter().find(|target| !is_known(target)) {
            let pair = format!("{}/{}", target.os, target.arch);
            return Err(Failure::exact(2, format!("go: unsupported GOOS/GOARCH pair {pair}")));
        }
        flags.check_mode(&targets)?;
        let builds = targets.into_iter().map(|target| build(go, flags, &toolchain, target));
        let builds = builds.collect::<Result<Vec<_>, _>>()?;
        let tree = Path::new(go.folder()).ancestors().find(|folder| folder.join("go.mod").is_file());
        let tree = tree.map_or(go.folder(), |tree| tree.to_str().unwrap_or_default());
        let memory = Memory::of(&cache, &memory::name(tree, &toolchain.root));
        let scans = Scans::with(memory).over(go.seen());
        let scans = if flags.shows { scans.telling(tell_line) } else { scans };
        let scans = Arc::new(scans);
        let site =
            Self { go, flags, builds, scans, cache, verb, lost: Arc::default(), work: Mutex::default() };
        // Where it is told it is told first.
        if site.tells_work() {
            *site.work.lock() = Some(site.make_work_folder()?);
        }
        if flags.tags.iter().any(|tag| tag.contains(',')) {
            // Only between blanks can one stand, and no file could ask for it.
            return Err(Failure::exact(2, "go: -tags space-separated list contains comma"));
        }
        Ok(site)
    }

    /// Loads what the patterns match, for each target.
    pub(super) fn load(&self, patterns: &[String], options: Options) -> Result<Vec<Loaded>, Failure> {
        self.builds.iter().map(|build| self.load_for(build, patterns, options)).collect()
    }

    fn load_for(&self, build: &Build, patterns: &[String], options: Options) -> Result<Loaded, Failure> {
        self.load_with(build, patterns, options, |_, _| Ok(())).map(|(loaded, ())| loaded)
    }

    /// Loads what the patterns match for one target, and lets `more` be loaded.
    pub(super) fn load_with<T>(
        &self,
        build: &Build,
        patterns: &[String],
        options: Options,
        more: impl FnOnce(&mut Loader<'_>, &[PackageId]) -> Result<T, Failure>,
    ) -> Result<(Loaded, T), Failure> {
        let wanted = Wanted { verb: self.verb, flags: self.flags.of_modules.clone(), ..Wanted::default() };
        // `run` takes no other word that ends so.
        let names_files = self.verb == "run" && patterns.first().is_some_and(|word| word.ends_with(".go"));
        let are_files = names_files || are_files(patterns, self.go.folder(), self.go.seen());
        let asked = match patterns {
            _ if are_files => Packages::ImportedBy(patterns),
            _ if matches!(self.verb, "install" | "run") && patterns.iter().any(|word| has_version(word)) => {
                Packages::AtVersion(patterns)
            }
            _ => Packages::Matching(patterns),
        };
        let (modules, matches) = provide(self.go, &wanted, build, &self.scans, asked, options.reads_tests)?;
        let mut loader = Loader::new(build, &*modules, &self.scans, options)
            .map_err(|error| Failure::exact(2, format!("go: {error}")))?;
        for link in matches.iter().flat_map(|found| &found.ignored_links) {
            report::tell(&format!("warning: ignoring symlink {link}"));
        }
        for found in matches.iter().filter(|found| Match::is_empty(found)) {
            let pattern = modkeep_module::quote::quote(&found.pattern);
            report::tell(&format!("go: warning: {pattern} matched no packages"));
        }
        let named = if are_files {
            vec![loader.load_files(patterns).map_err(|error| Failure::exact(1, error.to_string()))?]
        } else {
            loader.load(&matches)
        };
        let named = match options.programs_only {
            true if !are_files => self.programs(&mut loader, &named, &matches),
            _ => named,
        };
        loader.set_profiles(&named);
        let is_test = self.verb == "test";
        if build.cover && !is_test {
            for pattern in loader.cover_builds(&named) {
                report::tell(&format!(
                    "warning: no packages being built depend on matches for pattern {pattern}"
                ));
            }
        }
        if self.verb == "install" && matches!(asked, Packages::Matching(_)) {
            self.check_version(loader.graph(), &named, patterns)?;
        }
        if !matches!(self.verb, "test" | "clean") {
            // Tests tell what is wrong with each of them.
            self.check(loader.graph(), &named)?;
        }
        let more = more(&mut loader, &named)?;
        Ok((Loaded { graph: loader.into_graph(), named }, more))
    }

    /// Those that are programs, or were meant to be.
    fn programs(&self, loader: &mut Loader<'_>, named: &[PackageId], matches: &[Match]) -> Vec<PackageId> {
        let (programs, without) = loader.programs(named, matches);
        for pattern in without {
            let quoted = modkeep_module::quote::quote(&pattern);
            report::tell(&format!("go: warning: {quoted} matched only non-main packages"));
        }
        programs
    }

    /// Fails where there is no main module whose requirements could have the packages, none of which is there (`runInstall`).
    fn check_version(&self, graph: &Graph, named: &[PackageId], patterns: &[String]) -> Result<(), Failure> {
        if !self.go.uses_modules()? || self.go.module_root().is_some() || self.go.go_work()?.is_some() {
            return Ok(());
        }
        let is_missing = |error: &PackageError| matches!(error.problem, Problem::Missing(_));
        let mut errors = named.iter().filter_map(|&id| graph[id].error.as_ref()).peekable();
        if errors.peek().is_none() || !errors.all(is_missing) {
            return Ok(());
        }
        let latest: Vec<String> = patterns.iter().map(|pattern| format!("{pattern}@latest")).collect();
        Err(Failure::go(format!(
            "'go install' requires a version when current directory is not in a module\n\tTry 'go install {}' to \
             install the latest version",
            latest.join(" ")
        )))
    }

    /// Fails with all that is wrong with the packages (`load.CheckPackageErrors`).
    fn check(&self, graph: &Graph, named: &[PackageId]) -> Result<(), Failure> {
        let all = graph.with_dependencies(named);
        let mut has_failed = false;
        for package in all.iter().map(|&id| &graph[id]) {
            if let Some(error) = &package.error {
                has_failed = true;
                self.teller()(Told {
                    package: &package.description(),
                    text: &format!("{error}\n"),
                    is_failure: true,
                });
            }
        }
        if has_failed { Err(Failure::told(1)) } else { Ok(()) }
    }

    /// Fails for a build mode that is lacking, or wants one program and nothing else (`oneMainPkg`).
    pub(super) fn check_mode(&self, loaded: &Loaded, has_output: bool) -> Result<(), Failure> {
        let mode = match self.flags.mode {
            BuildMode::Lacking("shared") => return Err(lacking("shared")),
            BuildMode::Lacking(mode) => mode,
            BuildMode::Executable if has_output => "exe",
            _ => return Ok(()),
        };
        match loaded.named.as_slice() {
            [id] if loaded.graph[*id].name == "main" && mode == "exe" => Ok(()),
            [id] if loaded.graph[*id].name == "main" => Err(lacking(mode)),
            _ => Err(Failure::exact(1, format!("-buildmode={mode} requires exactly one main package"))),
        }
    }

    /// What prints what is told: text, or events under `-json`.
    pub(crate) fn teller(&self) -> Box<dyn Fn(Told<'_>) + Send + Sync> {
        let lost = Arc::clone(&self.lost);
        let print: fn(&Told<'_>) -> Result<(), Failure> =
            match (self.flags.json, self.flags.only_tells_reasons) {
                // What is of no package is no event.
                (true, false) => |told| match told.package {
                    "" => {
                        tell_line(told.text);
                        Ok(())
                    }
                    _ => report::out(&events(told)),
                },
                (_, true) => rebuild::tell,
                _ => return Box::new(tell_as_text),
            };
        Box::new(move |told| {
            if let Err(failure) = print(&told) {
                // The first reason is the one that is told in the end.
                let _ = lost.set(failure.to_string());
            }
        })
    }

    /// The build cache.
    pub(super) fn cache(&self) -> &GoCache {
        &self.cache
    }

    /// Makes a plan for the targets, carries it out, does what comes then whether or not all of it succeeded, and cleans
    /// up.
    pub(super) fn perform(
        &self,
        loaded: &[Loaded],
        plan: impl FnOnce(&mut Plan<'_>) -> Result<(), Failure>,
        then: impl FnOnce(&Shop, &Outcome) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let graphs: Vec<&Graph> = loaded.iter().map(|loaded| &loaded.graph).collect();
        self.perform_on(&graphs, self.teller(), plan, then)
    }

    /// The same for graphs, one for each target, and with somebody else who is told.
    pub(crate) fn perform_on(
        &self,
        graphs: &[&Graph],
        teller: Box<dyn Fn(Told<'_>) + Send + Sync>,
        plan: impl FnOnce(&mut Plan<'_>) -> Result<(), Failure>,
        then: impl FnOnce(&Shop, &Outcome) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let goals: Vec<Goal<'_>> =
            self.builds.iter().zip(graphs).map(|(build, graph)| Goal::new(build, graph)).collect();
        let flags = self.flags;
        // While the network is asked for it a signal ends the program as any other, so nothing is there yet.
        let remote = remote::open(self.go, flags, &goals)?;
        let work = self.work_folder()?;
        let mut shop = self.shop(&work, teller)?;
        shop.remote = remote;
        if let Some(remote) = &shop.remote {
            shop.machine.children().stop_also(remote.stop());
        }
        let mut made = Plan::new(&goals, &work.path);
        plan(&mut made)?;
        let outcome = made.perform(&shop);
        if !flags.dry {
            self.scans.keep();
        }
        // Caches that can't be trimmed still serve.
        let _ = self.cache.trim();
        let _ = shop.tiers.trim_to(MAX_TIERS);
        if let Some(remote) = shop.remote.as_ref().filter(|_| flags.shows || flags.tells_reasons) {
            report::tell(&format!("modkeep: {}", remote.told()));
        }
        if shop.machine.children().is_stopped() {
            drop(work);
            return Err(interrupt::end());
        }
        if outcome.is_cut_short {
            return Err(Failure::over());
        }
        let done = then(&shop, &outcome);
        match self.lost.get() {
            Some(reason) => Err(Failure::exact(1, reason)),
            None if outcome.succeeded && !shop.machine.children().is_stopped() => done,
            None => done.and(Err(Failure::told(1))),
        }
    }

    /// Looks what is stale for the first target, and makes nothing.
    pub(crate) fn stale(
        &self,
        graph: &Graph,
        plan: impl FnOnce(&mut Plan<'_>),
        before: Before<'_>,
    ) -> Result<Reasons, Failure> {
        let goals = [Goal::new(&self.builds[0], graph)];
        let work = self.work_folder()?;
        let shop = self.shop(&work, self.teller())?;
        let mut made = Plan::new(&goals, &work.path);
        plan(&mut made);
        let reasons = made.stale(&shop, before).map_err(|error| Failure::exact(1, error.to_string()))?;
        self.scans.keep();
        Ok(reasons)
    }

    fn work_folder(&self) -> Result<WorkFolder, Failure> {
        let made = self.work.lock().take();
        made.map_or_else(|| self.make_work_folder(), Ok)
    }

    fn make_work_folder(&self) -> Result<WorkFolder, Failure> {
        let work = WorkFolder::make(self.go, self.flags)?;
        if self.tells_work() {
            let text = format!("WORK={}\n", work.path);
            self.teller()(Told { package: "", text: &text, is_failure: false });
        }
        Ok(work)
    }

    /// Whether the work folder is told. Cleaning makes nothing in it.
    fn tells_work(&self) -> bool {
        (self.flags.shows || self.flags.keeps_work) && !self.flags.dry && self.verb != "clean"
    }

    /// What was read of files.
    pub(crate) fn scans(&self) -> &Arc<Scans> {
        &self.scans
    }

    /// The workshop, with its work folder.
    fn shop(&self, work: &WorkFolder, teller: Box<dyn Fn(Told<'_>) + Send + Sync>) -> Result<Shop, Failure> {
        let flags = self.flags;
        let transcript = Transcript::new(teller, &work.path, self.go.folder());
        let machine = Machine::new(self.variables(), self.builds[0].toolchain.release, &work.path);
        interrupt::end_children(machine.children());
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let parallel = self.go.get("GOMAXPROCS").and_then(|count| count.parse().ok()).unwrap_or(processors);
        let shop_flags = Flags {
            dry: flags.dry,
            shows: flags.shows,
            names: flags.names,
            forces: flags.forces,
            keeps_work: flags.keeps_work,
            parallel: flags.parallel.unwrap_or(parallel),
            processors: parallel,
            wrapper: flags.wrapper.clone(),
            verified_part: flags.verified_part,
            tells_reasons: flags.tells_reasons,
            only_tells_reasons: flags.only_tells_reasons,
            verb: self.verb.to_owned(),
            graph_file: flags.graph_file.clone(),
        };
        let cache = GoCache::open(self.cache.folder()).map_err(Failure::of)?;
        Ok(Shop::new(cache, machine, transcript, &work.path, self.go.folder(), shop_flags)
            .with_scans(Arc::clone(&self.scans)))
    }

    /// PATH for programs that are run: they find the toolchain's own go first (`base.AppendPATH`).
    pub(super) fn search_path(&self) -> OsString {
        let environment = self.go.environment();
        let path = environment.odd().get("PATH").map(OsString::as_os_str);
        let mut search = OsString::from(format!("{}/bin", self.builds[0].toolchain.root));
        if let Some(path) = path.or_else(|| environment.get("PATH").map(OsStr::new)) {
            search.push(":");
            search.push(path);
        }
        search
    }

    /// The variables of tools: those of the process, and go's own from its files.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = self.go.process_variables();
        const OF_GO: [&str; 8] =
            ["CC", "CXX", "FC", "AR", "PKG_CONFIG", "GO_EXTLINK_ENABLED", "GOGCCFLAGS", "GOTMPDIR"];
        for name in OF_GO {
            if let Some(value) = self.go.get(name) {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
        for kind in ["CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS"] {
            for name in [format!("CGO_{kind}"), format!("CGO_{kind}_ALLOW"), format!("CGO_{kind}_DISALLOW")] {
                if let Some(value) = self.go.get(&name) {
                    variables.insert(name, value.to_owned());
                }
            }
        }
        variables
    }
}

fn lacking(mode: &str) -> Failure {
    Failure::exact(1, format!("-buildmode={mode} is not supported by modkeep"))
        .with_hint(format!("the go command has it: go build -buildmode={mode}"))
}
