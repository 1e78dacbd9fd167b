//! What a verb may change and download: `-mod`, or what follows from the verb and the vendor folder.
//!
//! Source of the rules: `cmd/go/internal/modload/init.go` (`setDefaultBuildMod`) and `vendor.go`.

use modkeep_resolver::error::{DirtyReason, TooNew};
use modkeep_resolver::go_version;
use modkeep_resolver::vendored::Vendored;
use modkeep_resolver::world::{LocalGo, Mode};

use super::main_files::MainFiles;
use super::{Ground, Session, Wanted, local};
use crate::goenv::{GoEnv, paths, words};
use crate::report::Failure;

/// From here a vendor folder is used unasked.
const USES_VENDOR: &str = "1.14";

/// Refuses a `-mod` that can't be meant.
pub(super) fn check_flag(ground: &Ground, wanted: &Wanted) -> Result<(), Failure> {
    let mode = wanted.flags.mode.as_str();
    if !matches!(mode, "" | "mod" | "readonly" | "vendor") {
        let text = format!("-mod={mode} not supported (can be '', 'mod', 'readonly', or 'vendor')");
        return Err(Failure::exact(1, text));
    }
    if ground.is_workspace() && mode == "mod" {
        return Err(Failure::go(format!(
            "-mod may only be set to readonly or vendor when in workspace mode, but it is set to {mode:?}\n\tRemove the -mod flag to use the default readonly value, \n\tor set GOWORK=off to disable workspace mode."
        )));
    }
    Ok(())
}

/// Whether the verb may change go.mod, or at least look further than it says, if nobody says otherwise.
fn is_free(verb: &str) -> bool {
    matches!(
        verb,
        "get"
            | "mod download"
            | "mod init"
            | "mod tidy"
            | "work sync"
            | "mod graph"
            | "mod verify"
            | "mod why"
    )
}

/// The mode, with what stands in the vendor folder if that is used.
pub(super) fn choose(
    go: &GoEnv,
    ground: &Ground,
    wanted: &Wanted,
    main: &MainFiles,
) -> Result<Mode, Failure> {
    let explicit = wanted.flags.mode.as_str();
    let reason = |mode: &str| DirtyReason { mode: Some(mode.to_owned()), reason: None };
    match explicit {
        "mod" => return Ok(Mode::Mod),
        "readonly" => return Ok(Mode::Readonly(reason("readonly"))),
        "vendor" => return vendored(go, ground, reason("vendor")),
        _ if is_free(wanted.verb) || wanted.is_outside => return Ok(Mode::Mod),
        _ => {}
    }
    let nothing = Mode::Readonly(DirtyReason::default());
    if matches!(wanted.verb, "mod vendor" | "work vendor") || !ground.has_root() {
        return Ok(nothing);
    }
    let Some(folder) = ground.vendor_folder().filter(|folder| go.seen().is_folder(folder)) else {
        return Ok(nothing);
    };
    let (source, version) = match &main.workspace {
        Some(workspace) => ("go.work", workspace.file.go()),
        None => ("go.mod", main.modules.first().and_then(|module| module.file.go())),
    };
    let unused = |reason: String| {
        Ok(Mode::Readonly(DirtyReason { mode: Some("readonly".to_owned()), reason: Some(reason) }))
    };
    let Some(version) = version.map(|line| line.version.as_str()) else {
        return unused(format!("Go version in {source} is unspecified, so vendor directory was not used."));
    };
    if go_version::compare(version, USES_VENDOR).is_lt() {
        return unused(format!("Go version in {source} is {version}, so vendor directory was not used."));
    }
    match (is_of_workspace(go, &folder)?, ground.is_workspace()) {
        (true, false) => {
            unused("Outside workspace mode, but vendor directory is for a workspace.".to_owned())
        }
        (false, true) => unused("In workspace mode, but vendor directory is not for a workspace".to_owned()),
        _ => {
            let reason =
                format!("Go version in {source} is at least {USES_VENDOR} and vendor directory exists.");
            vendored(go, ground, DirtyReason { mode: Some("vendor".to_owned()), reason: Some(reason) })
        }
    }
}

fn is_of_workspace(go: &GoEnv, folder: &str) -> Result<bool, Failure> {
    let text = match go.seen().content(&paths::join(folder, "modules.txt")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            let problem = unreadable(&paths::join(folder, "modules.txt"), &error);
            return Err(Failure::go(format!("reading modules.txt for vendor directory: {problem}")));
        }
    };
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let marks = String::from_utf8_lossy(line.strip_prefix(b"## ").unwrap_or_default()).into_owned();
    Ok(marks.split(';').any(|mark| mark.trim() == "workspace"))
}

fn vendored(go: &GoEnv, ground: &Ground, reason: DirtyReason) -> Result<Mode, Failure> {
    let file = ground.vendor_folder().map(|folder| paths::join(&folder, "modules.txt"));
    let text = match file.map(|file| (read(go, &file), file)) {
        None => String::new(),
        Some((Ok(text), _)) => text,
        Some((Err(error), _)) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Some((Err(error), file)) => {
            return Err(Failure::go(unreadable(&file, &error)));
        }
    };
    let vendored = Vendored::read(&text);
    let is_newer = |line: &&(String, String)| go_version::compare(&line.1, go.release()).is_gt();
    if let Some((path, version)) = vendored.go_lines.iter().find(is_newer) {
        let file = ground.vendor_folder().map(|folder| go.short(&paths::join(&folder, "modules.txt")));
        let LocalGo { version: local, explain } = local(go);
        let what = format!("{path} in {}", file.unwrap_or_default());
        let error = TooNew { what, version: version.clone(), local, explain };
        return Err(Failure::go(error.to_string()));
    }
    Ok(Mode::Vendor(reason, Box::new(vendored)))
}

/// The error about a file in the words of Go's `os.ReadFile`: a folder can be opened.
fn unreadable(file: &str, error: &std::io::Error) -> String {
    let verb = if error.kind() == std::io::ErrorKind::IsADirectory { "read" } else { "open" };
    format!("{verb} {file}: {}", words(error))
}

fn read(go: &GoEnv, file: &str) -> std::io::Result<String> {
    let text = go.seen().content(file)?;
    String::from_utf8(text).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

impl Session<'_> {
    /// Fails where the vendor folder and the files of the main modules disagree.
    pub(super) fn check_vendor(&self, folder: Option<&str>) -> Result<(), Failure> {
        let (Mode::Vendor(_, vendored), Some(folder)) = (&self.world.mode, folder) else { return Ok(()) };
        let is_workspace = self.ground.is_workspace();
        let source = match &self.ground {
            Ground::Open => "go.mod",
            Ground::Module { go_mod, .. } => go_mod,
            Ground::Workspace { go_work } => go_work,
        };
        let differences = self.world.vendor_differences(vendored, &self.go.short(source));
        if differences.is_empty() {
            return Ok(());
        }
        let group = if is_workspace { "work" } else { "mod" };
        let place = paths::parent(folder).unwrap_or("/");
        Err(Failure::go(format!(
            "inconsistent vendoring in {place}:{differences}\n\n\tTo ignore the vendor directory, use -mod=readonly or -mod=mod.\n\tTo sync the vendor directory, run:\n\t\tgo {group} vendor"
        )))
    }
}
