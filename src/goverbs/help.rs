//! Help and completions for the verbs that are go's, made from the tables that read their words.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::VERBS;
use crate::flags::{Kind, Usage};

/// What `help VERB…` prints if the verb is one of go's that we have, or a group of them; nothing otherwise.
pub(crate) fn help(words: &[OsString]) -> Option<String> {
    let words: Option<Vec<&str>> = words.iter().map(|word| word.to_str()).collect();
    let name = match words?.as_slice() {
        ["help", verb @ ..] if !verb.is_empty() => verb.join(" "),
        _ => return None,
    };
    if let Some(verb) = VERBS.iter().find(|verb| verb.usage.name == name) {
        return Some(of_verb(verb.usage));
    }
    let group: Vec<_> = names().filter(|verb| verb.strip_prefix(&name).is_some_and(is_kind)).collect();
    (!group.is_empty()).then(|| format!("modkeep has\n\n\t{}\n", group.join("\n\t")))
}

fn is_kind(rest: &str) -> bool {
    rest.starts_with(' ')
}

fn of_verb(usage: &Usage) -> String {
    let mut flags: Vec<_> = usage.flags.iter().map(|(name, _)| format!("-{name}")).collect();
    flags.sort_unstable();
    let (line, name) = (usage.line, usage.name);
    format!(
        "usage: {line}\n\nFlags: {}\n\nThey mean what they mean to the go command: go help {name}\n\
         Before them may stand -toolchain go1.X.Y, which is GOTOOLCHAIN for this one run.\n",
        flags.join(" ")
    )
}

/// The verbs, such as `mod edit`.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|verb| verb.usage.name)
}

/// The verbs in the form that completions are made from.
pub(crate) fn commands() -> Vec<Command> {
    let mut groups = BTreeMap::<&str, Command>::new();
    for verb in VERBS {
        let name: &'static str = verb.usage.name;
        let (group, kind) = name.split_once(' ').map_or((name, None), |(group, kind)| (group, Some(kind)));
        let command = groups.remove(group).unwrap_or_else(|| Command::new(group));
        let flags = verb.usage.flags.iter().map(|(name, kind)| {
            let action = if *kind == Kind::Text { ArgAction::Set } else { ArgAction::SetTrue };
            Arg::new(*name).long(*name).action(action)
        });
        let command = match kind {
            Some(kind) => command.subcommand(Command::new(kind).args(flags)),
            None => command.args(flags),
        };
        groups.insert(group, command);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_that_we_have_has_help_and_one_that_we_have_not_has_none() {
        let help = |text: &str| help(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert!(help("help mod edit").unwrap().starts_with("usage: go mod edit"));
        assert!(help("help mod").unwrap().contains("\tmod edit\n"));
        for none in ["help", "help serve", "help mod nonsense", "mod edit", "help mo"] {
            assert_eq!(help(none), None, "{none}");
        }
    }

    #[test]
    fn completions_can_be_made_of_the_tables() {
        Command::new("modkeep").subcommands(commands()).debug_assert();
    }
}
