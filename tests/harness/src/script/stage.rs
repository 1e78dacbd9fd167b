//! Where scripts run: their folder and variables, and who is called when they say `go`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use modkeep_conformance::go::Go;

use super::line::{Line, Want, parse};
use super::process::{Ended, Process};
use super::state::State;
use super::{End, commands, compare, conditions};
use crate::txtar::Txtar;

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every line did what the script says.
    Passed,
    /// All answers are right; these are the lines of which the words on stderr are others.
    OtherWords(String),
    /// The script does not apply here.
    Skipped(String),
    /// A line did not, and what happened up to it.
    Failed(String),
}

/// Everything that scripts need around them.
pub struct Stage {
    /// The release whose scripts are run, and which does what the program doesn't.
    pub go: Go,
    /// The program on trial and the verbs it is called for, such as `mod edit`; without one the real go does all.
    pub program: Option<(PathBuf, Vec<&'static str>)>,
    /// GOPROXY of the server of test modules.
    pub proxy: String,
    /// GOSUMDB of its checksum database.
    pub sumdb: String,
    /// GOCACHE.
    pub build_cache: String,
    /// Whether scripts are run as in go's short mode, which leaves out what is slow.
    pub is_short: bool,
}

/// How many of some scripts passed, and which did not.
#[derive(Debug, Default)]
pub struct Tally {
    /// The outcomes by name.
    pub outcomes: BTreeMap<String, Outcome>,
}

impl Tally {
    /// The names of scripts that passed, with go's words or with others.
    pub fn passed(&self, with_words: bool) -> Vec<&str> {
        let is_passed = |outcome: &Outcome| match outcome {
            Outcome::Passed => true,
            Outcome::OtherWords(_) => !with_words,
            _ => false,
        };
        let passed = self.outcomes.iter().filter(|(_, outcome)| is_passed(outcome));
        passed.map(|(name, _)| name.as_str()).collect()
    }
}

impl Stage {
    /// The text of a script, commands only.
    ///
    /// # Errors
    /// When the release has no script of that name.
    pub fn commands(&self, name: &str) -> std::io::Result<String> {
        let archive = Txtar::read(&self.file(name))?;
        Ok(String::from_utf8_lossy(&archive.comment).into_owned())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.go.root().join("src/cmd/go/testdata/script").join(format!("{name}.txt"))
    }

