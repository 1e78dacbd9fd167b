//! Vetting one package: its key, what the cache has, and else the tool.
//!
//! The tool looks at the sources of a package, and gets the export data of what that imports and the *facts* that were found
//! out about it. It leaves facts of its own, in a file that is kept under go's own key, and writes what it found into
//! another (or says it and fails). Packages that are only imported by those that somebody asked for are vetted for facts only.
//! What is done with findings is the caller's business. Source: `cmd/go/internal/work:exec.go` (`buildVetConfig`, `vet`).

mod config;

use std::fs;

use modkeep_module::quote::quote;
use modkeep_store::Digest;

use crate::action::{Action, Input, Variables};
use crate::action_id::{ActionId, short};
use crate::compile::{Compiled, Unit};
use crate::package::Package;
use crate::shop::{Bench, StepError};
use crate::words::quoted_list;

/// How packages are vetted.
#[derive(Clone, Debug, Default)]
pub struct Vetting {
    /// What vets in the place of the toolchain's own tool.
    pub tool: Option<VetTool>,
    /// The flags of the tool.
    pub flags: Vec<String>,
    /// Whether somebody asked for those; else packages of the standard library get flags of their own.
    pub is_explicit: bool,
    /// Whether it is a test whose packages are vetted.
    pub is_test: bool,
    /// Whether fixed files are kept, for packages that were asked for.
    pub keeps_fixes: bool,
}

/// A program that vets (`-vettool`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VetTool {
    /// Where it is, absolute.
    pub path: String,
    /// What stands for it in keys.
    pub id: String,
}

/// What came of vetting a package; nothing where it could not be compiled or its tool left nothing.
#[derive(Clone, Debug, Default)]
pub struct Vetted {
    pub(crate) facts: Option<Facts>,
    /// What the tool wrote to be shown.
    pub findings: Vec<u8>,
    /// A zip of fixed files by their paths.
    pub fixes: Option<String>,
}

/// What was found out about a package, for those that import it.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The file.
    pub(crate) path: String,
    /// Its content.
    pub(crate) content: Digest,
}

/// One package to vet.
pub(crate) struct Vet<'a> {
    /// How it is compiled.
    pub(crate) unit: &'a Unit<'a>,
    pub(crate) compiled: &'a Compiled,
    /// The facts about what it imports, in go's order.
    pub(crate) facts: Vec<(&'a Package, &'a Facts)>,
    pub(crate) vetting: &'a Vetting,
    /// Whether mistakes are asked for, not only facts.
    pub(crate) is_asked: bool,
}

