//! `modkeep build`: packages compiled, programs linked and put where they are wanted.
//!
//! Source of the rules: `cmd/go/internal/work:build.go:runBuild`.

use std::fs;

use modkeep_builder::build::BuildMode;
use modkeep_builder::load::Options;
use modkeep_builder::package::{Package, PackageId};
use modkeep_builder::plan::{Linking, Plan};
use modkeep_module::file_path;

use super::site::Loaded;
use super::{BuildFlags, Site, build_flags};
use crate::flags::{Kind, Usage};
use crate::goenv::GoEnv;
use crate::report::Failure;

/// How the verb is used.
pub(crate) const USAGE: Usage = Usage {
    name: "build",
    line: "go build [-o output] [build flags] [packages]",
    flags: build_flags![("o", Kind::Text)],
};

/// Runs the verb.
pub(crate) fn run(go: &GoEnv, words: &[String]) -> Result<(), Failure> {
    let mut flags = BuildFlags::default();
    let mut output = String::new();
    let patterns = USAGE.parse(words, go.goflags(), |name, value| match name {
        "o" => {
            value.clone_into(&mut output);
            Ok(())
        }
        name => flags.set(&USAGE, go, name, value).map(|_| ()),
    })?;
    let site = Site::find(go, &flags, "build")?;
    let options = Options { stamps: true, ..Options::default() };
    let loaded = site.load(&patterns, options)?;
    let wanted = Wanted::choose(&site, &loaded, &output)?;
    let done = site.perform(&loaded, |plan| wanted.add_to(plan, &loaded), |_, _| Ok(()));
    // The process ends now; to free all that was loaded piece by piece is a tenth of a build that has nothing to do.
    std::mem::forget((site, loaded));
    done
}

/// Where results go.
enum Wanted {
    /// Nowhere: it is only seen whether it can be built.
    Nothing,
    /// One result, to one file for each target.
    File(Vec<String>),
    /// Programs into a folder for each target.
    Folder(Vec<String>),
}

impl Wanted {
    fn choose(site: &Site<'_>, loaded: &[Loaded], output: &str) -> Result<Self, Failure> {
        let named = chosen(site, &loaded[0], output)?;
        let suffixes: Vec<&str> =
            site.builds.iter().map(|build| if build.target.os == "windows" { ".exe" } else { "" }).collect();
        let mut file = output.to_owned();
        let is_explicit = !output.is_empty();
        let graph = &loaded[0].graph;
        if let [only] = named.as_slice()
            && graph[*only].name == "main"
            && !is_explicit
        {
            graph[*only].program_name().clone_into(&mut file);
        }
        if file == "/dev/null" || file.is_empty() {
            return Ok(Self::Nothing);
        }
        if site.builds.len() > 1 {
            let folder = if is_explicit { file.trim_end_matches('/') } else { "." };
            let folders = site.builds.iter().map(|build| {
                file_path::join(
                    &site.go.absolute(folder),
                    &format!("{}_{}", build.target.os, build.target.arch),
                )
            });
            return Ok(Self::Folder(folders.collect()));
        }
        if !is_explicit {
            file.push_str(suffixes[0]);
        }
        let path = site.go.absolute(&file);
        if file.ends_with('/') || fs::metadata(&path).is_ok_and(|found| found.is_dir()) {
            if !is_explicit {
                let quoted = modkeep_module::quote::quote(&file);
                return Err(Failure::go(format!("build output {quoted} already exists and is a directory")));
            }
            if !named.iter().any(|&id| graph[id].name == "main") {
                return Err(Failure::go("no main packages to build"));
            }
            return Ok(Self::Folder(vec![path]));
        }
        match named.len() {
            0 => Err(Failure::exact(1, "no packages to build")),
            1 => Ok(Self::File(vec![file])),
            _ => Err(Failure::go(format!("cannot write multiple packages to non-directory {file}"))),
        }
    }

    fn add_to(&self, plan: &mut Plan<'_>, loaded: &[Loaded]) -> Result<(), Failure> {
        for (goal, loaded) in loaded.iter().enumerate() {
            let suffix = plan.program_suffix(goal);
            for &id in &loaded.named {
                let package = &loaded.graph[id];
                if package.is_passed_over() {
                    continue;
                }
                let is_program = package.name == "main";
                match self {
                    Self::Nothing if is_program => {
                        let linking = Linking { target: &package.target, ..Linking::default() };
                        plan.link(goal, id, &linking);
                    }
                    Self::Nothing => {
                        plan.compile(goal, id);
                    }
                    Self::File(files) if is_program => {
                        plan.link(
                            goal,
                            id,
                            &Linking { target: &files[goal], installs: true, ..Linking::default() },
                        );
                    }
                    Self::File(files) => {
                        let node = plan.compile(goal, id);
                        plan.install(node, &files[goal]);
                    }
                    Self::Folder(folders) if is_program => {
                        let target = format!(
                            "{}/{}{suffix}",
                            folders[goal].trim_end_matches('/'),
                            package.program_name()
                        );
                        plan.link(
                            goal,
                            id,
                            &Linking { target: &target, installs: true, ..Linking::default() },
                        );
                    }
                    Self::Folder(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// The packages that a build mode lets through, without those that are there for tests only.
fn chosen(site: &Site<'_>, loaded: &Loaded, output: &str) -> Result<Vec<PackageId>, Failure> {
    site.check_mode(loaded, !output.is_empty())?;
    let is_chosen = |package: &Package| match site.flags.mode {
        BuildMode::Executable => package.name == "main",
        BuildMode::Archive => package.name != "main",
        _ => true,
    };
    let named = loaded.named.iter().copied();
    Ok(named.filter(|&id| is_chosen(&loaded.graph[id]) && !loaded.graph[id].is_passed_over()).collect())
}