    /// Runs scripts, some at the same time.
    pub fn run_all(&self, names: &[&str], at_once: usize) -> Tally {
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let outcome = self.run(name);
                        let mut outcomes = outcomes.lock().expect("nobody panics while holding it");
                        outcomes.insert((*name).to_owned(), outcome);
                    }
                });
            }
        });
        Tally { outcomes: outcomes.into_inner().expect("nobody panics while holding it") }
    }

    /// Runs one script in a folder of its own.
    pub fn run(&self, name: &str) -> Outcome {
        let failed =
            |subject: &str, error: &dyn std::fmt::Display| Outcome::Failed(format!("{subject}: {error}"));
        let work = match tempfile::TempDir::with_prefix("modkeep-script-") {
            Ok(work) => work,
            Err(error) => return failed("temporary folder", &error),
        };
        // Names such as /tmp/x would be shortened differently if a link led there.
        let root = fs::canonicalize(work.path()).unwrap_or_else(|_| work.path().to_owned());
        let archive = match Txtar::read(&self.file(name)) {
            Ok(archive) => archive,
            Err(error) => return failed(name, &error),
        };
        let mut state = match self.prepare(&root, &archive) {
            Ok(state) => state,
            Err(error) => return failed("files of the script", &error),
        };
        let outcome = self.play(&mut state, &String::from_utf8_lossy(&archive.comment));
        state.background.clear();
        // The folder's own end would stop at read-only folders, for which removing goes before.
        let _ = commands::remove(&root.join("gopath"));
        outcome
    }

    fn prepare(&self, root: &Path, archive: &Txtar) -> std::io::Result<State> {
        let folder = root.join("gopath/src");
        for folder in [&folder, &root.join("tmp"), &root.join("home/.config/go/telemetry")] {
            fs::create_dir_all(folder)?;
        }
        #[allow(clippy::disallowed_methods, reason = "a file of the test")]
        fs::write(root.join("home/.config/go/telemetry/mode"), "off")?;
        let mut state = State::new(self.variables(root), &folder);
        state.is_short = self.is_short;
        for (name, content) in &archive.files {
            let path = state.path(&state.expand(name, false));
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            #[allow(clippy::disallowed_methods, reason = "a file of the test")]
            fs::write(path, content)?;
        }
        state.note(&format!("$WORK={}", root.display()));
        Ok(state)
    }

    fn variables(&self, root: &Path) -> BTreeMap<String, String> {
        #[allow(clippy::disallowed_methods, reason = "tests run on the machine as it is")]
        let path = std::env::var("PATH").unwrap_or_default();
        let goroot = self.go.root().display().to_string();
        let release = self.go.release();
        let version = release.trim_start_matches("go");
        let below = |folder: &str| root.join(folder).display().to_string();
        [
            ("PATH", format!("{goroot}/bin:{path}")),
            ("HOME", below("home")),
            ("CCACHE_DISABLE", "1".into()),
            ("GOARCH", processor().into()),
            ("GOCACHE", self.build_cache.clone()),
            ("GODEBUG", String::new()),
            ("GOEXE", String::new()),
            ("GOEXPERIMENT", String::new()),
            ("GOOS", system().into()),
            ("GOPROXY", self.proxy.clone()),
            ("GOPRIVATE", String::new()),
            ("GOROOT", goroot),
            ("GOTRACEBACK", "system".into()),
            ("GOSUMDB", self.sumdb.clone()),
            ("TESTGO_SUMDB", self.sumdb.split('+').next().unwrap_or_default().to_owned()),
            ("GONOPROXY", String::new()),
            ("GONOSUMDB", String::new()),
            ("GOVCS", "*:all".into()),
            ("devnull", "/dev/null".into()),
            ("goversion", version.into()),
            ("HGRCPATH", String::new()),
            ("GOTOOLCHAIN", "auto".into()),
            ("newline", "\n".into()),
            ("WORK", root.display().to_string()),
            ("TMPDIR", below("tmp")),
            ("GOPATH", below("gopath")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn play(&self, state: &mut State, script: &str) -> Outcome {
        let mut other_words = String::new();
        for (index, text) in script.lines().enumerate() {
            let failed = |state: &State, why: &str| {
                Outcome::Failed(format!("{}line {}: {text}: {why}\n", state.log, index + 1))
            };
            let line = match parse(text.strip_prefix('#').map_or(text, |_| "")) {
                Ok(Some(line)) => line,
                Ok(None) => continue,
                Err(error) => return failed(state, &error),
            };
            state.note(&format!("> {text}"));
            match self.step(state, &line) {
                Ok(()) => {}
                Err(End::Stopped) => break,
                Err(End::Skipped(why)) => return Outcome::Skipped(why),
                Err(End::OtherWords(why)) => {
                    other_words.push_str(&format!(
                        "line {}: {text}: {why}\n[stderr]\n{}",
                        index + 1,
                        state.stderr
                    ));
                }
                Err(End::Failed(why)) => return failed(state, &why),
            }
        }
        match other_words.is_empty() {
            true => Outcome::Passed,
            false => Outcome::OtherWords(other_words),
        }
    }

    fn step(&self, state: &mut State, line: &Line) -> Result<(), End> {
        for (wanted, tag) in &line.conditions {
            if conditions::holds(state, tag).map_err(End::Failed)? != *wanted {
                return Ok(());
            }
        }
        let raw: Vec<String> =
            line.words.iter().map(|word| word.iter().map(|piece| piece.text.as_str()).collect()).collect();
        let is_search = matches!(line.command.as_str(), "stdout" | "stderr" | "grep");
        let pattern = compare::pattern_at(&raw).filter(|_| is_search);
        let words: Vec<String> = line
            .words
            .iter()
            .enumerate()
            .map(|(index, word)| state.word(word, pattern == Some(index)))
            .collect();
        match line.command.as_str() {
            "go" | "exec" => self.start(state, line, &words),
            "stale" => {
                let done = self.stale(state, &words);
                judge(line, done)
            }
            "wait" => wait(state),
            command => {
                let done = commands::run(state, command, &words);
                if matches!(command, "cat" | "echo") {
                    state.note(&format!("[stdout]\n{}", state.stdout));
                }
                judge(line, done)
            }
        }
    }

    fn start(&self, state: &mut State, line: &Line, words: &[String]) -> Result<(), End> {
        let program = match (line.command.as_str(), words) {
            ("go", words) => self.who(words),
            (_, [name, ..]) if name.contains('/') => state.path(name),
            (_, [name, ..]) => match conditions::find(state, name) {
                Some(program) => program,
                None => return judge(line, Err(End::Failed(format!("{name}: not found on PATH")))),
            },
            _ => return Err(End::Failed("usage".into())),
        };
        let arguments = if line.command == "go" { words } else { &words[1..] };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&state.folder).env_clear().envs(&state.variables);
        let process = Process::start(command).map_err(End::io(&line.command))?;
        if line.is_background {
            state.background.push((line.want, process));
            (state.stdout, state.stderr) = (String::new(), String::new());
            return Ok(());
        }
        let Ended { stdout, stderr, failure } = process.wait();
        state.note(&format!(
            "[stdout]\n{stdout}\n[stderr]\n{stderr}\n[{}]",
            failure.as_deref().unwrap_or("ok")
        ));
        (state.stdout, state.stderr) = (stdout, stderr);
        judge(line, failure.map_or(Ok(()), |failure| Err(End::Failed(failure))))
    }

    /// Whether packages are stale, as `list` says.
    fn stale(&self, state: &State, packages: &[String]) -> Result<(), End> {
        const FORMAT: &str = "-f={{if .Error}}{{.ImportPath}}: {{.Error.Err}}{{else}}{{if not .Stale}}\
             {{.ImportPath}} ({{.Target}}) is not stale{{end}}{{end}}";
        let words: Vec<String> = ["list", "-e", FORMAT].into_iter().map(str::to_owned).collect();
        let words = [words.as_slice(), packages].concat();
        let mut command = Command::new(self.who(&words));
        command.args(&words).current_dir(&state.folder).env_clear().envs(&state.variables);
        let Ended { stdout, failure, .. } = Process::start(command).map_err(End::io("list"))?.wait();
        match failure.or_else(|| Some(stdout.trim().to_owned()).filter(|text| !text.is_empty())) {
            Some(why) => Err(End::Failed(why)),
            None => Ok(()),
        }
    }

    /// The program for some of go's words. A flag that belongs to the verb's name may stand among other flags.
    fn who(&self, words: &[String]) -> PathBuf {
        let words = match words {
            [verb, flag, _, rest @ ..] if flag == "-C" => [std::slice::from_ref(verb), rest].concat(),
            [verb, flag, rest @ ..] if flag.starts_with("-C=") => [std::slice::from_ref(verb), rest].concat(),
            words => words.to_vec(),
        };
        let is_verb = |verb: &str| {
            verb.split(' ').enumerate().all(|(index, word)| match word.starts_with('-') {
                true => words.iter().skip(index).take_while(|other| other.starts_with('-')).any(|other| {
                    other == word || other.trim_start_matches('-') == word.trim_start_matches('-')
                }),
                false => words.get(index).is_some_and(|other| other == word),
            })
        };
        match &self.program {
            Some((program, verbs)) if verbs.iter().any(|verb| is_verb(verb)) => program.clone(),
            _ => self.go.tool(),
        }
    }
}

/// The machine's system in Go's words.
pub(super) fn system() -> &'static str {
    if cfg!(target_os = "macos") { "darwin" } else { "linux" }
}

