//! Where the modules of a verb come from: the module cache, then the upstream; all checked before anybody uses it.
//!
//! What stands in the cache is used without asking anybody, as go does. The upstream and the checksum database are set up
//! when the first thing is missing.
//! Source of the rules: `cmd/go/internal/modfetch` (`cache.go`, `fetch.go`, `sumdb.go:useSumDB`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use modkeep_fetch::environment::{Environment, GoSettings};
use modkeep_fetch::goproxy::{GoProxy, Place};
use modkeep_fetch::modcache::ModCache;
use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{Client, Gosumdb, Places};
use modkeep_fetch::via::Identity;
use modkeep_fetch::{Answer, Config, FetchError, Manners, Patience, Retry, Upstream};
use modkeep_module::dirhash::hash_mod;
use modkeep_module::glob::match_prefix_patterns;
use modkeep_module::hash::H1;
use modkeep_module::sumdb::lines::Mismatch;
use modkeep_module::{ModuleVersion, Resource};
use modkeep_resolver::error::{Fault, ModuleError};
use modkeep_resolver::node::Node;
use modkeep_resolver::world::LocalGo;
use modkeep_store::Stamp;
use parking_lot::Mutex;
use tokio::runtime::Runtime;

use super::index::{Entry, stamp_of};
use super::sums::{Sums, line_version};
use super::{Ground, Wanted, ground, local, words};
use crate::goenv::{GoEnv, paths};
use crate::report::Failure;
use crate::workcmd;

/// The module of Go's own toolchains, which is always looked up in the checksum database.
pub(super) const TOOLCHAIN: &str = "golang.org/toolchain";

/// Why something can't be had.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// The program ends with this text.
    End(String),
    /// Whoever wanted it decides.
    Error(ModuleError),
}

impl From<ModuleError> for Stop {
    fn from(error: ModuleError) -> Self {
        Self::Error(error)
    }
}

/// The cache, the upstream, and what go.sum says.
pub(crate) struct Source {
    /// The module cache.
    pub(crate) cache: ModCache,
    /// go.sum while the verb runs.
    pub(crate) sums: Mutex<Sums>,
    /// The release that must be able to read what is downloaded.
    pub(super) release: String,
    pub(super) local: LocalGo,
    /// Whether downloads are told.
    pub(super) is_quiet: bool,
    /// The words of `-tags`.
    pub(super) tags: String,
    /// `-x`
    tells_requests: bool,
    environment: Environment,
    gopath: Option<String>,
    settings: OnceLock<GoSettings>,
    upstream: OnceLock<Result<Arc<Upstream>, String>>,
    database: OnceLock<Result<Option<Client>, String>>,
    /// Never dropped: that would wait for threads that wait for nobody.
    runtime: OnceLock<&'static Runtime>,
}

/// A go.mod as it is found without asking anybody.
pub(super) enum Kept {
    /// It is checked.
    Checked {
        /// Its content.
        data: Vec<u8>,
        /// What the file looked like, if somebody wants to know.
        stamp: Option<Stamp>,
        /// Its hash.
        hash: H1,
    },
    /// It must be looked up in the checksum database first.
    Unproved(Vec<u8>),
    /// It is not there.
    Absent,
}

impl Source {
    /// Opens the cache and reads go.sum; asks nobody.
    pub(super) fn new(go: &GoEnv, ground: &Ground, wanted: &Wanted) -> Result<Self, Failure> {
        let gopath = go.gopath().first().cloned();
        let root = go.module_cache();
        let root =
            root.ok_or_else(|| Failure::go("module cache not found: neither GOMODCACHE nor GOPATH is set"))?;
        let cache = ModCache::at(Path::new(&root), wanted.flags.is_cache_writable)
            .map_err(|error| Failure::go(error.to_string()))?;
        let modules = match ground {
            Ground::Workspace { go_work } => sum_files(go, go_work),
            _ => Vec::new(),
        };
        let sums = Sums::read(go.seen(), ground.sum_file(), modules, wanted.verb == "mod tidy");
        Ok(Self {
            cache,
            sums: Mutex::new(sums),
            release: go.release().to_owned(),
            local: local(go),
            is_quiet: wanted.verb == "mod download",
            tags: wanted.flags.tags.clone(),
            tells_requests: wanted.tells_requests,
            environment: go.environment().clone(),
            gopath,
            settings: OnceLock::new(),
            upstream: OnceLock::new(),
            database: OnceLock::new(),
            runtime: OnceLock::new(),
        })
    }

