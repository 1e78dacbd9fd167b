//! One demo module, two caches: that of go and ours, both empty when the tests begin.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use modkeep_builder::build::{Build, Profile};
use modkeep_builder::execute::Machine;
use modkeep_builder::goal::Goal;
use modkeep_builder::gocache::GoCache;
use modkeep_builder::load::{Loader, Options, Scans};
use modkeep_builder::modules::{MainModule, Module, Modules, Place, PlaceError};
use modkeep_builder::plan::{Linking, Plan};
use modkeep_builder::shop::{Flags, Shop};
use modkeep_builder::tags::Instrument;
use modkeep_builder::target::Target;
use modkeep_builder::toolchain::Toolchain;
use modkeep_builder::transcript::{Told, Transcript};
use modkeep_conformance::go::Go;
use tempfile::TempDir;

/// One program to build, and how.
#[derive(Clone, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) package: &'a str,
    pub(crate) target: &'a str,
    pub(crate) cgo: bool,
    pub(crate) trimpath: bool,
    pub(crate) race: bool,
    pub(crate) cover: bool,
    /// Whether the compiler is guided by a profile.
    pub(crate) profile: bool,
    pub(crate) ldflags: &'a str,
    pub(crate) release: &'a str,
}

impl<'a> Case<'a> {
    pub(crate) fn new(package: &'a str) -> Self {
        let release = modkeep_conformance::go::RELEASE;
        let (race, cover, profile, ldflags) = (false, false, false, "");
        let target = "linux/amd64";
        Self { package, target, cgo: true, trimpath: true, race, cover, profile, ldflags, release }
    }

    /// The same for another target, where no C compiler is needed.
    pub(crate) fn without_cgo_for(&self, target: &'a str) -> Self {
        Self { target, cgo: false, ..self.clone() }
    }
}

/// The demo module and the caches.
pub(crate) struct Bench {
    home: TempDir,
}

/// What a build of ours did.
pub(crate) struct Built {
    pub(crate) succeeded: bool,
    /// The commands that it ran and what was said.
    pub(crate) script: String,
}

