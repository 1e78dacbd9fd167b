//! Verbs of the go command: those that modkeep has, with go's own rules for words and flags, and those that it hasn't,
//! which are refused by name: another tool is never run behind the user's back.

pub(crate) mod help;

use std::borrow::Cow;
use std::ffi::OsString;

use crate::config::Environment;
use crate::flags::Usage;
use crate::goenv::{self, GoEnv};
use crate::release::ACTS_AS;
use crate::report::Failure;
use crate::{building, envcmd, explain, get, list, modcmd, version, workcmd};

/// A verb and what does it.
struct Verb {
    usage: &'static Usage,
    run: fn(&GoEnv, &[String]) -> Result<(), Failure>,
}

const VERBS: &[Verb] = &[
    Verb { usage: &building::build::USAGE, run: building::build::run },
    Verb { usage: &building::clean::USAGE, run: building::clean::run },
    Verb { usage: &building::install::USAGE, run: building::install::run },
    Verb { usage: &building::run::USAGE, run: building::run::run },
    Verb { usage: &building::test::USAGE, run: building::test::run },
    Verb { usage: &building::tool::USAGE, run: building::tool::run },
    Verb { usage: &building::vet::USAGE, run: building::vet::run },
    Verb { usage: &envcmd::USAGE, run: envcmd::run },
    Verb { usage: &explain::USAGE, run: explain::run },
    Verb { usage: &get::USAGE, run: get::run },
    Verb { usage: &list::USAGE, run: list::run },
    Verb { usage: &modcmd::download::USAGE, run: modcmd::download::run },
    Verb { usage: &modcmd::edit::USAGE, run: modcmd::edit::run },
    Verb { usage: &modcmd::graph::USAGE, run: modcmd::graph::run },
    Verb { usage: &modcmd::init::USAGE, run: modcmd::init::run },
    Verb { usage: &modcmd::tidy::USAGE, run: modcmd::tidy::run },
    Verb { usage: &modcmd::vendor::USAGE, run: modcmd::vendor::run },
    Verb { usage: &modcmd::why::USAGE, run: modcmd::why::run },
    Verb { usage: &modcmd::verify::USAGE, run: modcmd::verify::run },
    Verb { usage: &workcmd::edit::USAGE, run: workcmd::edit::run },
    Verb { usage: &workcmd::init::USAGE, run: workcmd::init::run },
    Verb { usage: &workcmd::sync::USAGE, run: workcmd::sync::run },
    Verb { usage: &workcmd::uses::USAGE, run: workcmd::uses::run },
    Verb { usage: &modcmd::vendor::WORK_USAGE, run: modcmd::vendor::run_work },
    Verb { usage: &version::USAGE, run: version::run },
];

/// Verbs of which go has some kinds, ours and others.
const GROUPS: &[(&str, &[&str])] = &[
    ("mod", &["download", "edit", "graph", "init", "tidy", "vendor", "verify", "why"]),
    ("work", &["edit", "init", "sync", "use", "vendor"]),
];

/// What `go help` lists, less what we have.
const NOT_OURS: &[&str] = &["bug", "doc", "fix", "fmt", "generate", "telemetry"];

/// How often a verb may begin again as a newer release (`cmd/go/internal/toolchain/select.go:maxSwitch`).
const MOST_SWITCHES: usize = 100;

/// Does what the words say if they are one of go's verbs; nothing if they aren't.
pub(crate) fn run(words: &[OsString], given: &Environment) -> Option<Result<(), Failure>> {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let (before, words) = words.split_at(folder_words(&words));
    let verb = VERBS.iter().find(|verb| names(verb.usage.name, words))?;
    let words = &words[verb.usage.name.split(' ').count()..];
    // `env` must be able to mend a GOFLAGS that no verb understands.
    let is_env = verb.usage.name == "env";
    let followed = follow_folder(if before.is_empty() { words } else { before });
    Some(followed.and_then(|rest| {
        let words = if before.is_empty() { rest } else { words };
        // `mod edit` and `work edit` have a flag of that name.
        let has_own = verb.usage.flags.iter().any(|(flag, _)| *flag == "toolchain");
        let (toolchain, words) = if has_own { (None, words) } else { named_toolchain(words) };
        let named = toolchain.map(|name| given.with("GOTOOLCHAIN", name));
        let mut environment = Cow::Borrowed(named.as_ref().unwrap_or(given));
        // What flags there are for `vet` is said by its tool.
        let is_forgiving = is_env || verb.usage.name == "vet";
        for _ in 0..MOST_SWITCHES {
            let go = if is_forgiving { GoEnv::forgiving(&environment)? } else { GoEnv::of(&environment)? };
            if !is_env {
                go.check_gopath()?;
            }
            let done = (verb.run)(&go, words);
            match done.as_ref().err().and_then(Failure::begins_again_as) {
                Some(release) => environment = Cow::Owned(environment.with(ACTS_AS, &format!("go{release}"))),
                None => return done,
            }
        }
        Err(Failure::go("too many toolchain switches"))
    }))
}

