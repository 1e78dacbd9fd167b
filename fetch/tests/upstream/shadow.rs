//! A server that is its own upstream.

use modkeep_fetch::Upstream;
use modkeep_harness::upstream::{Reply, Upstream as Server};

use super::{INFO, LIST, ask, chain, config, tree};

#[tokio::test]
async fn every_request_says_who_sent_it() {
    let server = Server::start(tree());
    ask(&chain(&server.url()), LIST).await;
    assert_eq!(server.log()[0].header("via"), Some("1.1 modkeep-test"));
    assert!(server.log()[0].header("user-agent").unwrap().starts_with("modkeep/"));
}

#[tokio::test]
async fn a_source_that_is_the_own_listener_is_never_asked() {
    let (own, other) = (Server::start(tree()), Server::start(tree()));
    let port = own.address().port();
    let direct = "direct is not supported yet: set an upstream";
    let nobody = "the only upstream is this server itself: set another";
    for (goproxy, listening, expected) in [
        (format!("{},{}", own.url(), other.url()), format!("127.0.0.1:{port}"), "v1.0.0\n"),
        (format!("http://localhost:{port}/base,{}", other.url()), format!("127.0.0.1:{port}"), "v1.0.0\n"),
        (format!("http://127.0.0.1:{port},{}", other.url()), format!("0.0.0.0:{port}"), "v1.0.0\n"),
        (format!("http://0.0.0.0:{port},{}", other.url()), format!("127.0.0.1:{port}"), "v1.0.0\n"),
        (format!("{},direct", own.url()), format!("[::]:{port}"), direct),
        (own.url(), format!("127.0.0.1:{port}"), nobody),
        ("direct".to_owned(), format!("127.0.0.1:{port}"), direct),
    ] {
        let mut config = config(&goproxy);
        config.listening = Some(listening.parse().unwrap());
        assert_eq!(ask(&Upstream::new(config).unwrap(), LIST).await, expected, "{goproxy} {listening}");
    }
    assert_eq!(own.count(""), 0);
}

#[tokio::test]
async fn a_source_that_leads_back_is_dropped_when_it_says_so() {
    let (own, other) = (Server::start(tree()), Server::start(tree()));
    own.reply_all(Reply::new(508).header("Via", "1.1 modkeep-test").text("loop"));
    let chain = chain(&format!("{},{}", own.url(), other.url()));
    assert_eq!(ask(&chain, LIST).await, "v1.0.0\n");
    assert_eq!(ask(&chain, LIST).await, "v1.0.0\n");
    assert_eq!(own.count(""), 1);
}

#[tokio::test]
async fn the_loop_of_somebody_else_is_an_error_like_any_other() {
    let server = Server::start(tree());
    server.reply_all(Reply::new(508).header("Via", "1.1 modkeep-other").text("loop"));
    let said = ask(&chain(&format!("{},direct", server.url())), INFO).await;
    assert_eq!(said, format!("reading http://HOST{INFO}: 508: loop"));
}
