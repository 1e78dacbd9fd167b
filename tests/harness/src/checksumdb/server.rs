//! A checksum database on loopback: a log behind HTTP, which counts what it is asked and lies where it is told to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use super::log::{Log, Reply};

/// What may become of a reply on its way out: given the request and the honest reply.
pub type Tampering = Box<dyn FnMut(&str, Reply) -> Reply + Send>;

/// A running checksum database. It answers directly below its address, and below `/sumdb/NAME` as a proxy does.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    stopped: AtomicBool,
}

struct State {
    log: Log,
    tampering: Option<Tampering>,
    requests: Vec<String>,
    delay: Duration,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the database")
    }
}

impl Server {
    /// Serves a log on a free port.
    ///
    /// # Panics
    /// When there is no free port on loopback.
    pub fn start(log: Log) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = State { log, tampering: None, requests: Vec::new(), delay: Duration::ZERO };
        let shared = Arc::new(Shared { state: Mutex::new(state), stopped: AtomicBool::new(false) });
        let accepting = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || accept(&listener, &shared))
        };
        Self { shared, address, accepting: Some(accepting) }
    }

    /// `http://127.0.0.1:PORT`, which is both the database's own URL and that of a proxy for it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks at the log or changes it.
    pub fn log<T>(&self, with: impl FnOnce(&mut Log) -> T) -> T {
        with(&mut self.shared.state().log)
    }

    /// Changes replies from now on.
    pub fn tamper(&self, with: impl FnMut(&str, Reply) -> Reply + Send + 'static) {
        self.shared.state().tampering = Some(Box::new(with));
    }

    /// Honest again.
    pub fn repent(&self) {
        self.shared.state().tampering = None;
    }

    /// Waits before each answer from now on.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// The requests since the last call, as what follows the database's name.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().requests)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().ok();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        // Ends when its client hangs up.
        std::thread::spawn(move || converse(stream, &shared));
    }
}

/// Answers one request after the other until the client or a reply ends the connection.
fn converse(stream: TcpStream, shared: &Shared) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    loop {
        let path = read_request(&mut lines).ok()??;
        let (reply, delay) = {
            let mut state = shared.state();
            let request = below_name(&path, state.log.verifier().name()).to_owned();
            state.requests.push(request.clone());
            let honest = state.log.answer(&request);
            let reply = match &mut state.tampering {
                Some(tampering) => tampering(&request, honest),
                None => honest,
            };
            (reply, state.delay)
        };
        std::thread::sleep(delay);
        write_reply(&stream, reply).ok()?;
    }
}

/// The path of the next request, percent-decoded; none when the client is gone.
fn read_request(lines: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut first = String::new();
    if lines.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    loop {
        let mut header = String::new();
        if lines.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
    }
    Ok(first.split(' ').nth(1).map(|path| path.replace("%21", "!")))
}

fn below_name<'a>(path: &'a str, name: &str) -> &'a str {
    let proxied = path.strip_prefix("/sumdb/").and_then(|rest| rest.strip_prefix(name));
    proxied.unwrap_or(path).trim_start_matches('/')
}

fn write_reply(mut stream: &TcpStream, reply: Reply) -> io::Result<()> {
    let (status, body, length) = match reply {
        Reply::Content(body) => {
            let length = body.len();
            (200, body, length)
        }
        Reply::Refusal(status, text) => {
            let length = text.len();
            (status, text.into_bytes(), length)
        }
        Reply::CutShort(body) => {
            let length = body.len() + 1;
            (200, body, length)
        }
        Reply::Silence => {
            // Until the client gives up.
            stream.read_to_end(&mut Vec::new())?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
    };
    let reason = reason(status);
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.into_bytes(), body.clone()].concat())?;
    if body.len() == length { Ok(()) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
}

/// What go prints beside the number.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        410 => "Gone",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
