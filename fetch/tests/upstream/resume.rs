//! Zips that are cut off after their first bytes were handed on.

use std::time::Duration;

use modkeep_fetch::kind::Kind;
use modkeep_fetch::{Retry, Upstream};
use modkeep_harness::upstream::{Reply, Upstream as Server};

use super::{ZIP, ask, config, resource, stubborn, tree};

/// 300 000 bytes, each place another.
fn content() -> Vec<u8> {
    (0_u32..75_000).flat_map(u32::to_le_bytes).collect()
}

fn whole() -> Reply {
    Reply::new(200).body(content()).in_parts("\"one\"")
}

fn patient(server: &Server) -> Upstream {
    let mut config = config(&server.url());
    config.manners.retry = Retry { attempts: 3, first_pause: Duration::from_millis(2), ..Retry::default() };
    stubborn(config)
}

async fn get(upstream: &Upstream) -> Result<Vec<u8>, String> {
    let answer = upstream.fetch(&resource(ZIP)).await.map_err(|error| error.chain())?;
    answer.bytes().await.map(|bytes| bytes.to_vec()).map_err(|error| error.chain())
}

#[tokio::test]
async fn the_rest_is_asked_for_and_the_reader_sees_one_body() {
    let server = Server::start(tree());
    server.reply_times(ZIP, 1, whole().cut_after(100_000));
    server.reply_times(ZIP, 1, whole().cut_after(50_000));
    server.reply_times(ZIP, 1, whole());
    let upstream = patient(&server);
    assert!(get(&upstream).await.unwrap() == content());
    let asked: Vec<_> =
        server.log().iter().map(|request| request.header("range").map(str::to_owned)).collect();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0], None);
    assert!(
        asked[1..].iter().flatten().all(|range| range.starts_with("bytes=") && range.ends_with('-')),
        "{asked:?}"
    );
    assert_eq!(upstream.requests().of(Kind::Zip), 3);
}

#[tokio::test]
async fn a_body_that_keeps_breaking_off_is_given_up() {
    let server = Server::start(tree());
    server.reply(ZIP, whole().cut_after(50_000));
    let said = get(&patient(&server)).await.unwrap_err();
    assert!(said.contains("body cut off"), "{said}");
    assert_eq!(server.count(""), 3);
}

#[tokio::test]
async fn only_the_rest_of_the_same_is_taken() {
    for (name, requests, first, second) in [
        ("no promise", 1, Reply::new(200).body(content()), whole()),
        ("a weak one", 1, Reply::new(200).body(content()).header("ETag", "W/\"one\""), whole()),
        ("another content", 2, whole(), Reply::new(200).body(content()).in_parts("\"two\"")),
        ("the whole again", 2, whole(), Reply::new(200).body(content()).header("ETag", "\"one\"")),
        ("gone", 2, whole(), Reply::new(404)),
        ("another part", 2, whole(), Reply::new(206).body("x").header("Content-Range", "bytes 7-7/300000")),
    ] {
        let server = Server::start(tree());
        server.reply_times(ZIP, 1, first.cut_after(100_000));
        server.reply_times(ZIP, 9, second);
        let said = get(&patient(&server)).await.unwrap_err();
        assert!(said.contains("body cut off"), "{name}: {said}");
        assert_eq!(server.count(""), requests, "{name}");
    }
}

#[tokio::test]
async fn a_text_is_asked_for_again_from_its_beginning() {
    let server = Server::start(tree());
    server.reply_times(super::MOD, 1, whole().cut_after(100_000));
    assert_eq!(ask(&patient(&server), super::MOD).await, "module example.com/m\n\ngo 1.21\n");
    assert!(server.log().iter().all(|request| request.header("range").is_none()));
}
