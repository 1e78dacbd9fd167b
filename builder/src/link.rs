//! Linking one program: its key, whether it is up to date, and else the linker.
//!
//! Source: `cmd/go/internal/work:exec.go` (`linkActionID`, `link`, `BuildInstallFunc`), `gc.go:ld`.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use modkeep_module::quote::quote;
use modkeep_store::Digest;

use crate::action::{Input, Variables};
use crate::action_id::ActionId;
use crate::buildid::{self, BuildId};
use crate::cgo;
use crate::compile::{Compiled, tool_action};
use crate::goal::Goal;
use crate::host;
use crate::package::Package;
use crate::rebuild::Subject;
use crate::shop::{Bench, Shop, StepError};
use crate::tags::Instrument;
use crate::tier;
use crate::words::{self, quoted_list};

const INFO_START: [u8; 16] =
    [0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6];
const INFO_END: [u8; 16] =
    [0xf9, 0x32, 0x43, 0x31, 0x86, 0x18, 0x20, 0x72, 0x00, 0x82, 0x42, 0x10, 0x41, 0x16, 0xd8, 0xf2];

/// A program that is linked, or was.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Its key.
    pub action: ActionId,
    /// What its key is made of.
    pub preimage: String,
    /// Its build ID.
    pub build_id: BuildId,
    /// Where it is.
    pub path: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a linked program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was at its target already, or nobody needs it.
    Target,
    /// A cache had it.
    Kept,
    /// It was linked.
    Made,
}

impl Linked {
    /// Whether it was there already.
    pub fn is_up_to_date(&self) -> bool {
        self.origin == Origin::Target
    }
}

/// One program to link.
pub(crate) struct Program<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) goal: &'a Goal<'a>,
    pub(crate) package: &'a Package,
    /// The program's own package and all below, breadth first.
    pub(crate) packages: Vec<(&'a Package, &'a Compiled)>,
    /// The folder for its files, with a slash behind it.
    pub(crate) folder: &'a str,
    /// What it is called there, without an ending; `a.out` where nobody sees it.
    pub(crate) name: &'a str,
    /// Where it goes, if it goes anywhere; what is there may be up to date.
    pub(crate) target: Option<&'a str>,
    /// Whether the build cache keeps it.
    pub(crate) is_kept: bool,
}

