//! Honest databases: answers with proof, few requests, one history.

use std::sync::Arc;

use futures_util::future::join_all;
use modkeep_fetch::SumdbError;
use modkeep_fetch::private::Private;
use modkeep_fetch::sumdb::{Config, Database, Gosumdb};
use modkeep_harness::checksumdb::{Log, Reply, Server};
use modkeep_module::hash::H1;
use modkeep_module::sumdb::Lines;
use modkeep_module::version::ModuleVersion;
use modkeep_store::{Folder, Options, Store};

use crate::{NAME, World, chain, module};

fn lines(log: &Log, number: u64) -> Lines {
    let text = log.record(number);
    let sum = |line: usize| H1::parse(text.lines().nth(line).unwrap().rsplit(' ').next().unwrap()).unwrap();
    Lines { zip: sum(0), go_mod: sum(1) }
}

#[tokio::test]
async fn the_first_lookup_asks_the_way_the_record_and_the_tiles_that_prove_it() {
    let world = World::of_modules(1000);
    let database = world.database();
    let answer = database.lookup(&module(3)).await.unwrap();
    assert_eq!(answer, world.server.log(|log| lines(log, 3)));
    let mut requests = world.server.take_requests();
    requests[2..].sort();
    assert_eq!(
        requests,
        [
            "supported",
            "lookup/example.com/m3@v1.0.0",
            "tile/8/0/000",
            "tile/8/0/003.p/232",
            "tile/8/1/000.p/3"
        ]
    );

    database.lookup(&module(3)).await.unwrap();
    assert_eq!(world.server.take_requests(), Vec::<String>::new());
    database.lookup(&module(4)).await.unwrap();
    assert_eq!(world.server.take_requests(), ["lookup/example.com/m4@v1.0.0"]);
    let log = world.server.log(|log| log.clone());
    world.check_that_only_truth_is_kept(&log).await;
}

#[tokio::test]
async fn a_grown_log_costs_the_tiles_at_the_old_and_the_new_edge() {
    let world = World::of_modules(1000);
    let database = world.database();
    database.lookup(&module(3)).await.unwrap();
    world.server.log(|log| {
        for number in 1000..70_000 {
            log.add(&format!("example.com/m{number}"), "v1.0.0");
        }
    });
    world.server.take_requests();
    database.lookup(&module(4)).await.unwrap();
    let mut requests = world.server.take_requests();
    requests.sort();
    assert_eq!(
        requests,
        [
            "lookup/example.com/m4@v1.0.0",
            "tile/8/0/003",
            "tile/8/0/273.p/112",
            "tile/8/1/000",
            "tile/8/1/001.p/17",
            "tile/8/2/000.p/1"
        ]
    );
    assert_eq!(world.head().await.unwrap().tree().size, 70_000);
}

#[tokio::test]
async fn twenty_who_ask_for_one_version_cost_one_lookup() {
    let world = World::of_modules(300);
    let database = world.database();
    let answers = join_all((0..20).map(|_| {
        let database = database.clone();
        tokio::spawn(async move { database.lookup(&module(7)).await.unwrap() })
    }))
    .await;
    let expected = world.server.log(|log| lines(log, 7));
    assert!(answers.into_iter().all(|answer| answer.unwrap() == expected));
    let requests = world.server.take_requests();
    assert_eq!(requests.iter().filter(|request| request.starts_with("lookup")).count(), 1);
    assert_eq!(requests.iter().filter(|request| request.starts_with("tile")).count(), 3);
}

#[tokio::test]
async fn many_versions_at_once_are_proved_while_the_log_grows() {
    let world = World::of_modules(300);
    let database = world.database();
    world.server.tamper({
        let mut log = world.server.log(|log| log.clone());
        move |request, _| {
            if request.starts_with("lookup") {
                log.add(&format!("example.com/grown{}", log.size()), "v1.0.0");
            }
            log.answer(request)
        }
    });
    let answers = join_all((0..60).map(|number| {
        let database = database.clone();
        tokio::spawn(async move { database.lookup(&module(number * 5)).await })
    }))
    .await;
    for answer in answers {
        answer.unwrap().unwrap();
    }
    assert_eq!(world.head().await.unwrap().tree().size, 360);
}

#[tokio::test]
async fn an_older_head_is_proved_to_be_of_our_history_and_does_not_move_it() {
    let world = World::of_modules(1000);
    world.database().lookup(&module(3)).await.unwrap();
    for shown in [999, 768, 513, 256, 20] {
        world.server.log(|log| log.show(Some(shown)));
        let answer = world.database().lookup(&module(shown - 10)).await.unwrap();
        assert_eq!(answer, world.server.log(|log| lines(log, shown - 10)));
        assert_eq!(world.head().await.unwrap().tree().size, 1000);
    }
}

