//! The way to a checksum database.

use modkeep_fetch::chain::Route;
use modkeep_harness::upstream::{Reply, Tree, Upstream as Server};
use modkeep_module::resource::{DatabaseName, Resource, SumdbResource};

use super::{chain, resource, without_ports};

const SUPPORTED: &str = "/sumdb/sum.example/db/supported";

fn database() -> DatabaseName {
    DatabaseName::parse("sum.example/db").unwrap()
}

fn asked(path: &str) -> SumdbResource {
    let Resource::Sumdb(asked) = resource(path) else { panic!("{path}") };
    asked
}

fn serving() -> Server {
    let mut tree = Tree::default();
    tree.put(SUPPORTED, "");
    tree.put("/sumdb/sum.example/db/lookup/example.com/!m@v1.0.0", "1\nrecord\n");
    Server::start(tree)
}

#[tokio::test]
async fn the_route_is_the_first_source_that_supports_the_database() {
    let absent = Server::start(Tree::default());
    let refusing = Server::start(Tree::default());
    refusing.reply_all(Reply::new(403).text("no databases here"));
    let serving = serving();
    let direct = Route::direct("https://sum.example/db").unwrap();
    let (absent, refusing, serving) = (absent.url(), refusing.url(), serving.url());
    for (goproxy, expected) in [
        (format!("{absent},{serving}"), Ok(Route::Through(1))),
        (format!("{absent},direct"), Ok(direct.clone())),
        (format!("{absent},off"), Ok(direct.clone())),
        ("direct".to_owned(), Ok(direct.clone())),
        (format!("{refusing},{serving}"), Err("403: no databases here")),
        (format!("{refusing}|{serving}"), Ok(Route::Through(1))),
        (format!("{refusing}|{absent}"), Err("403: no databases here")),
    ] {
        match (chain(&goproxy).route(&database()).await, expected) {
            (Ok(route), Ok(expected)) => assert_eq!(route, expected, "{goproxy}"),
            (Err(error), Err(expected)) => assert!(error.chain().ends_with(expected), "{error}"),
            (route, expected) => panic!("{goproxy}: {route:?} instead of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_route_is_read_without_asking_anybody_else() {
    let (first, second) = (Server::start(Tree::default()), serving());
    let upstream = chain(&format!("{},{}", first.url(), second.url()));
    let lookup = asked("/sumdb/sum.example/db/lookup/example.com/!m@v1.0.0");
    let record = upstream.read(&Route::Through(1), &lookup).await.unwrap();
    assert_eq!(record, "1\nrecord\n");
    let error = upstream.read(&Route::Through(1), &asked("/sumdb/sum.example/db/latest")).await.unwrap_err();
    assert_eq!(
        without_ports(&error.chain()),
        "reading http://HOST/sumdb/sum.example/db/latest: 404: not found"
    );
    assert_eq!(first.count(""), 0);
}

#[tokio::test]
async fn a_database_with_a_url_of_its_own_is_asked_there() {
    let mut tree = Tree::default();
    tree.put("/own/lookup/example.com/!m@v1.0.0", "2\nrecord\n");
    let server = Server::start(tree);
    let route = Route::direct(&format!("{}/own/", server.url())).unwrap();
    let lookup = asked("/sumdb/sum.example/db/lookup/example.com/!m@v1.0.0");
    assert_eq!(chain("off").read(&route, &lookup).await.unwrap(), "2\nrecord\n");
    assert_eq!(server.paths(), ["/own/lookup/example.com/!m@v1.0.0"]);
}
