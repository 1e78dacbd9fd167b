//! The judge: a Go program linked with golang.org/x/mod that says what Go would say.
//!
//! Its source is in `tests/harness/judge`, one file a room. It is built once, under the target folder, by the
//! release whose source is the specification, and is then asked in bulk over its standard input and output.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use modkeep_conformance::go::{Go, Missing};
use serde_json::{Value, json};

use crate::go::machine_proxy;
use crate::place::{kept_folder, skip};

/// What Go answered: a value, or the text of its error (or panic).
pub type Answer = Result<Value, String>;

/// A running judge.
pub struct Judge {
    process: Child,
    questions: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// Builds the judge where that is not done yet, and starts it.
    ///
    /// # Errors
    /// When there is no Go of the release asked for, or no registry to fetch golang.org/x/mod from.
    ///
    /// # Panics
    /// When the judge can't be started although it was built.
    pub fn start() -> Result<Self, Missing> {
        let program = build()?;
        let spawned = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = spawned.unwrap_or_else(|error| panic!("starting {}: {error}", program.display()));
        let questions = BufWriter::new(process.stdin.take().expect("stdin is piped"));
        let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        Ok(Self { process, questions, answers })
    }

    /// A judge for the named test, or nothing, said aloud, where the machine can't have one.
    pub fn start_or_skip(test: &str) -> Option<Self> {
        Self::start().inspect_err(|missing| skip(test, missing)).ok()
    }

    /// Asks one question: the name of an operation and an array of its arguments.
    pub fn ask(&mut self, operation: &str, arguments: Value) -> Answer {
        self.ask_all(&[(operation, arguments)]).remove(0)
    }

    /// Asks many questions at once; the answers come in the same order.
    ///
    /// # Panics
    /// When the judge dies, which only a question that it can't read makes it do.
    pub fn ask_all(&mut self, questions: &[(&str, Value)]) -> Vec<Answer> {
        let (to_judge, from_judge) = (&mut self.questions, &mut self.answers);
        std::thread::scope(|scope| {
            // Written beside the reading: a pipe holds less than a bulk of questions or answers.
            scope.spawn(move || write_all(to_judge, questions).expect("the judge reads its questions"));
            questions.iter().map(|(operation, _)| read_answer(from_judge, operation)).collect()
        })
    }

    /// Asks one operation about many inputs and fails at the first answer that is not ours.
    ///
    /// `ours` gives the arguments of the question and our own answer.
    ///
    /// # Panics
    /// When an answer differs; the text holds the question.
    pub fn check<T>(&mut self, operation: &str, inputs: &[T], ours: impl Fn(&T) -> (Value, Answer)) {
        let (arguments, answers): (Vec<_>, Vec<_>) = inputs.iter().map(ours).unzip();
        let questions: Vec<_> = arguments.into_iter().map(|arguments| (operation, arguments)).collect();
        for ((theirs, ours), question) in self.ask_all(&questions).into_iter().zip(answers).zip(&questions) {
            assert_eq!(ours, theirs, "left is ours, right is Go's, of {operation} {}", question.1);
        }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The folder of golang.org/x/mod's source, tables and testdata included, at the release the judge is linked with.
///
/// # Errors
/// When there is no Go, or no registry to fetch the module from.
pub fn x_mod_folder() -> Result<PathBuf, Missing> {
    Ok(PathBuf::from(fetch()?["Dir"].as_str().unwrap_or_default()))
}

fn write_all(to_judge: &mut BufWriter<ChildStdin>, questions: &[(&str, Value)]) -> io::Result<()> {
    for (operation, arguments) in questions {
        serde_json::to_writer(&mut *to_judge, &json!({ "op": operation, "args": arguments }))?;
        to_judge.write_all(b"\n")?;
    }
    to_judge.flush()
}

fn read_answer(from_judge: &mut BufReader<ChildStdout>, operation: &str) -> Answer {
    let mut line = String::new();
    from_judge.read_line(&mut line).expect("the judge answers in UTF-8");
    let mut answer: Value =
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{operation}: no answer but `{line}`"));
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(answer["ok"].take()),
    }
}

/// Builds the program under a name that tells its source and its compiler, once for all tests that ask together.
fn build() -> Result<PathBuf, Missing> {
    let go = Go::specification()?;
    let folder = kept_folder();
    let kept = |error: io::Error| Missing(format!("building the judge in {}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(kept)?;
    let program = folder.join(format!("judge-{:016x}", fingerprint(&go).map_err(kept)?));
    let lock = File::create(folder.join("judge.lock")).map_err(kept)?;
    lock.lock().map_err(kept)?;
    if !program.exists() {
        let unfinished = folder.join("judge.unfinished");
        fetch()?;
        let mut build = command()?;
        build.args(["build", "-trimpath", "-o"]).arg(&unfinished).arg(".");
        let output = build.output().map_err(kept)?;
        // A judge that does not compile is a defect of ours, not something the machine lacks.
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        #[allow(clippy::disallowed_methods, reason = "a build that is lost is built again")]
        std::fs::rename(&unfinished, &program).map_err(kept)?;
    }
    Ok(program)
}

fn fingerprint(go: &Go) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    go.root().hash(&mut hasher);
    let files: Result<Vec<_>, _> = source().read_dir()?.map(|entry| entry.map(|file| file.path())).collect();
    let mut files = files?;
    files.sort();
    for file in files {
        file.file_name().hash(&mut hasher);
        std::fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// A go command in the folder of the source, which fetches what go.mod names and go.sum proves.
fn command() -> Result<Command, Missing> {
    let mut command = Go::specification()?.command();
    command.current_dir(source()).env("GOPROXY", machine_proxy()?).env("GOSUMDB", "off");
    Ok(command)
}

/// What `go mod download -json` says of golang.org/x/mod once it is there.
fn fetch() -> Result<Value, Missing> {
    let mut download = command()?;
    download.args(["mod", "download", "-json", "golang.org/x/mod"]);
    let output = download.output().map_err(|error| Missing(format!("running {download:?}: {error}")))?;
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match said["Dir"].is_string() {
        true => Ok(said),
        false => Err(Missing(format!(
            "fetching golang.org/x/mod: {}{}",
            said["Error"].as_str().unwrap_or_default(),
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
    }
}

fn source() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/judge"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let Some(mut judge) = Judge::start_or_skip("answers_come_in_the_order_of_the_questions") else {
            return;
        };
        let questions: Vec<_> = (0..20_000).map(|i| ("semver.Canonical", json!([format!("v{i}")]))).collect();
        for (i, answer) in judge.ask_all(&questions).into_iter().enumerate() {
            assert_eq!(answer, Ok(json!(format!("v{i}.0.0"))));
        }
        let error = judge.ask("module.CheckPath", json!(["x"])).unwrap_err();
        assert_eq!(error, "malformed module path \"x\": missing dot in first path element");
        assert_eq!(judge.ask("no.Such", json!([])).unwrap_err(), "panic: no operation no.Such");
    }

    #[test]
    fn the_source_of_x_mod_is_there_with_its_testdata() {
        match x_mod_folder() {
            Ok(folder) => assert!(folder.join("zip/testdata/check_zip").is_dir()),
            Err(missing) => skip("the_source_of_x_mod_is_there_with_its_testdata", &missing),
        }
    }
}
