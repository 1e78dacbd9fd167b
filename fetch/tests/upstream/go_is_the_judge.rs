//! Who is asked after whom, and whose failure is reported: the same as the go command, row by row.

use modkeep_conformance::go::Go;
use modkeep_harness::go::Client;
use modkeep_harness::upstream::{Reply, Upstream as Server, refusing_address};
use modkeep_module::resource::Resource;

use super::{INFO, config, resource, stubborn, tree};

/// What the first of two sources does with every request.
const FIRST: [&str; 24] = [
    "200",
    "203",
    "204",
    "206",
    "304",
    "400",
    "401",
    "403",
    "404",
    "410",
    "418",
    "429",
    "451",
    "500",
    "502",
    "503",
    "closed",
    "cut",
    "loop",
    "refused",
    "html 404",
    "html 200",
    "other version",
    "empty",
];
const SECOND: [&str; 3] = ["200", "404", "403"];

/// What can be seen of a run: how often the first was asked for the `.info`, whether the second was asked at all,
/// and the source and status in the error.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    asked_first: usize,
    asked_second: bool,
    failure: Option<(Option<usize>, Option<u16>)>,
}

struct Pair {
    first: Option<Server>,
    second: Server,
    ports: [u16; 2],
}

impl Pair {
    fn new(first: &str, second: &str) -> Self {
        let (first, port) = match first {
            "refused" => (None, refusing_address().port()),
            _ => {
                let server = behaving(first);
                let port = server.address().port();
                (Some(server), port)
            }
        };
        let second = behaving(second);
        Self { first, ports: [port, second.address().port()], second }
    }

    fn goproxy(&self, separator: &str) -> String {
        let [first, second] = self.ports;
        format!("http://127.0.0.1:{first}{separator}http://127.0.0.1:{second}")
    }

    fn forget(&self) {
        self.second.forget();
        if let Some(first) = &self.first {
            first.forget();
        }
    }

    /// Reads what was seen from the text of the error, empty for success.
    fn seen(&self, error: &str) -> Seen {
        let failure = (!error.is_empty()).then(|| {
            let source = |port: &u16| {
                error.contains(&format!("127.0.0.1:{port}/"))
                    || error.contains(&format!("127.0.0.1:{port}\\\""))
            };
            let source = self.ports.iter().position(source);
            let status = error
                .split(": ")
                .find_map(|part| part.trim_start_matches("unexpected status ").get(..3)?.parse().ok());
            (source, status)
        });
        // After a success go asks for the other files too.
        let asked_first = self.first.as_ref().filter(|_| failure.is_some());
        let asked_first = asked_first.map_or(0, |first| first.count(".info") + first.count("/again"));
        Seen { asked_first, asked_second: self.second.count("") > 0, failure }
    }
}

fn behaving(how: &str) -> Server {
    let server = Server::start(tree());
    match how {
        "200" => {}
        "closed" => server.change_all(Reply::closed),
        "cut" => server.change_all(|reply| reply.cut_after(5)),
        "loop" => server.reply_all(Reply::redirect(&format!("{}/again", server.url()))),
        "html 200" => server.reply(INFO, Reply::new(200).html("<h1>welcome</h1>")),
        "other version" => {
            server.reply(INFO, Reply::new(200).body(r#"{"Version":"v1.0.1","Time":"2024-03-02T01:02:03Z"}"#))
        }
        "empty" => server.reply(INFO, Reply::new(200)),
        "html 404" => server.reply_all(Reply::new(404).html("<h1>no</h1>")),
        status => server.reply_all(Reply::new(status.parse().unwrap()).text("because")),
    }
    server
}

/// The text of go's error, empty for success.
fn error_of_go(go: &Go, goproxy: &str) -> String {
    let client = Client::new(go, goproxy).unwrap().with("GOSUMDB", "off");
    let output = client.run(client.home(), &["mod", "download", "-json", "example.com/m@v1.0.0"]).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.lines().find_map(|line| line.trim().strip_prefix("\"Error\": "));
    match line {
        Some(error) => error.to_owned(),
        None => {
            assert!(output.status.success(), "go: {said} {}", String::from_utf8_lossy(&output.stderr));
            String::new()
        }
    }
}

#[tokio::test]
async fn order_and_reported_failure_are_those_of_the_go_command() {
    let go = Go::specification().unwrap();
    let mut differences = Vec::new();
    for first in FIRST {
        for second in SECOND {
            let pair = Pair::new(first, second);
            for separator in [",", "|"] {
                let goproxy = pair.goproxy(separator);
                let theirs = pair.seen(&error_of_go(&go, &goproxy));
                pair.forget();
                let ours = match stubborn(config(&goproxy)).fetch(&resource(INFO)).await {
                    Ok(_) => String::new(),
                    Err(error) => error.chain(),
                };
                let mut seen = pair.seen(&ours);
                pair.forget();
                // Some of go's texts name no source, or no status.
                if let (Some((source, status)), Some(theirs)) = (&mut seen.failure, &theirs.failure) {
                    *source = source.filter(|_| theirs.0.is_some());
                    *status = status.filter(|_| theirs.1.is_some());
                }
                if seen != theirs {
                    differences
                        .push(format!("{first}{separator}{second}: go {theirs:?}, we {seen:?}: {ours}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test]
async fn the_paths_on_the_wire_are_those_of_the_go_command() {
    let go = Go::specification().unwrap();
    let server = Server::start(modkeep_harness::upstream::Tree::default());
    let mut differences = Vec::new();
    for base in ["", "/", "/goproxy", "/goproxy/", "//a//b/", "/a%2Fb", "/a%20b", "/a+b!c", "/with?token=t"] {
        for (query, path) in [
            ("github.com/Azure/Sdk@v1.0.0", "/github.com/!azure/!sdk/@v/v1.0.0.info"),
            ("example.com/m@v2.0.0+incompatible", "/example.com/m/@v/v2.0.0+incompatible.info"),
            ("example.com/m@v1.0.0-RC.1", "/example.com/m/@v/v1.0.0-!r!c.1.info"),
            ("example.com/a~b@master", "/example.com/a~b/@v/master.info"),
        ] {
            let goproxy = format!("{}{base}", server.url());
            let client = Client::new(&go, &goproxy).unwrap().with("GOSUMDB", "off");
            client.run(client.home(), &["mod", "download", query]).unwrap();
            let theirs = server.paths();
            server.forget();
            let ours = match Resource::parse(path) {
                Ok(resource) => {
                    stubborn(config(&goproxy)).fetch(&resource).await.unwrap_err();
                    server.paths()
                }
                Err(error) => vec![error.to_string()],
            };
            server.forget();
            if ours.first() != theirs.first() {
                differences.push(format!("{base} {query}: go {theirs:?}, we {ours:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
