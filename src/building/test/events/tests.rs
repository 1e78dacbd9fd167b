//! Go's own examples, however they are cut.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use modkeep_conformance::go::Go;
use modkeep_harness::place::skip;
use serde_json::Value;

use super::*;

/// Events, the output of one test that follows on each other in one.
fn joined(text: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let is_output = |event: &Value| event["Action"] == "output";
        match events.last_mut() {
            Some(last) if is_output(last) && is_output(&event) && last["Test"] == event["Test"] => {
                let both =
                    format!("{}{}", last["Output"].as_str().unwrap(), event["Output"].as_str().unwrap());
                last["Output"] = both.into();
            }
            _ => events.push(event),
        }
    }
    for event in &mut events {
        // Where output was cut, its kinds are cut too.
        event.as_object_mut().unwrap().remove("OutputType");
    }
    events
}

fn events(text: &[u8], step: usize, input: usize, output: usize) -> String {
    let mut events = Events::new("", Release::Go1_27, None, input, output);
    for piece in text.chunks(step) {
        events.write(piece);
    }
    String::from_utf8(events.end()).unwrap()
}

#[test]
fn go_s_examples_become_its_events_however_they_are_cut() {
    let go = match Go::specification() {
        Ok(go) => go,
        Err(missing) => return skip("events of tests", &missing),
    };
    let folder = go.root().join("src/cmd/internal/test2json/testdata");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "test") {
            continue;
        }
        count += 1;
        let text = std::fs::read(&file).unwrap();
        let want = std::fs::read_to_string(file.with_extension("json")).unwrap();
        for step in [1, 2, 3, 100, text.len().max(1)] {
            let got = events(&text, step, INPUT, OUTPUT);
            assert_eq!(joined(&got), joined(&want), "{} in pieces of {step}", file.display());
        }
        let got = events(&text, 7, 64, 6);
        assert_eq!(joined(&got), joined(&want), "{} with small buffers", file.display());
        if file.file_stem().is_some_and(|name| name == "frame" || name == "ascii") {
            assert_eq!(events(&text, text.len(), INPUT, OUTPUT), want, "{}", file.display());
        }
    }
    assert!(count > 15, "{count} examples");
}

#[test]
fn bytes_that_are_no_text_are_told_as_the_release_tells_them() {
    let check = |release, expected: &str| {
        let mut events = Events::new("", release, None, INPUT, OUTPUT);
        events.take();
        events.write(b"a\xffb\xf0\x90c\xef\xbf\xbd<\"\n");
        let text = String::from_utf8(events.end()).unwrap();
        assert_eq!(text, format!("{{\"Action\":\"output\",\"Output\":\"{expected}\"}}\n"));
    };
    check(Release::Go1_26, r#"a\ufffdb\ufffd\ufffdc�\u003c\"\n"#);
    check(Release::Go1_27, r#"a�b��c�\u003c\"\n"#);
}

#[test]
fn what_tests_of_1_26_print_has_no_marks_of_errors() {
    let mut events = Events::new("", Release::Go1_26, None, INPUT, OUTPUT);
    events.take();
    events.write(b"\x1b[31mred\x0e\x0f\n");
    let text = String::from_utf8(events.end()).unwrap();
    assert_eq!(text, "{\"Action\":\"output\",\"Output\":\"\\u001b[31mred\\u000e\\u000f\\n\"}\n");
}
