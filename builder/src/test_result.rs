//! Results of tests, remembered by what the tests read.
//!
//! A test program writes down which variables it asks for and which files it opens or looks at. The next time its result
//! holds if all of these are as they were: variables by value, files by content, folders by the names in them. Go goes by
//! size, mode and time of files instead, so that a fresh checkout knows nothing and a file changed behind its time is
//! not noticed. As in go, files outside of the module's root don't count, and the result of a program that has changed a file
//! which it looked at is not remembered: nobody knows any more what it had found.
//! Source of the log's form: `cmd/go/internal/test/test.go:computeTestInputsID`.

mod files;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use modkeep_module::file_path;
use modkeep_module::quote::quote;
use modkeep_store::Digest;

use crate::action_id::ActionId;
use crate::gocache::GoCache;
use files::{Root, changed, content, look};

const SALT: &str = "modkeep test 2\n";
const MAGIC: &str = "# test log\n";
const PROFILE: &str = "coverprofile";
/// The file of a cache that says from when on results of tests count.
pub const EXPIRY: &str = "testexpire.txt";
/// How far behind the clock the times of files may be.
const TICK: Duration = Duration::from_millis(100);

/// One run of a test program, as far as its result follows from it.
#[derive(Clone, Debug)]
pub struct TestRun<'a> {
    /// The program: its build ID's content, or another name of its bytes.
    pub program: &'a str,
    /// Its arguments, less those that change nothing.
    pub arguments: &'a [String],
    /// The folder that it runs in.
    pub folder: &'a str,
    /// The root of the module or of GOROOT.
    pub root: &'a str,
    /// Its variables.
    pub variables: &'a BTreeMap<String, String>,
    /// Whether its profile of coverage is wanted too.
    pub profiles: bool,
}

/// What a run that passed left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// What the program printed.
    pub output: Vec<u8>,
    /// The profile of coverage that it wrote; empty where none is wanted.
    pub profile: Vec<u8>,
}

/// A log that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad inputs")]
pub struct BadLog;

/// A file that the program looked at has changed since it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("file used as input is too new")]
pub struct TooNew;