impl Vet<'_> {
    /// The key.
    pub(crate) fn key(&self) -> Result<ActionId, StepError> {
        let (shop, goal) = (self.unit.shop, self.unit.goal);
        let tool = match &self.vetting.tool {
            Some(tool) => tool.id.clone(),
            None => shop.tool_id(goal, "vet")?,
        };
        let toolchain = &goal.build.toolchain;
        let mut text = format!("vet {}\n", quote(tool));
        if toolchain.release.keeps_vetting_for_facts_apart() {
            text.push_str(&format!("vetxonly {}\n", !self.is_asked));
        }
        text.push_str(&format!("vetflags {}\n", quoted_list(&self.flags())));
        text.push_str(&format!("pkg {}\n", quote(self.compiled.action.as_bytes())));
        for (import, facts) in &self.facts {
            let content = short(facts.content.as_bytes());
            text.push_str(&format!("vetout {} {content}\n", quote(&import.import_path)));
        }
        Ok(ActionId::of(toolchain.salt(), &text))
    }

    /// The flags for this package: the standard library does what nobody else should.
    fn flags(&self) -> Vec<String> {
        let vetting = self.vetting;
        if !self.unit.package.goroot || vetting.is_explicit || vetting.tool.is_some() {
            return vetting.flags.clone();
        }
        let mut flags = vec!["-unsafeptr=false".to_owned()];
        if vetting.is_test {
            flags.push("-unreachable=false".to_owned());
        }
        flags
    }

    fn keeps_fixes(&self) -> bool {
        self.is_asked && self.vetting.keeps_fixes
    }

    /// What the cache has: all of it, or nothing.
    pub(crate) fn cached(&self, id: &ActionId) -> Option<Vetted> {
        let (shop, cache) = (self.unit.shop, &self.unit.shop.cache);
        if shop.flags.forces {
            return None;
        }
        let (path, entry) = cache.file(id)?;
        let fixes = match self.keeps_fixes() {
            true => Some(cache.file(&id.subkey("fix.zip"))?.0.to_string_lossy().into_owned()),
            false => None,
        };
        let mut findings = Vec::new();
        if self.is_asked
            && let Some((_, entry)) = cache.file(&id.subkey("stdout"))
        {
            findings = if entry.size == 0 { Vec::new() } else { cache.bytes(&id.subkey("stdout"))? };
            // JSON has braces even around nothing: this was kept when only facts were wanted, by a release that gives both
            // one key.
            if findings.is_empty() && self.flags().iter().any(|flag| flag == "-json") {
                return None;
            }
        }
        let facts = Facts { path: path.to_string_lossy().into_owned(), content: entry.output };
        Some(Vetted { facts: Some(facts), findings, fixes })
    }

    /// Runs the tool; the archives of imports are where they belong.
    pub(crate) fn run(&self, id: &ActionId, sources: &[String]) -> Result<Vetted, StepError> {
        let (shop, package, folder) = (self.unit.shop, self.unit.package, self.unit.folder);
        let mut bench = shop.bench(package);
        bench.make_folder(folder)?;
        let config = format!("{folder}vet.cfg");
        let text = self.config(sources);
        bench.write(&config, text.as_bytes())?;
        let action = self.command(&config, &text, sources);
        let shown = [("TERM".to_owned(), "dumb".to_owned())];
        bench.run(action, &package.import_path, &package.dir, &shown)?;
        bench.flush();
        if shop.flags.dry {
            return Ok(Vetted::default());
        }
        Ok(self.keep(&bench, id))
    }

    fn command(&self, config: &str, text: &str, sources: &[String]) -> Action {
        let (unit, folder) = (self.unit, self.unit.folder);
        let (shop, goal) = (unit.shop, unit.goal);
        let mut arguments = self.flags();
        arguments.push(config.to_owned());
        let mut variables = goal.variables();
        variables.insert("TERM".to_owned(), "dumb".to_owned());
        let known = sources.iter().map(|source| unit.actual(source)).filter_map(|path| {
            let content = shop.hashes.of(path.as_ref()).ok()?;
            Some(Input { path, content })
        });
        let archives = unit.imports.iter().filter_map(|(_, compiled)| compiled.archive.as_ref());
        let archives = archives
            .filter_map(|archive| Some(Input { path: archive.path.clone(), content: archive.content? }));
        let facts =
            self.facts.iter().map(|(_, facts)| Input { path: facts.path.clone(), content: facts.content });
        let own = Input { path: config.to_owned(), content: Digest::of(text.as_bytes()) };
        let mut outputs = vec![format!("{folder}vet.out"), format!("{folder}vet.stdout")];
        outputs.extend(self.keeps_fixes().then(|| format!("{folder}vet.fix.zip")));
        let inputs = known.chain(archives).chain(facts).chain([own]).collect();
        let folder = unit.package.dir.clone();
        let Some(tool) = &self.vetting.tool else {
            variables.extend(shop.tool_variables());
            let program = format!("{}/vet", goal.build.toolchain.tools());
            let environment = Variables::Closed(variables);
            return Action { program, arguments, folder, environment, inputs, outputs };
        };
        // What another tool reads is its own affair.
        let environment = Variables::Inherited(variables.into_iter().collect());
        let mut program = tool.path.clone();
        if let Some((wrapper, before)) = shop.flags.wrapper.split_first() {
            arguments.splice(0..0, before.iter().cloned().chain([program]));
            program = wrapper.clone();
        }
        Action { program, arguments, folder, environment, inputs, outputs }
    }

    /// Keeps what the tool left, under go's keys. The facts come last, and only if the rest is kept: who finds them takes
    /// findings that aren't there for none.
    fn keep(&self, bench: &Bench<'_>, id: &ActionId) -> Vetted {
        let (shop, folder) = (bench.shop, self.unit.folder);
        let mut vetted = Vetted::default();
        let mut is_kept = true;
        if let Ok(bytes) = fs::read(format!("{folder}vet.stdout")) {
            is_kept &= shop.keep(shop.cache.put_bytes(&id.subkey("stdout"), &bytes)).is_some();
            vetted.findings = bytes;
        }
        let path = format!("{folder}vet.fix.zip");
        if self.keeps_fixes()
            && let Ok(bytes) = fs::read(&path)
        {
            is_kept &= shop.keep(shop.cache.put_bytes(&id.subkey("fix.zip"), &bytes)).is_some();
            vetted.fixes = Some(path);
        }
        let path = format!("{folder}vet.out");
        if let Ok(bytes) = fs::read(&path) {
            let content = Digest::of(&bytes);
            let kept = is_kept.then(|| shop.keep(shop.cache.put_known(id, content, &bytes))).flatten();
            let kept = kept.and_then(|content| shop.cache.output_file(&content));
            let path = kept.map_or(path, |file| file.to_string_lossy().into_owned());
            vetted.facts = Some(Facts { path, content });
        }
        vetted
    }
}
