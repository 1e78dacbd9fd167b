//! Compiling one package: its key, what the cache has, and else the tools in go's order.
//!
//! Source: `cmd/go/internal/work:exec.go` (`checkCacheForBuild`, `build`), `gc.go`.

mod arguments;
mod heap;
mod key;
mod pack;
mod sources;

use std::fs;
use std::path::Path;

use modkeep_store::Digest;

use crate::action::{Action, Input, Variables};
use crate::action_id::ActionId;
use crate::buildid::{self, BuildId};
use crate::goal::Goal;
use crate::host;
use crate::package::Package;
use crate::rebuild::Subject;
use crate::shop::{Bench, Shop, StepError};
use crate::tier;

use sources::Prepared;

pub(crate) use arguments::tool_action;
pub(crate) use heap::Heap;

/// A package that is compiled, or was.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its key.
    pub action: ActionId,
    /// What its key is made of.
    pub preimage: String,
    /// Its build ID.
    pub build_id: BuildId,
    /// Its archive; none where a program that is up to date makes it needless, and for `unsafe`.
    pub archive: Option<Archive>,
    /// Whether the cache had it.
    pub is_cached: bool,
}

/// A file with a package's code.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Where it is.
    pub path: String,
    /// Its content, where that is known.
    pub content: Option<Digest>,
}

/// One package to compile, with what it needs.
pub(crate) struct Unit<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) goal: &'a Goal<'a>,
    pub(crate) package: &'a Package,
    /// The packages that it imports, in go's order.
    pub(crate) imports: Vec<(&'a Package, &'a Compiled)>,
    /// The profile for the compiler.
    pub(crate) profile: Option<Archive>,
    /// Object files that the linker shall find too, of this package and all below.
    pub(crate) system_objects: &'a dyn Fn() -> Vec<String>,
    /// The folder for its files, with a slash behind it.
    pub(crate) folder: &'a str,
}

