//! The commands as we run them: resolve, then write what a command would leave.

use std::collections::BTreeSet;

use modkeep_resolver::error::Error;
use modkeep_resolver::get::{Argument, GetOptions, Update};
use modkeep_resolver::node::Node;
use modkeep_resolver::packages::{Loaded, PackageOptions, Pattern, Silence, Tags, Tidy};
use modkeep_resolver::requirements::{Load, Requirements};
use modkeep_resolver::vendoring;
use modkeep_resolver::world::{Pruning, World};
use modkeep_resolver::written::Change;

use crate::generate::Universe;
use crate::tell::{Caller, Start};
use crate::{Outcome, messages};

/// What we say and leave.
pub(crate) fn us(universe: &Universe, folder: &str, start: &Start, command: &[String]) -> Outcome {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    if words == ["work", "sync"] {
        return sync(universe, folder, start);
    }
    let caller = Caller::new(universe, folder, start);
    let outcome = Outcome { go_mod: start.go_mod.clone(), ..Outcome::default() };
    let mut asked = Asked { caller, stderr: String::new(), has_failed: false, outcome };
    let end = match &words[..] {
        ["mod", "tidy", flags @ ..] => asked.tidy(flags),
        ["mod", "why", rest @ ..] => asked.why(rest),
        ["mod", "vendor"] => asked.vendor(),
        ["get", rest @ ..] => asked.get(rest),
        other => panic!("no such command: {other:?}"),
    };
    let Asked { caller, mut stderr, mut outcome, has_failed } = asked;
    match end {
        Ok(()) => outcome.succeeded = !has_failed,
        Err(error) => {
            let notes: String = caller.world.notes.iter().map(|note| format!("go: {note}\n")).collect();
            stderr = format!("{notes}{}{stderr}", as_told(&error));
        }
    }
    outcome.stderr = messages(&stderr);
    outcome
}

/// An error as the verbs tell it.
fn as_told(error: &Error) -> String {
    let before = if matches!(error, Error::Internal(_)) { "\n" } else { "" };
    format!("{before}go: {error}\n")
}

/// `work sync`: what the workspace selects, then each module with it.
fn sync(universe: &Universe, folder: &str, start: &Start) -> Outcome {
    let second = universe.second.as_ref().expect("only workspaces are synchronised");
    let second = Start { go_mod: second.go_mod.clone(), go_sum: None };
    let mut outcome = Outcome { go_mod: format!("{}{}", start.go_mod, second.go_mod), ..Outcome::default() };
    let Some(mut caller) = Caller::of_workspace(universe, folder, [start, &second]) else { return outcome };
    let versions = match caller.resolve(|world| world.versions_to_sync()) {
        Ok(versions) => versions,
        Err(error) => {
            outcome.stderr = messages(&as_told(&error));
            return outcome;
        }
    };
    let told = |caller: &Caller<'_>| -> String {
        caller.world.notes.iter().map(|note| format!("go: {note}\n")).collect()
    };
    let mut stderr = told(&caller);
    let mut files = String::new();
    for ((_, versions), start) in versions.iter().zip([start, &second]) {
        let mut caller = Caller::new(universe, folder, start);
        let synced = caller.resolve(|world| world.sync_module(versions)).and_then(|loaded| {
            let Some(loaded) = loaded else { return Ok(None) };
            let twice = Change { lays_out_twice: true, ..Change::default() };
            let written = caller.world.written(&loaded.requirements, &twice);
            written.map_err(|error| Box::new(Error::Text(error.to_string())))
        });
        stderr.push_str(&told(&caller));
        match synced {
            Ok(Some(written)) if written.is_dirty => {
                files.push_str(&String::from_utf8(written.after).expect("go.mod is text"));
            }
            Ok(_) => files.push_str(&start.go_mod),
            Err(error) => {
                outcome.stderr = messages(&as_told(&error));
                return outcome;
            }
        }
    }
    Outcome { succeeded: true, go_mod: files, stderr: messages(&stderr), ..outcome }
}

struct Asked<'a> {
    caller: Caller<'a>,
    stderr: String,
    /// Whether go goes on to its end, but fails.
    has_failed: bool,
    outcome: Outcome,
}

