//! `modkeep tool`: the tools of the toolchain, and those that go.mod names, built and run.
//!
//! Tools that a toolchain comes without are built from its sources; what `tool buildid` is asked most is answered here.
//! Source of the rules: `cmd/go/internal/tool/tool.go`.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use modkeep_builder::buildid;
use modkeep_builder::execute::status_words;
use modkeep_builder::package::Package;
use modkeep_builder::platform;
use modkeep_builder::release::Release;
use modkeep_module::quote::quote;
use serde::Serialize;

use super::BuildFlags;
use super::run::with_program;
use super::settings::{host, toolchain};
use crate::flags::{Kind, Usage};
use crate::goenv::{GoEnv, words as system_words};
use crate::gojson;
use crate::report::{self, Failure};
use crate::session::{Session, Wanted};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "tool",
    line: "go tool [-n] command [args...]",
    flags: &[("modcacherw", Kind::Bool), ("modfile", Kind::Text), ("n", Kind::Bool), ("overlay", Kind::Text)],
};

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = BuildFlags::default();
    let mut only_shows = false;
    let words = USAGE.parse(words, go.goflags(), |name, value| match name {
        "n" => {
            only_shows = value == "true";
            Ok(())
        }
        name => flags.set(&USAGE, go, name, value).map(drop),
    })?;
    let Installed { root, tools } = Installed::find(go)?;
    let Some((name, arguments)) = words.split_first() else {
        return list(go, &flags, &tools);
    };
    let there = format!("{tools}/{name}{}", std::env::consts::EXE_SUFFIX);
    let is_name = !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if is_name && Path::new(&there).exists() {
        return call(name, &there, arguments, only_shows, None);
    }
    if name == "dist" && !only_shows && lists_platforms(arguments)? {
        return Ok(());
    }
    if name == "buildid"
        && !only_shows
        && let [file] = arguments
        && let Ok(Some(id)) = buildid::read(Path::new(file))
    {
        return report::out(&format!("{id}\n"));
    }
    let run = |flags: &BuildFlags, path: &str, finds_go: bool| {
        with_program(go, flags, "tool", &[path.to_owned()], |shop, linked, search| {
            let kept = shop.cache.file(&linked.action).filter(|_| only_shows);
            let program = kept.map_or_else(|| linked.path.clone(), |(file, _)| file.display().to_string());
            call(name, &program, arguments, only_shows, finds_go.then_some(search))
        })
    };
    let builtin = format!("cmd/{name}");
    // Of the commands of GOROOT these two are none of its tools.
    if is_name && !matches!(name.as_str(), "go" | "gofmt") && is_command(&format!("{root}/src/{builtin}")) {
        let flags = BuildFlags { targets: vec![host()], ..BuildFlags::default() };
        return run(&flags, &builtin, false);
    }
    let named = of_modules(go, &flags)?;
    let meant: Vec<&String> = named.iter().filter(|tool| *tool == name || short(tool) == *name).collect();
    match meant[..] {
        [] => Err(Failure::exact(2, format!("go: no such tool {}", quote(name)))),
        [tool] => run(&flags, tool, true),
        _ => {
            let list: String = meant.iter().map(|tool| format!("\n\t{tool}")).collect();
            Err(Failure::go(format!("tool {} is ambiguous; choose one of:{list}\n\t", quote(name))))
        }
    }
}

/// Where tools are.
struct Installed {
    root: String,
    tools: String,
}

impl Installed {
    /// A GOROOT of one's own making is taken as it is.
    fn find(go: &GoEnv) -> Result<Self, Failure> {
        if let Some(root) = go.get("GOROOT").filter(|root| !Path::new(root).join("VERSION").exists()) {
            let host = host();
            let tools = format!("{root}/pkg/tool/{}_{}", host.os, host.arch);
            return Ok(Self { root: root.to_owned(), tools });
        }
        let found = toolchain(go, host())?;
        Ok(Self { tools: found.tools(), root: found.root })
    }
}

