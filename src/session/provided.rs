//! The modules that provide packages, as the builder asks for them: what the resolver found, with its words where it
//! found nothing.
//!
//! Packages are loaded by the resolver first, for one target, and go.mod and go.sum are brought up to date; the builder
//! then finds each package in its place. Source of the rules: `cmd/go/internal/modload/load.go:LoadPackages`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use modkeep_builder::build::Build;
use modkeep_builder::load::{Loader, Match, MatchError, Options, Scans};
use modkeep_builder::modules::{Folders, MainModule, Module, Modules, Place, PlaceError};
use modkeep_module::ModuleVersion;
use modkeep_resolver::node::NodeId;
use modkeep_resolver::packages::{Loaded, PackageOptions, Pattern, Silence, Tags};
use modkeep_resolver::requirements::{Load, Requirements};
use modkeep_resolver::world::Mode;
use modkeep_resolver::written::Change;

use super::{ForTarget, Ground, Session, Wanted, outside, patterns};
use crate::goenv::GoEnv;
use crate::list::public::ModulePublic;
use crate::report::Failure;

/// Finds packages where a verb runs: with modules, or without them in GOROOT and GOPATH.
pub(crate) fn provide(
    go: &GoEnv,
    wanted: &Wanted,
    build: &Build,
    scans: &Arc<Scans>,
    packages: Packages<'_>,
    tests: bool,
) -> Result<(Box<dyn Modules>, Vec<Match>), Failure> {
    let is_outside = matches!(packages, Packages::AtVersion(_));
    if is_outside || go.uses_modules()? {
        let wanted = Wanted { is_outside, ..wanted.clone() };
        let mut session = Session::start(go, &wanted)?;
        let (provided, matches) = Provided::find(&mut session, build, scans, packages, tests)?;
        return Ok((Box::new(provided), matches));
    }
    let folders = Folders::of(go.gopath());
    let matches = match packages {
        Packages::ImportedBy(_) | Packages::AtVersion(_) => Vec::new(),
        Packages::Matching(words) => Loader::new(build, &folders, scans, Options::default())
            .map_err(|error| Failure::exact(2, format!("go: {error}")))?
            .matches(words),
    };
    Ok((Box::new(folders), matches))
}

