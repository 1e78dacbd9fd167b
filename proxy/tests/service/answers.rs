//! Answers with an age: lifetimes, texts, restarts, refreshing and forgetting.

use std::sync::Arc;
use std::time::Duration;

use modkeep_harness::http::Answer;
use modkeep_harness::upstream::{Module, Reply, Tree, refusing_address};
use modkeep_module::path::ModulePath;
use modkeep_module::version::Version;
use modkeep_proxy::{Clock, Freshness};

use crate::world::{Wishes, World, new_store};

const LIST: &str = "/example.com/m/@v/list";

fn tree() -> Tree {
    Tree::default()
        .with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"))
        .with(Module::new("example.com/m", "v1.1.0").file("m.go", "package m\n"))
}

#[test]
fn inside_its_lifetime_nothing_is_asked_again() {
    let world = World::new(tree());
    for (path, status) in [
        (LIST, 200),
        ("/example.com/m/@latest", 404),
        ("/example.com/m/@v/master.info", 404),
        ("/example.com/none/@v/list", 404),
        ("/example.com/m/@v/v1.9.9.info", 404),
    ] {
        world.upstream.forget();
        for _ in 0..100 {
            assert_eq!(world.get(path).status, status, "{path}");
        }
        assert_eq!(world.upstream.count(""), 1, "{path}");
    }
}

#[test]
fn an_absence_of_a_version_lasts_ten_minutes() {
    let world = World::new(tree());
    let path = "/example.com/m/@v/v1.9.9.zip";
    let answer = world.get(path);
    assert_eq!((answer.status, answer.header("cache-control")), (404, Some("public, max-age=600")));
    world.clock.advance(Duration::from_secs(599));
    assert_eq!(world.get(path).header("cache-control"), Some("public, max-age=1"));
    assert_eq!(world.upstream.count(".zip"), 1);
    world.clock.advance(Duration::from_secs(1));
    world.get(path);
    assert_eq!(world.upstream.count(".zip"), 2);
}

#[test]
fn the_text_of_an_absence_is_the_upstreams_word_for_word() {
    let world = World::new(tree());
    let text = "not found: example.com/m@v1.9.9: invalid version: unknown revision v1.9.9";
    world.upstream.reply("/example.com/m/@v/v1.9.9.info", Reply::new(404).text(text));
    assert_eq!(world.get("/example.com/m/@v/v1.9.9.info").text().trim_end(), text);
    world.upstream.reply("/example.com/m/@v/v1.9.8.info", Reply::new(404).html("<p>none"));
    let own = world.get("/example.com/m/@v/v1.9.8.info");
    assert_eq!(own.text().trim_end(), "not found: example.com/m@v1.9.8");
}

#[test]
fn what_is_known_survives_a_restart_and_an_upstream_that_is_gone() {
    let store = new_store();
    let known =
        [LIST, "/example.com/none/@v/list", "/example.com/m/@v/v1.0.0.mod", "/example.com/m/@v/v1.0.0.zip"];
    let first = World::with(tree(), Wishes { store: store.clone(), ..Wishes::default() });
    let before: Vec<Answer> = known.iter().map(|path| first.get(path)).collect();
    drop(first);
    let upstream = Some(format!("http://{}", refusing_address()));
    let second = World::with(Tree::default(), Wishes { store: store.clone(), upstream, ..Wishes::default() });
    second.clock.advance(Duration::from_secs(86400));
    let offline = World::with(Tree::default(), Wishes { store, offline: true, ..Wishes::default() });
    offline.clock.advance(Duration::from_secs(86400));
    for (path, before) in known.iter().zip(&before) {
        for world in [&second, &offline] {
            let after = world.get(path);
            assert_eq!((after.status, &after.body), (before.status, &before.body), "{path}");
        }
    }
    assert_eq!(second.get("/example.com/unknown/@v/list").status, 503);
    let unknown = offline.get("/example.com/unknown/@v/list");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("offline"), "{}", unknown.text());
    assert_eq!(second.get("/readyz").status, 200);
    assert_eq!(second.get("/healthz").status, 200);
}

