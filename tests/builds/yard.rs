//! Where both build: one tree of sources, two caches, two outputs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use modkeep_conformance::go::Go;
use modkeep_harness::place;
use tempfile::TempDir;

/// One build.
#[derive(Clone, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) release: &'a str,
    pub(crate) target: &'a str,
    pub(crate) cgo: bool,
    pub(crate) flags: Vec<&'a str>,
    pub(crate) package: &'a str,
    /// Whether the program of its tests is meant.
    pub(crate) is_test: bool,
    pub(crate) variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(name: &'a str, package: &'a str) -> Self {
        Self {
            name,
            release: modkeep_conformance::go::RELEASE,
            target: "linux/amd64",
            cgo: false,
            flags: vec!["-trimpath"],
            package,
            is_test: false,
            variables: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, flags: &[&'a str]) -> Self {
        self.flags.extend(flags);
        self
    }

    pub(crate) fn with_cgo(self) -> Self {
        Self { cgo: true, ..self }
    }

    pub(crate) fn for_tests(self) -> Self {
        Self { is_test: true, ..self }
    }

    pub(crate) fn for_target(&self, target: &'a str) -> Self {
        Self { target, ..self.clone() }
    }

    pub(crate) fn by(&self, release: &'a str) -> Self {
        Self { release, ..self.clone() }
    }

    /// The words of a command that builds it.
    fn words(&self) -> Vec<&'a str> {
        let verb: &[&str] = if self.is_test { &["test", "-c"] } else { &["build"] };
        [verb, &self.flags].concat()
    }
}

/// Both sides.
pub(crate) struct Yard {
    home: TempDir,
    program: PathBuf,
    module_cache: PathBuf,
    /// The folder with the caches of both.
    caches: PathBuf,
    /// Whether both have one cache, which stays from run to run, so that less is compiled.
    shares: bool,
}

/// What came of one build of a side.
struct Built {
    output: Output,
    program: Option<Vec<u8>>,
}

impl Yard {
    pub(crate) fn new(shares: bool) -> Self {
        let home = TempDir::with_prefix("modkeep-yard-").unwrap();
        let program = place::program(env!("CARGO_BIN_EXE_modkeep"));
        let (module_cache, caches) = (home.path().join("modules"), home.path().join("caches"));
        fs::create_dir_all(home.path().join("tree")).unwrap();
        Self { home, program, module_cache, caches, shares }
    }

    /// The same with modules that are there already.
    pub(crate) fn with_modules(self, module_cache: &Path) -> Self {
        Self { module_cache: module_cache.to_owned(), ..self }
    }

    /// The same with caches that each side has filled itself before.
    pub(crate) fn with_caches(self, caches: &Path) -> Self {
        Self { caches: caches.to_owned(), ..self }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn cache(&self, side: &str, release: &str) -> PathBuf {
        if self.shares {
            place::kept_folder().join("builds")
        } else {
            self.caches.join(format!("{side}-{release}"))
        }
    }

    /// A command of either, in the folder of the row.
    ///
    /// With GOPROXY=off go takes the version of a revision from the module cache, where it may stand from before there
    /// was a tag: it then differs from itself. So there is a registry, which has nothing.
    pub(crate) fn command(&self, side: &str, row: &Row<'_>, cache: &Path) -> Command {
        let go = Go::named(row.release).expect("a go command that can have the release");
        let mut command = if side == "go" { go.command() } else { go.command_of(&self.program) };
        let (os, arch) = row.target.split_once('/').unwrap();
        command.env("GOROOT", go.root()).env("GOCACHE", cache).env("GOOS", os).env("GOARCH", arch);
        command.env("CGO_ENABLED", if row.cgo { "1" } else { "0" }).env("GOPROXY", "file:///nowhere");
        command.env("HOME", self.home.path()).env("GOPATH", self.path("gopath"));
        command.env("GOMODCACHE", &self.module_cache).env("GOFLAGS", "-modcacherw");
        // Tools that collect seldom take more memory and less time; they leave the same.
        command.env("GOGC", "400");
        // A repository around the machine's temporary folder is none of ours.
        command.env("GIT_CEILING_DIRECTORIES", self.home.path());
        command.envs(row.variables.iter().copied()).current_dir(self.path("tree"));
        command
    }

    fn build(&self, side: &str, row: &Row<'_>, cache: &Path, shows: bool) -> Built {
        let file = self.path(&format!("{side}.out"));
        let _ = fs::remove_file(&file);
        let mut command = self.command(side, row, cache);
        command.args(row.words()).args(shows.then_some("-x")).arg("-o").arg(&file);
        let output = command.arg(row.package).output().unwrap();
        Built { output, program: fs::read(&file).ok() }
    }

    /// Builds with modkeep as it is, and gives the program; what was there stays until there is another.
    pub(crate) fn again(&self, row: &Row<'_>) -> Vec<u8> {
        let file = self.path("modkeep.out");
        let mut command = self.command("modkeep", row, &self.cache("modkeep", row.release));
        command.args(row.words()).arg("-o").arg(&file).arg(row.package);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}: {}", row.name, String::from_utf8_lossy(&output.stderr));
        fs::read(&file).unwrap()
    }

