//! Upstreams that are folders.

use modkeep_conformance::go::Go;
use modkeep_harness::go::Client;
use modkeep_harness::upstream::{Module, Tree, Upstream as Server};

use super::{INFO, LIST, MOD, ZIP, ask, chain, tree};

#[tokio::test]
async fn what_a_folder_lacks_is_asked_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    tree().write_to(folder.path());
    let next = Server::start(Tree::default().with(Module::new("example.com/n", "v2.0.0+incompatible")));
    let chain = chain(&format!("file://{},{}", folder.path().display(), next.url()));
    assert_eq!(ask(&chain, LIST).await, "v1.0.0\n");
    assert_eq!(ask(&chain, ZIP).await, "322 bytes");
    assert_eq!(next.count(""), 0);
    assert_eq!(ask(&chain, "/example.com/n/@v/list").await, "v2.0.0+incompatible\n");
    assert_eq!(
        ask(&chain, "/example.com/o/@v/list").await,
        "reading http://HOST/example.com/o/@v/list: 404: not found"
    );
}

#[tokio::test]
async fn a_module_cache_is_an_upstream() {
    let go = Go::specification().unwrap();
    let server = Server::start(tree().with(Module::new("example.com/Upper", "v1.0.0-RC.1")));
    let client = Client::new(&go, &server.url()).unwrap().with("GOSUMDB", "off");
    for module in ["example.com/m@v1.0.0", "example.com/Upper@v1.0.0-RC.1"] {
        let output = client.run(client.home(), &["mod", "download", module]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let over_http = chain(&server.url());
    let cached = chain(&format!("file://{}", client.module_cache().join("cache/download").display()));
    for path in [
        INFO,
        MOD,
        ZIP,
        "/example.com/!upper/@v/v1.0.0-!r!c.1.info",
        "/example.com/!upper/@v/v1.0.0-!r!c.1.zip",
    ] {
        assert_eq!(ask(&cached, path).await, ask(&over_http, path).await, "{path}");
    }
}
