//! A module proxy on loopback that can be made to fail in every way a test needs.
//!
//! It serves a [`Tree`], over HTTP/1.1 or TLS with HTTP/2, from a thread of its own; tests without a runtime can
//! use it. Any answer can be replaced or changed ([`Reply`]) for all times or the next few, held until the test
//! opens a [`Gate`], and is remembered in the log. It stops when dropped.

mod reply;
mod serve;
mod tls;
mod tree;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use reply::{Gate, Reply};
pub use tree::{Module, Tree};

/// How long [`Upstream::wait_for`] waits: far longer than anything it waits for takes.
const PATIENCE: Duration = Duration::from_secs(30);

type Change = Arc<dyn Fn(Reply) -> Reply + Send + Sync>;

/// A running module proxy.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    authority: Option<String>,
    shared: Arc<Shared>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `HEAD` …
    pub method: String,
    /// Path and query, as on the wire.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// `HTTP/1.1`, `HTTP/2.0`
    pub protocol: String,
    /// When.
    pub at: Instant,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    tree: Tree,
    log: Vec<Request>,
    changes: HashMap<String, VecDeque<Changed>>,
    change_all: Option<Change>,
}

struct Changed {
    /// How often; `None` is for ever.
    left: Option<usize>,
    change: Change,
}

impl Upstream {
    /// Serves the tree on a free port of 127.0.0.1.
    pub fn start(tree: Tree) -> Self {
        Self::start_at(tree, 0)
    }

    /// The same on a given port, to come back where another one was.
    pub fn start_at(tree: Tree, port: u16) -> Self {
        Self::run(tree, port, None)
    }

    /// Serves the tree over TLS as `localhost`; [`Upstream::authority`] is whom to trust.
    pub fn start_tls(tree: Tree) -> Self {
        Self::run(tree, 0, Some(tls::Identity::new()))
    }

    fn run(tree: Tree, port: u16, identity: Option<tls::Identity>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a loopback port");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared =
            Arc::new(Shared { state: Mutex::new(State { tree, ..State::default() }), ..Shared::default() });
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let authority = identity.as_ref().map(|identity| identity.authority.clone());
        let service = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve::until(stopped, listener, identity, &service));
        Self { address, authority, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        match &self.authority {
            Some(_) => format!("https://localhost:{}", self.address.port()),
            None => format!("http://{}", self.address),
        }
    }

    /// The certificate that clients must trust, PEM; only of one with TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Adds to the tree, or replaces.
    pub fn put(&self, path: &str, content: impl Into<bytes::Bytes>) {
        self.shared.state().tree.put(path, content);
    }

    /// Adds a module to the tree.
    pub fn add(&self, module: Module) {
        self.shared.state().tree.add(module);
    }

    /// From now on answers requests for this path (unescaped `!`, no query) so, whatever the tree says.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.change(path, move |_| reply.clone());
    }

    /// Answers the next `times` requests for this path so; replies given before go first.
    pub fn reply_times(&self, path: &str, times: usize, reply: Reply) {
        let change: Change = Arc::new(move |_| reply.clone());
        let changed = Changed { left: Some(times), change };
        self.shared.state().changes.entry(path.to_owned()).or_default().push_back(changed);
    }

    /// From now on changes what the tree says about this path.
    pub fn change(&self, path: &str, change: impl Fn(Reply) -> Reply + Send + Sync + 'static) {
        let changed = Changed { left: None, change: Arc::new(change) };
        self.shared.state().changes.insert(path.to_owned(), VecDeque::from([changed]));
    }

    /// From now on changes every answer, after the changes for its path.
    pub fn change_all(&self, change: impl Fn(Reply) -> Reply + Send + Sync + 'static) {
        self.shared.state().change_all = Some(Arc::new(change));
    }

    /// From now on answers everything so.
    pub fn reply_all(&self, reply: Reply) {
        self.change_all(move |_| reply.clone());
    }

    /// Answers as the tree says again.
    pub fn heal(&self) {
        let mut state = self.shared.state();
        state.changes.clear();
        state.change_all = None;
    }

    /// Every request until now.
    pub fn log(&self) -> Vec<Request> {
        self.shared.state().log.clone()
    }

    /// The paths of all GET requests until now, in order.
    pub fn paths(&self) -> Vec<String> {
        self.log().into_iter().filter(|request| request.method == "GET").map(|request| request.path).collect()
    }

    /// How many GET requests until now had a path that ends so: `.zip`, `/@v/list`, or nothing for all.
    pub fn count(&self, suffix: &str) -> usize {
        self.paths().iter().filter(|path| path.ends_with(suffix)).count()
    }

    /// Forgets the log.
    pub fn forget(&self) {
        self.shared.state().log.clear();
    }

    /// Waits until a request is in the log that is wanted.
    ///
    /// # Panics
    /// When none comes for half a minute.
    pub fn wait_for(&self, wanted: impl Fn(&Request) -> bool) {
        let state = self.shared.state();
        let waited =
            self.shared.arrived.wait_timeout_while(state, PATIENCE, |state| !state.log.iter().any(&wanted));
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "no such request among {:#?}", state.log);
    }

    /// Ends the server and every connection, and gives back the port.
    pub fn stop(mut self) -> u16 {
        self.end();
        self.address.port()
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails when the thread has ended, which is what is wanted.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server does not panic");
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.thread = None;
        }
        self.end();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: Request) -> Reply {
        let mut state = self.state();
        let path = request.path.split('?').next().unwrap_or_default().replace("%21", "!");
        let mut reply = match state.tree.get(&path) {
            Some(content) => Reply::content(&path, content),
            None => Reply::new(404).text("not found"),
        };
        if let Some(queue) = state.changes.get_mut(&path)
            && let Some(first) = queue.front_mut()
        {
            reply = (first.change)(reply);
            if let Some(left) = &mut first.left {
                *left -= 1;
                if *left == 0 {
                    queue.pop_front();
                }
            }
        }
        if let Some(change) = &state.change_all {
            reply = change(reply);
        }
        state.log.push(request);
        self.arrived.notify_all();
        reply
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// A loopback address where nobody listens: connections are refused.
pub fn refusing_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    listener.local_addr().expect("a bound socket has an address")
}

/// A listener that answers every connection with these bytes and closes it, whatever it was asked.
#[derive(Debug)]
pub struct Raw {
    address: SocketAddr,
}

impl Raw {
    /// Serves for as long as the test runs.
    pub fn start(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let address = listener.local_addr().expect("a bound socket has an address");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away is what some tests want.
                let _ = stream.and_then(|stream| answer_raw(stream, bytes));
            }
        });
        Self { address }
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn answer_raw(mut stream: std::net::TcpStream, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Read, Write};
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    stream.write_all(bytes)
}
