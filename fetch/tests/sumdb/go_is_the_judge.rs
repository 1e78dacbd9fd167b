//! What the go command says about a database that lies, and what we say: the same, word for word.

use std::sync::Arc;

use modkeep_conformance::go::Go;
use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{Config, Database, Gosumdb, SumdbError};
use modkeep_harness::checksumdb::{Log, Reply, Server};
use modkeep_harness::go::Client;
use modkeep_harness::place::skip;
use modkeep_harness::upstream::{Module, Tree, Upstream as Modules};
use modkeep_module::sumdb::note::Signer;

use crate::{NAME, chain, empty_store, module};

/// What becomes of replies; the log is of 300 modules, and a fork of it shows up as itself.
type Lie = fn(&str, Reply, &Log) -> Reply;

fn refused(status: u16, text: &str) -> Reply {
    Reply::Refusal(status, text.to_owned())
}

/// Changes the reply to the lookup.
fn text(request: &str, honest: Reply, change: impl Fn(&str) -> String) -> Reply {
    match honest {
        Reply::Content(content) if request.starts_with("lookup/") => {
            Reply::Content(change(std::str::from_utf8(&content).unwrap()).into_bytes())
        }
        honest => honest,
    }
}

/// Changes the tiles whose path begins so.
fn tiles(request: &str, honest: Reply, path: &str) -> Reply {
    match honest {
        Reply::Content(mut content) if request.starts_with(path) => {
            content[20] ^= 1;
            Reply::Content(content)
        }
        honest => honest,
    }
}

const LIES: &[(&str, Lie)] = &[
    ("unknown", |request, honest, _| match request.starts_with("lookup") {
        true => refused(404, "not found: example.com/m7@v1.0.0: no such thing\n"),
        false => honest,
    }),
    ("unknown, at length", |request, honest, _| match request.starts_with("lookup") {
        true => refused(404, "not found\nfirst this\nthen that\n"),
        false => honest,
    }),
    ("gone", |_, _, _| refused(410, "")),
    ("refused", |_, _, _| refused(403, "not for you\n")),
    ("broken", |_, _, _| refused(500, "oops\n")),
    ("no record", |request, honest, _| text(request, honest, |_| "<html></html>\n".to_owned())),
    ("no note", |request, honest, _| {
        text(request, honest, |reply| reply.split_once("\n\n").unwrap().0.to_owned() + "\n\nsorry\n")
    }),
    ("note of a stranger", |request, honest, log| {
        let stranger = Signer::from_seed(NAME, [9; 32]).unwrap();
        let head = log.tree_at(300).sign(&stranger);
        text(request, honest, |reply| format!("{}\n\n{}", reply.split_once("\n\n").unwrap().0, head.note()))
    }),
    ("changed head", |request, honest, _| text(request, honest, |reply| reply.replacen("300", "301", 1))),
    ("no head", |request, honest, _| {
        text(request, honest, |reply| reply.split_once("\n\n").unwrap().0.to_owned() + "\n\n")
    }),
    ("signed, but no head", |request, honest, _| {
        let signer = Signer::from_seed(NAME, [1; 32]).unwrap();
        let note =
            modkeep_module::sumdb::note::Note::unsigned("hello\n".to_owned()).sign(&[&signer]).unwrap();
        text(request, honest, |reply| format!("{}\n\n{note}", reply.split_once("\n\n").unwrap().0))
    }),
    ("another checksum", |request, honest, _| {
        text(request, honest, |reply| reply.replacen("h1:", "h1:A", 1))
    }),
    ("another number", |request, honest, _| text(request, honest, |reply| reply.replacen('7', "8", 1))),
    ("a number beyond", |request, honest, _| text(request, honest, |reply| reply.replacen('7', "300", 1))),
    ("another module", |request, honest, log| match request.starts_with("lookup") {
        true => log.answer("lookup/example.com/m8@v1.0.0"),
        false => honest,
    }),
    ("forged record tile", |request, honest, _| tiles(request, honest, "tile/8/0/000")),
    ("forged edge tile", |request, honest, _| tiles(request, honest, "tile/8/0/001")),
    ("forged upper tile", |request, honest, _| tiles(request, honest, "tile/8/1/000")),
    ("no record tile", |request, honest, _| match request {
        "tile/8/0/000" => refused(404, "no tile\n"),
        _ => honest,
    }),
    ("short tile", |request, honest, _| match (request, honest) {
        ("tile/8/0/000", Reply::Content(content)) => Reply::Content(content[..32].to_vec()),
        (_, honest) => honest,
    }),
];

