//! What is in a file, and what an edit does to it, in the words of the judge's `modfile.go`.

use modkeep_module::gomod::{Directive, Interval, Layout, Replace, Require};
use modkeep_module::{GoMod, GoWork};
use serde_json::{Value, json};

/// A go.mod or go.work file: what the questions need of both.
pub(crate) trait Parsed {
    /// Every directive: its values, and where its line begins.
    fn facts(&self, positions: bool) -> Value;
    fn format(&self) -> Vec<u8>;
    /// Makes the edit that Go calls `name`; the text of its error.
    fn edit(&mut self, name: &str, args: &[String]) -> Option<String>;
}

impl Parsed for GoMod {
    fn facts(&self, positions: bool) -> Value {
        let mut requires = list(self.requires(), positions, |x| json!([x.path, x.version, x.indirect]));
        if !positions {
            // Go adds new requirements in random order.
            requires.as_array_mut().expect("an array").sort_by_key(|fact| fact[0].to_string());
        }
        json!({
            "module": list(self.module(), positions, |x| json!([x.path, x.deprecated])),
            "go": list(self.go(), positions, |x| json!([x.version])),
            "toolchain": list(self.toolchain(), positions, |x| json!([x.name])),
            "godebug": list(self.godebugs(), positions, |x| json!([x.key, x.value])),
            "require": requires,
            "exclude": list(self.excludes(), positions, |x| json!([x.path, x.version])),
            "replace": list(self.replaces(), positions, replacement),
            "retract": list(self.retracts(), positions, |x| json!([x.interval.low, x.interval.high, &*x.rationale])),
            "tool": list(self.tools(), positions, |x| json!([x.path])),
            "ignore": list(self.ignores(), positions, |x| json!([x.path])),
        })
    }

    fn format(&self) -> Vec<u8> {
        self.format()
    }

    fn edit(&mut self, name: &str, args: &[String]) -> Option<String> {
        let arg = |index: usize| args[index].as_str();
        let interval = || Interval { low: args[0].clone(), high: args[1].clone() };
        let result = match name {
            "AddGoStmt" => self.add_go(arg(0)),
            "AddToolchainStmt" => self.add_toolchain(arg(0)),
            "AddExclude" => self.add_exclude(arg(0), arg(1)),
            "AddRetract" => self.add_retract(&interval(), arg(2)),
            _ => Ok(()),
        };
        match name {
            "AddGoStmt" | "AddToolchainStmt" | "AddExclude" | "AddRetract" => {}
            "AddModuleStmt" => self.add_module(arg(0)),
            "AddComment" => self.add_comment(arg(0)),
            "DropGoStmt" => self.drop_go(),
            "DropToolchainStmt" => self.drop_toolchain(),
            "AddGodebug" => self.add_godebug(arg(0), arg(1)),
            "DropGodebug" => self.drop_godebug(arg(0)),
            "AddRequire" => self.add_require(arg(0), arg(1)),
            "AddNewRequire" => self.add_new_require(arg(0), arg(1), !arg(2).is_empty()),
            "DropRequire" => self.drop_require(arg(0)),
            "SetRequire" => self.set_requires(Layout::AsFound, &requires(args)),
            "SetRequireSeparateIndirect" => self.set_requires(Layout::SeparateIndirect, &requires(args)),
            "SetRequireAtMostTwo" => self.set_requires(Layout::AtMostTwo, &requires(args)),
            "DropExclude" => self.drop_exclude(arg(0), arg(1)),
            "AddReplace" => self.add_replace(replace(args)),
            "DropReplace" => self.drop_replace(arg(0), optional(arg(1)).as_deref()),
            "DropRetract" => self.drop_retract(&interval()),
            "AddTool" => self.add_tool(arg(0)),
            "DropTool" => self.drop_tool(arg(0)),
            "AddIgnore" => self.add_ignore(arg(0)),
            "DropIgnore" => self.drop_ignore(arg(0)),
            "SortBlocks" => self.sort_blocks(),
            "Cleanup" => self.cleanup(),
            _ => panic!("no edit {name}"),
        }
        result.err().map(|error| error.to_string())
    }
}

impl Parsed for GoWork {
    fn facts(&self, positions: bool) -> Value {
        json!({
            "go": list(self.go(), positions, |x| json!([x.version])),
            "toolchain": list(self.toolchain(), positions, |x| json!([x.name])),
            "godebug": list(self.godebugs(), positions, |x| json!([x.key, x.value])),
            "use": list(self.uses(), positions, |x| json!([x.path, x.module_path])),
            "replace": list(self.replaces(), positions, replacement),
        })
    }

    fn format(&self) -> Vec<u8> {
        self.format()
    }

    fn edit(&mut self, name: &str, args: &[String]) -> Option<String> {
        let arg = |index: usize| args[index].as_str();
        let result = match name {
            "AddGoStmt" => self.add_go(arg(0)),
            "AddToolchainStmt" => self.add_toolchain(arg(0)),
            _ => Ok(()),
        };
        match name {
            "AddGoStmt" | "AddToolchainStmt" => {}
            "DropGoStmt" => self.drop_go(),
            "DropToolchainStmt" => self.drop_toolchain(),
            "AddGodebug" => self.add_godebug(arg(0), arg(1)),
            "DropGodebug" => self.drop_godebug(arg(0)),
            "AddUse" => self.add_use(arg(0), arg(1)),
            "AddNewUse" => self.add_new_use(arg(0), arg(1)),
            "DropUse" => self.drop_use(arg(0)),
            "AddReplace" => self.add_replace(replace(args)),
            "DropReplace" => self.drop_replace(arg(0), optional(arg(1)).as_deref()),
            "SortBlocks" => self.sort_blocks(),
            "Cleanup" => self.cleanup(),
            _ => panic!("no edit {name}"),
        }
        result.err().map(|error| error.to_string())
    }
}

fn list<'a, T: 'a>(
    directives: impl IntoIterator<Item = &'a Directive<T>>,
    positions: bool,
    values: impl Fn(&T) -> Value,
) -> Value {
    let fact = |directive: &Directive<T>| {
        let mut fact = values(directive);
        if positions {
            let at = directive.position;
            fact.as_array_mut().expect("an array").extend([json!(at.line), json!(at.rune), json!(at.byte)]);
        }
        fact
    };
    directives.into_iter().map(fact).collect()
}

fn replacement(replace: &Replace) -> Value {
    let version = |version: &Option<String>| version.clone().unwrap_or_default();
    json!([replace.old_path, version(&replace.old_version), replace.new_path, version(&replace.new_version)])
}

fn replace(args: &[String]) -> Replace {
    let [old_path, old_version, new_path, new_version] = args else { panic!("four arguments, not {args:?}") };
    Replace {
        old_path: old_path.clone(),
        old_version: optional(old_version),
        new_path: new_path.clone(),
        new_version: optional(new_version),
    }
}

fn optional(version: &str) -> Option<String> {
    (!version.is_empty()).then(|| version.to_owned())
}

fn requires(args: &[String]) -> Vec<Require> {
    let require = |args: &[String]| Require {
        path: args[0].clone(),
        version: args[1].clone(),
        indirect: !args[2].is_empty(),
    };
    args.chunks(3).map(require).collect()
}
