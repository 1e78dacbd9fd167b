//! TLS, HTTP/2, redirects and forward proxies.

use modkeep_fetch::{Config, Forward, Secret, Upstream};
use modkeep_harness::upstream::{Reply, Upstream as Server};

use super::{INFO, LIST, MOD, ZIP, ask, chain, config, tree, without_ports};

fn trusting(server: &Server, goproxy: &str) -> Config {
    let mut config = config(goproxy);
    config.manners.authorities = server.authority().unwrap().as_bytes().to_vec();
    config
}

#[tokio::test]
async fn over_tls_http_2_is_spoken_to_those_who_are_trusted() {
    let server = Server::start_tls(tree());
    let said = ask(&chain(&server.url()), LIST).await;
    assert!(said.contains("no connection") && said.contains("certificate"), "{said}");

    let chain = Upstream::new(trusting(&server, &server.url())).unwrap();
    assert_eq!(ask(&chain, LIST).await, "v1.0.0\n");
    assert!(ask(&chain, ZIP).await.ends_with("bytes"));
    assert_eq!(server.log()[0].protocol, "HTTP/2.0");
}

#[tokio::test]
async fn faults_over_http_2_are_the_same_faults() {
    let server = Server::start_tls(tree());
    let upstream = Upstream::new(trusting(&server, &server.url())).unwrap();
    server.change(INFO, |reply| reply.cut_after(10));
    assert!(ask(&upstream, INFO).await.contains("body cut off"));
    server.change(MOD, |reply| reply.announcing(1000));
    assert!(ask(&upstream, MOD).await.contains("body cut off"));
    server.change(ZIP, |reply| reply.stalled_after(10));
    assert!(ask(&upstream, ZIP).await.contains("body stalled"));
}

#[tokio::test]
async fn a_text_may_come_compressed_and_a_zip_is_not_asked_for_so() {
    let server = Server::start(tree());
    let chain = chain(&server.url());
    ask(&chain, MOD).await;
    ask(&chain, ZIP).await;
    let encodings: Vec<_> =
        server.log().iter().map(|request| request.header("accept-encoding").map(str::to_owned)).collect();
    assert_eq!(encodings, [Some("gzip".to_owned()), Some("identity".to_owned())]);

    // `printf 'module m\n' | gzip -n`
    let packed: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0xcd, 0x4f, 0x29, 0xcd, 0x49, 0x55, 0xc8, 0xe5, 2, 0, 0xa7,
        0x13, 9, 0x3e, 9, 0, 0, 0,
    ];
    server.change(MOD, move |reply| reply.header("Content-Encoding", "gzip").body(packed));
    assert_eq!(ask(&chain, MOD).await, "module m\n");
    server.change(MOD, move |reply| reply.header("Content-Encoding", "gzip").body(&packed[..20]));
    assert!(ask(&chain, MOD).await.contains("body cut off"));
}

#[tokio::test]
async fn redirects_are_followed_nine_times_and_never_out_of_tls() {
    let plain = Server::start(tree());
    for hop in 0..12 {
        plain.reply(&format!("/hop{hop}"), Reply::redirect(&format!("/hop{}", hop + 1)));
    }
    plain.reply("/hop12", Reply::new(200).body("v9.9.9\n"));
    plain.reply(LIST, Reply::redirect("/hop4"));
    assert_eq!(ask(&chain(&plain.url()), LIST).await, "v9.9.9\n");
    plain.reply(LIST, Reply::redirect("/hop3"));
    let said = ask(&chain(&plain.url()), LIST).await;
    assert!(said.ends_with("stopped after 10 redirects"), "{said}");

    let secure = Server::start_tls(tree());
    secure.reply(LIST, Reply::redirect(&format!("{}{LIST}?secret=canary", plain.url())));
    let asked_before = plain.count("");
    let said = ask(&Upstream::new(trusting(&secure, &secure.url())).unwrap(), LIST).await;
    let expected =
        format!(": redirected from secure URL {}{LIST} to insecure URL http://HOST{LIST}", secure.url());
    assert!(said.ends_with(&without_ports(&expected)), "{said}");
    assert_eq!(plain.count(""), asked_before);

    plain.reply(LIST, Reply::redirect(&format!("{}{MOD}", secure.url())));
    let upward = Upstream::new(trusting(&secure, &plain.url())).unwrap();
    assert_eq!(ask(&upward, LIST).await, "module example.com/m\n\ngo 1.21\n");
}

#[tokio::test]
async fn a_redirect_without_a_place_is_no_content() {
    let server = Server::start(tree());
    server.reply(LIST, Reply::new(302));
    assert!(ask(&chain(&server.url()), LIST).await.ends_with("unexpected status 302"));
}

#[tokio::test]
async fn requests_go_through_the_forward_proxy_except_to_this_machine() {
    let proxy = Server::start(tree());
    proxy.change_all(|reply| reply.status(200).text("v7.7.7\n"));
    let mut forwarded = config("http://goproxy.example,http://direct.example");
    forwarded.manners.forward =
        Forward { http: Some(Secret::new(proxy.url())), https: None, except: ".never.example".to_owned() };
    assert_eq!(ask(&Upstream::new(forwarded.clone()).unwrap(), LIST).await, "v7.7.7\n");
    assert_eq!(proxy.log().len(), 1);

    let local = Server::start(tree());
    forwarded.goproxy = config(&local.url()).goproxy;
    assert_eq!(ask(&Upstream::new(forwarded.clone()).unwrap(), LIST).await, "v1.0.0\n");
    assert_eq!(proxy.log().len(), 1);

    forwarded.goproxy = config("http://x.never.example").goproxy;
    ask(&Upstream::new(forwarded).unwrap(), LIST).await;
    assert_eq!(proxy.log().len(), 1);
}