    /// Runs work that waits for others.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().block_on(work)
    }

    /// The threads that wait for others.
    pub(super) fn runtime(&self) -> &'static Runtime {
        self.runtime.get_or_init(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            Box::leak(Box::new(runtime.expect("the system gives threads to a program that runs")))
        })
    }

    fn settings(&self) -> &GoSettings {
        self.settings.get_or_init(|| GoSettings::find(&self.environment))
    }

    fn private(&self) -> &Private {
        &self.settings().private
    }

    /// Whether GOPROXY forbids to ask anybody.
    pub(super) fn is_off(&self) -> bool {
        self.settings().goproxy.as_ref().is_some_and(|setting| setting.value == "off")
    }

    fn upstream(&self) -> Result<Arc<Upstream>, String> {
        let made = self.upstream.get_or_init(|| {
            let setting = self.settings().goproxy.as_ref().ok_or(
                "GOPROXY is not set, and no Go installation says what it should be: set it to a module proxy",
            )?;
            let goproxy = GoProxy::parse(&setting.value).map_err(|error| error.to_string())?;
            let identity = Identity::new("client").map_err(|error| error.to_string())?;
            let mut manners = Manners::new(identity);
            manners.retry = Retry { attempts: 1, ..Retry::default() };
            manners.patience = Patience { busy_answers: u32::MAX, ..Patience::default() };
            manners.netrc = self.environment.netrc();
            manners.forward = self.environment.forward();
            let private = Private { no_proxy: String::new(), no_sumdb: String::new() };
            let config = Config { goproxy, private, manners, listening: None };
            Upstream::new(config).map(Arc::new).map_err(|error| error.to_string())
        });
        made.clone()
    }

    /// Gets a resource from the upstream.
    pub(super) async fn fetch(&self, resource: &Resource) -> Result<Answer, FetchError> {
        let absent =
            |text: &str| FetchError::Absent { url: String::new(), status: 404, text: text.to_owned() };
        if let Some(module) = resource.module()
            && match_prefix_patterns(&self.private().no_proxy, module.as_str())
        {
            let only_direct = "is matched by GOPRIVATE or GONOPROXY, and direct is not supported yet";
            return Err(absent(&format!("{module} {only_direct}")));
        }
        let upstream = self.upstream().map_err(|text| absent(&text))?;
        let started = Instant::now();
        let answer = upstream.fetch(resource).await;
        if self.tells_requests {
            tell_request(&answer, started);
        }
        answer
    }

    /// The body of a resource, or the error about it in go's words.
    pub(super) async fn read(&self, resource: &Resource, about: &Node) -> Result<Bytes, ModuleError> {
        let fail = |error: FetchError| words::of_fetch(about, &error);
        self.fetch(resource).await.map_err(fail)?.bytes().await.map_err(fail)
    }

    fn database(&self) -> Result<Option<&Client>, String> {
        let made = self.database.get_or_init(|| {
            let setting = self.settings().gosumdb.as_ref().map_or("sum.golang.org", |s| &s.value);
            let Some(database) = Gosumdb::parse(setting).map_err(|error| error.to_string())? else {
                return Ok(None);
            };
            let heads = self.gopath.as_ref().map(|gopath| PathBuf::from(paths::join(gopath, "pkg/sumdb")));
            let heads = heads.ok_or("could not locate sumdb file: missing $GOPATH")?;
            let cache = self.cache.root().join("cache/download/sumdb");
            Ok(Some(Client::new(database, self.upstream()?, Places { cache, heads })))
        });
        match made {
            Ok(client) => Ok(client.as_ref()),
            Err(text) => Err(text.clone()),
        }
    }

    /// Whether a module is looked up in the checksum database.
    fn is_looked_up(&self, path: &str) -> bool {
        if path == TOOLCHAIN {
            let goproxy = self.settings().goproxy.as_ref();
            let goproxy = goproxy.and_then(|setting| GoProxy::parse(&setting.value).ok());
            let is_folder = goproxy.is_some_and(|goproxy| {
                matches!(goproxy.sources.as_slice(), [source] if matches!(source.place, Place::Folder(_)))
            });
            return !is_folder;
        }
        let is_off = self.settings().gosumdb.as_ref().is_some_and(|setting| setting.value == "off");
        !is_off && !match_prefix_patterns(&self.private().no_sumdb, path)
    }

    /// Checks the hash of a zip or a go.mod against go.sum, then the checksum database; a new one is noted for go.sum.
    pub(super) async fn check(&self, module: &ModuleVersion, is_go_mod: bool, hash: &H1) -> Result<(), Stop> {
        let path = module.path.as_str();
        let node = Node::new(path, module.version.as_str());
        let is_known = self.sums.lock().check(&node, is_go_mod, hash).map_err(Stop::End)?;
        if is_known && path != TOOLCHAIN {
            return Ok(());
        }
        if self.is_looked_up(path) {
            self.look_up(module, is_go_mod, hash).await?;
        }
        if is_known {
            return Ok(());
        }
        let version = line_version(module.version.as_str(), is_go_mod);
        self.sums.lock().add(path, &version, hash).map_err(Stop::End)
    }

    async fn look_up(&self, module: &ModuleVersion, is_go_mod: bool, hash: &H1) -> Result<(), Stop> {
        let noun = if is_go_mod { "go.mod" } else { "module" };
        let node = Node::new(module.path.as_str(), module.version.as_str());
        let fail = |text: String| ModuleError::about(node.clone(), format!("verifying {noun}: {text}"));
        let database = self.database().map_err(fail)?;
        let Some(database) = database else {
            return Err(fail("checksum database disabled by GOSUMDB=off".to_owned()).into());
        };
        let recorded = match database.checksum(module, is_go_mod).await {
            Ok(recorded) => recorded,
            Err(error) => {
                if let Some(evidence) = error.evidence() {
                    return Err(Stop::End(evidence.to_owned()));
                }
                let text = error.verifying(module, noun);
                let prefix = format!("{module}: ");
                let text = text.strip_prefix(&prefix).unwrap_or(&text);
                return Err(ModuleError::about(node, text).into());
            }
        };
        if recorded == hash.to_string() {
            return Ok(());
        }
        let (downloaded, database) = (*hash, database.name().to_owned());
        let mismatch = Mismatch { module: module.clone(), noun, downloaded, database, recorded };
        let text = mismatch.to_string();
        let text = text.strip_prefix(&format!("{module}: ")).unwrap_or(&text);
        Err(ModuleError::about(node, text).into())
    }

    /// The go.mod of a version as the cache has it, with its stamp if that is wanted. Blocks for a moment only.
    pub(super) fn kept_go_mod(&self, module: &ModuleVersion, with_stamp: bool) -> Result<Kept, Stop> {
        let node = Node::new(module.path.as_str(), module.version.as_str());
        let Ok(Some(mut found)) = self.cache.quick_go_mod(module, with_stamp) else {
            return Ok(Kept::Absent);
        };
        let mut hash = hash_mod(&found.data);
        // What go.sum knows is whole.
        if !found.is_whole && !self.sums.lock().vouches(&node, &hash) {
            let Ok(Some(data)) = self.cache.go_mod(module) else { return Ok(Kept::Absent) };
            hash = hash_mod(&data);
            found.data = data;
        }
        let (data, stamp) = (found.data, found.stamp);
        match self.is_proved(&node, &hash)? {
            true => Ok(Kept::Checked { data, stamp, hash }),
            false => Ok(Kept::Unproved(data)),
        }
    }

    /// Whether the hash of a go.mod is right by go.sum, or nobody is to be asked about it; that is noted for go.sum.
    fn is_proved(&self, module: &Node, hash: &H1) -> Result<bool, Stop> {
        let path = &*module.path;
        let is_known = self.sums.lock().check(module, true, hash).map_err(Stop::End)?;
        if is_known && path != TOOLCHAIN {
            return Ok(true);
        }
        if self.is_looked_up(path) {
            return Ok(false);
        }
        self.sums.lock().add(path, &line_version(&module.version, true), hash).map_err(Stop::End)?;
        Ok(true)
    }

    /// Whether a go.mod may be taken for what it was when it was read last.
    pub(super) fn is_unchanged(&self, module: &Node, entry: &Entry) -> Result<bool, Stop> {
        let is_same = stamp_of(&self.cache, module, "mod") == Some(entry.stamp);
        Ok(is_same && self.is_proved(module, &entry.hash)?)
    }

    /// The go.mod of a version.
    pub(crate) async fn go_mod(&self, module: &ModuleVersion) -> Result<Vec<u8>, Stop> {
        match self.kept_go_mod(module, false)? {
            Kept::Checked { data, .. } => return Ok(data),
            Kept::Unproved(data) if self.check(module, true, &hash_mod(&data)).await.is_ok() => {
                return Ok(data);
            }
            _ => {}
        }
        let node = Node::new(module.path.as_str(), module.version.as_str());
        let data = self.read(&Resource::Mod(module.clone()), &node).await?;
        self.check(module, true, &hash_mod(&data)).await?;
        self.keep(self.cache.keep_go_mod(module, &data), "go.mod");
        Ok(data.to_vec())
    }

    /// What could not be written to the cache is told and asked for again next time.
    pub(super) fn keep<E: std::fmt::Display>(&self, kept: Result<(), E>, what: &str) {
        if let Err(error) = kept {
            crate::report::tell(&format!("go: writing {what} cache: {error}"));
        }
    }
}