impl Bench {
    /// The demo module in a folder of its own, and nothing in the caches.
    pub(crate) fn new() -> Self {
        let home = TempDir::with_prefix("modkeep-build-").expect("a folder");
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo");
        copy(&demo, &home.path().join("demo"));
        Self { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Builds a program twice, each with a cache of its own, and compares the bytes.
    pub(crate) fn check_same(&self, case: &Case<'_>) {
        let (theirs, ours) = (self.path("theirs.out"), self.path("ours.out"));
        self.build_with_go(case, "theirs", &theirs);
        let built = self.build(case, "ours", &ours);
        assert!(built.succeeded, "{case:?}:\n{}", tail(&built.script));
        let (theirs, ours) =
            (fs::read(&theirs).expect("go's program"), fs::read(&ours).expect("our program"));
        assert!(theirs == ours, "{case:?}: {}", first_difference(&theirs, &ours));
    }

    /// Builds with each other's caches: neither compiles anything.
    pub(crate) fn check_shared(&self, case: &Case<'_>) {
        let (theirs, ours) = (self.path("shared-theirs.out"), self.path("shared-ours.out"));
        let of_go = self.build_with_go(case, "ours", &theirs);
        assert!(!runs_compilers(&of_go), "{case:?}: go compiles with our cache:\n{of_go}");
        let built = self.build(case, "theirs", &ours);
        assert!(built.succeeded, "{case:?}:\n{}", tail(&built.script));
        assert!(!runs_compilers(&built.script), "{case:?}: we compile with go's cache:\n{}", built.script);
        assert!(fs::read(&theirs).expect("a program") == fs::read(&ours).expect("a program"), "{case:?}");
    }

    /// Replaces text in a file of the demo.
    pub(crate) fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.path("demo").join(file);
        let text = fs::read_to_string(&path).expect("a source");
        assert!(text.contains(old), "{file} has no {old}");
        #[allow(clippy::disallowed_methods, reason = "a file of the test")]
        fs::write(&path, text.replace(old, new)).expect("a source");
    }

    /// Builds with our own cache and says how many packages were compiled.
    pub(crate) fn compiles(&self, case: &Case<'_>) -> usize {
        self.compiles_with(case, "ours", &self.path("ours.out"))
    }

    /// Builds with what go alone has compiled, go with what we have; gives how many packages were compiled here.
    pub(crate) fn compiles_crossed(&self, case: &Case<'_>) -> usize {
        let (theirs, ours) = (self.path("crossed-theirs.out"), self.path("crossed-ours.out"));
        let count = self.compiles_with(case, "theirs", &ours);
        self.build_with_go(case, "ours", &theirs);
        assert!(fs::read(&theirs).expect("a program") == fs::read(&ours).expect("a program"), "{case:?}");
        count
    }

    fn compiles_with(&self, case: &Case<'_>, cache: &str, output: &Path) -> usize {
        let built = self.build(case, cache, output);
        assert!(built.succeeded, "{case:?}:\n{}", tail(&built.script));
        built.script.lines().filter(|line| line.contains("/compile -o ")).count()
    }

    fn build_with_go(&self, case: &Case<'_>, cache: &str, output: &Path) -> String {
        let _ = fs::remove_file(output);
        let go = Go::named(case.release).expect("the release go");
        let (os, arch) = case.target.split_once('/').expect("GOOS/GOARCH");
        let mut command: Command = go.command();
        command.env("GOCACHE", self.path(cache)).env("GOOS", os).env("GOARCH", arch);
        command.env("CGO_ENABLED", if case.cgo { "1" } else { "0" });
        command.args(["build", "-x", "-o"]).arg(output);
        if case.trimpath {
            command.arg("-trimpath");
        }
        if case.race {
            command.arg("-race");
        }
        if case.cover {
            command.arg("-cover");
        }
        if case.profile {
            command.arg(format!("-pgo={}", profile(&go)));
        }
        if !case.ldflags.is_empty() {
            command.arg(format!("-ldflags={}", case.ldflags));
        }
        let ran = command.arg(case.package).current_dir(self.path("demo")).output().expect("go");
        let script = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{case:?}: {}", tail(&script));
        script
    }

    /// Builds a program here.
    pub(crate) fn build(&self, case: &Case<'_>, cache: &str, output: &Path) -> Built {
        let _ = fs::remove_file(output);
        let demo = self.path("demo").to_string_lossy().into_owned();
        let go = Go::named(case.release).expect("the release go");
        let root = go.root().to_string_lossy().into_owned();
        let (os, arch) = case.target.split_once('/').expect("GOOS/GOARCH");
        let host = Target { os: "linux".to_owned(), arch: host_arch().to_owned() };
        let toolchain = Toolchain::at(&root, host).expect("a toolchain");
        let target = Target { os: os.to_owned(), arch: arch.to_owned() };
        let mut build = Build::new(toolchain, target, &demo);
        build.trimpath = case.trimpath;
        build.cgo = case.cgo;
        build.instrument = case.race.then_some(Instrument::Race);
        build.cover = case.cover;
        if case.race {
            build.cover_mode = "atomic".to_owned();
        }
        if case.profile {
            build.pgo = Profile::File(profile(&go));
        }
        if !case.ldflags.is_empty() {
            build.ldflags.add(case.ldflags, &demo).expect("flags");
        }
        let modules = DemoModules::new(&demo);
        let scans = Scans::default();
        let options = Options { stamps: true, ..Options::default() };
        let mut loader = Loader::new(&build, &modules, &scans, options).expect("a loader");
        let matches = loader.matches(&[case.package.to_owned()]);
        let loaded = loader.load(&matches);
        loader.set_profiles(&loaded);
        if case.cover {
            loader.cover_builds(&loaded);
        }
        let graph = loader.into_graph();
        let wrong: Vec<String> = graph
            .iter()
            .filter_map(|(_, package)| Some(format!("{}: {}", package.import_path, package.error.as_ref()?)))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let work = TempDir::with_prefix("go-build").expect("a work folder");
        let work_path = work.path().to_string_lossy().into_owned();
        let script = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&script);
        let teller = Box::new(move |one: Told<'_>| {
            told.lock().unwrap_or_else(PoisonError::into_inner).push_str(one.text);
        });
        let release = build.toolchain.release;
        let shop = Shop::new(
            GoCache::open(&self.path(cache)).expect("a cache"),
            Machine::new(variables(), release, &work_path),
            Transcript::new(teller, &work_path, &demo),
            &work_path,
            &demo,
            Flags { shows: true, parallel: 2, processors: 2, verb: "build".to_owned(), ..Flags::default() },
        );
        let goals = [Goal::new(&build, &graph)];
        let mut plan = Plan::new(&goals, &work_path);
        let output = output.to_string_lossy();
        plan.link(0, loaded[0], &Linking { target: &output, installs: true, ..Linking::default() });
        let succeeded = plan.perform(&shop).succeeded;
        let script = script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Built { succeeded, script }
    }
}