/// A client machine with the go command, and ourselves, who both ask one database.
struct Sides {
    client: Client,
    _modules: Modules,
    database: Database,
}

impl Sides {
    fn new(go: &Go, server: &Server) -> Self {
        let module = |number: u64| Module::new(&format!("example.com/m{number}"), "v1.0.0");
        let tree = [3, 7]
            .into_iter()
            .fold(Tree::default(), |tree, number| tree.with(module(number).file("a.go", "package a\n")));
        let modules = Modules::start(tree);
        let gosumdb = format!("{} {}", server.log(|log| log.verifier()), server.url());
        let client = Client::new(go, &modules.url()).unwrap().with("GOSUMDB", &gosumdb);
        let database = Database::new(Config {
            database: Gosumdb::parse(&gosumdb).unwrap().unwrap(),
            upstream: Some(Arc::new(chain("off", Private::default()))),
            store: empty_store(),
            now: Arc::new(|| 0),
        });
        Self { client, _modules: modules, database }
    }

    /// Lets both see the head that is shown.
    async fn meet(&self) {
        let said = self.go_says("example.com/m3@v1.0.0");
        assert!(said.contains(BELIEVED), "{said}");
        self.database.lookup(&module(3)).await.unwrap();
    }

    /// What go prints, without its own name before it.
    fn go_says(&self, wanted: &str) -> String {
        let output = self.client.run(self.client.home(), &["mod", "download", wanted]).unwrap();
        assert!(!output.status.success(), "go was content");
        let text = String::from_utf8(output.stderr).unwrap();
        text.strip_prefix("go: ").unwrap_or(&text).trim_end().to_owned()
    }

    async fn we_say(&self) -> String {
        let wanted = module(7);
        match self.database.lookup(&wanted).await {
            Ok(_) => BELIEVED.to_owned(),
            Err(SumdbError::Misbehaving { evidence, .. }) => evidence.to_string(),
            Err(error) => error.verifying(&wanted, "go.mod").trim_end().to_owned(),
        }
    }

    async fn compare(&self, about: &str) {
        let go = self.go_says("example.com/m7@v1.0.0");
        compare(about, &go, &self.we_say().await);
    }
}

/// The checksums in these logs are made up, so go is not content even with what it believes.
const BELIEVED: &str = "checksum mismatch";

fn compare(lie: &str, go: &str, ours: &str) {
    let go = match go.split_once("TileReader returned bad result slice") {
        _ if go.contains(BELIEVED) => BELIEVED.to_owned(),
        // A tile of the wrong length is an error of its own, which speaks of Go's insides.
        Some((before, _)) => format!("{before}downloaded inconsistent tile"),
        None => go.to_owned(),
    };
    assert_eq!(ours, go, "left is ours, right is Go's, about {lie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_called_what_the_go_command_calls_them() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("lies_are_called_what_the_go_command_calls_them", &missing),
    };
    for &(name, lie) in LIES {
        for known in [None, Some(100), Some(300)] {
            let log = Log::of_modules(NAME, 1, 300);
            let server = Server::start(log.clone());
            let sides = Sides::new(&go, &server);
            if known.is_some() {
                server.log(|log| log.show(known));
                sides.meet().await;
                server.log(|log| log.show(None));
            }
            server.tamper(move |request, reply| lie(request, reply, &log));
            sides.compare(&format!("{name}, known {known:?}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forks_are_proved_in_the_words_of_the_go_command() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("forks_are_proved_in_the_words_of_the_go_command", &missing),
    };
    for (common, known, shown) in
        [(8, 100, 300), (100, 300, 600), (200, 300, 300), (256, 300, 1000), (299, 300, 301)]
    {
        let honest = Log::of_modules(NAME, 1, known);
        let mut forked = honest.at(common);
        while forked.size() < shown {
            let path = format!("example.com/other{}", forked.size());
            forked.add(&path, "v1.0.0");
        }
        let server = Server::start(honest);
        let sides = Sides::new(&go, &server);
        sides.meet().await;
        server.log(|log| *log = forked);
        sides.compare(&format!("{common}, {known}, {shown}")).await;
    }
}
