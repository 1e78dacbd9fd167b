//! The resolve endpoint beside the go command, and its refusals.

use modkeep_conformance::go::Go;
use modkeep_fetch::private::Private;
use modkeep_harness::go::Client;
use modkeep_harness::http::{Answer, raw};
use modkeep_harness::place::skip;
use modkeep_harness::upstream::{Module, Reply, Tree};
use serde_json::{Value, json};

use crate::world::{Wishes, World};

const GO_MOD: &str = "module example.com/main\n\ngo 1.21\n\nrequire (\n\texample.com/a v1.1.0\n\texample.com/b v1.0.0\n\texample.com/e v1.0.0 // indirect\n)\n\nexclude example.com/c v1.3.0\n\nreplace example.com/d => example.com/fork v1.0.5\n";

fn tree() -> Tree {
    let module = |path: &str, version: &str, go_mod: &str| {
        let name = path.rsplit('/').next().unwrap();
        let text = format!("module {path}\n\n{go_mod}");
        Module::new(path, version).with_go_mod(&text).file("x.go", format!("package {name}\n"))
    };
    Tree::default()
        .with(module("example.com/a", "v1.0.0", ""))
        .with(module("example.com/a", "v1.1.0", "go 1.20\n\nrequire example.com/c v1.2.0\n"))
        .with(module(
            "example.com/b",
            "v1.0.0",
            "require (\n\texample.com/c v1.1.0\n\texample.com/c v1.3.0\n)\n",
        ))
        .with(module("example.com/c", "v1.1.0", "require example.com/d v1.0.0\n"))
        .with(module("example.com/c", "v1.2.0", "go 1.21\n\nrequire example.com/d v1.0.0\n"))
        .with(module(
            "example.com/c",
            "v1.4.0",
            "retract (\n\tv1.4.0 // only retracts\n\tv1.2.0 // loses data\n)\n",
        ))
        .with(module("example.com/d", "v1.0.0", "require example.com/never v1.0.0\n"))
        .with(module("example.com/fork", "v1.0.5", ""))
        .with(
            Module::new("example.com/e", "v1.0.0")
                .with_go_mod("// Deprecated: use f.\nmodule example.com/e\n")
                .file("e.go", "package e\n"),
        )
}

