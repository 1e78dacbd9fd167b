//! h2spec, a checker of servers of HTTP/2: every one of its cases, over TLS and with prior knowledge.

use std::process::Command;

use modkeep_harness::go::install;
use modkeep_harness::http;
use modkeep_harness::place::{skip, tell};

use crate::server::{SMALL, Server};

/// The checker at the last release that has no module file, so that any go command can build it.
const PROGRAM: &str = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";
/// How long the checker waits for an answer, in seconds; far longer than it takes.
const PATIENCE: &str = "30";
/// Cases that fail with prior knowledge only: what does not begin as HTTP/2 does is HTTP/1.1 on that port, and is answered so.
const SPEAKS_HTTP1: &[&str] = &["2: Sends invalid connection preface"];

#[test]
fn every_case_of_h2spec_passes() {
    let program = match install(PROGRAM) {
        Ok(program) => program,
        Err(missing) => return skip("every_case_of_h2spec_passes", &missing),
    };
    for (is_tls, explained) in [(true, &[][..]), (false, SPEAKS_HTTP1)] {
        let server = Server::start(is_tls, &[]);
        let url = server.modkeep.url().replace("https://", "http://");
        let (address, _) = http::split(&url);
        let mut check = Command::new(&program);
        check.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
        check.args(["-P", SMALL, "-o", PATIENCE]);
        if is_tls {
            check.args(["-t", "-k"]);
        }
        let output = check.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let summary = said.lines().rfind(|line| line.contains(" tests, ")).unwrap_or_default();
        tell(&format!("h2spec, {}: {summary}", if is_tls { "TLS" } else { "prior knowledge" }));
        let cases = summary.split(' ').next().and_then(|cases| cases.parse::<usize>().ok());
        assert!(cases.is_some_and(|cases| cases > 140), "{said}");
        let (_, failures) = said.split_once("Failures:").unwrap_or_default();
        let failed: Vec<_> = failures.lines().filter_map(|line| line.trim().strip_prefix("× ")).collect();
        assert_eq!(failed, explained, "{said}");
    }
}