/// What a program asked for.
enum Input<'l> {
    Variable(&'l str),
    Folder(&'l str),
    Seen(String),
    Opened(String),
}

impl TestRun<'_> {
    fn key(&self) -> ActionId {
        let arguments: String = self.arguments.iter().map(|argument| quote(argument) + "\n").collect();
        ActionId::of(SALT, &format!("program {}\nfolder {}\n{arguments}", self.program, self.folder))
    }

    /// What the program left when it passed, if nothing that it read has changed since.
    pub fn known(&self, cache: &GoCache) -> Option<Passed> {
        let key = self.key();
        let log = cache.bytes(&key)?;
        let inputs = self.inputs(&log).ok()?;
        let key = key.subkey(&format!("inputs {inputs}"));
        if cache.entry(&key)?.time < expiry(cache) {
            return None;
        }
        let profile = if self.profiles { cache.bytes(&key.subkey(PROFILE))? } else { Vec::new() };
        Some(Passed { output: cache.bytes(&key)?, profile })
    }

    /// Remembers that the program passed, which was started at a time.
    ///
    /// # Errors
    /// For a log that is none, for a program that has changed what it looked at, and when the cache can't be written to.
    pub fn remember(
        &self,
        cache: &GoCache,
        begun: SystemTime,
        log: &[u8],
        passed: &Passed,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let log = log.strip_prefix(MAGIC.as_bytes()).filter(|_| log.ends_with(b"\n")).ok_or(BadLog)?;
        let inputs = self.inputs(log)?;
        if self.latest(log)?.is_some_and(|changed| changed + TICK >= begun) {
            return Err(TooNew.into());
        }
        let key = self.key();
        let of_inputs = key.subkey(&format!("inputs {inputs}"));
        if self.profiles {
            cache.put_bytes(&of_inputs.subkey(PROFILE), &passed.profile)?;
        }
        cache.put_bytes(&of_inputs, &passed.output)?;
        cache.put_bytes(&key, log)?;
        Ok(())
    }

    /// The digest of all that the log names, as it is now.
    fn inputs(&self, log: &[u8]) -> Result<Digest, BadLog> {
        // The runtime looks at it without a word.
        let mut state = format!("GODEBUG {}\n", self.variable("GODEBUG"));
        for input in self.named(log)? {
            let (name, found) = match &input {
                Input::Variable(name) => (format!("getenv {name}"), self.variable(name)),
                Input::Folder(path) => (format!("chdir {path}"), look(path)),
                Input::Seen(path) => (format!("stat {path}"), look(path)),
                Input::Opened(path) => (format!("open {path}"), content(path)),
            };
            state.push_str(&format!("{name} {found}\n"));
        }
        Ok(Digest::of(state.as_bytes()))
    }

    /// When the last of the files that the log names was changed.
    fn latest(&self, log: &[u8]) -> Result<Option<SystemTime>, BadLog> {
        let times = self.named(log)?.into_iter().filter_map(|input| match input {
            Input::Seen(path) | Input::Opened(path) => changed(&path),
            Input::Variable(_) | Input::Folder(_) => None,
        });
        Ok(times.max())
    }

    /// What the log names, as far as it counts.
    fn named<'l>(&self, log: &'l [u8]) -> Result<Vec<Input<'l>>, BadLog> {
        let text = std::str::from_utf8(log).map_err(|_| BadLog)?;
        let root = Root::of(self.root);
        let mut folder = self.folder;
        let mut inputs = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (operation, name) = line.split_once(' ').ok_or(BadLog)?;
            let file = || match name.starts_with('/') {
                true => file_path::clean(name),
                false => file_path::join(folder, name),
            };
            match operation {
                "getenv" => inputs.push(Input::Variable(name)),
                "chdir" => {
                    inputs.push(Input::Folder(name));
                    folder = name;
                }
                "stat" => inputs.extend(Some(file()).filter(|path| root.holds(path)).map(Input::Seen)),
                "open" => inputs.extend(Some(file()).filter(|path| root.holds(path)).map(Input::Opened)),
                _ => return Err(BadLog),
            }
        }
        Ok(inputs)
    }

    fn variable(&self, name: &str) -> String {
        self.variables.get(name).map_or_else(|| "unset".to_owned(), quote)
    }
}