fn post(world: &World, body: &str) -> Answer {
    let head = format!(
        "POST /api/v1/resolve HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    raw(world.address, [head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap()
}

fn resolved(world: &World, files: &Value) -> Value {
    let answer = post(world, &files.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn texts(values: &Value) -> Vec<String> {
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_go_mod_resolves_as_the_go_command_resolves_it() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("resolve", &missing),
    };
    let world = World::new(tree());
    let client = Client::new(&go, &format!("http://{}", world.address)).unwrap().with("GOSUMDB", "off");
    let client = client.with("GOFLAGS", "-mod=mod");
    let folder = client.home().join("work");
    std::fs::create_dir_all(&folder).unwrap();
    #[allow(clippy::disallowed_methods, reason = "a file of a test need not be durable")]
    std::fs::write(folder.join("go.mod"), GO_MOD).unwrap();
    let lines = |words: &[&str]| {
        let output = client.run(&folder, words).unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let graph = lines(&["mod", "graph"]);
    let format = "{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}} {{.Version}}{{end}} {{.Indirect}} {{.Retracted}} {{.Deprecated}}";
    let list = lines(&["list", "-m", "-retracted", "-u", "-f", format, "all"]);
    lines(&["mod", "download", "all"]);
    let go_sum = std::fs::read_to_string(folder.join("go.sum")).unwrap();

    let answer = resolved(&world, &json!({ "go_mod": GO_MOD, "go_sum": go_sum }));
    let edges = answer["edges"].as_array().unwrap().iter().map(|edge| texts(edge).join(" "));
    assert_eq!(edges.collect::<Vec<_>>(), graph);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let modules = answer["build_list"].as_array().unwrap().iter().map(|module| {
        let replace = module
            .get("replace")
            .map(|replace| format!(" => {} {}", text(&replace["path"]), text(&replace["version"])));
        let retracted = module.get("retracted").map(texts).unwrap_or_default().join(" ");
        format!(
            "{} {}{} {} [{retracted}] {}",
            text(&module["path"]),
            text(&module["version"]),
            replace.unwrap_or_default(),
            module["indirect"],
            text(&module["deprecated"])
        )
    });
    assert_eq!(modules.collect::<Vec<_>>(), list);
    let mut sums: Vec<&str> = go_sum.lines().collect();
    sums.sort_unstable();
    let own = text(&answer["go_sum"]);
    let mut own: Vec<&str> = own.lines().collect();
    own.sort_unstable();
    assert_eq!(own, sums);
    let c = &answer["reasons"]["example.com/c"];
    let ways = |ways: &[&[&str]]| json!(ways);
    assert_eq!(
        c["raised_by"],
        ways(&[&["example.com/main", "example.com/a@v1.1.0", "example.com/c@v1.2.0"]])
    );
    assert_eq!(c["next"], "v1.1.0");
    assert_eq!(
        c["next_held_by"],
        ways(&[&["example.com/main", "example.com/b@v1.0.0", "example.com/c@v1.1.0"]])
    );
}

#[test]
fn what_cannot_be_resolved_is_refused_with_its_reason() {
    let hidden = Private { no_proxy: "example.com/a".to_owned(), no_sumdb: String::new() };
    let world = World::new(tree());
    let private = World::with(tree(), Wishes { private: hidden, ..Wishes::default() });
    let go_mod = |text: &str| json!({ "go_mod": format!("module m\n\ngo 1.21\n\n{text}\n") }).to_string();
    let check = |world: &World, body: &str, status: u16, wanted: &str| {
        let answer = post(world, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(error["error"].as_str().unwrap().contains(wanted), "{body}: {error}");
    };
    check(&world, "{", 400, "EOF while parsing");
    check(&world, "{}", 400, "missing field `go_mod`");
    check(&world, r#"{"go_mod": "module m\n", "gosum": ""}"#, 400, "unknown field `gosum`");
    check(&world, &go_mod("requires x v1.0.0"), 400, "go.mod:5: unknown directive: requires");
    check(&world, r#"{"go_mod": "go 1.21\n"}"#, 400, "no module declaration");
    check(
        &world,
        r#"{"go_mod": "module m\n", "go_sum": "a b\n"}"#,
        400,
        "go.sum:1: wrong number of fields 2",
    );
    check(&world, r#"{"go_mod": "module m\n", "go_work": "use x y z\n"}"#, 400, "go.work:1");
    check(
        &world,
        r#"{"go_mod": "module m\n", "go_work": "go 1.21\nuse (\n\t./a\n\t./b\n)\n"}"#,
        422,
        "one module",
    );
    check(&world, &"x".repeat((4 << 20) + 1), 413, "4194304 bytes");
    check(&world, &go_mod("require example.com/none v1.0.0"), 422, "example.com/none@v1.0.0");
    check(
        &world,
        &go_mod("require example.com/a v1.1.0\nreplace example.com/a => ../a"),
        422,
        "replacement directory ../a",
    );
    check(&world, r#"{"go_mod": "module m\n\ngo 1.99\n"}"#, 422, "1.99");
    check(&private, &go_mod("require example.com/a v1.1.0"), 422, "private");
    let wrong = format!("example.com/a v1.1.0/go.mod h1:{}=\n", "A".repeat(43));
    let body = json!({ "go_mod": "module m\n\ngo 1.21\n\nrequire example.com/a v1.1.0\n", "go_sum": wrong });
    check(&world, &body.to_string(), 422, "verifying example.com/a@v1.1.0/go.mod: checksum mismatch");

    assert_eq!(world.get("/api/v1/resolve").status, 405);
    let description: Value = serde_json::from_slice(&world.get("/api/v1/openapi.json").body).unwrap();
    assert!(description["paths"]["/api/v1/resolve"]["post"].is_object());
}

#[test]
fn what_cannot_be_had_now_is_not_now() {
    let world = World::new(tree());
    world.upstream.reply("/example.com/b/@v/v1.0.0.mod", Reply::new(503));
    let files = json!({ "go_mod": GO_MOD });
    let answer = post(&world, &files.to_string());
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    world.upstream.heal();
    resolved(&world, &files);
    // Marks are asked for at the same time as everything else, and the answer stands without them.
    world.upstream.reply_all(Reply::new(503));
    let again = resolved(&world, &files);
    assert_eq!(again["build_list"].as_array().unwrap().len(), 6);
}
