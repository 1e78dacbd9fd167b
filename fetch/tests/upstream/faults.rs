//! Every way in which an answer can go wrong, and what it is called.

use std::time::Duration;

use futures_util::StreamExt;
use modkeep_fetch::{FetchError, Retry, Upstream};
use modkeep_harness::upstream::{Gate, Raw, Reply, Upstream as Server, refusing_address};

use super::{INFO, LIST, MOD, ZIP, ask, chain, config, resource, stubborn, tree};

const INFO_TEXT: &str = r#"{"Version":"v1.0.0","Time":"2024-03-02T01:02:03Z"}"#;

async fn check(path: &str, reply: impl Fn(Reply) -> Reply + Send + Sync + 'static, expected: &str) {
    let server = Server::start(tree());
    server.change(path, reply);
    assert_eq!(ask(&chain(&server.url()), path).await, expected);
}

#[tokio::test]
async fn content_arrives_as_it_was_sent() {
    check(INFO, |reply| reply, INFO_TEXT).await;
    check(MOD, |reply| reply, "module example.com/m\n\ngo 1.21\n").await;
    check(LIST, |reply| reply, "v1.0.0\n").await;
    check(LIST, |reply| reply.body(""), "").await;
    check(MOD, |reply| reply.chunked(), "module example.com/m\n\ngo 1.21\n").await;
    check(MOD, |reply| reply.html("<h1>verbatim</h1>"), "<h1>verbatim</h1>").await;
}

#[tokio::test]
async fn errors_keep_the_text_that_was_meant_for_the_user() {
    let info = "reading http://HOST/example.com/m/@v/v1.0.0.info: ";
    for (status, text, expected) in [
        (404, "not found: no such version", "404: not found: no such version"),
        (410, "gone", "410: gone"),
        (403, "This module version is not available.", "403: This module version is not available."),
        (451, "", "451"),
        (500, "a\nb\n\nc", "500: a\nb"),
        (503, "\u{1b}[2J", "503"),
    ] {
        check(INFO, move |_| Reply::new(status).text(text), &format!("{info}{expected}")).await;
    }
    check(INFO, |_| Reply::new(404).html("<h1>no</h1>"), &format!("{info}404")).await;
    check(INFO, |_| Reply::new(404).text("endless").zeros(1 << 40), &format!("{info}404")).await;
    check(INFO, |_| Reply::new(403).text("cut off").stalled_after(3), &format!("{info}403")).await;
    check(
        INFO,
        |_| Reply::new(206).text("part"),
        "reading http://HOST/example.com/m/@v/v1.0.0.info: unexpected status 206",
    )
    .await;
}

#[tokio::test]
async fn too_large_bodies_end_at_their_limit() {
    let mib = 1 << 20;
    for (path, limit) in [(INFO, mib), (MOD, 16 * mib), (LIST, 16 * mib), (ZIP, 500 * mib)] {
        let expected = format!("reading http://HOST{path}: larger than {limit} bytes");
        check(path, move |reply| reply.zeros(limit + 1), &expected).await;
    }
    for (path, limit) in [(INFO, mib), (MOD, 16 * mib)] {
        let expected = format!("reading http://HOST{path}: larger than {limit} bytes");
        check(path, |reply| reply.zeros(1 << 40).chunked(), &expected).await;
    }
    check(MOD, |reply| reply.zeros(16 << 20).chunked(), "16777216 bytes").await;
}

#[tokio::test]
async fn bodies_that_break_off_or_stall_are_broken() {
    let cut = |path: &str| format!("reading http://HOST{path}: body cut off: ");
    for path in [INFO, ZIP] {
        let server = Server::start(tree());
        for change in [|reply: Reply| reply.cut_after(10), |reply: Reply| reply.announcing(1000)] {
            server.change(path, change);
            let said = ask(&chain(&server.url()), path).await;
            assert!(said.starts_with(&cut(path)), "{said}");
        }
        check(
            path,
            |reply| reply.stalled_after(10),
            &format!("reading http://HOST{path}: body stalled for 400ms"),
        )
        .await;
    }
}

#[tokio::test]
async fn a_body_that_only_drips_has_an_end() {
    let drip = |reply: Reply| reply.zeros(10_000).dripping(Duration::from_millis(20));
    check(LIST, drip, &format!("reading http://HOST{LIST}: body not complete after 1.6s")).await;
}

