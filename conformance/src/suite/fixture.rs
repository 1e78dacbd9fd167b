//! Go's own server of test modules, as a process of its own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use super::{SuiteError, binary};
use crate::go::Go;

/// What the fixture says on stderr before its address.
const GREETING: &str = "GOPROXY=";

/// The upstream of the proxy on trial; dropping it stops it.
pub struct Fixture {
    process: Child,
    url: String,
    rest: Option<JoinHandle<()>>,
}

impl Fixture {
    /// Starts the test binary as a server on a free port.
    pub(super) fn start(mut command: Command) -> Result<Self, SuiteError> {
        let name = "the fixture of cmd/go's tests";
        command.arg("-proxy=127.0.0.1:0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(SuiteError::io(name))?;
        let mut said = BufReader::new(process.stderr.take().expect("stderr is piped"));
        let mut line = String::new();
        said.read_line(&mut line).map_err(SuiteError::io(name))?;
        let url = line.split_once(GREETING).map(|(_, url)| url.trim().to_owned());
        let rest = std::thread::spawn(move || drop(io::copy(&mut said, &mut io::sink())));
        let mut fixture = Self { process, url: String::new(), rest: Some(rest) };
        match url {
            Some(url) => fixture.url = url,
            None => return Err(SuiteError::Failed { command: name.into(), text: line }),
        }
        Ok(fixture)
    }

    /// Its URL, as GOPROXY takes it; it ends in `/mod`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(rest) = self.rest.take() {
            let _ = rest.join();
        }
    }
}

/// The key of the test database stands in the source of the release.
pub(super) fn verifier_key(go: &Go) -> Result<String, SuiteError> {
    const NAME: &str = "testSumDBVerifierKey = \"";
    let file = binary::source(go).join("proxy_test.go");
    let text = fs::read_to_string(&file).map_err(SuiteError::io(file.display().to_string()))?;
    let key = text.split_once(NAME).and_then(|(_, rest)| rest.split_once('"'));
    key.map(|(key, _)| key.to_owned()).ok_or(SuiteError::Shape { file, text: NAME })
}
