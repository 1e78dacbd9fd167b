//! A proxy on a real socket, between an upstream that can be made to fail and clients that speak plain HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use modkeep_fetch::goproxy::GoProxy;
use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{self, Database, Gosumdb};
use modkeep_fetch::via::Identity;
use modkeep_fetch::{Config as UpstreamConfig, Manners, Retry};
use modkeep_harness::http::{Answer, raw};
use modkeep_harness::s3;
use modkeep_harness::upstream::{Tree, Upstream};
use modkeep_proxy::{Clock, Config, Freshness, Limits, Moment, Policy};
use modkeep_store::{Folder, Memory, Options, S3, S3Options, Store};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What a test wants to be otherwise.
pub(crate) struct Wishes {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) offline: bool,
    /// Nobody says where modules come from.
    pub(crate) no_upstream: bool,
    pub(crate) private: Private,
    pub(crate) private_is_absent: bool,
    pub(crate) base_path: String,
    pub(crate) freshness: Freshness,
    pub(crate) absences: u64,
    pub(crate) limits: Limits,
    pub(crate) upstream: Option<String>,
    /// Settings as GOSUMDB takes them.
    pub(crate) databases: Vec<String>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            store: new_store(),
            offline: false,
            no_upstream: false,
            private: Private::default(),
            private_is_absent: false,
            base_path: String::new(),
            freshness: Freshness::default(),
            absences: 1_000_000,
            limits: Limits::default(),
            upstream: None,
            databases: Vec::new(),
        }
    }
}

/// A store of its own: in memory, or in a bucket if `MODKEEP_TEST_STORE=s3` says so.
pub(crate) fn new_store() -> Arc<dyn Store> {
    static STORES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("store-{}", STORES.fetch_add(1, Ordering::Relaxed));
    bucket(Path::new(&name)).unwrap_or_else(|| Arc::new(Memory::new()))
}

/// The store of `home`, the same each time: in that folder, or in a bucket if `MODKEEP_TEST_STORE=s3` says so.
pub(crate) fn store_of(home: &Path) -> Arc<dyn Store> {
    bucket(home).unwrap_or_else(|| Arc::new(Folder::open(home, Options::default()).unwrap()))
}

fn bucket(home: &Path) -> Option<Arc<dyn Store>> {
    // the store's own tasks outlive the runtime of a world
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    });
    let place = s3::shared(home)?;
    let options = S3Options {
        endpoint: Some(place.endpoint()),
        path_style: true,
        credentials: Some((s3::ACCESS.into(), s3::SECRET.into())),
        ..S3Options::parse(&format!("s3://modkeep/{}", place.prefix())).unwrap()
    };
    Some(Arc::new(RUNTIME.block_on(S3::open(options)).unwrap()))
}

/// The proxy and all around it.
pub(crate) struct World {
    pub(crate) upstream: Upstream,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl World {
    pub(crate) fn new(tree: Tree) -> Self {
        Self::with(tree, Wishes::default())
    }

    pub(crate) fn with(tree: Tree, wishes: Wishes) -> Self {
        let upstream = Upstream::start(tree);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Clock::standing_at(Moment(1_800_000_000_000));
        let identity = Identity::new("under-test").unwrap();
        let goproxy = GoProxy::parse(wishes.upstream.as_deref().unwrap_or(&upstream.url())).unwrap();
        let manners =
            Manners { retry: Retry { attempts: 1, ..Retry::default() }, ..Manners::new(identity.clone()) };
        let fetching = UpstreamConfig { goproxy, private: wishes.private.clone(), manners, listening: None };
        let fetching = runtime.block_on(async { modkeep_fetch::Upstream::new(fetching) }).unwrap();
        let fetching = (!wishes.offline && !wishes.no_upstream).then(|| Arc::new(fetching));
        let database = |setting: &String| {
            let seconds = clock.clone();
            Database::new(sumdb::Config {
                database: Gosumdb::parse(setting).unwrap().unwrap(),
                upstream: fetching.clone(),
                store: Arc::clone(&wishes.store),
                now: Arc::new(move || seconds.now().0 / 1000),
            })
        };
        let databases = wishes.databases.iter().map(database).collect();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config {
            listener,
            certificates: None,
            store: wishes.store,
            builds: None,
            upstream: fetching,
            is_offline: wishes.offline,
            databases,
            policy: Policy { private: wishes.private, private_is_absent: wishes.private_is_absent },
            base_path: wishes.base_path,
            identity,
            trusted: modkeep_proxy::Trusted::default(),
            access_log: true,
            limits: wishes.limits,
            freshness: wishes.freshness,
            absences: wishes.absences,
            clock: clock.clone(),
        };
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            // An error is a dropped world, which is an end too.
            let _ = stopped.await;
        };
        let serving = runtime.spawn(modkeep_proxy::serve(config, shutdown));
        Self { upstream, clock, address, runtime, stop: Some(stop), serving: Some(serving) }
    }

    /// Does something that needs a runtime.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    /// A request with further header lines, each ending in `\r\n`.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
        raw(self.address, request.as_bytes()).unwrap()
    }

    /// Asks and reads no more than `bytes` of what comes, head included.
    pub(crate) fn begin(&self, path: &str, bytes: usize) -> (TcpStream, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut begun = vec![0; bytes];
        stream.read_exact(&mut begun).unwrap();
        (stream, begun)
    }

    /// The value of a metric, by its name and labels as they stand in the text.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").text();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    /// Stops gracefully and waits for it.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails when the service has ended by itself, which the next line tells.
            let _ = stop.send(());
        }
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving).unwrap().unwrap();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}