/// The machine's processor in Go's words.
pub(super) fn processor() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Whether a command ended as its line wants.
fn judge(line: &Line, done: Result<(), End>) -> Result<(), End> {
    let is_about_words = line.command == "stderr";
    match (line.want, done) {
        (Want::Failure, Ok(())) if is_about_words => Err(End::OtherWords("unexpected match".into())),
        (Want::Failure, Ok(())) => Err(End::Failed("unexpected success".into())),
        (Want::Success, Err(End::Failed(why))) if is_about_words => Err(End::OtherWords(why)),
        (Want::Failure | Want::Either, Err(End::Failed(_) | End::OtherWords(_))) => Ok(()),
        (_, done) => done,
    }
}

/// Waits for all programs in the background; the output is theirs, one after the other.
fn wait(state: &mut State) -> Result<(), End> {
    let (mut stdout, mut stderr, mut wrong) = (String::new(), String::new(), None);
    for (want, process) in std::mem::take(&mut state.background) {
        let ended = process.wait();
        stdout.push_str(&ended.stdout);
        stderr.push_str(&ended.stderr);
        let is_right = match want {
            Want::Success => ended.failure.is_none(),
            Want::Failure => ended.failure.is_some(),
            Want::Either => true,
        };
        if !is_right {
            wrong.get_or_insert(ended.failure.unwrap_or_else(|| "unexpected success".to_owned()));
        }
    }
    state.note(&format!("[stdout]\n{stdout}\n[stderr]\n{stderr}"));
    (state.stdout, state.stderr) = (stdout, stderr);
    wrong.map_or(Ok(()), |why| Err(End::Failed(why)))
}