/// Results from before that time count no more: `clean -testcache` writes it down, in nanoseconds of the epoch.
fn expiry(cache: &GoCache) -> SystemTime {
    let text = std::fs::read_to_string(cache.folder().join(EXPIRY)).unwrap_or_default();
    let nanoseconds = text.strip_suffix('\n').and_then(|text| text.parse().ok()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, FileTimes};
    use std::path::Path;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "the times of files are the machine's")]
    fn now() -> SystemTime {
        SystemTime::now()
    }

    /// Long after the files of the test were written.
    fn later() -> SystemTime {
        now() + Duration::from_secs(60)
    }

    #[allow(clippy::disallowed_methods, reason = "files of the test")]
    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_result_holds_while_what_was_read_is_the_same() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("m");
        fs::create_dir(&root).unwrap();
        let data = root.join("data.txt");
        write(&data, "one");
        let cache = GoCache::open(&home.path().join("cache")).unwrap();
        let root = root.to_string_lossy().into_owned();
        let mut variables = BTreeMap::from([("HOME".to_owned(), "/h".to_owned())]);
        fn run<'a>(profiles: bool, root: &'a str, variables: &'a BTreeMap<String, String>) -> TestRun<'a> {
            TestRun { program: "p", arguments: &[], folder: root, root, variables, profiles }
        }
        let known = |variables: &BTreeMap<String, String>| run(false, &root, variables).known(&cache);
        let ok = Passed { output: b"ok".to_vec(), profile: Vec::new() };
        let passed = Some(ok.clone());
        assert_eq!(known(&variables), None);
        let log = b"# test log\ngetenv HOME\nopen data.txt\nstat absent\nopen /elsewhere\n";
        run(false, &root, &variables).remember(&cache, later(), log, &ok).unwrap();
        assert_eq!(known(&variables), passed);
        assert_eq!(run(true, &root, &variables).known(&cache), None, "there is no profile");
        let long_ago = UNIX_EPOCH + Duration::from_secs(1_000_000);
        File::open(&data).unwrap().set_times(FileTimes::new().set_modified(long_ago)).unwrap();
        assert_eq!(known(&variables), passed, "times don't count");
        write(&data, "two");
        File::open(&data).unwrap().set_times(FileTimes::new().set_modified(long_ago)).unwrap();
        assert_eq!(known(&variables), None, "content does, behind the same size and time");
        write(&data, "one");
        assert_eq!(known(&variables), passed);
        write(&data.with_file_name("absent"), "");
        assert_eq!(known(&variables), None, "a file is there that was not");
        fs::remove_file(data.with_file_name("absent")).unwrap();
        variables.insert("OTHER".to_owned(), "1".to_owned());
        assert_eq!(known(&variables), passed, "nobody asked for that one");
        variables.insert("HOME".to_owned(), "/other".to_owned());
        assert_eq!(known(&variables), None);
    }

    #[test]
    fn a_result_from_before_the_expiry_counts_no_more() {
        let home = tempfile::tempdir().unwrap();
        let cache = GoCache::open(home.path()).unwrap();
        let variables = BTreeMap::new();
        let (folder, root) = ("/", "/");
        let run =
            TestRun { program: "p", arguments: &[], folder, root, variables: &variables, profiles: false };
        let passed = Passed { output: b"ok".to_vec(), profile: Vec::new() };
        run.remember(&cache, later(), format!("{MAGIC}getenv HOME\n").as_bytes(), &passed).unwrap();
        let expire = |time: SystemTime| {
            let nanoseconds = time.duration_since(UNIX_EPOCH).unwrap().as_nanos();
            write(&home.path().join(EXPIRY), &format!("{nanoseconds}\n"));
            run.known(&cache)
        };
        assert_eq!(expire(now() - Duration::from_secs(60)), Some(passed.clone()));
        assert_eq!(expire(later()), None);
        write(&home.path().join(EXPIRY), "soon");
        assert_eq!(run.known(&cache), Some(passed));
    }

    #[test]
    fn who_changes_what_it_looks_at_is_not_remembered() {
        let home = tempfile::tempdir().unwrap();
        let cache = GoCache::open(&home.path().join("cache")).unwrap();
        let root = home.path().to_str().unwrap();
        let variables = BTreeMap::new();
        let run = TestRun {
            program: "p",
            arguments: &[],
            folder: root,
            root,
            variables: &variables,
            profiles: false,
        };
        let passed = Passed { output: b"ok".to_vec(), profile: Vec::new() };
        let remember = |begun, log: &[u8]| {
            let outcome = run.remember(&cache, begun, log, &passed);
            (outcome.map_err(|error| error.to_string()), run.known(&cache).is_some())
        };
        let begun = now();
        write(&home.path().join("marker"), "");
        for log in ["stat marker\n", "open marker\n", "open absent\nopen marker\n"] {
            let log = format!("{MAGIC}{log}");
            assert_eq!(remember(begun, log.as_bytes()), (Err(TooNew.to_string()), false), "{log}");
        }
        assert_eq!(remember(begun, format!("{MAGIC}open absent\nstat .\n").as_bytes()), (Ok(()), true));
        let cut = format!("{MAGIC}open absent\nopen mark");
        assert_eq!(remember(later(), cut.as_bytes()).0, Err(BadLog.to_string()), "the end is not there");
    }

    #[test]
    fn a_log_of_another_form_is_none() {
        let variables = BTreeMap::new();
        let (folder, root) = ("/", "/");
        let run =
            TestRun { program: "p", arguments: &[], folder, root, variables: &variables, profiles: false };
        assert_eq!(run.inputs(b"frobnicate x\n"), Err(BadLog));
        assert_eq!(run.inputs(b"getenv\n"), Err(BadLog));
    }
}