    /// What one side builds with this cache.
    pub(crate) fn built(&self, side: &str, row: &Row<'_>, cache: &Path) -> Vec<u8> {
        let built = self.build(side, row, cache, false);
        built.program.unwrap_or_else(|| panic!("{row:?}: {}", String::from_utf8_lossy(&built.output.stderr)))
    }

    /// Both build it, and leave the same; gives a line about it.
    ///
    /// # Errors
    /// What differs.
    pub(crate) fn same(&self, row: &Row<'_>) -> Result<String, String> {
        let sides = ["go", "modkeep"];
        let [theirs, ours] = sides.map(|side| self.build(side, row, &self.cache(side, row.release), false));
        let said = |built: &Built| String::from_utf8_lossy(&built.output.stderr).into_owned();
        if theirs.output.status.code() != ours.output.status.code() {
            let statuses = format!("{} and {}", theirs.output.status, ours.output.status);
            return Err(format!("DIFFERENT: {statuses}: {row:?}\n{}\n{}", said(&theirs), said(&ours)));
        }
        let (Some(bytes), Some(ours)) = (&theirs.program, &ours.program) else {
            let (go, modkeep) = (said(&theirs), said(&ours));
            return match row.target.ends_with("/wasm") && go == modkeep {
                true => Ok("neither builds it, for the same reasons".to_owned()),
                false => Err(format!("DIFFERENT: neither builds it: {row:?}\n{go}\n{modkeep}")),
            };
        };
        if bytes != ours {
            let at = bytes.iter().zip(ours).position(|(a, b)| a != b);
            let (theirs, ours) = (bytes.len(), ours.len());
            return Err(format!("DIFFERENT: {theirs} and {ours} bytes, first at {at:?}: {row:?}"));
        }
        if self.shares {
            return Ok(format!("identical, {} bytes", bytes.len()));
        }
        self.crossed(row, bytes)
    }

    /// Each builds with the other's cache, and compiles nothing.
    fn crossed(&self, row: &Row<'_>, program: &[u8]) -> Result<String, String> {
        for (side, other) in [("go", "modkeep"), ("modkeep", "go")] {
            let built = self.build(side, row, &self.cache(other, row.release), true);
            let said = String::from_utf8_lossy(&built.output.stderr);
            let compiles = said.lines().filter(|line| is_compilation(line)).count();
            if compiles > 0 || built.program.as_deref() != Some(program) {
                return Err(format!(
                    "DIFFERENT: {side} with the other's cache: {compiles} compilations: {row:?}"
                ));
            }
        }
        Ok(format!("identical, {} bytes; none compiles with the other's cache", program.len()))
    }
}

fn is_compilation(line: &str) -> bool {
    let is_tool = |tool: &str| line.contains(&format!("/pkg/tool/linux_amd64/{tool} "));
    ["compile", "asm", "cgo"].into_iter().any(is_tool) && !line.contains("-V=full")
}

/// Builds all, prints a table, and gives what differs.
pub(crate) fn compare(yard: &Yard, rows: &[Row<'_>]) -> Vec<String> {
    let mut differences = Vec::new();
    for row in rows {
        let outcome = yard.same(row);
        let cgo = if row.cgo { "cgo" } else { "" };
        let told = outcome.as_ref().unwrap_or_else(|difference| difference);
        let package = if row.package == "." { "" } else { row.package };
        place::tell(&format!(
            "{:<32} {package:<30} {:<9} {:<14} {cgo:<4} {told}",
            row.name, row.release, row.target
        ));
        differences.extend(outcome.err());
    }
    differences
}

/// Fails with what differs.
pub(crate) fn settle(differences: &[String]) {
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
