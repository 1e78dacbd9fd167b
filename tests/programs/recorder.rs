//! A registry on loopback that asks the machine's own once for everything and then says the same for ever.
//!
//! So the network is asked once whatever is compared with what, and a comparison can't fail because the world has moved
//! between two answers. What is kept of a reply is its status, the type of its content and its body.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use modkeep_harness::go::machine_proxy;
use tokio::sync::Semaphore;

/// Requests to the machine's registry at the same time.
const AT_ONCE: usize = 6;

/// How often a request is tried that the network has lost.
const TRIES: usize = 3;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running recorder; it lives as long as the program.
pub(crate) struct Recorder {
    url: String,
}

struct Shared {
    origin: String,
    kept: PathBuf,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    places: Semaphore,
}

/// A reply as it is kept.
struct Reply {
    status: u16,
    kind: String,
    body: Vec<u8>,
}

impl Recorder {
    /// The recorder over the machine's own registry, or why there is none.
    pub(crate) fn shared(kept: &Path) -> Result<&'static Self, String> {
        static RECORDER: OnceLock<Result<Recorder, String>> = OnceLock::new();
        let made = RECORDER.get_or_init(|| Self::start(kept).map_err(|error| error.to_string()));
        made.as_ref().map_err(Clone::clone)
    }

    fn start(kept: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let shared = Arc::new(Shared {
            origin: machine_proxy()?,
            kept: kept.to_owned(),
            client: reqwest::Client::builder().timeout(PATIENCE).build()?,
            runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?,
            places: Semaphore::new(AT_ONCE),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // A connection that breaks is the client's affair.
                std::thread::spawn(move || drop(shared.serve(&stream)));
            }
        });
        Ok(Self { url })
    }

    /// What clients set GOPROXY to.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut lines = BufReader::new(stream);
        let mut answers = stream;
        loop {
            let mut first = String::new();
            if lines.read_line(&mut first)? == 0 {
                return Ok(());
            }
            let mut header = String::from("…");
            while !header.trim_end().is_empty() {
                header.clear();
                lines.read_line(&mut header)?;
            }
            let path = first.split(' ').nth(1).unwrap_or_default();
            let reply = self.reply(path);
            let head = format!(
                "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
                reply.status,
                reqwest::StatusCode::from_u16(reply.status)
                    .ok()
                    .and_then(|s| s.canonical_reason())
                    .unwrap_or("-"),
                reply.kind,
                reply.body.len()
            );
            answers.write_all(head.as_bytes())?;
            answers.write_all(&reply.body)?;
        }
    }

    fn reply(&self, path: &str) -> Reply {
        let file = self.kept.join(format!("{}.reply", path.trim_start_matches('/')));
        if let Some(reply) = fs::read(&file).ok().and_then(|data| Reply::parse(&data)) {
            return reply;
        }
        match self.runtime.block_on(self.ask(path)) {
            Ok(reply) => {
                // A server that is busy says nothing about the module.
                if reply.status < 500 && reply.status != 429 {
                    reply.keep(&file).expect("the kept folder can be written");
                }
                reply
            }
            Err(error) => Reply { status: 502, kind: "text/plain".into(), body: error.to_string().into() },
        }
    }

    async fn ask(&self, path: &str) -> reqwest::Result<Reply> {
        let place = self.places.acquire().await;
        let mut left = TRIES;
        let reply = loop {
            left -= 1;
            match self.ask_once(path).await {
                Err(_) if left > 0 => {}
                reply => break reply,
            }
        };
        drop(place);
        reply
    }

    async fn ask_once(&self, path: &str) -> reqwest::Result<Reply> {
        let response = self.client.get(format!("{}{path}", self.origin)).send().await?;
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("application/octet-stream").to_owned();
        Ok(Reply { status, kind, body: response.bytes().await?.into() })
    }
}

impl Reply {
    fn parse(data: &[u8]) -> Option<Self> {
        let end = data.iter().position(|byte| *byte == b'\n')?;
        let (status, kind) = std::str::from_utf8(&data[..end]).ok()?.split_once(' ')?;
        Some(Self { status: status.parse().ok()?, kind: kind.to_owned(), body: data[end + 1..].to_vec() })
    }

    fn keep(&self, file: &Path) -> io::Result<()> {
        let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        let mut kept = tempfile::NamedTempFile::new_in(folder)?;
        kept.write_all(format!("{} {}\n", self.status, self.kind).as_bytes())?;
        kept.write_all(&self.body)?;
        kept.persist(file)?;
        Ok(())
    }
}