/// A profile that comes with the release; none of the demo's functions is in it.
fn profile(go: &Go) -> String {
    let file = go.root().join("src/cmd/compile/internal/test/testdata/pgo/inline/inline_hot.pprof");
    file.to_string_lossy().into_owned()
}

fn host_arch() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// The machine's variables without those of Go.
fn variables() -> BTreeMap<String, String> {
    let all = std::env::vars();
    all.filter(|(name, _)| !name.starts_with("GO") && !name.starts_with("CGO_")).collect()
}

fn runs_compilers(script: &str) -> bool {
    script.lines().any(|line| {
        ["/compile ", "/asm ", "/cgo "]
            .iter()
            .any(|tool| line.contains(&format!("pkg/tool/linux_amd64{tool}")))
            && !line.contains("-V=full")
    })
}

fn first_difference(theirs: &[u8], ours: &[u8]) -> String {
    let at = theirs.iter().zip(ours).position(|(a, b)| a != b);
    let count = theirs.iter().zip(ours).filter(|(a, b)| a != b).count();
    format!("{} and {} bytes, first difference at {at:?}, {count} in all", theirs.len(), ours.len())
}

fn tail(text: &str) -> &str {
    let start = text.len().saturating_sub(6000);
    &text[(start..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(0)..]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// The demo module and the one that it needs, in a folder below it.
struct DemoModules {
    mains: Vec<MainModule>,
    quote: Arc<Module>,
    godebugs: BTreeMap<String, String>,
}

impl DemoModules {
    fn new(demo: &str) -> Self {
        let main = Module {
            path: "example.com/demo".to_owned(),
            main: true,
            dir: demo.to_owned(),
            go_mod: format!("{demo}/go.mod"),
            go_version: "1.26".to_owned(),
            ..Module::default()
        };
        let dir = format!("{demo}/quote");
        let replace = Module {
            path: "./quote".to_owned(),
            dir: dir.clone(),
            go_version: "1.21".to_owned(),
            ..Module::default()
        };
        let quote = Module {
            path: "example.org/quote".to_owned(),
            version: "v1.5.2".to_owned(),
            replace: Some(Box::new(replace)),
            dir,
            go_version: "1.21".to_owned(),
            ..Module::default()
        };
        let mains = vec![MainModule { module: Arc::new(main), ..MainModule::default() }];
        let godebugs = BTreeMap::from([("panicnil".to_owned(), "1".to_owned())]);
        Self { mains, quote: Arc::new(quote), godebugs }
    }
}

impl Modules for DemoModules {
    fn find(&self, path: &str) -> Result<Place, PlaceError> {
        for module in [&self.mains[0].module, &self.quote] {
            let Some(below) = path.strip_prefix(&module.path) else {
                continue;
            };
            return Ok(Place { module: Arc::clone(module), dir: format!("{}{below}", module.dir) });
        }
        Err(PlaceError { text: format!("no required module provides package {path}"), is_missing: true })
    }

    fn mains(&self) -> &[MainModule] {
        &self.mains
    }

    fn go_version(&self) -> &str {
        "1.26"
    }

    fn godebugs(&self) -> &BTreeMap<String, String> {
        &self.godebugs
    }

    fn others(&self) -> Result<Vec<Arc<Module>>, PlaceError> {
        Ok(vec![Arc::clone(&self.quote)])
    }
}
