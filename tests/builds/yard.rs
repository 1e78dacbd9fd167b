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
    /// Below the tree.
    pub(crate) folder: &'a str,
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
            folder: "tree",
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

    pub(crate) fn for_target(&self, target: &'a str) -> Self {
        Self { target, ..self.clone() }
    }

    pub(crate) fn by(&self, release: &'a str) -> Self {
        Self { release, ..self.clone() }
    }
}

/// Both sides.
pub(crate) struct Yard {
    home: TempDir,
    program: PathBuf,
    module_cache: PathBuf,
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
        let module_cache = home.path().join("modules");
        fs::create_dir_all(home.path().join("tree")).unwrap();
        Self { home, program, module_cache, shares }
    }

    /// The same with modules that are there already.
    pub(crate) fn with_modules(self, module_cache: &Path) -> Self {
        Self { module_cache: module_cache.to_owned(), ..self }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn cache(&self, side: &str, release: &str) -> PathBuf {
        if self.shares {
            place::kept_folder().join("builds")
        } else {
            self.path(&format!("cache-{side}-{release}"))
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
        // A repository around the machine's temporary folder is none of ours.
        command.env("GIT_CEILING_DIRECTORIES", self.home.path());
        command.envs(row.variables.iter().copied()).current_dir(self.path(row.folder));
        command
    }

    fn build(&self, side: &str, row: &Row<'_>, cache: &Path, shows: bool) -> Built {
        let file = self.path(&format!("{side}.out"));
        let _ = fs::remove_file(&file);
        let mut command = self.command(side, row, cache);
        command.arg("build").args(&row.flags).args(shows.then_some("-x")).arg("-o").arg(&file);
        let output = command.arg(row.package).output().unwrap();
        Built { output, program: fs::read(&file).ok() }
    }

    /// Builds with modkeep as it is, and gives the program; what was there stays until there is another.
    pub(crate) fn again(&self, row: &Row<'_>) -> Vec<u8> {
        let file = self.path("modkeep.out");
        let mut command = self.command("modkeep", row, &self.cache("modkeep", row.release));
        command.arg("build").args(&row.flags).arg("-o").arg(&file).arg(row.package);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}: {}", row.name, String::from_utf8_lossy(&output.stderr));
        fs::read(&file).unwrap()
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
            return Err(format!(
                "{row:?}:\ngo {}\n{}\nmodkeep {}\n{}",
                theirs.output.status,
                said(&theirs),
                ours.output.status,
                said(&ours)
            ));
        }
        let (Some(bytes), Some(ours)) = (&theirs.program, &ours.program) else {
            return Err(format!("{row:?}: neither builds it: {}", said(&theirs)));
        };
        if bytes != ours {
            let at = bytes.iter().zip(ours).position(|(a, b)| a != b);
            return Err(format!(
                "{row:?}: {} and {} bytes, first difference at {at:?}",
                bytes.len(),
                ours.len()
            ));
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
                return Err(format!("{row:?}: {side} with the other's cache: {compiles} compilations"));
            }
        }
        Ok(format!("identical, {} bytes; none compiles with the other's cache", program.len()))
    }
}

fn is_compilation(line: &str) -> bool {
    let is_tool = |tool: &str| line.contains(&format!("/pkg/tool/linux_amd64/{tool} "));
    ["compile", "asm", "cgo"].into_iter().any(is_tool) && !line.contains("-V=full")
}

/// Checks all, prints a table, and fails with what differs.
pub(crate) fn check_all(yard: &Yard, rows: &[Row<'_>]) {
    let mut differences = Vec::new();
    for row in rows {
        let outcome = yard.same(row);
        let cgo = if row.cgo { "cgo" } else { "" };
        let told = outcome.as_ref().map_or("DIFFERENT", String::as_str);
        place::tell(&format!("{:<32} {:<9} {:<14} {cgo:<4} {told}", row.name, row.release, row.target));
        differences.extend(outcome.err());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Copies a tree; what is copied may be changed.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(&target, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}