#[test]
fn cached_only_fetches_nothing() {
    let world = World::new(tree());
    let prefixed = format!("/cached-only{LIST}");
    let header = "Disable-Module-Fetch: true\r\n";
    for answer in [world.get(&prefixed), world.ask("GET", LIST, header)] {
        assert_eq!(answer.status, 404);
        assert!(answer.text().starts_with("not found: example.com/m: "), "{}", answer.text());
    }
    assert_eq!(world.upstream.count(""), 0);
    world.get(LIST);
    world.clock.advance(Duration::from_secs(3600));
    for answer in [world.get(&prefixed), world.ask("GET", LIST, header)] {
        assert_eq!((answer.status, answer.header("age")), (200, Some("3600")));
    }
    assert_eq!(world.upstream.count(""), 1);
}

#[test]
fn a_refresh_makes_a_new_version_visible_at_once() {
    let world = World::new(tree());
    assert_eq!(world.get(LIST).text(), "v1.0.0\nv1.1.0\n");
    world.upstream.add(Module::new("example.com/m", "v1.2.0").file("m.go", "package m\n"));
    assert_eq!(world.get(LIST).text(), "v1.0.0\nv1.1.0\n");
    assert_eq!(world.get("/-/refresh/example.com/m").status, 405);
    let refreshed = world.ask("POST", "/-/refresh/example.com/m", "Content-Length: 0\r\n");
    assert_eq!(
        (refreshed.status, refreshed.text().as_str()),
        (200, "example.com/m: 1 answers will be asked again\n")
    );
    assert_eq!(world.get(LIST).text(), "v1.0.0\nv1.1.0\nv1.2.0\n");
}

#[test]
fn one_question_at_a_time_finds_out_whether_a_hung_upstream_is_back() {
    let freshness = Freshness { patience: Duration::from_millis(100), ..Freshness::default() };
    let world = World::with(tree(), Wishes { freshness, ..Wishes::default() });
    world.get(LIST);
    world.get("/example.com/none/@v/list");
    world.clock.advance(Duration::from_secs(1000));
    world.upstream.forget();
    world.upstream.reply_all(Reply::new(200).stalled());
    for _ in 0..50 {
        assert_eq!(world.get(LIST).status, 200);
        assert_eq!(world.get("/example.com/none/@v/list").status, 404);
    }
    assert!(world.upstream.count("") <= 2, "{:?}", world.upstream.paths());
}

#[test]
fn forgetting_takes_answers_and_on_demand_files() {
    let store = new_store();
    let world = World::with(tree(), Wishes { store: Arc::clone(&store), ..Wishes::default() });
    for path in
        [LIST, "/example.com/m/@v/v1.0.0.mod", "/example.com/m/@v/v1.1.0.zip", "/example.com/m/@v/v1.9.9.mod"]
    {
        world.get(path);
    }
    let module = ModulePath::parse("example.com/m").unwrap();
    let version = Version::parse("v1.0.0").unwrap();
    let forget = |version: Option<&Version>, files| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let forgotten = runtime
            .block_on(modkeep_proxy::forget(Arc::clone(&store), &module, version, files, &Clock::system()))
            .unwrap();
        (forgotten.answers, forgotten.files)
    };
    assert_eq!(forget(Some(&version), false), (0, 0));
    assert_eq!(forget(Some(&version), true), (0, 1));
    assert_eq!(forget(None, false), (2, 0));
    // A running server may give what it holds ready for some seconds more; one that starts does not.
    drop(world);
    let world = World::with(tree(), Wishes { store: Arc::clone(&store), ..Wishes::default() });
    world.get(LIST);
    world.get("/example.com/m/@v/v1.0.0.mod");
    world.get("/example.com/m/@v/v1.1.0.zip");
    assert_eq!(world.upstream.paths(), [LIST, "/example.com/m/@v/v1.0.0.mod"]);
    assert_eq!(forget(None, true), (1, 2));
}
