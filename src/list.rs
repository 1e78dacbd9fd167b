//! `modkeep list`: packages, and with `-m` modules, their versions and updates.
//!
//! Source of the rules: `cmd/go/internal/list/list.go`.

mod built;
pub(crate) mod modules;
mod packages;
pub(crate) mod public;

use std::fmt::Write;

use modkeep_resolver::world::Mode as Permission;
use modkeep_resolver::written::Change;

use self::modules::{Listing, Mode};
use crate::building::BuildFlags;
use crate::flags::{Kind, Usage, go_build_flags};
use crate::goenv::GoEnv;
use crate::gojson;
use crate::report::{self, Failure};
use crate::session::{ModFlags, Session, Wanted};
use crate::template::Template;

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "list",
    line: "go list [-f format] [-json] [-m] [list flags] [build flags] [packages]",
    flags: go_build_flags![
        ("compiled", Kind::Bool),
        ("cover", Kind::Bool),
        ("covermode", Kind::Text),
        ("coverpkg", Kind::Text),
        ("deps", Kind::Bool),
        ("e", Kind::Bool),
        ("export", Kind::Bool),
        ("f", Kind::Text),
        ("find", Kind::Bool),
        ("json", Kind::Optional),
        ("m", Kind::Bool),
        ("major", Kind::Bool),
        ("mod", Kind::Text),
        ("retracted", Kind::Bool),
        ("reuse", Kind::Text),
        ("test", Kind::Bool),
        ("u", Kind::Bool),
        ("versions", Kind::Bool),
    ],
};

/// What was asked for.
#[derive(Default)]
struct Asked {
    lists_modules: bool,
    is_lenient: bool,
    /// `all`, or fields; empty without `-json`.
    json: String,
    format: String,
    reuse: String,
    updates: bool,
    /// Newer major versions, which go doesn't tell.
    majors: bool,
    versions: bool,
    retracted: bool,
    /// A flag that makes no sense for modules.
    for_packages: Option<&'static str>,
    deps: bool,
    tests: bool,
    finds: bool,
    exports: bool,
    is_compiled: bool,
    flags: ModFlags,
    build_flags: BuildFlags,
}

