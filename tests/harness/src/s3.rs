//! A real S3 server on loopback: versitygw over a temporary folder, built once as a Go program.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::go::{Missing, forget_settings, machine_proxy};
use crate::place::{kept_folder, skip};

/// The server's module at the release that was measured to keep all conditions.
const PROGRAM: &str = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Ports to try before giving up: another process may take one between choosing and using it.
const PORTS: usize = 5;

/// The access key of every gateway.
pub const ACCESS: &str = "modkeep-access";
/// Its secret.
pub const SECRET: &str = "modkeep-secret";

/// A running server with one bucket.
pub struct Gateway {
    folder: TempDir,
    address: SocketAddr,
    process: Child,
}

impl Gateway {
    /// Starts a server whose bucket `bucket` is empty.
    ///
    /// # Errors
    /// When the program cannot be built here.
    ///
    /// # Panics
    /// When it was built and does not start.
    pub fn start(bucket: &str) -> Result<Self, Missing> {
        let program = build()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::create_dir_all(folder.path().join(bucket)).expect("a bucket is a folder");
        for _ in 0..PORTS {
            let (address, mut process) = spawn(&program, folder.path());
            if answers(address, &mut process) {
                return Ok(Self { folder, address, process });
            }
            process.kill().expect("our own child can be killed");
            process.wait().expect("a killed child ends");
        }
        panic!("{} does not start", program.display());
    }

    /// The same, or a line that says why `test` did not run.
    pub fn start_or_skip(test: &str, bucket: &str) -> Option<Self> {
        Self::start(bucket).map_err(|missing| skip(test, &missing)).ok()
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The folder that is its root: a bucket is a folder in it, an object a file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}

fn spawn(program: &Path, folder: &Path) -> (SocketAddr, Child) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("loopback has free ports");
    let mut command = Command::new(program);
    command
        .args(["--port", &address.to_string(), "--access", ACCESS, "--secret", SECRET, "--quiet", "posix"])
        .arg(folder);
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    (address, spawned.expect("what was built can be started"))
}

fn answers(address: SocketAddr, process: &mut Child) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        if process.try_wait().is_ok_and(|ended| ended.is_some()) {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    false
}

fn build() -> Result<PathBuf, Missing> {
    let folder = kept_folder().join("bin");
    let kept = |error: io::Error| Missing(format!("building {PROGRAM}: {error}"));
    std::fs::create_dir_all(&folder).map_err(kept)?;
    let lock = File::create(folder.join("versitygw.lock")).map_err(kept)?;
    lock.lock().map_err(kept)?;
    let program = folder.join("versitygw");
    if !program.exists() {
        let mut install = Command::new("go");
        forget_settings(&mut install);
        install
            .env("GOENV", "off")
            .env("GOPROXY", machine_proxy()?)
            .env("GOBIN", &folder)
            .args(["install", PROGRAM]);
        let output = install.output().map_err(kept)?;
        if !output.status.success() {
            return Err(Missing(format!("building {PROGRAM}: {}", String::from_utf8_lossy(&output.stderr))));
        }
    }
    Ok(program)
}
