//! `modkeep work edit`: changes of a go.work file that need to know nothing but the file.
//!
//! Source of the rules: `cmd/go/internal/workcmd/edit.go`.

mod json;

use modkeep_module::gowork::GoWork;

use super::file;
use crate::flags::{Kind, Usage};
use crate::goenv::{GoEnv, paths};
use crate::modcmd::edit::arguments::{Argument, Directory};
use crate::modcmd::edit::check_versions;
use crate::report::{self, Failure};

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "work edit",
    line: "go work edit [editing flags] [go.work]",
    flags: &[
        ("dropgodebug", Kind::Text),
        ("dropreplace", Kind::Text),
        ("dropuse", Kind::Text),
        ("fmt", Kind::Bool),
        ("go", Kind::Text),
        ("godebug", Kind::Text),
        ("json", Kind::Bool),
        ("print", Kind::Bool),
        ("replace", Kind::Text),
        ("toolchain", Kind::Text),
        ("use", Kind::Text),
    ],
};

type Edit = Box<dyn Fn(&GoEnv, &mut GoWork)>;

#[derive(Default)]
struct Wanted {
    is_formatted: bool,
    is_printed: bool,
    is_json: bool,
    go: String,
    toolchain: String,
    edits: Vec<Edit>,
}

/// Edits the file, or prints it as it would be.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut wanted = Wanted::default();
    let words = USAGE.parse(words, go.goflags(), |name, value| wanted.set(name, value))?;
    if wanted.is_json && wanted.is_printed {
        return Err(Failure::go("cannot use both -json and -print"));
    }
    let path = match &words[..] {
        [] => file::in_force(go)?,
        [file] => file.clone(),
        _ => return Err(Failure::go("'go help work edit' accepts at most one argument")),
    };
    check_versions("go work", &wanted.go, &wanted.toolchain, go)?;
    let is_asked = !wanted.go.is_empty() || !wanted.toolchain.is_empty() || !wanted.edits.is_empty();
    if !is_asked && !wanted.is_json && !wanted.is_printed && !wanted.is_formatted {
        return Err(Failure::go("no flags specified (see 'go help work edit')."));
    }
    let mut workspace = file::read(go, &path, true)
        .map_err(|error| Failure::go(format!("errors parsing {}:\n{error}", go.short(&path))))?;
    wanted.apply(go, &mut workspace)?;
    if wanted.is_json {
        return report::out(&json::text(&workspace, go.is_before("1.27"))?);
    }
    if wanted.is_printed {
        return report::out_bytes(&workspace.format());
    }
    file::write(&path, &mut workspace)
}

impl Wanted {
    fn set(&mut self, name: &'static str, value: &str) -> Result<(), Failure> {
        let is_set = value == "true";
        match name {
            "fmt" => self.is_formatted = is_set,
            "print" => self.is_printed = is_set,
            "json" => self.is_json = is_set,
            "go" => value.clone_into(&mut self.go),
            "toolchain" => value.clone_into(&mut self.toolchain),
            _ => self.edits.push(edit(name, value)?),
        }
        Ok(())
    }

    fn apply(&self, go: &GoEnv, workspace: &mut GoWork) -> Result<(), Failure> {
        let internal = |error| Failure::go(format!("internal error: {error}"));
        match self.go.as_str() {
            "" => {}
            "none" => workspace.drop_go(),
            version => workspace.add_go(version).map_err(internal)?,
        }
        match self.toolchain.as_str() {
            "" => {}
            "none" => workspace.drop_toolchain(),
            name => workspace.add_toolchain(name).map_err(internal)?,
        }
        for edit in &self.edits {
            edit(go, workspace);
        }
        workspace.sort_blocks();
        workspace.cleanup();
        Ok(())
    }
}

/// What an editing flag asks for. Its value is checked here, where the flag stands.
fn edit(name: &'static str, value: &str) -> Result<Edit, Failure> {
    let argument = Argument { flag: name, value };
    let text = value.to_owned();
    Ok(match name {
        "godebug" => {
            let (key, value) = argument.key_value()?;
            Box::new(move |_, workspace| workspace.add_godebug(&key, &value))
        }
        "dropgodebug" => Box::new(move |_, workspace| workspace.drop_godebug(&text)),
        "use" => Box::new(move |go, workspace| {
            let module = file::read_module(go, &paths::join(&text, "go.mod")).ok();
            let folder = file::directory(&text);
            let path = module.as_ref().and_then(|file| file.module()).map_or("", |module| &module.path);
            workspace.add_use(&folder, path);
            // Go adds it a second time without the path, which takes the path away again.
            workspace.add_use(&folder, "");
        }),
        "dropuse" => Box::new(move |_, workspace| workspace.drop_use(&file::directory(&text))),
        "replace" => {
            let replace = argument.replace(Directory::UpToVersion)?;
            Box::new(move |_, workspace| workspace.add_replace(replace.clone()))
        }
        "dropreplace" => {
            let (path, version) = argument.replaced(Directory::UpToVersion)?;
            Box::new(move |_, workspace| workspace.drop_replace(&path, version.as_deref()))
        }
        _ => unreachable!("every flag of the table is matched here or in Wanted::set"),
    })
}
