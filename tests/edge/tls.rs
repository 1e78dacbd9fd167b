//! TLS: the real go command with a private root, and certificates that are replaced while clients are served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use modkeep_conformance::go::Go;
use modkeep_harness::go::Client;
use modkeep_harness::modkeep::Modkeep;
use modkeep_harness::place::skip;
use rustix::process::Signal;

use crate::server::{BIG, Over, SMALL, Server, get, run};

const CLIENTS: usize = 50;
/// How often the certificate is replaced meanwhile.
const RENEWALS: usize = 4;

#[test]
fn stock_go_downloads_over_https_from_a_private_root() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("go over https", &missing),
    };
    for flags in [&[][..], &["--base-path", "/go/mod"]] {
        let server = Server::start(true, flags);
        let root = server.authority.root();
        let client = Client::new(&go, server.modkeep.url()).unwrap().with("GOSUMDB", "off");
        let client = client.with("SSL_CERT_FILE", root.to_str().unwrap());
        for module in ["example.com/small@v1.0.0", "example.com/big@latest"] {
            let output = client.run(client.home(), &["mod", "download", "-json", module]).unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        let stranger = Client::new(&go, server.modkeep.url()).unwrap().with("GOSUMDB", "off");
        let output = stranger.run(stranger.home(), &["mod", "download", "example.com/small@v1.0.0"]).unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("certificate signed by unknown authority"), "{said}");
    }
}

#[test]
fn a_certificate_replaced_while_fifty_clients_download_fails_nobody() {
    let server = Server::start(true, &[]);
    run(async {
        let watcher = server.client(Over::TlsHttp2);
        let over = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..CLIENTS).map(|number| downloads(&server, number, &over, &done)).collect();
        for renewal in 1..=RENEWALS {
            // So that each certificate serves somebody.
            wait_until(async || done.load(Ordering::Relaxed) >= renewal * CLIENTS).await;
            server.authority.install(&server.authority.sign());
            server.modkeep.signal(Signal::HUP);
            let taken = "modkeep_tls_reloads_total{result=\"taken\"}";
            wait_until(async || server.metric(&watcher, taken).await >= renewal as f64).await;
        }
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.await.unwrap().unwrap();
        }
    });
    let (status, log) = server.modkeep.stop();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// One client that downloads until it is over: half of them on a new connection each time.
fn downloads(
    server: &Server,
    number: usize,
    over: &Arc<AtomicBool>,
    done: &Arc<AtomicUsize>,
) -> tokio::task::JoinHandle<Result<(), reqwest::Error>> {
    let (over, done) = (Arc::clone(over), Arc::clone(done));
    let protocol = if number.is_multiple_of(2) { Over::Tls } else { Over::TlsHttp2 };
    let keeps = number.is_multiple_of(4);
    let path = if number.is_multiple_of(5) { BIG } else { SMALL };
    let (url, length) = (server.url(path), if path == BIG { Some(server.big.len()) } else { None });
    let mut client = server.client(protocol);
    let root = std::fs::read(server.authority.root()).unwrap();
    tokio::spawn(async move {
        while !over.load(Ordering::Relaxed) {
            let body = get(&client, &url).await?;
            assert!(length.is_none_or(|length| length == body.len()));
            done.fetch_add(1, Ordering::Relaxed);
            if !keeps {
                let root = reqwest::Certificate::from_pem(&root)?;
                client = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build()?;
            }
        }
        Ok(())
    })
}

/// Waits until a claim holds; the time is far longer than that takes.
async fn wait_until(claim: impl AsyncFn() -> bool) {
    let patience = tokio::time::Instant::now() + Duration::from_secs(120);
    while !claim().await {
        assert!(tokio::time::Instant::now() < patience, "it never came true");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_key_that_does_not_fit_changes_nothing_until_its_certificate_is_there() {
    let server = Server::start(true, &[]);
    run(async {
        let client = server.client(Over::Tls);
        let [taken, refused] =
            ["taken", "refused"].map(|how| format!("modkeep_tls_reloads_total{{result=\"{how}\"}}"));
        let (first, second) = (server.authority.sign(), server.authority.sign());
        let mixed = modkeep_harness::authority::Signed { key: second.key.clone(), ..first };
        server.authority.install(&mixed);
        // Nobody is told: the files are looked at.
        wait_until(async || server.metric(&client, &refused).await >= 1.0).await;
        get(&server.client(Over::Tls), &server.url(SMALL)).await.unwrap();
        assert_eq!(server.metric(&client, &taken).await, 0.0);
        server.authority.install(&second);
        wait_until(async || server.metric(&client, &taken).await >= 1.0).await;
        get(&server.client(Over::Tls), &server.url(SMALL)).await.unwrap();
        let expiry = server.metric(&client, "modkeep_tls_certificate_expiry_timestamp_seconds").await;
        assert!(expiry > 1_700_000_000.0, "{expiry}");
    });
}

#[test]
fn a_certificate_without_its_key_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let check = |flags: &[&str], expected: &str| {
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_modkeep"));
        let mut command = Modkeep::command(program, home.path());
        command.args(["serve", "--listen", "127.0.0.1:0", "--offline"]).args(flags);
        let output = Modkeep::output(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{flags:?}: {said}");
    };
    check(&["--tls-cert", "a.pem"], "--tls-cert: needs --tls-key as well");
    check(&["--tls-key", "a.key"], "--tls-key: needs --tls-cert as well");
    check(&["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"], "reading `/nowhere.pem`");
    check(
        &["--tls-cert", "/dev/null", "--tls-key", "/dev/null"],
        "`/dev/null` holds no certificate in PEM form",
    );
    check(&["--trusted-proxies", "localhost"], "`localhost` is not an address or a network");
    check(&["--max-connections", "0"], "`0` is not a number above 0");
}
