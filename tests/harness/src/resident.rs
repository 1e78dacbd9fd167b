//! The go command as a process that stays: its own packages, answering thousands of command lines.
//!
//! Starting a go command costs several times what a small question costs. So the source of the release is built once
//! more with a few files of ours laid over it (`tests/harness/resident`): commands end without ending the process, and
//! what lives as long as a process begins anew for each. Whoever uses it asks the real program about some of the same
//! questions, see [`Resident::confirm`].

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use modkeep_conformance::go::{Go, Missing};
use serde_json::{Value, json};

use crate::place::kept_folder;

/// Packages of cmd/go that begin anew for each command.
const PACKAGES: [&str; 6] = ["base", "fsys", "modfetch", "modindex", "modload", "work"];

/// How long the program may take for what it may never end, as `timeout` understands it.
const PATIENCE: &str = "20";

/// A command line for go, and what it is given in its environment.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Where it runs.
    pub folder: &'a Path,
    /// Its GOPATH, the module cache below it.
    pub gopath: &'a Path,
    /// GOPROXY
    pub goproxy: &'a str,
    /// GOWORK
    pub gowork: &'a str,
    /// GOFLAGS
    pub goflags: &'a str,
    /// The words after `go`.
    pub arguments: Vec<&'a str>,
}

/// What a go command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether it ended with status 0.
    pub succeeded: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A go command that stays.
pub struct Resident {
    go: Go,
    program: PathBuf,
    running: Option<Running>,
}

struct Running {
    process: Child,
    calls: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Resident {
    /// Builds the program where that is not done yet.
    ///
    /// # Errors
    /// When there is no Go of the release asked for.
    pub fn new() -> Result<Self, Missing> {
        let go = Go::specification()?;
        Ok(Self { program: build(&go)?, go, running: None })
    }

    /// What go says; nothing where it panics or comes to no end.
    ///
    /// # Panics
    /// When the process can't be started.
    pub fn ask(&mut self, call: &Call<'_>) -> Option<Said> {
        let running = self.running.get_or_insert_with(|| start(&self.go, &self.program));
        let Some(answer) = running.ask(call) else {
            // A panic beside the main thread ends the process; the next call has a new one.
            self.running = None;
            return None;
        };
        match answer["Failed"].as_str() {
            Some("") => {}
            Some("no end") => {
                // Who waits for nobody is not to stay.
                self.running = None;
                return None;
            }
            _ => return None,
        }
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Some(Said { succeeded: answer["Status"] == 0, stdout: text("Stdout"), stderr: text("Stderr") })
    }

    /// What the real program says, in a process of its own; nothing where it panics or comes to no end.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn confirm(&self, call: &Call<'_>) -> Option<Said> {
        let mut command = self.go.command_of(Path::new("timeout"));
        command.arg(PATIENCE).arg(self.go.tool()).args(&call.arguments).current_dir(call.folder);
        settings(&mut command);
        command.env("GOPATH", call.gopath).env("GOPROXY", call.goproxy);
        command.env("GOWORK", call.gowork).env("GOFLAGS", call.goflags);
        let output = command.output().expect("go runs");
        let text = |bytes| String::from_utf8(bytes).expect("go prints text");
        let said = Said {
            succeeded: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        let is_lost = output.status.code() == Some(124) || said.stderr.contains("panic: ");
        (!is_lost).then_some(said)
    }

    /// GOROOT of the release.
    pub fn root(&self) -> &Path {
        self.go.root()
    }
}

impl Running {
    fn ask(&mut self, call: &Call<'_>) -> Option<Value> {
        let call = json!({
            "Folder": call.folder,
            "GOPATH": call.gopath,
            "GOPROXY": call.goproxy,
            "GOWORK": call.gowork,
            "GOFLAGS": call.goflags,
            "Args": call.arguments,
        });
        self.calls.write_all(format!("{call}\n").as_bytes()).ok()?;
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

fn settings(command: &mut Command) {
    command.env("GOSUMDB", "off").env("GOOS", "linux").env("GOARCH", "amd64");
}

fn start(go: &Go, program: &Path) -> Running {
    let mut command = go.command_of(program);
    settings(&mut command);
    // Workers beside each other use the cores; one alone need not.
    command.env("GOROOT", go.root()).env("MODKEEP_RESIDENT", "1").env("GOMAXPROCS", "1").env("GOGC", "400");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process =
        command.spawn().unwrap_or_else(|error| panic!("starting {}: {error}", program.display()));
    let calls = process.stdin.take().expect("stdin is piped");
    let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
    Running { process, calls, answers }
}

/// Builds the program under a name that tells its source, once for all tests.
fn build(go: &Go) -> Result<PathBuf, Missing> {
    let folder = kept_folder().join("resident");
    let fail = |error: io::Error| Missing(format!("building go in {}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(fail)?;
    let program = folder.join(format!("go-{:016x}", fingerprint(go).map_err(fail)?));
    let lock = File::create(folder.join("lock")).map_err(fail)?;
    lock.lock().map_err(fail)?;
    if !program.exists() {
        let unfinished = folder.join("unfinished");
        let overlay = overlay(go, &folder).map_err(fail)?;
        let mut command = go.command();
        command.args(["build", "-overlay"]).arg(overlay).arg("-o").arg(&unfinished).arg("cmd/go");
        // The release itself may stand in the machine's module cache, whose files must not be laid over.
        command.current_dir(&folder).env("GOMODCACHE", folder.join("none")).env("CGO_ENABLED", "0");
        let output = command.output().map_err(fail)?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        #[allow(clippy::disallowed_methods, reason = "a build that is lost is built again")]
        fs::rename(&unfinished, &program).map_err(fail)?;
    }
    Ok(program)
}

/// The file that says which files are laid over the release's.
fn overlay(go: &Go, folder: &Path) -> io::Result<PathBuf> {
    let (source, ours) = (go.root().join("src/cmd/go"), source());
    let base = source.join("internal/base/base.go");
    let text = fs::read_to_string(&base)?;
    assert_eq!(text.matches("os.Exit(exitStatus)").count(), 1, "commands end at one place");
    let changed = folder.join("base.go");
    write(&changed, text.replace("os.Exit(exitStatus)", "Leave(exitStatus)").as_bytes())?;
    let mut replace = serde_json::Map::new();
    let mut lay = |over: PathBuf, file: PathBuf| {
        replace.insert(over.display().to_string(), file.display().to_string().into());
    };
    lay(base, changed);
    // Sorted behind main.go, whose table of commands it needs.
    lay(source.join("z_resident.go"), ours.join("z_resident.go"));
    for package in PACKAGES {
        let over = source.join("internal").join(package).join("resident.go");
        lay(over, ours.join(format!("{package}.go")));
    }
    let file = folder.join("overlay.json");
    write(&file, json!({ "Replace": replace }).to_string().as_bytes())?;
    Ok(file)
}

fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    #[allow(clippy::disallowed_methods, reason = "a file that is made anew for each build")]
    fs::write(file, content)
}

fn fingerprint(go: &Go) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    go.root().hash(&mut hasher);
    fs::read(source().join("z_resident.go"))?.hash(&mut hasher);
    for package in PACKAGES {
        fs::read(source().join(format!("{package}.go")))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn source() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/resident"))
}