impl Asked {
    fn set(&mut self, go: &GoEnv, name: &'static str, value: &str) -> Result<(), Failure> {
        let is_set = value == "true";
        if name != "json" {
            self.build_flags.set(&USAGE, go, name, value)?;
        }
        if self.flags.set(name, value)? {
            return Ok(());
        }
        match name {
            "m" => self.lists_modules = is_set,
            "e" => self.is_lenient = is_set,
            "f" => value.clone_into(&mut self.format),
            "json" => {
                self.json = match value {
                    "true" | "1" | "t" | "T" | "TRUE" | "True" => "all".to_owned(),
                    "false" | "0" | "f" | "F" | "FALSE" | "False" => String::new(),
                    fields => fields.to_owned(),
                }
            }
            "reuse" => value.clone_into(&mut self.reuse),
            "u" => self.updates = is_set,
            "major" => self.majors = is_set,
            "versions" => self.versions = is_set,
            "retracted" => self.retracted = is_set,
            "compiled" | "deps" | "export" | "find" | "test" => {
                self.for_packages = is_set.then_some(name).or(self.for_packages);
                match name {
                    "deps" => self.deps = is_set,
                    "find" => self.finds = is_set,
                    "test" => self.tests = is_set,
                    "export" => self.exports = is_set,
                    _ => self.is_compiled = is_set,
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Asked {
    fn list_packages(self, go: &GoEnv, words: &[String]) -> Result<(), Failure> {
        if !self.reuse.is_empty() && (self.format.is_empty() || self.json.is_empty()) {
            return Err(Failure::exact(1, "go list -reuse cannot be used without -m"));
        }
        let flags = [(self.updates, "u"), (self.versions, "versions"), (self.majors, "major")];
        for (is_set, flag) in flags {
            if is_set {
                return Err(Failure::exact(1, format!("go list -{flag} can only be used with -m")));
            }
        }
        let packages = packages::Asked {
            deps: self.deps,
            tests: self.tests,
            finds: self.finds,
            is_lenient: self.is_lenient,
            exports: self.exports,
            is_compiled: self.is_compiled,
            json: self.json,
            format: self.format,
        };
        packages::run(go, &packages, &self.build_flags, &self.flags, words)
    }
}

/// Lists packages or modules.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut asked = Asked::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| asked.set(go, name, value))?;
    if words.iter().any(String::is_empty) {
        return Err(Failure::go("invalid package: \"\""));
    }
    if !asked.lists_modules {
        return asked.list_packages(go, &words);
    }
    let exact = |text: &str| Err(Failure::exact(1, text));
    if !asked.format.is_empty() && !asked.json.is_empty() {
        return exact("go list -f cannot be used with -json");
    }
    let format = match asked.format.as_str() {
        "" if asked.versions => {
            "{{.Path}}{{range .Versions}} {{.}}{{end}}{{if .Deprecated}} (deprecated){{end}}"
        }
        "" => "{{.String}}",
        format => format,
    };
    let template = Template::parse(format).map_err(|error| Failure::exact(1, error))?;
    let wanted = Wanted { verb: "list", flags: asked.flags.clone(), ..Wanted::default() };
    let mut session = Session::start(go, &wanted)?;
    if !asked.reuse.is_empty() && session.has_main() {
        return exact("go list -reuse cannot be used inside a module");
    }
    check(&asked, &session.world.mode, &words)?;
    let mode = Mode {
        updates: asked.updates,
        majors: asked.majors,
        retracted: asked.retracted || asked.updates,
        deprecated: asked.updates,
        versions: asked.versions,
        retracted_versions: asked.retracted && asked.versions,
        files: !asked.json.is_empty() || !asked.format.is_empty(),
        reuse: asked.reuse.clone(),
    };
    let Listing { modules, error, requirements } = session.list_modules(&words, &mode)?;
    let mut error = error.map(|error| error.to_string());
    if error.is_none() && !asked.updates && !asked.majors {
        error = session.commit(&requirements, &Change::default(), None).err().map(|failure| {
            let text = failure.to_string();
            text.strip_prefix("go: ").unwrap_or(&text).to_owned()
        });
    }
    if !asked.is_lenient {
        for module in &modules {
            if let Some(error) = &module.error {
                session.fail(&error.err);
            }
        }
        if let Some(error) = error {
            session.fail(&error);
        }
        session.exit_if_failed()?;
    }
    let mut output = String::new();
    for module in &modules {
        if !asked.json.is_empty() {
            output.push_str(&gojson::indented(&module.with_fields(&asked.json))?);
            continue;
        }
        if asked.format.is_empty() && !asked.versions {
            write!(output, "{module}").expect("a String takes all text");
        } else {
            let (text, done) = template.run(&module.value());
            output.push_str(&text);
            if let Err(error) = done {
                report::out(&output)?;
                return Err(Failure::exact(1, error));
            }
        }
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
    }
    report::out(&output)?;
    // The process ends now: freeing all of it piece by piece is a part of the time that can be noticed.
    std::mem::forget((modules, requirements));
    session.leave();
    Ok(())
}

fn check(asked: &Asked, permission: &Permission, words: &[String]) -> Result<(), Failure> {
    let is_vendored = matches!(permission, Permission::Vendor(..));
    if asked.retracted && asked.flags.mode == "vendor" {
        return Err(Failure::exact(1, "go list -retracted cannot be used when vendoring is enabled"));
    }
    if let Some(flag) = asked.for_packages {
        return Err(Failure::exact(1, format!("go list -{flag} cannot be used with -m")));
    }
    if is_vendored {
        let refuse = |what: &str| {
            Err(Failure::go(format!(
                "can't {what} using the vendor directory\n\t(Use -mod=mod or -mod=readonly to bypass.)"
            )))
        };
        if asked.versions {
            return refuse("determine available versions");
        }
        if asked.updates {
            return refuse("determine available upgrades");
        }
        if asked.majors {
            return refuse("determine newer major versions");
        }
        for word in words {
            if word == "all" {
                return refuse("compute 'all'");
            }
            if word.contains("...") {
                return refuse("match module patterns");
            }
        }
    }
    if !asked.reuse.is_empty() && words.is_empty() {
        return Err(Failure::go("list -m -reuse only has an effect with module@version arguments"));
    }
    Ok(())
}
