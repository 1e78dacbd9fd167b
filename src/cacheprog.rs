//! `modkeep cacheprog`: the remote cache for the go command itself, by GOCACHEPROG.
//!
//! Outputs lie in GOCACHE in go's own format, so that go without this program, and modkeep, find them too; what is not there is
//! asked of the remote cache, and what is new is put there. A session reads and writes one set of what it uses, so that the
//! next one, whose gets come one after the other, knows all of it from the start.
//! Source of the protocol: `cmd/go/internal/cacheprog/cacheprog.go`.

mod message;
mod shared;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Arg, ArgMatches, Command};
use modkeep_builder::action_id::ActionId;
use modkeep_builder::gocache::{Entry, GoCache};
use modkeep_builder::remote::{Made, Output, Remote};
use modkeep_store::Digest;

use self::message::{Reply, Request};
use crate::building::cache_folder_of;
use crate::building::remote::{self, Around};
use crate::config::Environment;
use crate::report::{self, Failure};

/// Gets that are answered at once; each may wait for the network.
const WORKERS: usize = 16;
/// Results that are put on the shelf together.
const BATCH: usize = 64;

/// The verb and its flags.
pub(crate) fn command() -> Command {
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("cacheprog")
        .about("Give the go command a remote cache: GOCACHEPROG='modkeep cacheprog --remote URL'")
        .after_help(
            "The token of a server is in MODKEEP_REMOTE_TOKEN, or in the file that MODKEEP_REMOTE_TOKEN_FILE names. What C \
             compilers made is not shared: go's keys don't say which machine it is for.",
        )
        .args([
            one("remote", "URL", "A folder, s3://BUCKET/PREFIX, or the URL of modkeep serve [MODKEEP_REMOTE]"),
            one("remote-mode", "MODE", "ro or rw [MODKEEP_REMOTE_MODE] [default: ro]"),
            one("set", "NAME", "What builds that share much are called [default: the module of the current folder]"),
        ])
}

/// Answers the go command until it closes or goes away.
pub(crate) fn run(flags: &ArgMatches, environment: &Environment) -> Result<(), Failure> {
    let text = |name: &str| flags.get_one::<String>(name).map(String::as_str);
    let mode = text("remote-mode").map(|text| {
        remote::mode(text)
            .ok_or_else(|| Failure::usage(format!("--remote-mode is {text:?}: {}", remote::MODES)))
    });
    let variable = |name: &str| environment.text(name).map(str::to_owned);
    let folder = std::env::current_dir().unwrap_or_default().to_string_lossy().into_owned();
    let set = set(text("set"), &folder, environment);
    let around = Around { variable: &variable, folder: &folder };
    let remote = around.connect(text("remote"), mode.transpose()?, vec![set])?;
    if remote.is_none() {
        report::warning("cacheprog: no remote cache is named, so this is go's own cache");
    }
    let cache = GoCache::open(&cache_folder_of(&variable)?).map_err(Failure::of)?;
    let session = Session { cache, remote, set, out: Mutex::new(Box::new(std::io::stdout())) };
    session.run(std::io::stdin().lock())
}

/// The name of what this session shares.
fn set(name: Option<&str>, folder: &str, environment: &Environment) -> ActionId {
    let name = name.map_or_else(|| module_of(folder).unwrap_or_default(), str::to_owned);
    let of_target = ["GOOS", "GOARCH"].map(|name| environment.text(name).unwrap_or_default());
    ActionId::of("modkeep cacheprog set 1\n", &format!("{name}\n{}\n{}\n", of_target[0], of_target[1]))
}

/// The module whose folder this is in.
fn module_of(folder: &str) -> Option<String> {
    let file =
        Path::new(folder).ancestors().map(|folder| folder.join("go.mod")).find(|file| file.is_file())?;
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("module "))?;
    Some(line.trim().trim_matches('"').to_owned())
}

/// One go command.
struct Session {
    cache: GoCache,
    remote: Option<Remote>,
    set: ActionId,
    out: Mutex<Box<dyn Write + Send>>,
}

/// An action and its output, to be put on the shelf when there is time.
type Share = (ActionId, Digest);

