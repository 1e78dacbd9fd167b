//! `modkeep env`: go's variables with the values that are in force, and with `-w` and `-u` the file that keeps them.
//!
//! GOGCCFLAGS is not among them: it names a folder that go makes anew for each run.
//! Source of the rules: `cmd/go/internal/envcmd/env.go`.

mod file;
mod variables;

use std::collections::BTreeMap;

use modkeep_builder::release::Release;
use modkeep_module::quote::quote;

use self::variables::Variable;
use crate::flags::{Kind, Usage};
use crate::goenv::GoEnv;
use crate::gojson;
use crate::report::{self, Failure};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "env",
    line: "go env [-json] [-changed] [-u] [-w] [var ...]",
    flags: &[
        ("changed", Kind::Bool),
        ("json", Kind::Bool),
        ("n", Kind::Bool),
        ("u", Kind::Bool),
        ("w", Kind::Bool),
        ("x", Kind::Bool),
    ],
};

#[derive(Default)]
struct Asked {
    is_json: bool,
    only_changed: bool,
    unsets: bool,
    writes: bool,
}

/// Prints all variables, or those that are named, or changes the file.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut asked = Asked::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| {
        let is_set = value == "true";
        match name {
            "json" => asked.is_json = is_set,
            "changed" => asked.only_changed = is_set,
            "u" => asked.unsets = is_set,
            "w" => asked.writes = is_set,
            _ => {}
        }
        Ok(())
    })?;
    for (one, other, text) in [
        (asked.is_json, asked.unsets, "cannot use -json with -u"),
        (asked.is_json, asked.writes, "cannot use -json with -w"),
        (asked.unsets, asked.writes, "cannot use -u with -w"),
    ] {
        if one && other {
            return Err(Failure::go(text));
        }
    }
    if asked.writes {
        return file::set(go, &words);
    }
    if asked.unsets {
        return file::unset(go, &words);
    }
    check_experiments(go, go.get("GOEXPERIMENT").unwrap_or_default())?;
    if let Some(word) = words.iter().find(|word| word.contains('=')) {
        let text = format!("invalid variable name {} (use -w to set variable)", quote(word));
        return Err(Failure::go(text));
    }
    let mut known = variables::of_go(go)?;
    if words.is_empty() || words.iter().any(|word| variables::OF_BUILDS.contains(&word.as_str())) {
        known.extend(variables::of_builds(go)?);
    }
    show(go, &asked, known, &words)
}

fn show(go: &GoEnv, asked: &Asked, known: Vec<Variable>, words: &[String]) -> Result<(), Failure> {
    let find = |name: &String| known.iter().find(|variable| variable.name == name.as_str());
    let value = |name: &String| match find(name) {
        Some(variable) => variable.value.clone(),
        None if file::may_be_kept(go, name) => go.get(name).unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let shown: BTreeMap<String, String> = match (words, asked.only_changed) {
        ([], only_changed) => {
            let shown = known.iter().filter(|variable| variable.is_changed || !only_changed);
            shown.map(|variable| (variable.name.to_owned(), variable.value.clone())).collect()
        }
        (names, true) => {
            let shown = names.iter().filter_map(find).filter(|variable| variable.is_changed);
            shown.map(|variable| (variable.name.to_owned(), variable.value.clone())).collect()
        }
        (names, false) if asked.is_json => names.iter().map(|name| (name.clone(), value(name))).collect(),
        (names, false) => {
            let lines: String = names.iter().map(|name| format!("{}\n", value(name))).collect();
            return report::out(&lines);
        }
    };
    if asked.is_json {
        return report::out(&gojson::indented(&shown)?);
    }
    let line = |(name, value): (&String, &String)| format!("{name}='{}'\n", value.replace('\'', r"'\''"));
    report::out(&shown.iter().map(line).collect::<String>())
}

/// Fails where GOEXPERIMENT names what there is not (`buildcfg.ParseGOEXPERIMENT`).
fn check_experiments(go: &GoEnv, names: &str) -> Result<(), Failure> {
    let release = Release::parse(&format!("go{}", go.release())).unwrap_or(Release::Go1_27);
    for name in names.split(',').filter(|name| !matches!(*name, "" | "none")) {
        let plain = name.strip_prefix("no").unwrap_or(name);
        if !release.knows_experiment(plain) {
            return Err(Failure::go(format!("unknown GOEXPERIMENT {name}")));
        }
    }
    Ok(())
}
