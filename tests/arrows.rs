//! The arrows of the house, read from `cargo metadata`: a dependency between rooms that the plan does not
//! know fails here, and so does a member that leaves the workspace's lints.
//!
//! Tests may lean on the harness and on the go command as `conformance` runs it, and the benches on every room they
//! measure; those carry no arrows of their own.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Which room may know which. The program itself may know all of them.
const ARROWS: &[(&str, &[&str])] = &[
    // A judge of proxies from outside knows none of ours.
    ("conformance", &[]),
    ("module", &[]),
    ("store", &[]),
    ("fetch", &["module", "store"]),
    ("resolver", &["module"]),
    ("builder", &["module", "resolver", "store"]),
    ("proxy", &["module", "store", "fetch", "resolver"]),
    // What tests pretend to be (a checksum database) is made of real notes and trees.
    ("harness", &["conformance", "module"]),
];

struct Member {
    name: String,
    manifest: String,
    /// Each with whether only tests and benches need it.
    dependencies: Vec<(String, bool)>,
}

fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let member = |package: &Value| Member {
        name: text(&package["name"]),
        manifest: text(&package["manifest_path"]),
        dependencies: (package["dependencies"].as_array().unwrap().iter())
            .map(|dependency| (text(&dependency["name"]), dependency["kind"] == "dev"))
            .collect(),
    };
    packages.iter().map(member).collect()
}

fn room(package: &str) -> Option<&str> {
    package.strip_prefix("modkeep-")
}

/// The arrows that the plan does not know, as `from -> to`.
fn unknown_arrows(members: &[Member], plan: &BTreeMap<&str, &[&str]>) -> Vec<String> {
    let mut unknown = Vec::new();
    for member in members {
        let Some(from) = room(&member.name) else { continue };
        for (name, only_for_tests) in &member.dependencies {
            let Some(to) = room(name) else { continue };
            let is_tool = *only_for_tests && (matches!(to, "harness" | "conformance") || from == "benches");
            let is_planned = plan.get(from).is_some_and(|rooms| rooms.contains(&to));
            if !is_tool && !is_planned {
                unknown.push(format!("{from} -> {to}"));
            }
        }
    }
    unknown
}

#[test]
fn no_room_knows_more_than_the_plan_says() {
    let plan = ARROWS.iter().copied().collect();
    assert_eq!(unknown_arrows(&members(), &plan), Vec::<String>::new());
}

#[test]
fn the_plan_names_only_rooms_that_exist() {
    let members = members();
    let names: Vec<_> = members.iter().filter_map(|member| room(&member.name)).collect();
    for (from, rooms) in ARROWS {
        for name in [*from].iter().chain(*rooms) {
            assert!(names.contains(name), "no room `{name}` in the workspace");
        }
    }
}

#[test]
fn a_new_arrow_is_seen() {
    let dependencies = vec![("modkeep-fetch".to_owned(), false), ("modkeep-harness".to_owned(), true)];
    let resolver = Member { name: "modkeep-resolver".into(), manifest: String::new(), dependencies };
    let plan = ARROWS.iter().copied().collect();
    assert_eq!(unknown_arrows(&[resolver], &plan), ["resolver -> fetch"]);
}

#[test]
fn every_member_keeps_the_lints_of_the_workspace() {
    for member in members() {
        let manifest: toml::Table = fs::read_to_string(Path::new(&member.manifest)).unwrap().parse().unwrap();
        let inherited = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(inherited, Some(&toml::Value::Boolean(true)), "{} has lints of its own", member.name);
    }
}