/// A platform in the list of `tool dist list -json`.
#[derive(Serialize)]
struct Row {
    #[serde(rename = "GOOS")]
    os: &'static str,
    #[serde(rename = "GOARCH")]
    arch: &'static str,
    #[serde(rename = "CgoSupported")]
    has_cgo: bool,
    #[serde(rename = "FirstClass")]
    is_first_class: bool,
    #[serde(rename = "Broken", skip_serializing_if = "std::ops::Not::not")]
    is_broken: bool,
}

/// Answers `tool dist list` without the tool, which no toolchain comes with; false for other words.
fn lists_platforms(words: &[String]) -> Result<bool, Failure> {
    let Some(("list", flags)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
        return Ok(false);
    };
    let (mut as_json, mut with_broken) = (false, false);
    for flag in flags {
        match flag.strip_prefix("--").or_else(|| flag.strip_prefix('-')) {
            Some("json") => as_json = true,
            Some("broken") => with_broken = true,
            Some("v") => {}
            _ => return Ok(false),
        }
    }
    let shown: Vec<_> = platform::all().filter(|found| with_broken || !found.is_broken).collect();
    if !as_json {
        let lines: String = shown.iter().map(|found| format!("{}/{}\n", found.os, found.arch)).collect();
        return report::out(&lines).map(|()| true);
    }
    let rows = shown.iter().map(|found| Row {
        os: found.os,
        arch: found.arch,
        has_cgo: found.has_cgo,
        is_first_class: found.is_first_class,
        is_broken: found.is_broken,
    });
    let rows: Vec<Row> = rows.collect();
    report::out(gojson::indented(&rows)?.trim_end()).map(|()| true)
}

/// Lists the tools that there are.
fn list(go: &GoEnv, flags: &BuildFlags, tools: &str) -> Result<(), Failure> {
    let release = Release::parse(&format!("go{}", go.release())).unwrap_or(Release::Go1_27);
    let is_short = release.lists_short_tools();
    let entries = fs::read_dir(tools).map_err(|error| {
        Failure::exact(2, format!("go: no tool directory: open {tools}: {}", system_words(&error)))
    })?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    let mut text: String = names
        .iter()
        .map(|name| format!("{}\n", name.to_lowercase().trim_end_matches(std::env::consts::EXE_SUFFIX)))
        .collect();
    let named = of_modules(go, flags)?;
    let mut count: HashMap<String, usize> = names.into_iter().map(|name| (name, 1)).collect();
    for tool in &named {
        *count.entry(short(tool)).or_default() += 1;
    }
    for tool in &named {
        match count[&short(tool)] {
            1 if is_short => text.push_str(&format!("{} ({tool})\n", short(tool))),
            _ => text.push_str(&format!("{tool}\n")),
        }
    }
    report::out(&text)
}

/// The tools that go.mod files name, sorted.
fn of_modules(go: &GoEnv, flags: &BuildFlags) -> Result<Vec<String>, Failure> {
    if !go.uses_modules()? {
        return Ok(Vec::new());
    }
    let wanted = Wanted { verb: "tool", flags: flags.of_modules.clone(), ..Wanted::default() };
    let session = Session::start(go, &wanted)?;
    let mut tools: Vec<String> = session.world.main.tools().into_iter().map(str::to_owned).collect();
    tools.sort_unstable();
    tools.dedup();
    Ok(tools)
}

/// What the program of a path is called.
fn short(path: &str) -> String {
    let package = Package { import_path: path.to_owned(), ..Package::default() };
    package.program_name().to_owned()
}

fn is_command(folder: &str) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".go"))
}

/// Runs a tool, or shows the line; `search` is its PATH if that is another than ours.
fn call(
    name: &str,
    program: &str,
    arguments: &[String],
    only_shows: bool,
    search: Option<&OsStr>,
) -> Result<(), Failure> {
    if only_shows {
        let line: Vec<&str> = std::iter::once(program).chain(arguments.iter().map(String::as_str)).collect();
        return report::out(&format!("{}\n", line.join(" ")));
    }
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(search) = search {
        command.env("PATH", search);
    }
    let status = command
        .status()
        .map_err(|error| Failure::exact(1, format!("go tool {name}: {}", system_words(&error))))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::told(u8::try_from(code).unwrap_or(1))),
        None => Err(Failure::exact(1, format!("go tool {name}: {}", status_words(&status)))),
    }
}
