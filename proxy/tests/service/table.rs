//! The table "What leaves" of ARCHITECTURE.md, row by row.

use std::sync::Arc;
use std::time::Duration;

use modkeep_harness::http::Answer;
use modkeep_harness::upstream::{Module, Reply, Tree};
use modkeep_proxy::Freshness;
use modkeep_store::{Key, Store};

use crate::world::{Wishes, World, new_store};

const LIST: &str = "/example.com/m/@v/list";
const MOD: &str = "/example.com/m/@v/v1.0.0.mod";

const KNOWN_LIST: &str = "v1.0.0\n";
const NEW_LIST: &str = "v1.0.0\nv1.1.0\n";
const KNOWN_ABSENCE: &str = "404 page not found\n";
const KNOWN_REFUSAL: &str = "refused as known\n";
const NEW_ABSENCE: &str = "it is gone\n";
const NEW_REFUSAL: &str = "no more of this\n";

/// Ages of what is fresh and of what is old.
const FRESH: Duration = Duration::from_secs(20);
const OLD: Duration = Duration::from_secs(1000);

/// Every way that an upstream can be.
const UPSTREAMS: [&str; 9] = [
    "answers",
    "says 410",
    "refuses",
    "is busy",
    "hangs",
    "hangs up",
    "is not asked",
    "is off",
    "is not set",
];

struct Row<'a> {
    known: &'a str,
    upstreams: Vec<&'a str>,
    leaves: &'a str,
    cache_control: &'a str,
    cache_status: &'a str,
}

fn rows(document: &str) -> Vec<Row<'_>> {
    let (_, table) = document.split_once("### What leaves").expect("the table has its heading");
    let lines = table.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [known, upstream, leaves, cache_control, cache_status] = cells[..] else { panic!("{line}") };
        let upstreams = if upstream == "any" { UPSTREAMS.to_vec() } else { upstream.split(", ").collect() };
        Row { known, upstreams, leaves, cache_control, cache_status }
    });
    rows.collect()
}

/// The world in which `known` is known and the upstream is so, and what is asked for there.
fn world_of(known: &str, upstream: &str) -> (World, &'static str) {
    let store = new_store();
    // Only one that hangs is given up; what the others say is waited for, however busy the machine is.
    let [patience, cold_patience] = match upstream {
        "hangs" => [100, 300].map(Duration::from_millis),
        _ => [60, 60].map(Duration::from_secs),
    };
    let freshness = Freshness { patience, cold_patience, ..Freshness::default() };
    let wishes = |offline, no_upstream| Wishes {
        store: Arc::clone(&store),
        freshness,
        offline,
        no_upstream,
        ..Wishes::default()
    };
    let tree = || Tree::default().with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"));
    let mut world = World::with(tree(), wishes(false, false));
    let (path, age) = learn(&world, &*store, known);
    if matches!(upstream, "is off" | "is not set") {
        world = World::with(tree(), wishes(upstream == "is off", upstream == "is not set"));
    }
    world.clock.advance(age);
    world.upstream.heal();
    world.upstream.add(Module::new("example.com/m", "v1.1.0").file("m.go", "package m\n"));
    match upstream {
        "answers" | "is not asked" | "is off" | "is not set" => {}
        "says 410" => world.upstream.reply_all(Reply::new(410).text(NEW_ABSENCE.trim_end())),
        "refuses" => world.upstream.reply_all(Reply::new(403).text(NEW_REFUSAL.trim_end())),
        "is busy" => world.upstream.reply_all(Reply::new(503).text("busy")),
        "hangs" => world.upstream.reply_all(Reply::new(200).stalled()),
        "hangs up" => world.upstream.reply_all(Reply::new(200).closed()),
        other => panic!("an upstream that {other:?}?"),
    }
    (world, path)
}

fn learn(world: &World, store: &dyn Store, known: &str) -> (&'static str, Duration) {
    let (path, age) = match known {
        "nothing" => return (LIST, Duration::ZERO),
        "a lost file" => {
            let key = Key::parse(&format!("files{MOD}")).unwrap();
            world.block_on(store.put_if_absent(&key, "rotten".into())).unwrap();
            return (MOD, OLD);
        }
        "a file" => (MOD, OLD),
        "a fresh answer" => (LIST, FRESH),
        "an old answer" => (LIST, OLD),
        "a fresh absence" | "an old absence" => {
            world.upstream.reply_all(Reply::new(404).text(KNOWN_ABSENCE.trim_end()));
            (LIST, if known.starts_with("a fresh") { FRESH } else { OLD })
        }
        "a fresh refusal" | "an old refusal" => {
            world.upstream.reply_all(Reply::new(403).text(KNOWN_REFUSAL.trim_end()));
            (LIST, if known.starts_with("a fresh") { FRESH } else { OLD })
        }
        other => panic!("{other:?} is known?"),
    };
    // On a busy machine even an answer may come too late for one who is impatient.
    let is_learned = (0..100).any(|_| world.get(path).status != 503);
    assert!(is_learned, "{known} was never learned");
    (path, age)
}

#[track_caller]
fn check(row: &Row<'_>, upstream: &str) {
    let (world, path) = world_of(row.known, upstream);
    let path = if upstream == "is not asked" { format!("/cached-only{path}") } else { path.to_owned() };
    for time in ["first", "second"] {
        let answer = world.get(&path);
        let case = format!("{}, the upstream {upstream}, {time} time: {answer:?}", row.known);
        check_words(row.leaves, &answer, &case);
        assert_eq!(answer.header("cache-control"), Some(row.cache_control), "{case}");
        let status = answer.header("cache-status").map(|status| status.strip_prefix("modkeep; ").unwrap());
        assert_eq!(status.unwrap_or_default(), row.cache_status, "{case}");
        assert_eq!(answer.header("age").is_some(), status.is_some(), "{case}");
    }
}

#[track_caller]
fn check_words(leaves: &str, answer: &Answer, case: &str) {
    let (status, body) = match leaves {
        "200 the file" => (200, "module example.com/m\n"),
        "200 as known" => (200, KNOWN_LIST),
        "200 anew" => (200, NEW_LIST),
        "404 as known" => (404, KNOWN_ABSENCE),
        "410 anew" => (410, NEW_ABSENCE),
        "403 as known" => (403, KNOWN_REFUSAL),
        "403 anew" => (403, NEW_REFUSAL),
        "503 with Retry-After" => (503, ""),
        "404 not kept" => (404, "not found: example.com/m"),
        other => panic!("{other:?} leaves?"),
    };
    assert_eq!(answer.status, status, "{case}");
    assert!(answer.text().starts_with(body), "{case}");
    assert_eq!(answer.header("retry-after").is_some(), status == 503, "{case}");
}

#[test]
fn every_row_holds() {
    let document = include_str!("../../../ARCHITECTURE.md");
    let rows = rows(document);
    let cases = rows.iter().flat_map(|row| row.upstreams.iter().map(move |upstream| (row, *upstream)));
    let cases: Vec<_> = cases.collect();
    for known in [
        "a file",
        "a lost file",
        "a fresh answer",
        "an old answer",
        "an old absence",
        "an old refusal",
        "nothing",
    ] {
        let tried = cases.iter().filter(|(row, _)| row.known == known).count();
        assert_eq!(tried, UPSTREAMS.len(), "rows for {known}");
    }
    for (row, upstream) in cases {
        check(row, upstream);
    }
}
