//! go.mod files of dependencies that nobody should write.

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;

use crate::place::{Place, Who};

/// What the module `ex.com/a` says.
fn texts() -> Vec<String> {
    let long = "9".repeat(200);
    let mut texts: Vec<String> = [
        "",
        "\n",
        "module ex.com/a",
        "module ex.com/a\r\n\r\ngo 1.20\r\nrequire ex.com/b v1.0.0\r\n",
        "module ex.com/a\0\n",
        "module ex.com/a\nrequire ex.com/b v1.0.0\0\n",
        "\u{feff}module ex.com/a\n",
        "module ex.com/a\nrequire ex.com/a v1.0.0\nrequire ex.com/b v1.0.0\n",
        "module ex.com/a\nrequire ex.com/m v9.9.9\n",
        "module ex.com/other\n",
        "module \"ex.com/a\n",
        "module ex.com/a\nrequire (\n",
        "module ex.com/a\nrequire (\n\tex.com/b v1.0.0\n) x\n",
        "module ex.com/a\n)\n",
        "module ex.com/a\nrequire ex.com/b master\n",
        "module ex.com/a\nrequire ex.com/b v1\n",
        "module ex.com/a\nrequire ex.com/b v2.0.0\n",
        "module ex.com/a\nrequire ex.com/b v1.0.0+meta\n",
        "module ex.com/a\nrequire ex.com/b v01.0.0\n",
        "module ex.com/a\nrequire ex.com/b\n",
        "module ex.com/a\nrequire ex.com/b v1.0.0 v1.0.1\n",
        "module ex.com/a\nrequire ../b v1.0.0\n",
        "module ex.com/a\nrequire EX.com/B v1.0.0\n",
        "module ex.com/a\nunknown directive\nunknown (\n\tx\n)\nrequire ex.com/b v1.0.0\n",
        "module ex.com/a\ngo 1.999\n",
        "module ex.com/a\ngo 1.20.x\n",
        "module ex.com/a\ngo 99999999999999999999.1\n",
        "module ex.com/a\ngo 1.20\ngo 1.21\n",
        "module ex.com/a\nmodule ex.com/a\n",
        "module ex.com/a\nretract [v1.0.0\nrequire ex.com/b v1.0.0\n",
        "module ex.com/a\nrequire ex.com/b v1.0.0 /* comment */\n",
        "module ex.com/a\nrequire `ex.com/b` \"v1.0.0\"\n",
        "module ex.com/a\nrequire \"ex.com/\\x62\" v1.0.0\n",
        "module ex.com/a\nrequire none v1.0.0\n",
        "module ex.com/a\nrequire ex.com/b none\n",
        "module ex.com/a\nrequire go v1.0.0\n",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("module ex.com/a\nrequire ex.com/b v0.{long}.0\n"));
    texts.push(format!("module ex.com/a\nrequire ex.com/{} v1.0.0\n", "b".repeat(200)));
    texts.push(format!("module ex.com/a // {}\n", "x".repeat(1_000_000)));
    texts
}

/// Asks both about each text.
fn check(test: &str, texts: &[String]) {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip(test, &missing),
    };
    for text in texts {
        let place = Place::new(&go);
        place.publish("ex.com/a", "v1.0.0", text);
        place.publish("ex.com/b", "v1.0.0", "module ex.com/b\nrequire ex.com/a v1.0.0\n");
        let answers = [Who::Go, Who::We].map(|who| {
            place.clear(&["gopath", "w"]);
            ["list -m all", "mod graph"].map(|line| {
                place.put("w/go.mod", "module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\n");
                place.ask(who, line)
            })
        });
        let shown: String = text.chars().take(100).collect();
        assert_eq!(answers[1], answers[0], "left is ours, right is go's, of {shown:?}");
    }
}

#[test]
fn what_a_dependency_may_not_say_is_refused_as_go_refuses_it() {
    check("what_a_dependency_may_not_say_is_refused_as_go_refuses_it", &texts());
}

#[test]
fn names_longer_than_files_may_have_are_errors_of_both() {
    let Ok(go) = Go::specification() else {
        return skip("names_longer_than_files_may_have_are_errors_of_both", &"no go command");
    };
    let (digits, letters) = ("9".repeat(5_000), "b".repeat(5_000));
    for required in [format!("ex.com/b v0.{digits}.0"), format!("ex.com/{letters} v1.0.0")] {
        let place = Place::new(&go);
        place.publish("ex.com/a", "v1.0.0", format!("module ex.com/a\nrequire {required}\n"));
        for who in [Who::Go, Who::We] {
            place.put("w/go.mod", "module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\n");
            let said = place.ask(who, "mod graph");
            assert_eq!((said.status, said.stdout.as_str()), (Some(1), ""), "{who:?}");
            assert!(said.stderr.starts_with("go: ex.com/"), "{who:?}: {}", said.stderr);
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_as_go_refuses_them() {
    let Ok(go) = Go::specification() else {
        return skip("bytes_that_are_no_text_are_refused_as_go_refuses_them", &"no go command");
    };
    for bytes in [&b"module ex.com/a\xff\n"[..], b"\xfe\xff\0m", b"module ex.com/a\n// \xff\n"] {
        let place = Place::new(&go);
        place.publish("ex.com/a", "v1.0.0", bytes);
        let answers = [Who::Go, Who::We].map(|who| {
            place.clear(&["gopath", "w"]);
            place.put("w/go.mod", "module ex.com/m\ngo 1.16\nrequire ex.com/a v1.0.0\n");
            place.ask(who, "mod graph")
        });
        assert_eq!(answers[1], answers[0], "{bytes:?}");
    }
}

#[test]
fn many_requirements_and_a_long_chain_end_as_with_go() {
    let Ok(go) = Go::specification() else {
        return skip("many_requirements_and_a_long_chain_end_as_with_go", &"no go command");
    };
    let place = Place::new(&go);
    let many: String = (0..100_000).map(|number| format!("\tex.com/n{number} v1.0.0\n")).collect();
    place.publish("ex.com/a", "v1.0.0", format!("module ex.com/a\ngo 1.17\nrequire (\n{many})\n"));
    for number in 0..400 {
        let next = format!("module ex.com/c{number}\nrequire ex.com/c{} v1.0.0\n", number + 1);
        place.publish(&format!("ex.com/c{number}"), "v1.0.0", next);
    }
    // A circle ends the chain.
    place.publish("ex.com/c400", "v1.0.0", "module ex.com/c400\nrequire ex.com/c0 v1.0.0\n");
    let answers = [Who::Go, Who::We].map(|who| {
        place.clear(&["gopath", "w"]);
        let requires = "require ex.com/a v1.0.0\nrequire ex.com/c0 v1.0.0\n";
        place.put("w/go.mod", format!("module ex.com/m\ngo 1.17\n{requires}"));
        place.ask(who, "mod graph")
    });
    assert_eq!(answers[0].status, Some(0));
    assert!(answers[1] == answers[0], "the graphs differ; we said {}", answers[1].stderr);
}
