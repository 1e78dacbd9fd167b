//! The command lines of the compiler and the assembler, and the files that they name.
//!
//! Source: `cmd/go/internal/work:gc.go` (`gc`, `trimpath`, `asmArgs`).

use modkeep_module::file_path;
use modkeep_store::Digest;
use serde_json::json;

use super::Unit;
use crate::action::{Action, Input, Variables};
use crate::buildid::BuildId;
use crate::goal::Goal;
use crate::release::{self, STANDARD_WITH_OUTSIDE_BODIES};
use crate::shop::{Bench, StepError};

/// A compiler with less to read, in bytes, is done within a few seconds.
const SHORT: u64 = 1 << 20;

/// A command of one of Go's tools in the environment of a target, without inputs.
pub(crate) fn tool_action(goal: &Goal<'_>, name: &str, arguments: Vec<String>, folder: &str) -> Action {
    Action {
        program: format!("{}/{name}", goal.build.toolchain.tools()),
        arguments,
        folder: folder.to_owned(),
        environment: Variables::Inherited(goal.variables().into_iter().collect()),
        inputs: Vec::new(),
        outputs: Vec::new(),
    }
}

impl Unit<'_> {
    pub(super) fn compile(
        &self,
        bench: &mut Bench<'_>,
        archive: &str,
        temporary: &BuildId,
        go_files: &[String],
        abis: Option<&str>,
        coverage: Option<&str>,
    ) -> Result<(), StepError> {
        let (package, goal, shop) = (self.package, self.goal, self.shop);
        let toolchain = &goal.build.toolchain;
        let mut arguments = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        add(&["-o", archive, "-trimpath", &self.trimmed()]);
        add(&["-p", goal.symbol_path(package), &format!("-lang=go{}", self.language())]);
        if package.standard {
            add(&["-std"]);
        }
        if self.is_complete() {
            add(&["-complete"]);
        }
        if !goal.install_suffix.is_empty() {
            add(&["-installsuffix", &goal.install_suffix]);
        }
        add(&["-buildid", temporary.as_str()]);
        let target = &goal.build.target;
        if package.omit_debug || target.os == "plan9" || target.arch == "wasm" {
            add(&["-dwarf=false"]);
        }
        add(&["-goversion", &toolchain.version]);
        if let Some(file) = coverage {
            add(&[&format!("-coveragecfg={file}")]);
        }
        if let Some(profile) = &self.profile {
            add(&[&format!("-pgoprofile={}", profile.path)]);
        }
        if let Some(file) = abis {
            add(&["-symabis", file]);
        }
        let size = self.size_of(go_files);
        let threads = shop.tools.threads(size < SHORT && !shop.flags.dry && shop.flags.wrapper.is_empty());
        if threads.count > 1 {
            add(&[&format!("-c={}", threads.count)]);
        }
        goal.forced_gcflags.iter().chain(&package.gcflags).for_each(|flag| add(&[flag]));
        if package.fuzz_instrument && goal.build.is_fuzz_instrumented() {
            add(&["-d=libfuzzer"]);
        }
        match package.local_prefix.as_str() {
            "" => add(&["-nolocalimports"]),
            prefix => add(&["-D", prefix]),
        }
        let imports = self.import_config();
        let config = format!("{}importcfg", self.folder);
        bench.write(&config, imports.as_bytes())?;
        add(&["-importcfg", &config]);
        let mut written = vec![(config, Digest::of(imports.as_bytes()))];
        if !package.embed.is_empty() {
            let embeds = self.embed_config();
            let config = format!("{}embedcfg", self.folder);
            bench.write(&config, embeds.as_bytes())?;
            add(&["-embedcfg", &config]);
            written.push((config, Digest::of(embeds.as_bytes())));
        }
        add(&["-pack"]);
        let header = format!("{}go_asm.h", self.folder);
        let mut outputs = vec![archive.to_owned()];
        if abis.is_some() {
            add(&["-asmhdr", &header]);
            outputs.push(header);
        }
        go_files.iter().for_each(|file| add(&[&self.actual(file)]));
        let mut sources = go_files.to_vec();
        sources.extend(package.embed_files.iter().cloned());
        sources.extend(abis.map(str::to_owned));
        let mut action = self.tool("compile", arguments, &shop.folder, &sources, outputs)?;
        self.collect_late(&mut action, size);
        if threads.count == 1
            && shop.flags.wrapper.is_empty()
            && let Variables::Closed(variables) = &mut action.environment
        {
            // So has what runs beside the work itself.
            variables.entry("GOMAXPROCS".to_owned()).or_insert_with(|| "1".to_owned());
        }
        action.inputs.extend(written.into_iter().map(|(path, content)| Input { path, content }));
        let archives = self.imports.iter().filter_map(|(_, compiled)| compiled.archive.as_ref());
        action.inputs.extend(
            archives
                .chain(&self.profile)
                .filter_map(|archive| Some(Input { path: archive.path.clone(), content: archive.content? })),
        );
        let mut outcome = bench.run_silently(action, &goal.changed())?;
        drop(threads);
        if (package.uses_cgo() || package.uses_swig()) && !shop.flags.shows {
            outcome.output = toolchain.release.readable_cgo_names(&outcome.output);
        }
        bench.report(outcome, "", "")
    }

    /// What `-trimpath` rewrites (`Action.trimpath`).
    pub(super) fn trimmed(&self) -> String {
        let folder = self.folder.trim_end_matches('/');
        let package = self.package;
        if !self.goal.build.trimpath {
            return format!("{}{folder}=>", self.laid_over(&package.dir));
        }
        let path = &package.orig_import_path;
        let shown = match &package.module {
            Some(module) if !module.version.is_empty() => {
                let below = path.strip_prefix(&module.path).unwrap_or(path);
                format!("{}@{}{below}", module.path, module.version)
            }
            _ => path.clone(),
        };
        format!("{}=>{shown};{}{folder}=>", package.dir, self.laid_over(&shown))
    }

    /// What shows files of an overlay in the places where they are seen, which `shown` stands for.
    fn laid_over(&self, shown: &str) -> String {
        let (package, seen) = (self.package, self.shop.hashes.overlay());
        if seen.is_empty() {
            return String::new();
        }
        let (mut rules, mut copies, mut has_copies) = (String::new(), String::new(), false);
        for file in package.all_files() {
            let place = self.absolute(file);
            let name = place.rsplit('/').next().unwrap_or(&place);
            let is_go = file.ends_with(".go") || file.ends_with(".s");
            let is_copied = !is_go || package.cgo_files.iter().any(|cgo| cgo == file);
            let to = file_path::join(shown, name);
            if seen.replaces(&place) {
                has_copies |= is_copied;
                if !is_copied {
                    rules.push_str(&format!("{}=>{to};", self.actual(file)));
                }
            } else if is_copied && file_path::parent(&place) == Some(&package.dir) {
                copies.push_str(&format!("{}=>{to};", file_path::join(self.folder, name)));
            }
        }
        if has_copies { rules + &copies } else { rules }
    }

    /// The version of the language, such as `1.27`.
    fn language(&self) -> String {
        let toolchain = &self.goal.build.toolchain;
        let local = toolchain.version.trim_start_matches("go");
        let version = match &self.package.module {
            Some(module) if module.go_version.is_empty() => release::VERSION_WITHOUT_GO_LINE,
            Some(module) if toolchain.allows(&module.go_version) => &module.go_version,
            _ => local,
        };
        release::language(version)
    }

    /// Whether the compiler sees all of the package, so that it can say what has no body.
    fn is_complete(&self) -> bool {
        let package = self.package;
        let others = [
            &package.cgo_files,
            &package.c_files,
            &package.cxx_files,
            &package.m_files,
            &package.f_files,
            &package.s_files,
            &package.syso_files,
            &package.swig_files,
            &package.swig_cxx_files,
        ];
        let has_outside_bodies =
            package.standard && STANDARD_WITH_OUTSIDE_BODIES.contains(&package.import_path.as_str());
        !has_outside_bodies && others.iter().all(|list| list.is_empty())
    }

    fn import_config(&self) -> String {
        let mut text = String::from("# import config\n");
        for (raw, path) in self.package.raw_imports.iter().zip(&self.package.imports) {
            if raw != path {
                text.push_str(&format!("importmap {raw}={path}\n"));
            }
        }
        for (import, compiled) in &self.imports {
            if let Some(archive) = &compiled.archive {
                text.push_str(&format!("packagefile {}={}\n", import.import_path, archive.path));
            }
        }
        text
    }

    fn embed_config(&self) -> String {
        let files = self.package.embed_files.iter();
        let files: serde_json::Map<_, _> =
            files.map(|file| (file.clone(), json!(self.actual(file)))).collect();
        let value = json!({ "Patterns": self.package.embed, "Files": files });
        let mut text = Vec::new();
        let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, tabs);
        // A map of texts always has a form as JSON.
        let _ = serde::Serialize::serialize(&value, &mut serializer);
        String::from_utf8(text).unwrap_or_default()
    }

    /// A file of the package, or one that was made, as tools get it.
    pub(crate) fn absolute(&self, file: &str) -> String {
        if file.starts_with('/') || file.starts_with("$WORK") {
            file.to_owned()
        } else {
            file_path::join(&self.package.dir, file)
        }
    }

    /// Where the content of that file is.
    pub(crate) fn actual(&self, file: &str) -> String {
        let place = self.absolute(file);
        self.shop.hashes.overlay().actual(&place).unwrap_or(place)
    }

    pub(super) fn assembler_arguments(&self) -> Vec<String> {
        let (package, goal) = (self.package, self.goal);
        let target = &goal.build.target;
        let mut arguments = Vec::new();
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        add(&["-p", goal.symbol_path(package), "-trimpath", &self.trimmed(), "-I", self.folder]);
        add(&["-I", &format!("{}/pkg/include", goal.build.toolchain.root)]);
        add(&["-D", &format!("GOOS_{}", target.os), "-D", &format!("GOARCH_{}", target.arch)]);
        goal.forced_asmflags.iter().chain(&package.asmflags).for_each(|flag| add(&[flag]));
        if package.standard && goal.build.toolchain.release.marks_standard_assembly() {
            add(&["-std"]);
        }
        for definition in level_definitions(goal) {
            add(&["-D", &definition]);
        }
        arguments
    }
}

/// What assembly can ask of the architecture's level.
fn level_definitions(goal: &Goal<'_>) -> Vec<String> {
    let Some((name, value)) = &goal.level else {
        return Vec::new();
    };
    let one = vec![format!("{name}_{value}")];
    match *name {
        "GO386" | "GOAMD64" | "GOMIPS" | "GOMIPS64" | "GORISCV64" => one,
        "GOPPC64" => {
            let levels = ["power10", "power9", "power8"];
            let first = levels.iter().position(|level| level == value).unwrap_or(2);
            levels[first..].iter().map(|level| format!("{name}_{level}")).collect()
        }
        "GOARM" => {
            let first = ["7", "6", "5"].iter().position(|level| value.contains(level)).unwrap_or(2);
            ["7", "6", "5"][first..].iter().map(|level| format!("{name}_{level}")).collect()
        }
        "GOARM64" if release::arm64_has_lse(value) => vec![format!("{name}_LSE")],
        _ => Vec::new(),
    }
}