fn names(verb: &str, words: &[String]) -> bool {
    verb.split(' ').enumerate().all(|(index, word)| words.get(index).is_some_and(|other| other == word))
}

/// `-C folder`, which must come first, before or behind the verb, moves the process; gives the words behind it.
/// (`cmd/go/main.go:handleChdirFlag`)
fn follow_folder(words: &[String]) -> Result<&[String], Failure> {
    let count = folder_words(words);
    let folder = match count {
        0 => return Ok(words),
        1 => words[0].split_once('=').map_or("", |(_, folder)| folder),
        _ => &words[1],
    };
    std::env::set_current_dir(folder)
        .map_err(|error| Failure::go(format!("chdir {folder}: {}", goenv::words(&error))))?;
    Ok(&words[count..])
}

/// How many of the first words are `-C` and its folder.
fn folder_words(words: &[String]) -> usize {
    match words {
        [flag, _, ..] if matches!(flag.as_str(), "-C" | "--C") => 2,
        [flag, ..] if flag.starts_with("-C=") || flag.starts_with("--C=") => 1,
        _ => 0,
    }
}

/// `-toolchain go1.X.Y`, which stands first, is GOTOOLCHAIN for this one run; gives the words behind it.
fn named_toolchain(words: &[String]) -> (Option<&str>, &[String]) {
    match words {
        [flag, name, rest @ ..] if matches!(flag.as_str(), "-toolchain" | "--toolchain") => {
            (Some(name.as_str()), rest)
        }
        [flag, rest @ ..] => match flag.trim_start_matches('-').strip_prefix("toolchain=") {
            Some(name) if flag.starts_with('-') => (Some(name), rest),
            _ => (None, words),
        },
        [] => (None, words),
    }
}

/// Fails if the words, or the verb that they want help for, are the go command's alone.
pub(crate) fn refuse(words: &[OsString]) -> Result<(), Failure> {
    let mut verbs = words.iter().filter_map(|word| word.to_str());
    let verb = match verbs.next() {
        Some("help") => verbs.next(),
        verb => verb,
    };
    let Some(verb) = verb else { return Ok(()) };
    if let Some((group, kinds)) = GROUPS.iter().find(|(group, _)| *group == verb) {
        return refuse_kind(group, kinds, verbs.next());
    }
    match NOT_OURS.contains(&verb) {
        true => Err(theirs(verb)),
        false => Ok(()),
    }
}

fn refuse_kind(group: &str, kinds: &[&str], kind: Option<&str>) -> Result<(), Failure> {
    match kind {
        Some(kind) if kinds.contains(&kind) => Err(theirs(&format!("{group} {kind}"))),
        Some(kind) if kind != "help" => {
            Err(Failure::exact(2, format!("go {group}: unknown command\nRun 'go help {group}' for usage.")))
        }
        _ => {
            let ours = VERBS.iter().filter_map(|verb| verb.usage.name.strip_prefix(group)).map(str::trim);
            let ours: Vec<_> = ours.collect();
            Err(Failure::exact(2, format!("usage: modkeep {group} {} …", ours.join("|"))))
        }
    }
}

fn theirs(verb: &str) -> Failure {
    Failure::usage(format!("there is no verb `{verb}` here"))
        .with_hint(format!("the go command has it: go {verb}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_of_go_name_the_go_command() {
        for words in [&["fix", "./..."][..], &["help", "fix"]] {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            let failure = refuse(&words).unwrap_err();
            assert_eq!(failure.status, 2);
            assert!(failure.to_string().contains("go fix"), "{failure}");
        }
        let unknown = refuse(&["mod".into(), "nope".into()]).unwrap_err().to_string();
        assert_eq!(unknown, "go mod: unknown command\nRun 'go help mod' for usage.");
        assert!(refuse(&["serve".into(), "fix".into()]).is_ok());
        assert!(refuse(&[]).is_ok());
    }
}
