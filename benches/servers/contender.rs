//! The servers: this one, nginx, and the file server of Go's library.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use modkeep_fetch::goproxy::GoProxy;
use modkeep_fetch::via::Identity;
use modkeep_fetch::{Manners, Upstream};
use modkeep_proxy::{Clock, Config, Freshness, Limits, Policy};
use modkeep_store::{Folder, Options, Store};

use crate::load;
use crate::tree::Tree;

/// The core of the servers; the clients have the others.
const CORE: &str = "0";

/// A running server.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Contender {
    /// nginx and Go's server where they can be had, and ours; the first is what the others are compared with.
    pub(crate) fn start_all(tree: &Tree) -> Vec<Self> {
        let mut all = Vec::new();
        all.extend(nginx(tree));
        all.extend(go(tree));
        all.push(modkeep(tree));
        all
    }

    fn start(name: &'static str, address: SocketAddr, mut command: Command) -> Self {
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let contender = Self { name, address, process: process.expect("what was found can be run") };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "{name} does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        contender
    }

    /// Asks for everything once, which also warms what can be warmed, and compares with the tree.
    pub(crate) fn check(&self, tree: &Tree) {
        let mut stream = TcpStream::connect(self.address).expect("the server accepts");
        let mut buffer = vec![0; 256 * 1024];
        for path in tree.all_paths() {
            let expected = fs::metadata(tree.folder().join(&path[1..])).expect("the tree has it").len();
            assert_eq!(load::ask(&mut stream, path, &mut buffer), (200, expected), "{}: {path}", self.name);
        }
    }

    /// CPU time of all its threads.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("the server runs");
        let times = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
        Duration::from_nanos(times.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum())
    }

    pub(crate) fn resident_mib(&self) -> f64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.expect("Linux says how much is resident") / 1024.0
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound listener has an address")
}

fn pinned(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(CORE).arg(program);
    command
}

fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    places.map(|place| place.join(name)).find(|file| file.is_file())
}

fn nginx(tree: &Tree) -> Option<Contender> {
    let Some(program) = found("nginx") else {
        println!("nginx is not here");
        return None;
    };
    let (address, home) = (free_address(), tree.folder().join("nginx"));
    fs::create_dir_all(&home).expect("a folder can be made");
    let config = format!(
        "daemon off; master_process off; pid {home}/pid; error_log {home}/log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n\
         client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};\n\
         uwsgi_temp_path {home}; scgi_temp_path {home};\n\
         server {{ listen {address}; root {root}; }} }}\n",
        home = home.display(),
        root = tree.folder().display(),
    );
    write(&home.join("conf"), &config);
    let mut command = pinned(program);
    command.arg("-c").arg(home.join("conf")).arg("-p").arg(&home).stderr(Stdio::null());
    Some(Contender::start("nginx", address, command))
}

fn go(tree: &Tree) -> Option<Contender> {
    let Some(program) = found("go") else {
        println!("go is not here");
        return None;
    };
    let (address, home) = (free_address(), tree.folder().join("go"));
    fs::create_dir_all(&home).expect("a folder can be made");
    write(&home.join("main.go"), include_str!("fileserver.go"));
    let built = Command::new(program)
        .args(["build", "-o", "fileserver", "main.go"])
        .current_dir(&home)
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("GO111MODULE", "off")
        .status();
    assert!(built.expect("go can be run").success(), "the file server builds");
    let mut command = pinned(home.join("fileserver"));
    command.arg(tree.folder()).arg(address.to_string()).env("GOMAXPROCS", "1");
    Some(Contender::start("go", address, command))
}

fn modkeep(tree: &Tree) -> Contender {
    let address = free_address();
    let mut command = pinned(std::env::current_exe().expect("a running program has a file"));
    command.arg("serve").arg(tree.folder()).arg(address.to_string());
    Contender::start("modkeep", address, command)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a file can be written");
}

/// The process of our own server: one worker, as the others have.
pub(crate) fn serve(tree: &str, address: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let identity = Identity::new("bench").expect("letters can stand in a header");
        let store = Folder::open(&Path::new(tree).join("store"), Options::default()).expect("a store");
        let fetching = modkeep_fetch::Config {
            goproxy: GoProxy::parse(&format!("file://{tree}")).expect("a list of one folder"),
            private: modkeep_fetch::private::Private::default(),
            manners: Manners::new(identity.clone()),
            listening: None,
        };
        let upstream = Upstream::new(fetching).expect("a client of a folder");
        let config = Config {
            listener: tokio::net::TcpListener::bind(address).await.expect("a free port"),
            certificates: None,
            store: Arc::new(store) as Arc<dyn Store>,
            builds: None,
            upstream: Some(Arc::new(upstream)),
            is_offline: false,
            databases: Vec::new(),
            policy: Policy::default(),
            base_path: String::new(),
            identity,
            trusted: modkeep_proxy::Trusted::default(),
            access_log: false,
            limits: Limits::default(),
            freshness: Freshness::default(),
            absences: 1_000_000,
            clock: Clock::system(),
        };
        modkeep_proxy::serve(config, std::future::pending()).await.expect("serving");
    });
}
