//! `modkeep mod edit`: changes of a go.mod file that need to know nothing but the file.
//!
//! Source of the rules: `cmd/go/internal/modcmd/edit.go`.

pub(crate) mod arguments;
mod json;

use modkeep_module::gomod::{EditError, GoMod, is_go_version, is_toolchain_name};
use modkeep_module::path::check_import_path;

use super::main_module;
use crate::flags::{Kind, Usage, module_flags};
use crate::goenv::GoEnv;
use crate::locked;
use crate::report::{self, Failure};
use crate::session::ModFlags;
use arguments::Argument;

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "mod edit",
    line: "go mod edit [editing flags] [-fmt|-print|-json] [go.mod]",
    flags: module_flags![
        ("dropexclude", Kind::Text),
        ("dropgodebug", Kind::Text),
        ("dropignore", Kind::Text),
        ("dropreplace", Kind::Text),
        ("droprequire", Kind::Text),
        ("dropretract", Kind::Text),
        ("droptool", Kind::Text),
        ("exclude", Kind::Text),
        ("fmt", Kind::Bool),
        ("go", Kind::Text),
        ("godebug", Kind::Text),
        ("ignore", Kind::Text),
        ("json", Kind::Bool),
        ("module", Kind::Text),
        ("n", Kind::Bool),
        ("print", Kind::Bool),
        ("replace", Kind::Text),
        ("require", Kind::Text),
        ("retract", Kind::Text),
        ("tool", Kind::Text),
        ("toolchain", Kind::Text),
        ("x", Kind::Bool),
    ],
};

type Change = Box<dyn Fn(&mut GoMod) -> Result<(), EditError>>;

/// One change, and the flag that asked for it.
struct Edit {
    flag: String,
    change: Change,
}

#[derive(Default)]
struct Wanted {
    is_formatted: bool,
    is_printed: bool,
    is_json: bool,
    module: String,
    go: String,
    toolchain: String,
    flags: ModFlags,
    edits: Vec<Edit>,
}

/// Edits the file, or prints it as it would be.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut wanted = Wanted::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| wanted.set(name, value))?;
    go.lay_over(&wanted.flags.overlay)?;
    let file_name = wanted.file(go, &words)?;
    wanted.check(go)?;
    let data = locked::read(&file_name).map_err(Failure::go)?;
    let mut file = GoMod::parse(&file_name, &data)
        .map_err(|errors| Failure::go(format!("errors parsing {}:\n{errors}", go.short(&file_name))))?;
    wanted.apply(&mut file)?;
    if wanted.is_json {
        return report::out(&json::text(&file, go.is_before("1.27"))?);
    }
    let text = file.format();
    if wanted.is_printed {
        return report::out_bytes(&text);
    }
    locked::change(&file_name, &data, &text).map_err(Failure::go)
}

impl Wanted {
    fn set(&mut self, name: &'static str, value: &str) -> Result<(), Failure> {
        let is_set = value == "true";
        match name {
            "fmt" => self.is_formatted = is_set,
            "print" => self.is_printed = is_set,
            "json" => self.is_json = is_set,
            "module" => value.clone_into(&mut self.module),
            "go" => value.clone_into(&mut self.go),
            "toolchain" => value.clone_into(&mut self.toolchain),
            "n" | "x" => {}
            _ if self.flags.set(name, value)? => {}
            _ => self.edits.push(edit(name, value)?),
        }
        Ok(())
    }

    fn file(&self, go: &GoEnv, words: &[String]) -> Result<String, Failure> {
        let named = [&self.module, &self.go, &self.toolchain].iter().any(|text| !text.is_empty());
        if !named && !self.is_json && !self.is_printed && !self.is_formatted && self.edits.is_empty() {
            return Err(Failure::go("no flags specified (see 'go help mod edit')."));
        }
        if self.is_json && self.is_printed {
            return Err(Failure::go("cannot use both -json and -print"));
        }
        match words {
            [] => main_module::go_mod(go, &self.flags.modfile),
            [file] => Ok(file.clone()),
            _ => Err(Failure::go("too many arguments")),
        }
    }

