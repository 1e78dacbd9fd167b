//! Files of versions: verbatim, each on its own, for ever, with what HTTP offers.

use modkeep_fetch::private::Private;
use modkeep_harness::upstream::{Module, Reply, Tree};

use crate::world::{Wishes, World};

const INFO: &str = "/example.com/m/@v/v1.0.0.info";
const MOD: &str = "/example.com/m/@v/v1.0.0.mod";
const ZIP: &str = "/example.com/m/@v/v1.0.0.zip";

fn tree() -> Tree {
    Tree::default().with(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"))
}

#[test]
fn every_file_comes_verbatim_and_is_asked_for_once() {
    let world = World::new(tree());
    // A time zone and an unknown field survive.
    let info = "{\"Version\":\"v1.0.0\",\"Time\":\"2020-01-02T03:04:05+02:00\",\"Origin\":{\"VCS\":\"git\",\"New\":1}}\n";
    world.upstream.put(INFO, info);
    for (path, content_type) in
        [(INFO, "application/json"), (MOD, "text/plain; charset=utf-8"), (ZIP, "application/zip")]
    {
        let expected = modkeep_harness::http::get(&format!("{}{path}", world.upstream.url())).unwrap().body;
        world.upstream.forget();
        for _ in 0..3 {
            let answer = world.get(path);
            assert_eq!((answer.status, &answer.body), (200, &expected), "{path}");
            assert_eq!(answer.header("content-type"), Some(content_type));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
            assert_eq!(answer.header("age"), None);
        }
        assert_eq!(world.upstream.paths(), [path], "each file on its own, and once");
    }
    assert_eq!(world.get(INFO).body, info.as_bytes());
}

#[test]
fn http_offers_heads_ranges_and_conditions() {
    let world = World::new(tree());
    let whole = world.get(ZIP).body;
    let length = whole.len();
    let etag = world.get(ZIP).header("etag").unwrap().to_owned();
    let head = world.ask("HEAD", ZIP, "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(length.to_string().as_str()));
    assert_eq!(head.header("etag"), Some(etag.as_str()));

    let same = world.ask("GET", ZIP, &format!("If-None-Match: \"other\", {etag}\r\n"));
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(etag.as_str())));
    let other = world.ask("GET", ZIP, "If-None-Match: \"other\"\r\n");
    assert_eq!((other.status, other.body.len()), (200, length));

    let part = world.ask("GET", ZIP, "Range: bytes=10-19\r\n");
    assert_eq!((part.status, &part.body[..]), (206, &whole[10..20]));
    assert_eq!(part.header("content-range"), Some(format!("bytes 10-19/{length}").as_str()));
    let tail = world.ask("GET", ZIP, &format!("Range: bytes=-22\r\nIf-Range: {etag}\r\n"));
    assert_eq!((tail.status, &tail.body[..]), (206, &whole[length - 22..]));
    let changed = world.ask("GET", ZIP, "Range: bytes=10-19\r\nIf-Range: \"other\"\r\n");
    assert_eq!((changed.status, changed.body.len()), (200, length));
    let beyond = world.ask("GET", ZIP, "Range: bytes=99999999-\r\n");
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, Some(format!("bytes */{length}").as_str()))
    );
}

#[test]
fn a_head_or_a_range_of_a_cold_zip_waits_for_the_whole() {
    for (method, headers, status) in [("HEAD", "", 200), ("GET", "Range: bytes=0-9\r\n", 206)] {
        let world = World::new(tree());
        let answer = world.ask(method, ZIP, headers);
        assert_eq!(answer.status, status);
        assert!(answer.header("etag").is_some() && answer.header("content-length").is_some());
        assert_eq!(world.upstream.count(".zip"), 1);
    }
}

#[test]
fn an_info_of_another_version_or_with_credentials_is_refused() {
    #[track_caller]
    fn check(info: &str, status: u16, says: &str) {
        let world = World::new(tree());
        world.upstream.put(INFO, info.to_owned());
        let answer = world.get(INFO);
        assert_eq!(answer.status, status, "{info}: {}", answer.text());
        assert!(answer.text().contains(says), "{:?} is not in {:?}", says, answer.text());
        assert!(!answer.text().contains("sesame"));
        let offline = world.ask("GET", &format!("/cached-only{INFO}"), "");
        assert_ne!(offline.status, 200, "nothing of it is kept");
    }
    check(
        r#"{"Version":"v1.1.0"}"#,
        403,
        "proxy returned info for version v1.1.0 instead of requested version",
    );
    check(
        r#"{"Version":"v1.0.0","Origin":{"VCS":"git","URL":"https://user:sesame@example.com/m"}}"#,
        403,
        "credentials",
    );
    check("<html>log in</html>", 503, "");
    check("{\"Version\":", 503, "");
    check("", 503, "");
}

#[test]
fn markup_is_neither_a_go_mod_nor_a_list() {
    let world = World::new(tree());
    for path in [MOD, "/example.com/m/@v/list"] {
        world.upstream.reply(path, Reply::new(200).html("<!doctype html><title>Sign in</title>"));
        assert_eq!(world.get(path).status, 503, "{path}");
        world.upstream.heal();
        assert_eq!(world.get(path).status, 200, "{path}: nothing of it was kept");
    }
}

#[test]
fn a_zip_that_breaks_the_rules_is_refused_in_the_words_of_go() {
    #[track_caller]
    fn check(zip: Vec<u8>, says: &str) {
        let world = World::new(tree());
        world.upstream.put(ZIP, zip);
        for _ in 0..2 {
            let answer = world.get(ZIP);
            assert_eq!((answer.status, answer.text().trim_end()), (403, says));
        }
        assert_eq!(world.upstream.count(".zip"), 1, "a refusal is remembered for a moment");
        world.clock.advance(std::time::Duration::from_secs(31));
        world.upstream.add(Module::new("example.com/m", "v1.0.0").file("m.go", "package m\n"));
        assert_eq!(world.get(ZIP).status, 200, "and asked again after it");
    }
    let other = Module::new("example.com/other", "v1.0.0").file("m.go", "package m\n").zip();
    check(other, "zip for example.com/m@v1.0.0 has unexpected file example.com/other@v1.0.0/go.mod");
    let bad = Module::new("example.com/m", "v1.0.0").file("a?.go", "package m\n").zip();
    check(
        bad,
        "unzip example.com/m/@v/v1.0.0.zip: example.com/m@v1.0.0/a?.go: malformed file path \"a?.go\": invalid char '?'",
    );
    check(b"no zip".to_vec(), "unzip example.com/m/@v/v1.0.0.zip: zip: not a valid zip file");
}

#[test]
fn private_names_never_leave() {
    let private = Private { no_proxy: "corp.example".to_owned(), no_sumdb: String::new() };
    for (private_is_absent, status) in [(false, 403), (true, 404)] {
        let wishes = Wishes { private: private.clone(), private_is_absent, ..Wishes::default() };
        let world = World::with(tree(), wishes);
        for file in
            ["@v/list", "@latest", "@v/master.info", "@v/v1.0.0.info", "@v/v1.0.0.mod", "@v/v1.0.0.zip"]
        {
            let answer = world.get(&format!("/corp.example/!secret/{file}"));
            assert_eq!(answer.status, status, "{file}");
            assert!(answer.text().contains("corp.example/Secret is private here"), "{}", answer.text());
        }
        assert_eq!(world.upstream.log().len(), 0);
        assert_eq!(world.get(MOD).status, 200);
    }
}
