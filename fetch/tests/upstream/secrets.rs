//! Canaries in every slot for credentials: they reach the server they are meant for, and nothing else.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use modkeep_fetch::environment::{Environment, GoSettings};
use modkeep_fetch::goproxy::GoProxy;
use modkeep_fetch::netrc::Netrc;
use modkeep_fetch::{Forward, Secret, Upstream};
use modkeep_harness::upstream::{Reply, Upstream as Server};

use super::{INFO, LIST, ZIP, ask, config, tree};

/// Every log line of every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The log of the whole program: a subscriber of one thread can be unheard, because another thread may be the first
    /// to pass a line and finds nobody who wants it.
    fn of_all_tests() -> &'static Self {
        static LOG: LazyLock<Log> = LazyLock::new(|| {
            let log = Log::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(move || writer.clone())
                .with_ansi(false)
                .finish();
            tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
            log
        });
        &LOG
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// `canary:canary` in base64, and the two words.
const TRACES: [&str; 3] = ["canary", "Y2FuYXJ5", "CANARY"];

fn assert_silent(text: &str) {
    for trace in TRACES {
        assert!(!text.contains(trace), "`{trace}` in: {text}");
    }
}

fn with_userinfo(url: &str) -> String {
    url.replace("://", "://canary-user:canary-password@") + "/base?token=canary-query"
}

#[tokio::test]
async fn credentials_reach_their_server_and_no_text() {
    let log = Log::of_all_tests();
    let server = Server::start(tree());
    let mut printed = String::new();
    let faults: [fn(Reply) -> Reply; 11] = [
        |_| Reply::new(404).text("no"),
        |_| Reply::new(403),
        |_| Reply::new(503),
        |_| Reply::new(206),
        |_| Reply::redirect("/again"),
        |_| Reply::redirect("ftp://elsewhere/"),
        Reply::closed,
        Reply::stalled,
        |reply| reply.body("x").cut_after(0),
        |reply| reply.body("x").stalled_after(0),
        |reply| reply.zeros(u64::MAX - 1),
    ];
    for fault in faults {
        server.change_all(fault);
        let mut config = config(&with_userinfo(&server.url()));
        config.manners.patience.busy_answers = 1;
        config.manners.netrc = Netrc::parse("machine other.example login canary password canary");
        let chain = Upstream::new(config).unwrap();
        for path in [INFO, ZIP] {
            let error = chain.fetch(&super::resource(path)).await.map(drop);
            printed += &format!("{error:?} {chain:?} {}\n", ask(&chain, path).await);
        }
    }
    let first = &server.log()[0];
    assert_eq!(first.header("authorization"), Some("Basic Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3N3b3Jk"));
    assert!(first.path.ends_with("?token=canary-query"));
    assert!(!printed.is_empty() && log.text().contains("upstream is silent"), "{}", log.text());
    assert_silent(&printed);
    assert_silent(&log.text());
}

#[tokio::test]
async fn netrc_credentials_reach_their_machine_only() {
    let (known, unknown) = (Server::start(tree()), Server::start(tree()));
    let netrc = format!("machine {} login canary password canary", known.address());
    let mut config = config(&format!("{},{}", known.url(), unknown.url()));
    config.manners.netrc = Netrc::parse(&netrc);
    let chain = Upstream::new(config).unwrap();
    known.reply(LIST, Reply::new(404));
    ask(&chain, LIST).await;
    assert_eq!(known.log()[0].header("authorization"), Some("Basic Y2FuYXJ5OmNhbmFyeQ=="));
    assert_eq!(unknown.log()[0].header("authorization"), None);
    assert_silent(&format!("{chain:?}"));
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_origin() {
    let (first, second) = (Server::start(tree()), Server::start(tree()));
    first.reply("/base/example.com/m/@v/list", Reply::redirect(&format!("{}{LIST}", second.url())));
    let chain = Upstream::new(config(&with_userinfo(&first.url()))).unwrap();
    assert_eq!(ask(&chain, LIST).await, "v1.0.0\n");
    let asked = &second.log()[0];
    assert_silent(&format!("{asked:?}"));
    assert_eq!(asked.header("authorization"), None);
    assert_eq!(asked.header("referer"), None);
}

#[test]
fn refused_settings_are_shown_without_their_secrets() {
    for goproxy in [
        "http://canary:canary@a.example",
        "https://canary:canary@a.example:port/?canary",
        "https://canary@[::1",
        "ftp://canary:canary@a.example?canary",
        "file://canary:canary@a.example/x?canary",
        "https:/canary:canary@a.example",
        "https://canary:can/ary@a.example:x",
    ] {
        let error = GoProxy::parse(goproxy).unwrap_err();
        assert_silent(&format!("{error} {error:?}"));
    }
    let mut config = config("https://a.example");
    config.manners.forward =
        Forward { https: Some(Secret::new("socks5://canary:canary@h:1")), ..Forward::default() };
    assert_silent(&format!("{config:?}"));
    if let Err(error) = Upstream::new(config) {
        assert_silent(&format!(
            "{error} {error:?} {:?}",
            std::error::Error::source(&error).map(ToString::to_string)
        ));
    }
}

#[test]
fn the_environment_is_printed_without_values() {
    let environment = Environment::given([
        ("GOPROXY", "https://canary:canary@a.example"),
        ("HTTPS_PROXY", "http://canary:canary@p.example"),
        ("GOENV", "off"),
        ("GOSUMDB", "off"),
    ]);
    assert_silent(&format!("{environment:?} {:?}", environment.forward()));
    assert_silent(&format!("{:?}", GoSettings::find(&environment)));
}