/// Which packages are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packages<'a> {
    /// Those that the words of a command line match.
    Matching(&'a [String]),
    /// Those that named files import.
    ImportedBy(&'a [String]),
    /// Those of one module, named with its version, whatever module is around.
    AtVersion(&'a [String]),
}

/// What the builder may ask.
#[derive(Debug, Default)]
pub(super) struct Provided {
    mains: Vec<MainModule>,
    go_version: String,
    godebugs: BTreeMap<String, String>,
    tools: Vec<String>,
    vendor: Option<String>,
    /// The packages that modules.txt names.
    vendored: HashSet<String>,
    places: HashMap<String, Result<Place, PlaceError>>,
    others: Vec<Arc<Module>>,
}

impl Provided {
    /// Finds the packages and all that they need, with the tests of those that are asked for if `tests`.
    fn find(
        session: &mut Session<'_>,
        build: &Build,
        scans: &Arc<Scans>,
        packages: Packages<'_>,
        tests: bool,
    ) -> Result<(Self, Vec<Match>), Failure> {
        let tags = build.build_tags().map_err(|error| Failure::exact(2, format!("go: {error}")))?;
        session.target = Some(ForTarget { scans: Arc::clone(scans), tags: Arc::new(tags) });
        let (requirements, root) = match packages {
            Packages::AtVersion(words) => {
                let sources = build.toolchain.sources();
                let (requirements, root) = outside::requirements(session, words, &sources)?;
                (requirements, Some(root))
            }
            _ => {
                let load = Load { only_looks: false, go_version: None };
                (session.answer(|world| world.load(&load))?, None)
            }
        };
        let named = match packages {
            Packages::AtVersion(words) => outside::without_version(words)?,
            _ => Vec::new(),
        };
        let packages = if named.is_empty() { packages } else { Packages::Matching(&named) };
        let mut provided = Self::of_mains(session, &requirements)?;
        let (patterns, known) = provided.patterns(session, build, scans, packages)?;
        let options = PackageOptions {
            patterns,
            tags: Tags::Target,
            resolves_missing: true,
            loads_tests: tests,
            silence: Silence { package_errors: true, unmatched: true, ..Silence::default() },
            ..PackageOptions::default()
        };
        let loaded = session.load_packages(&requirements, &options)?;
        session.commit(&loaded.requirements, &Change::default(), Some(&loaded.sums))?;
        provided.take(session, &loaded)?;
        let is_open: Vec<bool> = known.iter().map(Option::is_none).collect();
        let mut matches = matches(&loaded, known);
        let loader = Loader::new(build, &provided, scans, Options::default())
            .map_err(|error| Failure::exact(2, format!("go: {error}")))?;
        for (found, _) in matches.iter_mut().zip(is_open).filter(|(_, is_open)| *is_open) {
            loader.complete(found);
        }
        if let Some(root) = root {
            provided.check_outside(&root, &matches)?;
        }
        Ok((provided, matches))
    }

    fn of_mains(session: &mut Session<'_>, requirements: &Arc<Requirements>) -> Result<Self, Failure> {
        let ids = session.world.main.ids();
        let has_main = session.has_main();
        let described = if has_main { session.describe_nodes(&ids, requirements)? } else { Vec::new() };
        let world = &session.world;
        let files: Vec<_> = ids.iter().filter_map(|id| world.main.module(*id)).collect();
        let ignores = files.iter().map(|main| main.file.ignores().iter().map(|line| line.path.clone()));
        let mains = described.into_iter().zip(ignores);
        let mains = mains.map(|(module, ignore)| MainModule {
            module: Arc::new(of_public(module)),
            ignore: ignore.collect(),
        });
        let debugs = match world.main.workspace() {
            Some(workspace) => workspace.file.godebugs(),
            None => files.first().map_or(&[][..], |main| main.file.godebugs()),
        };
        let mut tools: Vec<String> = world.main.tools().into_iter().map(str::to_owned).collect();
        tools.sort_unstable();
        let vendored = match &world.mode {
            Mode::Vendor(_, vendored) => vendored.packages.keys().cloned().collect(),
            _ => HashSet::new(),
        };
        let is_vendored = matches!(world.mode, Mode::Vendor(..));
        Ok(Self {
            mains: mains.collect(),
            go_version: if has_main {
                world.main.go_version(&world.local.version).to_owned()
            } else {
                String::new()
            },
            godebugs: debugs.iter().map(|line| (line.key.clone(), line.value.clone())).collect(),
            tools,
            vendor: session.ground.vendor_folder().filter(|_| is_vendored),
            vendored,
            ..Self::default()
        })
    }

    /// What the resolver is asked for, and what is known already of each pattern: folders and the standard library are
    /// looked through here, where the target's rules are known.
    fn patterns(
        &self,
        session: &Session<'_>,
        build: &Build,
        scans: &Scans,
        packages: Packages<'_>,
    ) -> Result<(Vec<Pattern>, Vec<Option<Match>>), Failure> {
        let loader = Loader::new(build, self, scans, Options::default())
            .map_err(|error| Failure::exact(2, format!("go: {error}")))?;
        let words = match packages {
            Packages::ImportedBy(files) => {
                let imports =
                    loader.imports_of_files(files).map_err(|error| Failure::exact(1, error.to_string()))?;
                let paths = imports.into_iter().filter(|path| path != "C").map(Pattern::Path);
                return Ok((paths.collect(), Vec::new()));
            }
            Packages::AtVersion(_) => return Ok((Vec::new(), Vec::new())),
            Packages::Matching([]) => &[".".to_owned()][..],
            Packages::Matching(words) => words,
        };
        let (mut asked, mut known) = (Vec::new(), Vec::new());
        for word in words {
            let is_local = patterns::is_local(word);
            if !is_local && !matches!(word.as_str(), "std" | "cmd") {
                asked.extend(session.patterns(std::slice::from_ref(word))?);
                known.push(None);
                continue;
            }
            let found = loader.matches(std::slice::from_ref(word)).remove(0);
            if is_local && found.paths.is_empty() && (!session.has_main() || found.is_outside()) {
                // The session knows the folders of other modules, and how errors call what is around.
                asked.push(session.local_pattern(&found.pattern)?);
                known.push(None);
                continue;
            }
            asked.push(Pattern::Local {
                text: found.pattern.clone(),
                packages: found.paths.clone(),
                errors: Vec::new(),
            });
            known.push(Some(found));
        }
        Ok((asked, known))
    }

    /// Fails if any of the named packages is of another module.
    fn check_outside(&self, root: &outside::Root, matches: &[Match]) -> Result<(), Failure> {
        let named = matches.iter().flat_map(|found| &found.paths);
        let found = named.filter_map(|path| Some((path, self.places.get(path)?.as_ref().ok()?)));
        let wrong: Vec<String> = found.filter_map(|(path, place)| root.refuse(path, &place.module)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(Failure::exact(1, wrong.join("\n"))) }
    }

    /// Takes over where packages were found.
    fn take(&mut self, session: &mut Session<'_>, loaded: &Loaded) -> Result<(), Failure> {
        let packages = &loaded.packages;
        let all = packages.order().iter().map(|id| packages.get(*id)).filter(|package| !package.is_test());
        let mut nodes: Vec<NodeId> = all.clone().filter_map(|package| package.module).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let described = session.describe_nodes(&nodes, &loaded.requirements)?;
        let modules = nodes.iter().copied().zip(described.into_iter().map(of_public));
        let modules = modules.map(|(node, module)| {
            (node, Arc::new(with_hash(with_go_version(module, session, node), session)))
        });
        let modules: HashMap<NodeId, Arc<Module>> = modules.collect();
        for package in all.filter(|package| !package.is_standard) {
            let module = package.module.and_then(|node| modules.get(&node));
            let place = match (module, &package.directory, &package.error) {
                (Some(module), Some(directory), _) => Ok(Place {
                    dir: self.folder(module, directory, &package.path),
                    module: Arc::clone(module),
                }),
                // Before 1.23 a package may be in a vendor directory that modules.txt doesn't name.
                (None, Some(directory), None) if self.vendor.is_some() => Ok(Place {
                    dir: self.folder(&Module::default(), directory, &package.path),
                    module: Arc::default(),
                }),
                (_, _, Some(error)) => {
                    Err(PlaceError { text: error.to_string(), is_missing: error.is_missing_import() })
                }
                _ => continue,
            };
            self.places.insert(package.path.clone(), place);
        }
        let mut others: Vec<Arc<Module>> = modules.into_values().filter(|module| !module.main).collect();
        others.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        self.others = others;
        Ok(())
    }

    fn folder(&self, module: &Module, directory: &str, path: &str) -> String {
        match &self.vendor {
            Some(vendor) if !module.main => format!("{vendor}/{path}"),
            _ if directory.is_empty() => module.dir.clone(),
            _ => format!("{}/{directory}", module.dir.trim_end_matches('/')),
        }
    }
}

/// What each pattern matches; what the builder found says more than what the resolver made of it.
fn matches(loaded: &Loaded, known: Vec<Option<Match>>) -> Vec<Match> {
    let found = loaded.matches.iter().zip(known);
    let found = found.map(|(found, known)| {
        known.unwrap_or_else(|| Match {
            pattern: found.pattern.clone(),
            paths: found.packages.clone(),
            errors: found.errors.iter().cloned().map(MatchError::Text).collect(),
            ..Match::default()
        })
    });
    found.collect()
}

/// In a vendor directory it is modules.txt that knows the go line of a replaced module.
fn with_go_version(mut module: Module, session: &Session<'_>, node: NodeId) -> Module {
    let Mode::Vendor(_, vendored) = &session.world.mode else { return module };
    let mark = vendored.marks.get(session.world.nodes().node(node));
    if let (Some(replace), Some(go)) = (&mut module.replace, mark.and_then(|mark| mark.go.as_ref())) {
        replace.go_version.clone_from(go);
        module.go_version.clone_from(go);
    }
    module
}

/// Where no go.sum is, programs tell the hash with which a module came (`modfetch.Sum`).
fn with_hash(mut module: Module, session: &Session<'_>) -> Module {
    if session.ground == Ground::Open
        && let Ok(version) = ModuleVersion::parse(&module.path, &module.version)
        && let Ok(Some(hash)) = session.source.cache.zip_hash(&version)
    {
        module.sum = hash.to_string();
    }
    module
}

fn of_public(module: ModulePublic) -> Module {
    Module {
        path: module.path,
        version: module.version,
        replace: module.replace.map(|replace| Box::new(of_public(*replace))),
        time: module.time,
        main: module.main,
        indirect: module.indirect,
        dir: module.dir,
        go_mod: module.go_mod,
        go_version: module.go_version,
        sum: module.sum,
        go_mod_sum: module.go_mod_sum,
    }
}

impl Modules for Provided {
    fn find(&self, path: &str) -> Result<Place, PlaceError> {
        let unknown = || Err(PlaceError { text: "cannot find package".to_owned(), is_missing: false });
        self.places.get(path).cloned().unwrap_or_else(unknown)
    }

    fn mains(&self) -> &[MainModule] {
        &self.mains
    }

    fn go_version(&self) -> &str {
        &self.go_version
    }

    fn godebugs(&self) -> &BTreeMap<String, String> {
        &self.godebugs
    }

    fn tools(&self) -> &[String] {
        &self.tools
    }

    fn vendor(&self) -> Option<&str> {
        self.vendor.as_deref()
    }

    fn is_vendored(&self, path: &str) -> bool {
        self.vendored.contains(path)
    }

    fn others(&self) -> Result<Vec<Arc<Module>>, PlaceError> {
        Ok(self.others.clone())
    }
}