impl Program<'_> {
    /// The key and its pre-image, given the build ID of the main package (`linkActionID`).
    pub(crate) fn key(&self, main: &BuildId) -> Result<(ActionId, String), StepError> {
        let (package, goal) = (self.package, self.goal);
        let build = goal.build;
        let target = &build.target;
        let mut text = format!(
            "link\nbuildmode {} goos {} goarch {}\nimport {}\nomitdebug {} standard {} local {} prefix \"\"\n",
            build.mode.as_str(),
            target.os,
            target.arch,
            quote(&package.import_path),
            package.omit_debug,
            package.standard,
            package.cmdline_files,
        );
        text.push_str(&format!("defaultgodebug {}\n", quote(&package.default_godebug)));
        if build.trimpath {
            text.push_str("trimpath\n");
        }
        let tool = self.shop.tool_id(goal, "link")?;
        text.push_str(&format!("link {tool} {} {}\n", quoted_list(&goal.forced_ldflags), goal.link_mode));
        text.push_str(&format!("linkflags {}\n", quoted_list(&package.ldflags)));
        text.push_str(&goal.level_line());
        text.push_str(&goal.experiments_line());
        let root = if build.trimpath { "" } else { &build.toolchain.root };
        let external = self.shop.machine.variables().get("GO_EXTLINK_ENABLED").map_or("", String::as_str);
        text.push_str(&format!("GOROOT={root}\nGO_EXTLINK_ENABLED={external}\n"));
        for (index, (package, compiled)) in self.packages.iter().enumerate() {
            let id = if index == 0 { main } else { &compiled.build_id };
            text.push_str(&format!("packagefile {}={}\n", package.import_path, id.content()));
            if package.name == "main" {
                text.push_str(&format!("packagemain {id}\n"));
            }
        }
        Ok((ActionId::of(build.toolchain.salt(), &text), text))
    }

    /// The build ID of what is at the target.
    pub(crate) fn found_at_target(&self) -> Option<BuildId> {
        if self.shop.flags.forces {
            return None;
        }
        buildid::read(Path::new(self.target?)).ok().flatten()
    }

    /// Links it, unless what is at the target is up to date or the cache has it.
    ///
    /// Before the linker runs, `prepare` has the archives put where they belong.
    pub(crate) fn link(
        &self,
        id: ActionId,
        preimage: String,
        prepare: &dyn Fn() -> Result<(), StepError>,
    ) -> Result<Linked, StepError> {
        if let Some(found) = self.found_at_target().filter(|found| found.action() == id.short()) {
            let path = self.target.unwrap_or_default().to_owned();
            return Ok(Linked { action: id, preimage, build_id: found, path, origin: Origin::Target });
        }
        if !self.shop.flags.forces
            && let Some((file, _)) = self.shop.cache.whole_file(&id)
            && let Ok(Some(build_id)) = buildid::read(&file)
        {
            self.retell();
            let path = file.to_string_lossy().into_owned();
            return Ok(Linked { action: id, preimage, build_id, path, origin: Origin::Kept });
        }
        let mut bench = self.shop.bench(self.package);
        let linked = self.link_on(&mut bench, id, preimage, Some(prepare));
        bench.flush();
        linked
    }

    /// Links it whatever caches have; the archives are where they belong.
    pub(crate) fn link_afresh(&self, id: ActionId, preimage: String) -> Result<Linked, StepError> {
        let mut bench = self.shop.bench(self.package);
        let linked = self.link_on(&mut bench, id, preimage, None);
        bench.flush();
        linked
    }

    /// Where it is linked.
    fn path(&self) -> String {
        format!("{}{}{}", folder_of(self.package, self.folder), self.name, self.goal.program_suffix())
    }

    /// What would be at that place if it were taken from what is kept; nothing is, so far.
    pub(crate) fn known(&self, action: ActionId, preimage: String) -> Option<Linked> {
        let build_id = BuildId::of_program(&action.short(), &self.packages[0].1.build_id);
        let path = self.path();
        tier::has_program(self, &action).then_some(Linked {
            action,
            preimage,
            build_id,
            path,
            origin: Origin::Kept,
        })
    }

    /// Takes it from what is kept; says whether that could be done.
    pub(crate) fn take(&self, known: &Linked) -> bool {
        let bench = self.shop.bench(self.package);
        let is_ready = bench.make_folder(&folder_of(self.package, self.folder)).is_ok();
        is_ready && tier::kept_program(self, &known.action, &known.build_id, &known.path).is_some()
    }

    /// Tells again what the linker said.
    pub(crate) fn retell(&self) {
        let main = &self.packages[0].1.action;
        let output = self.shop.cache.bytes(&main.subkey("link-stdout")).filter(|output| !output.is_empty());
        if let Some(output) = output.filter(|_| !self.shop.flags.dry) {
            self.shop.bench(self.package).tell(&String::from_utf8_lossy(&output));
        }
    }

    fn link_on(
        &self,
        bench: &mut Bench<'_>,
        id: ActionId,
        preimage: String,
        prepare: Option<&dyn Fn() -> Result<(), StepError>>,
    ) -> Result<Linked, StepError> {
        let main = &self.packages[0].1;
        let temporary = BuildId::of_program(&id.short(), &main.build_id);
        bench.make_folder(self.folder)?;
        let config = format!("{}importcfg.link", self.folder);
        let text = self.import_config();
        bench.write(&config, text.as_bytes())?;
        bench.make_folder(&folder_of(self.package, self.folder))?;
        let path = self.path();
        if let Some(prepare) = prepare {
            if let Some(build_id) = tier::kept_program(self, &id, &temporary, &path) {
                let origin = Origin::Kept;
                return Ok(Linked { action: id, preimage, build_id, path, origin });
            }
            self.tell_reason(&preimage)?;
            prepare()?;
        }
        let mut action =
            tool_action(self.goal, "link", self.arguments(&temporary, &config, &path)?, &self.shop.folder);
        action.inputs.push(Input { path: config, content: Digest::of(text.as_bytes()) });
        action.inputs.extend(self.packages.iter().filter_map(|(_, compiled)| {
            let archive = compiled.archive.as_ref()?;
            Some(Input { path: archive.path.clone(), content: archive.content? })
        }));
        action.outputs.push(path.clone());
        let root = if self.goal.build.trimpath { "" } else { &self.goal.build.toolchain.root };
        let mut shown = self.goal.changed();
        shown.push(("GOROOT".to_owned(), root.to_owned()));
        if let Variables::Inherited(over) = &mut action.environment {
            over.extend(shown.iter().cloned());
        }
        bench.run(action, &self.package.import_path, ".", &shown)?;
        let build_id = self.finish(bench, &id, &temporary, &path)?;
        if !self.shop.flags.dry {
            let subject = Subject::program(self.goal, self.package);
            self.shop.keep(subject.remember(&self.shop.tiers, &preimage));
        }
        Ok(Linked { action: id, preimage, build_id, path, origin: Origin::Made })
    }

    fn tell_reason(&self, preimage: &str) -> Result<(), StepError> {
        let subject = || Subject::program(self.goal, self.package);
        self.shop.tell_reason(&format!("{} (program)", self.package.description()), subject, preimage)
    }

    /// Gives the program its build ID (`updateBuildID`).
    fn finish(
        &self,
        bench: &mut Bench<'_>,
        id: &ActionId,
        temporary: &BuildId,
        path: &str,
    ) -> Result<BuildId, StepError> {
        bench.show("", &format!("go tool buildid -w {path} # internal"));
        if self.shop.flags.dry {
            return Ok(temporary.clone());
        }
        let failed = |error| StepError::system("open", path, &error);
        let output = bench.flush();
        let said = self.packages[0].1.action.subkey("link-stdout");
        self.shop.keep(self.shop.cache.put_bytes(&said, &output));
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let found = buildid::find(&bytes, temporary);
        let build_id = temporary.with_content(&found.content);
        if found.places.is_empty() {
            // The ID was chosen by `-ldflags=-buildid=`.
            return Ok(build_id);
        }
        let before = bytes.clone();
        buildid::rewrite(&mut bytes, &found, &build_id);
        write_changes(&mut file, &before, &bytes).map_err(failed)?;
        if self.is_kept {
            let name = format!("{}{}", self.package.program_name(), self.goal.program_suffix());
            if let Some(content) = self.shop.keep(self.shop.cache.put_executable(id, &name, &mut file))
                && let Some(kept) = self.shop.cache.output_file(&content)
            {
                bench.show_done(&format!("cp {path} {} # internal", kept.display()));
            }
        }
        drop(file);
        tier::keep_program(self, id, &bytes);
        Ok(build_id)
    }

    fn arguments(&self, temporary: &BuildId, config: &str, path: &str) -> Result<Vec<String>, StepError> {
        let (package, goal) = (self.package, self.goal);
        let mut arguments = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        add(&["-o", path, "-importcfg", config]);
        if !goal.install_suffix.is_empty() {
            add(&["-installsuffix", &goal.install_suffix]);
        }
        if package.omit_debug {
            add(&["-s", "-w"]);
        }
        let target = &goal.build.target;
        let release = goal.build.toolchain.release;
        if package.goroot
            && package.import_path.starts_with("cmd/")
            && !crate::platform::must_link_external(release, target, false)
        {
            add(&[&format!("-X=cmd/internal/objabi.buildID={temporary}")]);
        }
        if !package.default_godebug.is_empty() {
            add(&[&format!("-X=runtime.godebugDefault={}", package.default_godebug)]);
        }
        add(&[&format!("-buildmode={}", goal.link_mode), &format!("-buildid={temporary}")]);
        goal.forced_ldflags.iter().chain(&package.ldflags).for_each(|flag| add(&[flag]));
        let has_linker = goal
            .forced_ldflags
            .iter()
            .chain(&package.ldflags)
            .any(|flag| flag == "-extld" || flag.starts_with("-extld="));
        if !has_linker {
            let has_cxx = |(package, _): &(&Package, &Compiled)| {
                !package.cxx_files.is_empty() || !package.swig_cxx_files.is_empty()
            };
            let language =
                if self.packages.iter().any(has_cxx) { cgo::Language::Cxx } else { cgo::Language::C };
            let compiler = cgo::compiler(self.shop, goal, language)?;
            let joined = words::join(&compiler).map_err(StepError::plain)?;
            add(&[&format!("-extld={joined}")]);
        }
        let archive = self.packages[0].1.archive.as_ref();
        add(&[archive.map_or("", |archive| archive.path.as_str())]);
        Ok(arguments)
    }

    fn import_config(&self) -> String {
        let mut text = String::new();
        for (package, compiled) in &self.packages {
            if let Some(archive) = &compiled.archive {
                text.push_str(&format!("packagefile {}={}\n", package.import_path, archive.path));
            }
        }
        let info = self.package.build_info.as_ref().map(ToString::to_string).unwrap_or_default();
        let marked = [&INFO_START[..], info.as_bytes(), &INFO_END[..]].concat();
        text.push_str(&format!("modinfo {}\n", quote(marked)));
        text
    }

    /// Whether the linker for the host's format has a say, so that the result follows from more than its inputs.
    pub(crate) fn may_link_externally(&self) -> bool {
        let asks = |flag: &String| flag.contains("linkmode") || flag.contains("extld");
        self.package.ldflags.iter().any(asks)
            || self
                .packages
                .iter()
                .any(|(package, _)| package.uses_cgo() || package.import_path == "runtime/cgo")
            || self.goal.build.instrument.is_some()
            || crate::platform::external_linking_reason(self.goal.build, &self.package.ldflags).is_some()
    }

    /// Whether the linker is to write files beside the program.
    pub(crate) fn leaves_more(&self) -> bool {
        let names = ["cpuprofile", "memprofile", "benchmarkprofile", "capturehostobjs", "tmpdir"];
        let asks = |flag: &String| {
            let name = flag.trim_start_matches('-').split('=').next().unwrap_or_default();
            flag.starts_with('-') && names.contains(&name)
        };
        self.package.ldflags.iter().any(asks)
    }

    /// Whether all that the machine's linker has a say in follows from the identity of the host.
    pub(crate) fn is_described_by_host(&self) -> bool {
        let asks = |flag: &String| ["linkmode", "extld", "libgcc"].iter().any(|word| flag.contains(word));
        let is_described = |(package, _): &(&Package, &Compiled)| {
            !package.uses_cgo() && !package.uses_swig() || host::describes(self.shop, package, self.goal)
        };
        // Copies of libraries that an overlay shows are in places that no key tells.
        let is_laid_over = !self.shop.hashes.overlay().is_empty();
        let has_foreign = self.host_part() == host::Part::Foreign;
        // The runtimes of sanitizers are no part of an identity.
        let is_sanitized = !matches!(self.goal.build.instrument, None | Some(Instrument::Race));
        let is_open = self.package.ldflags.iter().any(asks) || (has_foreign && is_laid_over) || is_sanitized;
        !is_open && self.packages.iter().all(is_described)
    }

    /// What of the host it follows from.
    pub(crate) fn host_part(&self) -> host::Part {
        let is_foreign = |(package, _): &(&Package, &Compiled)| package.uses_cgo() && !package.standard;
        if self.packages.iter().any(is_foreign) { host::Part::Foreign } else { host::Part::Linking }
    }
}

/// The folder that a program is linked in, given that for its files; tests lie among those.
pub(crate) fn folder_of(package: &Package, folder: &str) -> String {
    if package.testmain.is_some() { folder.to_owned() } else { format!("{folder}exe/") }
}

/// Writes what differs.
fn write_changes(file: &mut fs::File, before: &[u8], after: &[u8]) -> std::io::Result<()> {
    const PIECE: usize = 4096;
    for (index, (old, new)) in before.chunks(PIECE).zip(after.chunks(PIECE)).enumerate() {
        if old != new {
            file.seek(SeekFrom::Start((index * PIECE) as u64))?;
            file.write_all(new)?;
        }
    }
    file.flush()
}