impl Asked<'_> {
    fn load(&mut self, load: &Load, options: &PackageOptions) -> Result<Loaded, Box<Error>> {
        let loaded = self.caller.resolve(|world| {
            let requirements = world.load(load)?;
            world.load_packages(&requirements, options)
        })?;
        self.note();
        Ok(loaded)
    }

    fn tidy(&mut self, flags: &[&str]) -> Result<(), Box<Error>> {
        let value = |name: &str| flags.iter().find_map(|flag| flag.strip_prefix(name)).map(str::to_owned);
        let go_version = value("-go=");
        let options = PackageOptions {
            patterns: vec![Pattern::Path("all".to_owned())],
            tags: Tags::Any,
            tidy: Some(Tidy { go_version: go_version.clone(), compatible: value("-compat=") }),
            resolves_missing: true,
            loads_tests: true,
            allows_errors: flags.contains(&"-e"),
            silence: Silence { missing_standard: true, ..Silence::default() },
            is_verbose: flags.contains(&"-v"),
            ..PackageOptions::default()
        };
        let loaded = self.load(&Load { go_version: go_version.clone(), ..Load::default() }, &options)?;
        self.stderr.extend(loaded.unused.iter().map(|path| format!("unused {path}\n")));
        self.fail(&loaded)?;
        let change = Change { sets_go: true, go_version, ..Change::default() };
        self.write(&loaded.requirements, &change, true)?;
        self.sums(loaded.kept_sums.as_ref().expect("tidy says what to keep"));
        Ok(())
    }

    fn fail(&mut self, loaded: &Loaded) -> Result<(), Box<Error>> {
        if loaded.errors.is_empty() {
            return Ok(());
        }
        let errors = Error::Several(loaded.errors.clone());
        // The last look for errors tells them once more, after the advice.
        let text = match loaded.advice.as_str() {
            "" => errors.to_string(),
            advice => format!("{errors}\n{advice}go: {errors}"),
        };
        Err(Box::new(Error::Text(text.trim_end().to_owned())))
    }

    fn write(
        &mut self,
        requirements: &Requirements,
        change: &Change,
        always: bool,
    ) -> Result<(), Box<Error>> {
        let written = self.caller.world.written(requirements, change);
        let written = written.map_err(|error| Box::new(Error::Text(error.to_string())))?;
        if let Some(written) = written.filter(|written| always || written.is_dirty) {
            self.outcome.go_mod = String::from_utf8(written.after).expect("go.mod is text");
        }
        Ok(())
    }

    fn sums(&mut self, kept: &BTreeSet<Node>) {
        let lines = kept.iter().map(|node| format!("{} {}", node.path, node.version));
        self.outcome.sums = lines.filter(|line| self.caller.read.contains(line)).collect();
    }

    fn why(&mut self, words: &[&str]) -> Result<(), Box<Error>> {
        let targets: Vec<String> =
            words.iter().filter(|word| !word.starts_with('-')).map(|word| (*word).to_owned()).collect();
        let for_vendor = words.contains(&"-vendor");
        let load = Load { only_looks: true, ..Load::default() };
        let reasons = self.caller.resolve(|world| {
            let requirements = world.load(&load)?;
            if words.contains(&"-m") {
                // What `list -m` does before: it looks behind the roots only for what is none.
                let is_root = |world: &mut World, target: &String| {
                    let path = world.path(target);
                    requirements.root(world, path).is_some()
                };
                let is_lazy = requirements.pruning() == Pruning::Pruned
                    && targets.iter().all(|target| is_root(world, target));
                let requirements =
                    if is_lazy { requirements } else { world.expand(&requirements)?.requirements };
                return world.why_modules(&requirements, &targets, for_vendor);
            }
            let patterns = targets.iter().cloned().map(Pattern::Path).collect();
            world.why_packages(&requirements, patterns, for_vendor)
        })?;
        self.note();
        let texts: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        self.outcome.stdout = texts.join("\n");
        Ok(())
    }

    fn note(&mut self) {
        let notes = std::mem::take(&mut self.caller.world.notes);
        self.stderr.extend(notes.iter().map(|note| format!("go: {note}\n")));
    }

    fn vendor(&mut self) -> Result<(), Box<Error>> {
        let loaded = self.load(&Load::default(), &vendoring::options(false))?;
        self.fail(&loaded)?;
        let vendoring = self.caller.resolve(|world| world.vendoring(&loaded))?;
        self.note();
        match vendoring.modules_txt.as_str() {
            "" => self.stderr.push_str("go: no dependencies to vendor\n"),
            text => self.outcome.vendored = Some(text.to_owned()),
        }
        self.write(&loaded.requirements, &Change::default(), false)?;
        let kept =
            self.caller.resolve(|world| world.kept_sums(&loaded.requirements, Some(&loaded.sums), true))?;
        self.sums(&kept);
        Ok(())
    }

    fn get(&mut self, words: &[&str]) -> Result<(), Box<Error>> {
        let update = match words.iter().find(|word| word.starts_with("-u")) {
            Some(&"-u=patch") => Some(Update::Patch),
            Some(_) => Some(Update::Upgrade),
            None => None,
        };
        let argument = |word: &&str| Argument {
            text: (*word).to_owned(),
            absolute: word.strip_prefix('.').map(|below| format!("{}/m{below}", self.caller.folder)),
        };
        let options = GetOptions {
            arguments: words.iter().filter(|word| !word.starts_with('-')).map(argument).collect(),
            update,
            with_tests: words.contains(&"-t"),
            are_tools: words.contains(&"-tool"),
            ..GetOptions::default()
        };
        let got = self.caller.resolve(|world| world.get(&options))?;
        self.note();
        let checked = self.caller.resolve(|world| world.check_packages(&got.requirements, &got.check))?;
        self.note();
        self.stderr.extend(checked.warnings.iter().map(|warning| format!("go: {warning}\n")));
        if checked.has_failed {
            self.has_failed = true;
            return Ok(());
        }
        let requirements = checked.loaded.as_ref().map_or(&got.requirements, |loaded| &loaded.requirements);
        self.write(requirements, &got.change, false)?;
        self.stderr.extend(got.changes.iter().map(|change| format!("go: {change}\n")));
        Ok(())
    }
}