#[tokio::test]
async fn a_reply_without_a_head_is_proved_by_the_head_that_is_known() {
    let world = World::of_modules(300);
    let without_head = |_: &str, reply: Reply| match reply {
        Reply::Content(content) if content.starts_with(b"7\n") => {
            let end = content.windows(2).position(|pair| pair == b"\n\n").unwrap();
            Reply::Content(content[..end + 2].to_vec())
        }
        reply => reply,
    };
    world.server.tamper(without_head);
    let error = world.database().lookup(&module(7)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot validate record 7 in tree of size 0");
    world.database().lookup(&module(8)).await.unwrap();
    world.database().lookup(&module(7)).await.unwrap();
}

#[tokio::test]
async fn what_the_database_does_not_know_is_unknown_in_the_words_of_go() {
    let world = World::of_modules(300);
    let unknown = ModuleVersion::parse("example.com/Nowhere", "v1.0.0").unwrap();
    let error = world.database().lookup(&unknown).await.unwrap_err();
    assert!(matches!(error, SumdbError::Unknown(_)) && !error.is_temporary());
    let url = format!("{}/sumdb/{NAME}/lookup/example.com/!nowhere@v1.0.0", world.server.url());
    assert_eq!(
        error.verifying(&unknown, "go.mod"),
        format!(
            "example.com/Nowhere@v1.0.0: verifying go.mod: example.com/Nowhere@v1.0.0/go.mod: \
             reading {url}: 404 Not Found\n\tserver response: not found: lookup/example.com/!nowhere@v1.0.0"
        )
    );
}

#[tokio::test]
async fn a_database_that_can_not_be_asked_is_unavailable() {
    let world = World::of_modules(300);
    world.server.tamper(|request, reply| match request {
        "supported" => reply,
        _ => Reply::Refusal(503, "try later\n".to_owned()),
    });
    let error = world.database().lookup(&module(1)).await.unwrap_err();
    assert!(matches!(error, SumdbError::Unavailable(_)) && error.is_temporary());
    assert!(
        error.to_string().ends_with(": 503 Service Unavailable\n\tserver response: try later"),
        "{error}"
    );

    // Whoever passes it on must not be passed over, unless they say that they don't.
    world.server.tamper(|_, _| Reply::Refusal(403, "no\n".to_owned()));
    let error = world.database().lookup(&module(1)).await.unwrap_err();
    assert!(matches!(error, SumdbError::Unavailable(_)), "{error}");
    assert!(world.kept().await.is_empty());
}

#[tokio::test]
async fn a_name_with_its_own_url_is_asked_there() {
    let world = World::of_modules(300);
    let nowhere = Arc::new(chain("off", Private::default()));
    let setting = format!("{} {}", world.verifier, world.server.url());
    let database = Database::new(Config {
        database: Gosumdb::parse(&setting).unwrap().unwrap(),
        upstream: Some(nowhere),
        store: Arc::clone(&world.store) as Arc<dyn Store>,
        now: Arc::new(|| 0),
    });
    database.lookup(&module(1)).await.unwrap();
    assert_eq!(world.server.take_requests()[0], "lookup/example.com/m1@v1.0.0");
}

#[tokio::test]
async fn private_names_are_never_asked_about() {
    let world = World::of_modules(300);
    let private = Private { no_sumdb: "example.com/m1*".to_owned(), no_proxy: "example.com/m2".to_owned() };
    let database = world.opened(Some(Arc::new(chain(&world.server.url(), private))));
    for number in [1, 17, 2] {
        let error = database.lookup(&module(number)).await.unwrap_err();
        assert!(matches!(error, SumdbError::Private(_)), "{error}");
        assert!(matches!(database.served_lookup(&module(number)).await, Err(SumdbError::Private(_))));
    }
    database.lookup(&module(3)).await.unwrap();
    let requests = world.server.take_requests();
    assert!(
        requests.iter().all(|request| !request.contains("/m1") && !request.contains("/m2@")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn toolchains_are_asked_about_whatever_gonosumdb_says() {
    let world = World::of_modules(300);
    let toolchain = ModuleVersion::parse("golang.org/toolchain", "v0.0.1-go1.27.3.linux-amd64").unwrap();
    world.server.log(|log| log.add(toolchain.path.as_str(), toolchain.version.as_str()));
    let private = Private { no_sumdb: "*.org,example.com".to_owned(), no_proxy: "corp.example".to_owned() };
    let database = world.opened(Some(Arc::new(chain(&world.server.url(), private))));
    database.lookup(&toolchain).await.unwrap();
    assert!(matches!(database.lookup(&module(3)).await, Err(SumdbError::Private(_))));
}

#[tokio::test]
async fn two_databases_of_one_name_and_two_keys_have_two_histories() {
    let first = World::of_modules(300);
    first.database().lookup(&module(1)).await.unwrap();
    let mut log = Log::new(NAME, 2);
    log.add("example.com/m0", "v1.0.0");
    let mut second = World::new(log);
    second.store = Arc::clone(&first.store);
    second.database().lookup(&module(0)).await.unwrap();
    assert_eq!(first.head().await.unwrap().tree().size, 300);
    assert_eq!(second.head().await.unwrap().tree().size, 1);
}

#[tokio::test]
async fn a_folder_remembers_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Log::of_modules(NAME, 1, 300));
    let verifier = server.log(|log| log.verifier());
    for round in 0..3 {
        let store: Arc<dyn Store> = Arc::new(Folder::open(folder.path(), Options::default()).unwrap());
        let database = Database::new(Config {
            database: Gosumdb::parse(&verifier.to_string()).unwrap().unwrap(),
            upstream: Some(Arc::new(chain(&server.url(), Private::default()))),
            store,
            now: Arc::new(move || round),
        });
        database.lookup(&module(7)).await.unwrap();
        assert_eq!(database.status().await.unwrap().size, Some(300));
        let lookups = server.take_requests().iter().filter(|request| request.starts_with("lookup")).count();
        assert_eq!(lookups, usize::from(round == 0));
    }
}