/// What was asked and what came of it, as `-x` shows it.
fn tell_request(answer: &Result<Answer, FetchError>, started: Instant) {
    let (url, outcome) = match answer {
        Ok(answer) => (answer.url.as_str(), "200 OK".to_owned()),
        Err(
            FetchError::Absent { url, status, .. }
            | FetchError::Refused { url, status, .. }
            | FetchError::Busy { url, status, .. },
        ) => (url.as_str(), modkeep_fetch::error::status_line(*status)),
        Err(error @ (FetchError::Unreachable { url, .. } | FetchError::Broken { url, .. })) => {
            (url.as_str(), error.chain())
        }
        Err(FetchError::Private(_)) => return,
    };
    if !url.is_empty() {
        let seconds = started.elapsed().as_secs_f64();
        crate::report::tell(&format!("# get {url}\n# get {url}: {outcome} ({seconds:.3}s)"));
    }
}

/// The go.sum files of the modules of a workspace. A go.work that can't be read is an error elsewhere.
fn sum_files(go: &GoEnv, go_work: &str) -> Vec<String> {
    let Ok(file) = workcmd::file::read(go, go_work, true) else { return Vec::new() };
    let roots = workcmd::file::roots(go_work, &file).into_iter();
    roots.map(|root| ground::beside(&paths::join(&root, "go.mod"))).collect()
}

/// A module version that can be asked for, or why it can't be.
pub(crate) fn module_version(path: &str, version: &str) -> Result<ModuleVersion, ModuleError> {
    ModuleVersion::parse(path, version).map_err(|error| ModuleError {
        module: None,
        invalid: None,
        text: error.to_string(),
        kind: Fault::Other,
    })
}
