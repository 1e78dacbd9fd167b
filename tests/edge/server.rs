//! The program between a folder of modules and clients of every kind.

use modkeep_harness::authority::Authority;
use modkeep_harness::dice::Dice;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::program;
use modkeep_harness::upstream::{Module, Tree};
use tempfile::TempDir;

/// A small file of the module that is always there.
pub(crate) const SMALL: &str = "/example.com/small/@v/v1.0.0.mod";
/// Its content.
pub(crate) const GO_MOD: &[u8] = b"module example.com/small\n\ngo 1.21\n";
/// A zip of some megabytes.
pub(crate) const BIG: &str = "/example.com/big/@v/v1.0.0.zip";
/// Bytes in it, about.
const BIG_BYTES: usize = 5_000_000;

/// How a client speaks to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Plain,
    PlainHttp2,
    Tls,
    TlsHttp2,
}

impl Over {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::PlainHttp2, Self::Tls, Self::TlsHttp2];

    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::TlsHttp2)
    }
}

/// The program, its modules, and whom its clients trust.
pub(crate) struct Server {
    pub(crate) modkeep: Modkeep,
    pub(crate) authority: Authority,
    pub(crate) big: Vec<u8>,
    _home: TempDir,
}

impl Server {
    pub(crate) fn start(is_tls: bool, flags: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut dice = Dice::of("edge");
        let noise: Vec<u8> = (0..BIG_BYTES / 8).flat_map(|_| dice.bits().to_le_bytes()).collect();
        let tree = Tree::default()
            .with(Module::new("example.com/small", "v1.0.0").file("small.go", "package small\n"))
            .with(
                Module::new("example.com/big", "v1.0.0").file("big.go", "package big\n").file("noise", noise),
            );
        let modules = home.path().join("modules");
        tree.write_to(&modules);
        let upstream = format!("file://{}", modules.display());
        Self { big: tree.get(BIG).unwrap().to_vec(), ..Self::at(home, &upstream, is_tls, flags) }
    }

    /// One that has none of its modules from here.
    pub(crate) fn before(upstream: &str, is_tls: bool, flags: &[&str]) -> Self {
        Self::at(tempfile::tempdir().unwrap(), upstream, is_tls, flags)
    }

    fn at(home: TempDir, upstream: &str, is_tls: bool, flags: &[&str]) -> Self {
        let authority = Authority::new(home.path());
        authority.install(&authority.sign());
        let mut command = Modkeep::command(&program(env!("CARGO_BIN_EXE_modkeep")), home.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--sumdb", "off", "--access-log=false"]);
        command.args(["--upstream", upstream]);
        if is_tls {
            command.arg("--tls-cert").arg(authority.certificate()).arg("--tls-key").arg(authority.key());
        }
        command.args(flags);
        Self { modkeep: Modkeep::start(command), authority, big: Vec::new(), _home: home }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.modkeep.url())
    }

    /// A client with connections of its own.
    pub(crate) fn client(&self, over: Over) -> reqwest::Client {
        let root = std::fs::read(self.authority.root()).unwrap();
        let root = reqwest::Certificate::from_pem(&root).unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
        let client = match over {
            Over::Plain | Over::Tls => client.http1_only(),
            Over::PlainHttp2 => client.http2_prior_knowledge(),
            Over::TlsHttp2 => client,
        };
        client.build().unwrap()
    }

    /// Resident memory of the server, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that was resident since [`forget_peak`](Self::forget_peak), in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.memory("VmHWM:")
    }

    #[allow(clippy::disallowed_methods, reason = "no file")]
    pub(crate) fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.modkeep.id()), "5").unwrap();
    }

    fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.modkeep.id())).unwrap();
        let line = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The value of a metric, by its name and labels as they stand in the text.
    pub(crate) async fn metric(&self, client: &reqwest::Client, name: &str) -> f64 {
        let text = client.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no {name} in\n{text}"))
    }
}

/// Gets the whole body of a 200.
pub(crate) async fn get(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, reqwest::Error> {
    let reply = client.get(url).send().await?.error_for_status()?;
    Ok(reply.bytes().await?.to_vec())
}

/// Runs a test's clients.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(test)
}