    fn check(&self, go: &GoEnv) -> Result<(), Failure> {
        if !self.module.is_empty() {
            let invalid = |problem: String| Failure::go(format!("invalid -module: {problem}"));
            check_import_path(&self.module).map_err(|error| invalid(error.to_string()))?;
            if matches!(self.module.as_str(), "go" | "toolchain") {
                return Err(invalid("module path is reserved".into()));
            }
        }
        check_versions("go mod", &self.go, &self.toolchain, go)
    }

    fn apply(&self, file: &mut GoMod) -> Result<(), Failure> {
        let internal = |error: EditError| Failure::go(format!("internal error: {error}"));
        if !self.module.is_empty() {
            file.add_module(&self.module);
        }
        match self.go.as_str() {
            "" => {}
            "none" => file.drop_go(),
            version => file.add_go(version).map_err(internal)?,
        }
        match self.toolchain.as_str() {
            "" => {}
            "none" => file.drop_toolchain(),
            name => file.add_toolchain(name).map_err(internal)?,
        }
        for edit in &self.edits {
            (edit.change)(file).map_err(|error| Failure::go(format!("{}: {error}", edit.flag)))?;
        }
        file.sort_blocks();
        file.cleanup();
        Ok(())
    }
}

/// Fails where `-go` or `-toolchain` are no versions; `speaker` is whose flags they are.
pub(crate) fn check_versions(
    speaker: &str,
    version: &str,
    toolchain: &str,
    go: &GoEnv,
) -> Result<(), Failure> {
    let refuse = |flag: &str, example: String| {
        let text =
            format!("{speaker}: invalid -{flag} option; expecting something like \"-{flag} {example}\"");
        Err(Failure::exact(1, text))
    };
    if !matches!(version, "" | "none") && !is_go_version(version) {
        return refuse("go", go.release().to_owned());
    }
    if !matches!(toolchain, "" | "none") && !is_toolchain_name(toolchain) {
        return refuse("toolchain", format!("go{}", go.release()));
    }
    Ok(())
}

/// What an editing flag asks for. Its value is checked here, where the flag stands.
fn edit(name: &'static str, value: &str) -> Result<Edit, Failure> {
    let argument = Argument { flag: name, value };
    let text = value.to_owned();
    let change: Change = match name {
        "godebug" => {
            let (key, value) = argument.key_value()?;
            infallible(move |file| file.add_godebug(&key, &value))
        }
        "dropgodebug" => infallible(move |file| file.drop_godebug(&text)),
        "require" => {
            let (path, version) = argument.path_version()?;
            infallible(move |file| file.add_require(&path, &version))
        }
        "droprequire" => {
            let path = argument.path()?;
            infallible(move |file| file.drop_require(&path))
        }
        "exclude" => {
            let (path, version) = argument.path_version()?;
            Box::new(move |file| file.add_exclude(&path, &version))
        }
        "dropexclude" => {
            let (path, version) = argument.path_version()?;
            infallible(move |file| file.drop_exclude(&path, &version))
        }
        "replace" => {
            let replace = argument.replace(arguments::Directory::AsItStands)?;
            infallible(move |file| file.add_replace(replace.clone()))
        }
        "dropreplace" => {
            let (path, version) = argument.replaced(arguments::Directory::AsItStands)?;
            infallible(move |file| file.drop_replace(&path, version.as_deref()))
        }
        "retract" => {
            let interval = argument.interval()?;
            Box::new(move |file| file.add_retract(&interval, ""))
        }
        "dropretract" => {
            let interval = argument.interval()?;
            infallible(move |file| file.drop_retract(&interval))
        }
        "tool" => {
            let path = argument.path()?;
            infallible(move |file| file.add_tool(&path))
        }
        "droptool" => {
            let path = argument.path()?;
            infallible(move |file| file.drop_tool(&path))
        }
        "ignore" => infallible(move |file| file.add_ignore(&text)),
        "dropignore" => infallible(move |file| file.drop_ignore(&text)),
        _ => unreachable!("every flag of the table is matched here or in Wanted::set"),
    };
    Ok(Edit { flag: argument.shown(), change })
}

fn infallible(change: impl Fn(&mut GoMod) + 'static) -> Change {
    Box::new(move |file| {
        change(file);
        Ok(())
    })
}