#[tokio::test]
async fn an_info_that_says_nothing_is_broken() {
    let info = "reading http://HOST/example.com/m/@v/v1.0.0.info: unusable: ";
    for (body, expected) in [
        ("", "invalid .info document: EOF while parsing a value at line 1 column 0"),
        ("<h1>welcome</h1>", "invalid .info document: expected value at line 1 column 1"),
        ("{}", "invalid .info document: no Version"),
        (r#"{"Version":"v1.0.1"}"#, "proxy returned info for version v1.0.1 instead of requested version"),
    ] {
        check(INFO, move |reply| reply.body(body), &format!("{info}{expected}")).await;
    }
}

#[tokio::test]
async fn no_answer_is_unreachable() {
    let dead = format!("http://{}", refusing_address());
    let said = ask(&chain(&dead), INFO).await;
    assert!(said.starts_with("reading http://HOST/example.com/m/@v/v1.0.0.info: no connection: "), "{said}");
    assert!(said.to_lowercase().contains("connection refused"), "{said}");

    let raw = Raw::start(b"SSH-2.0-OpenSSH_9.7\r\n");
    let said = ask(&chain(&raw.url()), INFO).await;
    assert!(said.contains("no connection: "), "{said}");

    check(
        INFO,
        |reply| reply.stalled(),
        "reading http://HOST/example.com/m/@v/v1.0.0.info: no answer within 400ms",
    )
    .await;
}

#[tokio::test]
async fn a_zip_is_handed_on_while_it_arrives() {
    let server = Server::start(tree());
    let gate = Gate::default();
    let held = gate.clone();
    server.change(ZIP, move |reply| reply.zeros(100_000).held_after(70_000, &held));
    let chain = chain(&server.url());
    let answer = chain.fetch(&resource(ZIP)).await.unwrap();
    assert_eq!(answer.length, Some(100_000));
    let mut body = answer.body;
    let mut received = 0;
    while received < 70_000 {
        received += body.next().await.unwrap().unwrap().len();
    }
    gate.open();
    while let Some(chunk) = body.next().await {
        received += chunk.unwrap().len();
    }
    assert_eq!(received, 100_000);
}

/// Three attempts without a pause worth mentioning.
fn patient(server: &Server) -> Upstream {
    let mut config = config(&server.url());
    config.manners.retry = Retry {
        attempts: 3,
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(900),
    };
    stubborn(config)
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_nothing_else() {
    for (path, times, reply, requests, expected) in [
        (INFO, 2, Reply::new(503).text("later"), 3, INFO_TEXT),
        (INFO, 3, Reply::new(503).text("later"), 3, "503: later"),
        (INFO, 2, Reply::new(429).header("Retry-After", "0"), 3, INFO_TEXT),
        (INFO, 2, Reply::new(429).header("Retry-After", "1").text("slow down"), 1, "429: slow down"),
        (INFO, 2, Reply::new(502), 3, INFO_TEXT),
        (INFO, 2, Reply::new(504), 3, INFO_TEXT),
        (INFO, 2, Reply::new(200).body("{}").announcing(3), 3, INFO_TEXT),
        (INFO, 2, Reply::new(200).closed(), 3, INFO_TEXT),
        (ZIP, 2, Reply::new(200).body("PK").cut_after(0), 3, "322 bytes"),
        (INFO, 1, Reply::new(500), 1, "500"),
        (INFO, 1, Reply::new(404), 1, "404"),
        (INFO, 1, Reply::new(403), 1, "403"),
        (INFO, 1, Reply::new(206), 1, "unexpected status 206"),
        (INFO, 1, Reply::new(200).stalled(), 1, "no answer within 400ms"),
    ] {
        let server = Server::start(tree());
        server.reply_times(path, times, reply.clone());
        let said = ask(&patient(&server), path).await;
        assert!(said.ends_with(expected), "{reply:?}: {said}");
        assert_eq!(server.count(""), requests, "{reply:?}");
    }
}

#[tokio::test]
async fn retry_after_reaches_the_caller_when_it_is_too_long_to_wait() {
    let server = Server::start(tree());
    server.reply(INFO, Reply::new(503).header("Retry-After", "90"));
    let error = patient(&server).fetch(&resource(INFO)).await.unwrap_err();
    let FetchError::Busy { status: 503, retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn requests_are_counted_by_kind() {
    let server = Server::start(tree());
    server.reply_times(INFO, 1, Reply::new(503));
    let chain = patient(&server);
    for path in [INFO, MOD, MOD, LIST] {
        ask(&chain, path).await;
    }
    let counted: Vec<_> = chain.requests().snapshot().into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counted, [("list", 1), ("info", 2), ("mod", 2)]);
    assert_eq!(chain.requests().total(), 5);
}
