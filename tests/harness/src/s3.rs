//! A real S3 server on loopback: versitygw over a temporary folder, built once as a Go program.

use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use modkeep_conformance::go::Missing;
use tempfile::TempDir;

use crate::go::install;
use crate::place::{kept_folder, skip, wants_bucket};

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

/// The bucket in which the stores of whole programs are.
const STORES: &str = "modkeep";

/// The variables that tell the program to keep its store under `prefix` of the bucket `modkeep` at `endpoint`.
pub fn settings(endpoint: &str, prefix: &str) -> [(&'static str, String); 6] {
    [
        ("MODKEEP_STORE", format!("s3://{STORES}/{prefix}")),
        ("MODKEEP_S3_ENDPOINT", endpoint.to_owned()),
        ("MODKEEP_S3_REGION", "us-east-1".to_owned()),
        ("MODKEEP_S3_PATH_STYLE", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", ACCESS.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ]
}

/// Where a program whose home folder is `home` keeps its store, if `MODKEEP_TEST_STORE=s3` asks for buckets: every home has
/// a prefix of its own on a server that all tests of this process share.
///
/// # Panics
/// When a bucket is asked for and the server cannot be had.
pub fn shared(home: &Path) -> Option<Place> {
    static GATEWAY: OnceLock<Gateway> = OnceLock::new();
    if !wants_bucket() {
        return None;
    }
    let start =
        || Gateway::start(STORES).unwrap_or_else(|missing| panic!("MODKEEP_TEST_STORE=s3: {missing}"));
    let gateway = GATEWAY.get_or_init(start);
    let name = home.file_name().expect("a home is no root").to_string_lossy();
    Some(Place { gateway, prefix: name.trim_matches('.').to_owned() })
}

/// A store on the server that tests share.
pub struct Place {
    gateway: &'static Gateway,
    prefix: String,
}

impl Place {
    /// The variables that tell the program.
    pub fn settings(&self) -> [(&'static str, String); 6] {
        settings(&self.gateway.endpoint(), &self.prefix)
    }

    /// The folder in which the server keeps the objects, as files.
    pub fn folder(&self) -> PathBuf {
        self.gateway.folder().join(STORES).join(&self.prefix)
    }

    /// Where the server listens.
    pub fn endpoint(&self) -> String {
        self.gateway.endpoint()
    }

    /// The store's prefix in the bucket `modkeep`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// A running server with one bucket. It ends with the process that started it, however that ends.
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
        let program = install(PROGRAM)?;
        Ok(start(bucket, &|address, folder| {
            let address = address.to_string();
            let words = ["--port", &address, "--access", ACCESS, "--secret", SECRET, "--quiet", "posix"];
            let mut command = vec![program.clone().into_os_string()];
            command.extend(words.map(Into::into));
            command.push(folder.into());
            command
        }))
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
        end(&mut self.process);
    }
}

/// Runs a program until our end of the pipe is closed, then removes its folder.
const GUARD: &str = r#"folder=$1; shift; "$@" & read -r _; kill $!; wait; rm -rf "$folder""#;

fn end(guard: &mut Child) {
    drop(guard.stdin.take());
    drop(guard.wait());
}

/// Starts the program that `command` names for an address and a folder.
fn start(bucket: &str, command: &dyn Fn(SocketAddr, &Path) -> Vec<OsString>) -> Gateway {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::create_dir_all(folder.path().join(bucket)).expect("a bucket is a folder");
    for _ in 0..PORTS {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("loopback has free ports");
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(folder.path()).args(command(address, folder.path()));
        let spawned = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut process = spawned.expect("a shell can be started");
        if answers(address, &mut process) {
            return Gateway { folder, address, process };
        }
        end(&mut process);
        std::fs::create_dir_all(folder.path().join(bucket)).expect("a bucket is a folder");
    }
    panic!("no server starts for the bucket `{bucket}`");
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

/// s3s-fs at the release that was measured not to keep its conditions when writers race.
const NEGLIGENT: [&str; 6] = ["install", "--locked", "--debug", "s3s-fs", "--version", "0.14.1"];

/// A real server that checks a condition and writes later; dropping it stops it.
pub struct Negligent(Gateway);

impl Negligent {
    /// Starts it with one empty bucket; it is built in minutes the first time.
    ///
    /// # Errors
    /// When the program cannot be built here.
    ///
    /// # Panics
    /// When it was built and does not start.
    pub fn start(bucket: &str) -> Result<Self, Missing> {
        let root = kept_folder();
        let program = root.join("bin/s3s-fs");
        if !program.exists() {
            let mut install = Command::new("cargo");
            install.args(NEGLIGENT).args(["--features", "binary", "--root"]).arg(&root);
            let failed = |why: String| Missing(format!("building s3s-fs: {why}"));
            let output = install.stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
            if !output.status.success() {
                return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
            }
        }
        Ok(Self(start(bucket, &|address, folder| {
            let mut command = vec![program.clone().into_os_string()];
            let (host, port) = (address.ip().to_string(), address.port().to_string());
            let words = ["--host", &host, "--port", &port, "--access-key", ACCESS, "--secret-key", SECRET];
            command.extend(words.map(Into::into));
            command.push(folder.into());
            command
        })))
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }
}
