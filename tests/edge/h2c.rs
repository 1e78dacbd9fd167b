//! HTTP/2, with prior knowledge and over TLS: the same answers as over HTTP/1.1.

use std::time::Duration;

use crate::server::{BIG, GO_MOD, Over, SMALL, Server, get, run};

#[test]
fn every_protocol_gives_the_same_files() {
    for is_tls in [false, true] {
        let server = Server::start(is_tls, &["--base-path", "/go"]);
        let scheme = if is_tls { "https://127.0.0.1:" } else { "http://127.0.0.1:" };
        assert!(server.modkeep.url().starts_with(scheme), "{}", server.modkeep.url());
        assert!(server.modkeep.url().ends_with("/go"), "{}", server.modkeep.url());
        for over in Over::ALL.into_iter().filter(|over| over.is_tls() == is_tls) {
            run(check(&server, over));
        }
    }
}

async fn check(server: &Server, over: Over) {
    let client = server.client(over);
    let reply = client.get(server.url(SMALL)).send().await.unwrap();
    let is_http2 = reply.version() == reqwest::Version::HTTP_2;
    assert_eq!(is_http2, matches!(over, Over::PlainHttp2 | Over::TlsHttp2), "{over:?}");
    assert_eq!(reply.bytes().await.unwrap(), GO_MOD, "{over:?}");
    assert!(get(&client, &server.url(BIG)).await.unwrap() == server.big, "{over:?}");
    let part = client.get(server.url(BIG)).header("range", "bytes=70000-300000").send().await.unwrap();
    assert_eq!(part.status(), 206, "{over:?}");
    assert!(part.bytes().await.unwrap() == server.big[70_000..=300_000], "{over:?}");
    let head = client.head(server.url(BIG)).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], server.big.len().to_string().as_str(), "{over:?}");
    let absent = client.get(server.url("/example.com/absent/@v/list")).send().await.unwrap();
    assert_eq!(absent.status(), 404, "{over:?}");
    let posted = client.post(server.url(SMALL)).body("x").send().await.unwrap();
    assert_eq!(posted.status(), 405, "{over:?}");
}

#[test]
fn forty_replies_share_a_connection_of_http2_and_a_slow_one_holds_up_no_other() {
    let server = Server::start(true, &[]);
    run(async {
        let client = server.client(Over::TlsHttp2);
        let mut slow = client.get(server.url(BIG)).send().await.unwrap();
        let mut begun = slow.chunk().await.unwrap().unwrap().to_vec();
        let all = (0..40).map(|_| {
            let (client, url) = (client.clone(), server.url(SMALL));
            tokio::spawn(async move { get(&client, &url).await })
        });
        for one in all.collect::<Vec<_>>() {
            let body = tokio::time::timeout(Duration::from_secs(60), one).await.unwrap().unwrap().unwrap();
            assert_eq!(body, GO_MOD);
        }
        while let Some(chunk) = slow.chunk().await.unwrap() {
            begun.extend_from_slice(&chunk);
        }
        assert!(begun == server.big);
        assert_eq!(server.metric(&client, "modkeep_connections").await, 1.0);
    });
}

#[test]
fn a_long_body_that_is_asked_for_is_read_over_every_protocol() {
    for is_tls in [false, true] {
        let server = Server::start(is_tls, &[]);
        for over in Over::ALL.into_iter().filter(|over| over.is_tls() == is_tls) {
            let (status, text) = run(async {
                let padding = "// nothing\n".repeat(270_000);
                let go_mod = format!("{padding}module m\n\ngo 1.21\n\nrequire example.com/small v1.0.0\n");
                let request = serde_json::json!({ "go_mod": go_mod }).to_string();
                assert!(request.len() > 3 << 20, "{}", request.len());
                let client = server.client(over);
                let reply = client.post(server.url("/api/v1/resolve")).body(request).send().await.unwrap();
                (reply.status().as_u16(), reply.text().await.unwrap())
            });
            assert_eq!(status, 200, "{over:?}: {text}");
            assert!(text.contains(r#""edges":[["m","example.com/small@v1.0.0"]"#), "{over:?}: {text}");
        }
    }
}
