//! Private names never leave.

use modkeep_fetch::private::Private;
use modkeep_fetch::{FetchError, Upstream};
use modkeep_harness::upstream::Upstream as Server;
use modkeep_module::resource::Resource;

use super::{LIST, ask, config, resource, tree};

#[tokio::test]
async fn no_request_of_any_kind_leaves_for_a_private_name() {
    let server = Server::start(tree());
    let mut config = config(&format!("{0},{0}/again|{0}/more", server.url()));
    config.private =
        Private { no_proxy: "corp.example,*.internal/x".to_owned(), no_sumdb: "quiet.example".to_owned() };
    let chain = Upstream::new(config).unwrap();
    for path in [
        "/corp.example/a/@v/list",
        "/corp.example/a/@latest",
        "/corp.example/a/@v/master.info",
        "/corp.example/a/@v/v1.0.0.info",
        "/corp.example/a/@v/v1.0.0.mod",
        "/corp.example/a/@v/v1.0.0.zip",
        "/corp.example/@v/list",
        "/dev.internal/x/y/@v/list",
        "/sumdb/sum.golang.org/lookup/corp.example/a@v1.0.0",
        "/sumdb/sum.golang.org/lookup/quiet.example/a@v1.0.0",
    ] {
        let asked = resource(path);
        let error = chain.fetch(&asked).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::Private(path) if Some(path) == asked.module()),
            "{path}: {error}"
        );
        if let Resource::Sumdb(asked) = &asked {
            let route = chain.route(&asked.database).await.unwrap();
            let error = chain.read(&route, asked).await.unwrap_err();
            assert!(matches!(error, FetchError::Private(_)), "{path}: {error}");
        }
    }
    assert!(server.paths().iter().all(|path| path.ends_with("/supported")), "{:?}", server.paths());
    assert_eq!(ask(&chain, LIST).await, "v1.0.0\n");
    ask(&chain, "/quiet.example/a/@v/list").await;
    ask(&chain, "/corp.example.org/a/@v/list").await;
    assert_eq!(server.count("/quiet.example/a/@v/list"), 3);
    assert_eq!(server.count("/corp.example.org/a/@v/list"), 3);
}
