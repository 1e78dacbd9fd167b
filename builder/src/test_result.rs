//! Results of tests, remembered by what the tests read.
//!
//! A test program writes down which variables it asks for and which files it opens or looks at. The next time its result
//! holds if all of these are as they were: variables by value, files by content, folders by the names in them. Go goes by
//! size, mode and time of files instead, so that a fresh checkout knows nothing and a file changed behind its time is
//! not noticed. As in go, files outside of the module's root don't count.
//! Source of the log's form: `cmd/go/internal/test/test.go:computeTestInputsID`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use modkeep_module::file_path;
use modkeep_module::quote::quote;
use modkeep_store::Digest;

use crate::action_id::ActionId;
use crate::gocache::GoCache;

const SALT: &str = "modkeep test 1\n";
const MAGIC: &str = "# test log\n";
const PROFILE: &str = "coverprofile";

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
        let profile = if self.profiles { cache.bytes(&key.subkey(PROFILE))? } else { Vec::new() };
        Some(Passed { output: cache.bytes(&key)?, profile })
    }

    /// Remembers that the program passed.
    ///
    /// # Errors
    /// For a log that is none, and when the cache can't be written to.
    pub fn remember(
        &self,
        cache: &GoCache,
        log: &[u8],
        passed: &Passed,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let log = log.strip_prefix(MAGIC.as_bytes()).ok_or(BadLog)?;
        let inputs = self.inputs(log)?;
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
        let text = std::str::from_utf8(log).map_err(|_| BadLog)?;
        // The runtime looks at it without a word.
        let mut state = format!("GODEBUG {}\n", self.variable("GODEBUG"));
        let mut folder = self.folder.to_owned();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (operation, name) = line.split_once(' ').ok_or(BadLog)?;
            let path =
                if name.starts_with('/') { file_path::clean(name) } else { file_path::join(&folder, name) };
            let counts = !self.root.is_empty()
                && path
                    .strip_prefix(self.root)
                    .is_some_and(|below| below.is_empty() || below.starts_with('/'));
            match operation {
                "getenv" => state.push_str(&format!("getenv {name} {}\n", self.variable(name))),
                "chdir" => {
                    name.clone_into(&mut folder);
                    state.push_str(&format!("chdir {name} {}\n", look(name)));
                }
                "stat" if counts => state.push_str(&format!("stat {path} {}\n", look(&path))),
                "open" if counts => state.push_str(&format!("open {path} {}\n", content(&path))),
                "stat" | "open" => {}
                _ => return Err(BadLog),
            }
        }
        Ok(Digest::of(state.as_bytes()))
    }

    fn variable(&self, name: &str) -> String {
        self.variables.get(name).map_or_else(|| "unset".to_owned(), quote)
    }
}

/// What a look at a file shows, its times aside.
fn look(path: &str) -> String {
    match fs::metadata(Path::new(path)) {
        Err(error) => format!("error {}", error.kind()),
        Ok(found) => format!("{} {:o} {}", found.len(), mode(&found), found.is_dir()),
    }
}

/// What opening a file gives.
fn content(path: &str) -> String {
    let found = match fs::metadata(Path::new(path)) {
        Err(error) => return format!("error {}", error.kind()),
        Ok(found) => found,
    };
    if found.is_file() {
        return match fs::read(path) {
            Err(error) => format!("error {}", error.kind()),
            Ok(bytes) => format!("{:o} {}", mode(&found), Digest::of(&bytes)),
        };
    }
    let Ok(entries) = fs::read_dir(path) else {
        return look(path);
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let size = if is_file { entry.metadata().map_or(0, |found| found.len()) } else { 0 };
            format!("{} {is_file} {size}", quote(name))
        })
        .collect();
    names.sort();
    names.join("\n")
}

#[cfg(unix)]
fn mode(found: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    found.permissions().mode()
}

#[cfg(not(unix))]
fn mode(found: &fs::Metadata) -> u32 {
    u32::from(found.permissions().readonly())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};
    use std::time::{Duration, UNIX_EPOCH};

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
        run(false, &root, &variables).remember(&cache, log, &ok).unwrap();
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
    fn a_log_of_another_form_is_none() {
        let variables = BTreeMap::new();
        let (folder, root) = ("/", "/");
        let run =
            TestRun { program: "p", arguments: &[], folder, root, variables: &variables, profiles: false };
        assert_eq!(run.inputs(b"frobnicate x\n"), Err(BadLog));
        assert_eq!(run.inputs(b"getenv\n"), Err(BadLog));
    }
}