impl Unit<'_> {
    /// The key and its pre-image (`buildActionID`).
    pub(crate) fn key(&self) -> Result<(ActionId, String), StepError> {
        let preimage = self.preimage()?;
        Ok((ActionId::of(self.goal.build.toolchain.salt(), &preimage), preimage))
    }

    /// What the cache has, with what the tools said when it was made.
    pub(crate) fn cached(&self, id: ActionId, preimage: &str) -> Option<Compiled> {
        if self.shop.flags.forces {
            return None;
        }
        let (file, entry) = self.shop.cache.file(&id)?;
        let build_id = buildid::read(&file).ok()??;
        if build_id.action() != id.short() {
            return None;
        }
        let archive = Archive { path: file.to_string_lossy().into_owned(), content: Some(entry.output) };
        Some(Compiled {
            action: id,
            preimage: preimage.to_owned(),
            build_id,
            archive: Some(archive),
            is_cached: true,
        })
    }

    /// Tells again what a tool said when it was run; says whether it said anything.
    pub(crate) fn retell(&self, id: &ActionId, key: &str) -> bool {
        let bench = self.shop.bench(self.package);
        let output = self.shop.cache.bytes(&id.subkey(key)).or_else(|| {
            let remote = self.shop.remote.as_ref()?;
            remote.content(&*remote.find_known(&self.shared_key(id)?.subkey(key))?)
        });
        let Some(output) = output.filter(|output| !output.is_empty()) else {
            return false;
        };
        if !self.shop.flags.dry {
            bench.tell(&String::from_utf8_lossy(&output));
        }
        true
    }

    /// The key under which other machines find it; none where it follows from more than can be told.
    pub(crate) fn shared_key(&self, id: &ActionId) -> Option<ActionId> {
        if !self.shop.flags.wrapper.is_empty() || self.package.uses_swig() {
            return None;
        }
        // What assemblers and C compilers read by an overlay lies in places that no key tells.
        let reads_more = self.package.uses_cgo() || !self.package.s_files.is_empty();
        if reads_more && !self.shop.hashes.overlay().is_empty() {
            return None;
        }
        if !self.package.uses_cgo() {
            return host::assembly::is_closed(self.package, self.goal).then_some(*id);
        }
        let is_described = host::describes(self.shop, self.package, self.goal);
        is_described.then(|| host::key(self.shop, self.goal, host::part(self.package), id)).flatten()
    }

    /// What the remote cache has, as far as it is known there; its bytes come when somebody reads them.
    pub(crate) fn found_remotely(&self, id: ActionId, preimage: &str) -> Option<Compiled> {
        let remote = self.shop.remote.as_ref()?;
        if self.shop.flags.forces || self.shop.flags.dry || self.package.error.is_some() {
            return None;
        }
        let entry = remote.find(&self.shared_key(&id)?)?;
        let mut archive = Archive {
            path: self.shop.cache.place_of(&entry.output).to_string_lossy().into_owned(),
            content: Some(entry.output),
        };
        let build_id = match &entry.build_id {
            Some(build_id) => build_id.clone(),
            // Who put it there did not look into it.
            None => {
                let bytes = remote.content(&entry)?;
                archive.content = self.shop.keep(self.shop.cache.put_known(&id, entry.output, &bytes));
                self.shop.proved.lock().extend(archive.content);
                buildid::read(Path::new(&archive.path)).ok()??
            }
        };
        if build_id.action() != id.short() {
            return None;
        }
        Some(Compiled {
            action: id,
            preimage: preimage.to_owned(),
            build_id,
            archive: Some(archive),
            is_cached: true,
        })
    }

    /// Something that belongs to an archive in the remote cache, put into the build cache as well.
    pub(crate) fn take_along(&self, id: &ActionId, name: &str) {
        let Some((remote, key)) = self.shop.remote.as_ref().zip(self.shared_key(id)) else {
            return;
        };
        let here = id.subkey(name);
        if self.shop.cache.entry(&here).is_none()
            && let Some(content) =
                remote.find_known(&key.subkey(name)).and_then(|entry| remote.content(&entry))
        {
            self.shop.keep(self.shop.cache.put_bytes(&here, &content));
        }
    }

    /// Compiles it; its key is not in the cache.
    ///
    /// Before anything reads the archives of imports, `prepare` has them put where they belong.
    pub(crate) fn build(
        &self,
        id: ActionId,
        preimage: String,
        prepare: &dyn Fn() -> Result<(), StepError>,
    ) -> Result<Compiled, StepError> {
        self.check()?;
        prepare()?;
        let export_key = tier::ExportKey::of(self, &preimage);
        if let Some(compiled) = export_key.as_ref().and_then(|key| key.reuse(self, id, &preimage)) {
            return Ok(compiled);
        }
        let subject = || Subject::package(self.goal, self.package);
        self.shop.tell_reason(&self.package.description(), subject, &preimage)?;
        self.build_afresh(id, preimage, export_key)
    }

    /// Fails for a package that can't be compiled, as far as loading tells.
    pub(crate) fn check(&self) -> Result<(), StepError> {
        match &self.package.error {
            Some(error) => Err(StepError::Plain(error.to_string())),
            None => self.check_go_version().and_then(|()| self.check_debug_lines()),
        }
    }

    fn check_debug_lines(&self) -> Result<(), StepError> {
        let package = self.package;
        if package.debug_mistakes.is_empty() {
            return Ok(());
        }
        let (description, text) = (package.description(), package.debug_mistakes.join("\n"));
        let transcript = &self.shop.transcript;
        let report = transcript.report(
            &package.import_path,
            &description,
            &description,
            &package.dir,
            text.as_bytes(),
        );
        Err(StepError::Reported(report.as_str().to_owned()))
    }

    /// Compiles it whatever caches have; the archives of its imports are where they belong.
    pub(crate) fn build_afresh(
        &self,
        id: ActionId,
        preimage: String,
        export_key: Option<tier::ExportKey>,
    ) -> Result<Compiled, StepError> {
        let mut bench = self.shop.bench(self.package);
        let built = self.build_on(&mut bench, id, preimage, export_key);
        bench.flush();
        built
    }

    fn build_on(
        &self,
        bench: &mut Bench<'_>,
        id: ActionId,
        preimage: String,
        export_key: Option<tier::ExportKey>,
    ) -> Result<Compiled, StepError> {
        let (package, folder) = (self.package, self.folder);
        let temporary = BuildId::of_package(&id.short());
        let Prepared { go: go_files, assembly, objects, coverage } = self.prepare(bench, &id)?;
        let abis = self.abis(bench, &assembly)?;
        let archive = format!("{folder}_pkg_.a");
        self.compile(bench, &archive, &temporary, &go_files, abis.as_deref(), coverage.as_deref())?;
        self.copy_headers(bench)?;
        let mut packed = self.assemble(bench, &assembly)?;
        packed.extend(objects);
        packed.extend(package.syso_files.iter().map(|file| self.actual(file)));
        if !packed.is_empty() {
            self.pack(bench, &archive, &packed)?;
        }
        self.finish(bench, id, preimage, &temporary, archive, export_key)
    }

    /// Gives the archive its build ID and keeps it (`updateBuildID`).
    fn finish(
        &self,
        bench: &mut Bench<'_>,
        id: ActionId,
        preimage: String,
        temporary: &BuildId,
        path: String,
        export_key: Option<tier::ExportKey>,
    ) -> Result<Compiled, StepError> {
        bench.show("", &format!("go tool buildid -w {path} # internal"));
        if self.shop.flags.dry {
            let archive = Some(Archive { path, content: None });
            return Ok(Compiled {
                action: id,
                preimage,
                build_id: temporary.clone(),
                archive,
                is_cached: false,
            });
        }
        let output = bench.flush();
        self.shop.keep(self.shop.cache.put_bytes(&id.subkey("stdout"), &output));
        let mut bytes = fs::read(&path).map_err(|error| StepError::system("open", &path, &error))?;
        let found = buildid::find(&bytes, temporary);
        let build_id = temporary.with_content(&found.content);
        buildid::rewrite(&mut bytes, &found, &build_id);
        let content = Digest::of(&bytes);
        let archive = match self.shop.keep(self.shop.cache.put_known(&id, content, &bytes)) {
            Some(_) => {
                self.shop.proved.lock().insert(content);
                let kept =
                    self.shop.cache.output_file(&content).map(|file| file.to_string_lossy().into_owned());
                let kept = kept.unwrap_or_else(|| path.clone());
                bench.show_done(&format!("cp {path} {kept} # internal"));
                // The archive in the work folder is the one before its ID.
                let _ = fs::remove_file(&path);
                Archive { path: kept, content: Some(content) }
            }
            None => {
                crate::shop::write_throwaway(&path, &bytes)
                    .map_err(|error| StepError::system("open", &path, &error))?;
                Archive { path, content: Some(content) }
            }
        };
        if output.is_empty() {
            self.shop.memory().note_result(&id, build_id.content());
            if let Some(key) = export_key {
                key.remember(self, &build_id, &content);
            }
        }
        let subject = Subject::package(self.goal, self.package);
        self.shop.keep(subject.remember(&self.shop.tiers, &preimage));
        Ok(Compiled { action: id, preimage, build_id, archive: Some(archive), is_cached: false })
    }

    fn check_go_version(&self) -> Result<(), StepError> {
        let Some(module) = self.package.module.as_ref().filter(|module| !module.go_version.is_empty()) else {
            return Ok(());
        };
        if self.goal.build.toolchain.allows(&module.go_version) {
            return Ok(());
        }
        Err(StepError::Plain(format!("module requires Go {} or later", module.go_version)))
    }

    /// What Go code says to assembly, as far as can be told before it is compiled.
    fn abis(&self, bench: &mut Bench<'_>, assembly: &[String]) -> Result<Option<String>, StepError> {
        if assembly.is_empty() {
            return Ok(None);
        }
        let file = format!("{}symabis", self.folder);
        bench.write(&format!("{}go_asm.h", self.folder), b"")?;
        let mut arguments = self.assembler_arguments();
        arguments.extend(["-gensymabis".to_owned(), "-o".to_owned(), file.clone()]);
        arguments.extend(assembly.iter().map(|file| self.actual(file)));
        let action = self.tool("asm", arguments, &self.package.dir, assembly, vec![file.clone()])?;
        bench.run(action, &self.package.import_path, &self.package.dir, &self.goal.changed())?;
        Ok(Some(file))
    }

    fn assemble(&self, bench: &mut Bench<'_>, assembly: &[String]) -> Result<Vec<String>, StepError> {
        let mut objects = Vec::new();
        let arguments = if assembly.is_empty() { Vec::new() } else { self.assembler_arguments() };
        for source in assembly {
            let stem = source.strip_suffix(".s").unwrap_or(source);
            let object = format!("{}{stem}.o", self.folder);
            let mut arguments = arguments.clone();
            arguments.extend(["-o".to_owned(), object.clone(), self.actual(source)]);
            let sources = std::slice::from_ref(source);
            let action = self.tool("asm", arguments, &self.package.dir, sources, vec![object.clone()])?;
            bench.run(action, &self.package.import_path, &self.package.dir, &self.goal.changed())?;
            objects.push(object);
        }
        Ok(objects)
    }

    /// Headers for one target get names that no target is in, for assembly that is for all of them.
    fn copy_headers(&self, bench: &Bench<'_>) -> Result<(), StepError> {
        let target = &self.goal.build.target;
        let endings = [
            (format!("_{}_{}", target.os, target.arch), "_GOOS_GOARCH"),
            (format!("_{}", target.arch), "_GOARCH"),
            (format!("_{}", target.os), "_GOOS"),
        ];
        for file in &self.package.h_files {
            let Some((name, extension)) = file.rsplit_once('.') else {
                continue;
            };
            let stem = endings
                .iter()
                .find_map(|(ending, general)| Some((name.strip_suffix(ending.as_str())?, general)));
            if let Some((stem, general)) = stem {
                let to = format!("{}{stem}{general}.{extension}", self.folder);
                bench.copy(&self.actual(file), &to)?;
            }
        }
        Ok(())
    }

    /// A command of one of Go's tools, with files of the package as its input.
    fn tool(
        &self,
        name: &str,
        arguments: Vec<String>,
        folder: &str,
        sources: &[String],
        outputs: Vec<String>,
    ) -> Result<Action, StepError> {
        let mut inputs = Vec::with_capacity(sources.len());
        for source in sources {
            let path = self.actual(source);
            let content = match source.starts_with('/') {
                true => self.shop.hashes.of(Path::new(&path)),
                false => self.shop.hashes.in_folder(&self.package.dir, source),
            };
            if let Ok(content) = content {
                inputs.push(Input { path, content });
            }
        }
        let mut variables = self.goal.variables();
        variables.extend(self.shop.tool_variables());
        Ok(Action {
            program: format!("{}/{name}", self.goal.build.toolchain.tools()),
            arguments,
            folder: folder.to_owned(),
            environment: Variables::Closed(variables),
            inputs,
            outputs,
        })
    }
}
