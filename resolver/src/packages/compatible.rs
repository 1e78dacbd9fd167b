//! Whether an older release, which prunes graphs otherwise, would load the same packages from the same modules.
//!
//! Source of the rules: `cmd/go/internal/modload/load.go:checkTidyCompatibility`.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use super::load::Loading;
use super::{PackageId, Tidy};
use crate::error::{Error, Halt};
use crate::go_version;
use crate::import::ImportError;
use crate::module_graph::ModuleGraph;
use crate::node::NodeId;
use crate::requirements::Requirements;
use crate::world::Pruning;

/// What an older release finds for a package, if that is something else.
struct Mismatch {
    module: Option<NodeId>,
    error: Option<Error>,
}

/// What to advise.
#[derive(Default)]
struct Advice {
    upgrade: bool,
    errors: bool,
}

impl Loading<'_> {
    /// The oldest release that has to load the same.
    pub(super) fn compatible_version(&self, tidy: &Tidy) -> String {
        let go = self.requirements.go_version(self.world);
        let version = match &tidy.compatible {
            Some(version) => version.clone(),
            None if go_version::compare(go, go_version::STRICT).is_lt() => go_version::previous(go),
            None => go.to_owned(),
        };
        if go_version::compare(&version, go).is_gt() { go.to_owned() } else { version }
    }

    /// Compares what is loaded with what the older release would load; its requirements, and advice.
    pub(super) fn check_compatible(&mut self, older: &str) -> Result<(Arc<Requirements>, String), Halt> {
        let (roots, direct) = (self.requirements.roots().to_vec(), self.requirements.direct().clone());
        let requirements = Requirements::new(self.world.nodes(), Pruning::of(older), roots, direct);
        let graph = requirements.graph(self.world)?;
        if let Some(error) = graph.error().cloned() {
            let text = format!("error loading go {older} module graph: {}", Error::from(error));
            self.report(Error::Text(text));
            let advice = self.advise(&Advice::default(), older, &requirements);
            return Ok((requirements, advice));
        }
        let mismatches = self.mismatches(&requirements, &graph)?;
        if mismatches.is_empty() {
            self.check_roots_selected(&graph, older)?;
            return Ok((requirements, String::new()));
        }
        let advice = self.report_mismatches(mismatches, &graph, older);
        let advice = self.advise(&advice, older, &requirements);
        Ok((requirements, advice))
    }

    /// Packages may agree where a root does not: the go line has no packages. Not even `-e` goes on then.
    fn check_roots_selected(&self, graph: &ModuleGraph, older: &str) -> Result<(), Halt> {
        let nodes = self.world.nodes();
        let roots = self.requirements.roots();
        let Some(&root) = roots.iter().find(|root| graph.selected(root.path()) != Some(**root)) else {
            return Ok(());
        };
        let (path, version) = (nodes.path(root.path()), nodes.version(root));
        let selected = graph.selected(root.path()).map_or("none", |selected| nodes.version(selected));
        let go = self.requirements.go_version(self.world);
        let text = format!(
            "failed to diagnose selected-version mismatch for module {path}: go {go} selects {version}, but go {older} selects {selected}"
        );
        Err(Error::Internal(text).into())
    }

    fn mismatches(
        &mut self,
        requirements: &Requirements,
        graph: &Arc<ModuleGraph>,
    ) -> Result<HashMap<PackageId, Mismatch>, Halt> {
        let packages = Arc::clone(&self.packages);
        let mut mismatches = HashMap::new();
        let mut is_missing = false;
        for &id in packages.order() {
            let package = packages.get(id);
            if package.module.is_none() && package.error.is_none() {
                continue;
            }
            let graph = Some(Arc::clone(graph));
            let found = self.world.find_import(&package.path, requirements, graph, self.rules.skips_go_mods);
            let (module, error) = match found {
                Ok(import) => (import.module, None),
                Err(Halt::Error(error)) => (None, Some(*error)),
                Err(Halt::Need(needs)) => {
                    self.world.known.put_back(needs);
                    is_missing = true;
                    continue;
                }
            };
            if module != package.module {
                mismatches.insert(id, Mismatch { module, error });
            }
        }
        if is_missing { Err(self.world.known.halt()) } else { Ok(mismatches) }
    }

    fn report_mismatches(
        &mut self,
        mut mismatches: HashMap<PackageId, Mismatch>,
        graph: &ModuleGraph,
        older: &str,
    ) -> Advice {
        let packages = Arc::clone(&self.packages);
        let mut advice = Advice::default();
        for &id in packages.order() {
            let package = packages.get(id);
            let Some(Mismatch { module, error }) = mismatches.remove(&id).filter(|_| !package.is_test())
            else {
                continue;
            };
            let nodes = self.world.nodes();
            let stack = packages.stack_text(id);
            let node = |module: Option<NodeId>| module.map(|m| nodes.node(m).to_string()).unwrap_or_default();
            let loaded = node(package.module);
            let text = match error {
                Some(Error::Import(ImportError::Missing(_))) => {
                    advice.errors = true;
                    advice.upgrade |= self.has_unselected_root(graph);
                    let path = package.module.map(|module| module.path());
                    let selected = match path.and_then(|path| graph.selected(path)) {
                        Some(selected) => nodes.node(selected).to_string(),
                        None => format!("{}@none", path.map_or("", |path| nodes.path(path))),
                    };
                    format!(
                        "{stack} loaded from {loaded},\n\tbut go {older} would fail to locate it in {selected}"
                    )
                }
                Some(error) => {
                    advice.errors = true;
                    advice.upgrade |= self.has_unselected_root(graph);
                    format!(
                        "{stack} loaded from {loaded},\n\tbut go {older} would fail to locate it:\n\t{error}"
                    )
                }
                None if package.error.is_some() => {
                    advice.upgrade = true;
                    let (path, module) = (&package.path, node(module));
                    format!(
                        "{path} failed to load from any module,\n\tbut go {older} would load it from {module}"
                    )
                }
                None => {
                    advice.upgrade = true;
                    let version = module.map_or("", |module| nodes.version(module));
                    format!("{stack} loaded from {loaded},\n\tbut go {older} would select {version}\n")
                }
            };
            self.report(Error::Text(text));
        }
        advice
    }

    fn has_unselected_root(&self, graph: &ModuleGraph) -> bool {
        self.requirements.roots().iter().any(|root| graph.selected(root.path()) != Some(*root))
    }

    /// How to go on, as it is printed after the errors; nothing if errors are allowed.
    fn advise(&self, advice: &Advice, older: &str, requirements: &Requirements) -> String {
        if self.options.allows_errors {
            return String::new();
        }
        let go = requirements.go_version(self.world);
        let is_other = go != self.world.main.go_version(&self.world.local.version);
        let go_flag = if is_other { format!(" -go={go}") } else { String::new() };
        let is_default = older == go_version::previous(go);
        let older_flag = if is_default { String::new() } else { format!(" -compat={older}") };
        let mut text = String::from("\n");
        let (unresolved, e) = match advice.errors {
            true => (", leaving some packages unresolved", " -e"),
            false => ("", ""),
        };
        if advice.upgrade {
            let commands = format!("go mod tidy{e} -go={older} && go mod tidy{e} -go={go}{older_flag}");
            let what = format!("To upgrade to the versions selected by go {older}{unresolved}");
            writeln!(text, "{what}:\n\t{commands}").expect("a String takes all text");
        } else if advice.errors {
            let command = format!("go mod tidy -e{go_flag}{older_flag}");
            writeln!(text, "To proceed despite packages unresolved in go {older}:\n\t{command}")
                .expect("a String takes all text");
        }
        writeln!(
            text,
            "If reproducibility with go {older} is not needed:\n\tgo mod tidy{go_flag} -compat={go}\nFor information about 'go mod tidy' compatibility, see:\n\thttps://go.dev/ref/mod#graph-pruning"
        )
        .expect("a String takes all text");
        text
    }
}