impl Session {
    fn run(&self, mut input: impl BufRead) -> Result<(), Failure> {
        self.say(&Reply { known_commands: &["get", "put", "close"], ..Reply::default() })?;
        let (shares, to_share) = mpsc::channel();
        let (gets, asked) = mpsc::channel::<Request>();
        let asked = Arc::new(Mutex::new(asked));
        let closing = std::thread::scope(|scope| {
            let sharing = scope.spawn(move || self.share(&to_share));
            for _ in 0..WORKERS {
                let (asked, shares) = (Arc::clone(&asked), shares.clone());
                scope.spawn(move || {
                    loop {
                        let request = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(request) = request else { return };
                        let reply = self.get(&request, &shares);
                        // When nobody reads any more the session is over.
                        let _ = self.say(&reply);
                    }
                });
            }
            let closing = self.read(&mut input, &gets, &shares);
            drop((gets, shares));
            // All that was put is shared before the go command hears that it may go on.
            sharing.join().unwrap_or_else(|crash| std::panic::resume_unwind(crash));
            closing
        })?;
        match closing {
            Some(id) => self.say(&Reply { id, ..Reply::default() }),
            None => Ok(()),
        }
    }

    /// Takes requests until the go command closes; gives the number of that request.
    fn read(
        &self,
        input: &mut impl BufRead,
        gets: &mpsc::Sender<Request>,
        shares: &mpsc::Sender<Share>,
    ) -> Result<Option<u64>, Failure> {
        while let Some(request) = Request::read(input).map_err(Failure::of)? {
            match request.command.as_str() {
                "get" => drop(gets.send(request)),
                "put" => {
                    let reply = self.put(&request, shares);
                    self.say(&reply)?;
                }
                "close" => return Ok(Some(request.id)),
                other => {
                    let error = format!("unknown command {other:?}");
                    self.say(&Reply { id: request.id, err: Some(error), ..Reply::default() })?;
                }
            }
        }
        Ok(None)
    }

    fn get(&self, request: &Request, shares: &mpsc::Sender<Share>) -> Reply<'static> {
        let id = request.id;
        let miss = || Reply { id, miss: true, ..Reply::default() };
        let Some(action) = request.action() else { return miss() };
        let found = match self.cache.file(&action) {
            Some(found) => {
                // It fails once the session is over.
                let _ = shares.send((action, found.1.output));
                Some(found)
            }
            None => self.bring(&action),
        };
        let Some((file, entry)) = found else { return miss() };
        Reply {
            id,
            output_id: Some(*entry.output.as_bytes()),
            size: entry.size,
            time: Some(entry.time),
            disk_path: Some(file),
            ..Reply::default()
        }
    }

    /// Takes from the remote cache what it has.
    fn bring(&self, action: &ActionId) -> Option<(PathBuf, Entry)> {
        let remote = self.remote.as_ref()?;
        let entry = remote.find(action)?;
        let content = remote.content(&entry)?;
        self.cache.put_known(action, entry.output, &content).ok()?;
        self.cache.file(action)
    }

    fn put(&self, request: &Request, shares: &mpsc::Sender<Share>) -> Reply<'static> {
        let id = request.id;
        let failed = |error: String| Reply { id, err: Some(error), ..Reply::default() };
        let (Some(action), Some(output)) = (request.action(), request.output()) else {
            return failed("a put without its IDs".to_owned());
        };
        if Digest::of(&request.body) != output {
            return failed("the body is not what its OutputID says".to_owned());
        }
        if let Err(error) = self.cache.put_known(&action, output, &request.body) {
            return failed(Failure::of(error).to_string());
        }
        // It fails once the session is over.
        let _ = shares.send((action, output));
        let disk_path = self.cache.output_file(&output);
        Reply { id, disk_path, ..Reply::default() }
    }

    /// Puts on the shelf what it doesn't have, some at a time, until there is no more.
    fn share(&self, to_share: &mpsc::Receiver<Share>) {
        let Some(remote) = self.remote.as_ref().filter(|remote| remote.writes()) else {
            return to_share.iter().for_each(drop);
        };
        let mut batch = Vec::new();
        for (action, output) in to_share {
            if remote.find_known(&action).is_some_and(|entry| entry.output == output) {
                continue;
            }
            let content = self.cache.bytes(&action).filter(|content| Digest::of(content) == output);
            let Some(content) = content.filter(|content| !shared::is_of_this_machine(content)) else {
                continue;
            };
            let output = Output { action, content, build_id: None };
            batch.push(Made { set: Some(self.set), outputs: vec![output] });
            if batch.len() >= BATCH {
                remote.publish(std::mem::take(&mut batch));
            }
        }
        if !batch.is_empty() {
            remote.publish(batch);
        }
    }

    fn say(&self, reply: &Reply<'_>) -> Result<(), Failure> {
        let text = reply.text();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| Failure::of(format!("answering the go command: {error}")))
    }
}
