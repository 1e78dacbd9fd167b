//! The files of a package that are compiled: its own, and those that cgo and the cover tool make of them.
//!
//! Their names are kept with the package's key, and those that were made as well, for whoever looks at the sources later.
//! Source: `cmd/go/internal/work:exec.go` (`build`, `cacheSrcFiles`, `loadCachedVet`).

use std::fs;
use std::path::Path;

use super::Unit;
use crate::action_id::ActionId;
use crate::cgo;
use crate::cover;
use crate::package::Package;
use crate::shop::{Bench, StepError};

/// What goes into an archive, apart from what its package has itself.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Go files: names, and paths of those that were made.
    pub(super) go: Vec<String>,
    /// Assembly for Go's assembler.
    pub(super) assembly: Vec<String>,
    /// Objects that C compilers made.
    pub(super) objects: Vec<String>,
    /// How coverage is counted, for the compiler.
    pub(super) coverage: Option<String>,
}

impl Unit<'_> {
    /// Makes the files that are compiled, as far as they aren't there, and keeps their names.
    pub(super) fn prepare(&self, bench: &mut Bench<'_>, id: &ActionId) -> Result<Prepared, StepError> {
        let (package, folder) = (self.package, self.folder);
        bench.make_folder(folder)?;
        if self.shop.flags.dry {
            bench.tell(&format!("\n#\n# {}\n#\n\n", package.import_path));
        }
        if self.shop.flags.names {
            bench.tell(&format!("{}\n", package.import_path));
        }
        let mut prepared = Prepared {
            go: package.go_files.clone(),
            assembly: package.s_files.clone(),
            ..Prepared::default()
        };
        let mut cgo_files = package.cgo_files.clone();
        if let Some(text) = &package.testmain {
            bench.write(&format!("{folder}_testmain.go"), text.as_bytes())?;
            prepared.go = vec![format!("{folder}_testmain.go")];
        }
        if let Some(cover) = &package.cover {
            let covered = cover::run(self, bench, id, cover, prepared.go, cgo_files)?;
            (prepared.go, cgo_files, prepared.coverage) = (covered.go, covered.cgo, covered.config);
        }
        if package.uses_cgo() || package.uses_swig() {
            if package.standard && package.import_path == "runtime/cgo" {
                prepared.assembly.retain(|file| !file.starts_with("gcc_"));
            } else {
                prepared.assembly.clear();
            }
            let made = cgo::run(self, bench, id, &cgo_files)?;
            prepared.go.extend(made.go);
            prepared.objects = made.objects;
        }
        self.remember_sources(id, &prepared.go, &prepared.assembly);
        if prepared.go.is_empty() {
            return Err(StepError::Plain(no_files(package)));
        }
        Ok(prepared)
    }

    /// The files that are compiled: names of the package's own, and paths of those that were made, which are in the folder
    /// then (`loadCachedVet`).
    pub(crate) fn sources(&self, id: &ActionId) -> Result<Vec<String>, StepError> {
        let mut bench = self.shop.bench(self.package);
        if let Some(list) = self.shop.cache.bytes(&id.subkey("srcfiles"))
            && let Some(sources) = self.kept_sources(&bench, id, &String::from_utf8_lossy(&list))
        {
            return Ok(sources);
        }
        let made = self.prepare(&mut bench, id)?;
        bench.flush();
        Ok(made.go.into_iter().chain(made.assembly).collect())
    }

    fn kept_sources(&self, bench: &Bench<'_>, id: &ActionId, list: &str) -> Option<Vec<String>> {
        let mut sources = Vec::new();
        for line in list.lines().filter(|line| !line.is_empty()) {
            let Some(name) = line.strip_prefix("./") else {
                let (kept, _) = self.shop.cache.file(&id.subkey(line))?;
                let made = format!("{}{line}", self.folder);
                if !Path::new(&made).exists() {
                    bench.make_folder(self.folder).ok()?;
                    bench.copy(&kept.to_string_lossy(), &made).ok()?;
                }
                sources.push(made);
                continue;
            };
            sources.push(name.to_owned());
        }
        (!sources.is_empty()).then_some(sources)
    }

    /// Keeps the names of the sources, and those that were made, for those who look at them later (`cacheSrcFiles`).
    fn remember_sources(&self, id: &ActionId, go_files: &[String], assembly: &[String]) {
        if self.shop.flags.dry {
            return;
        }
        let mut list = String::new();
        for file in go_files.iter().chain(assembly) {
            match file.strip_prefix(self.folder) {
                None => list.push_str(&format!("./{file}\n")),
                Some(name) => {
                    list.push_str(&format!("{name}\n"));
                    let Ok(content) = fs::read(Path::new(file)) else {
                        return;
                    };
                    if self.shop.keep(self.shop.cache.put_bytes(&id.subkey(name), &content)).is_none() {
                        return;
                    }
                }
            }
        }
        self.shop.keep(self.shop.cache.put_bytes(&id.subkey("srcfiles"), list.as_bytes()));
    }
}

/// Why there is nothing to compile (`load.NoGoError`).
fn no_files(package: &Package) -> String {
    let what = if !package.ignored_go_files.is_empty() {
        "build constraints exclude all Go files"
    } else if !package.test_go_files.is_empty() || !package.x_test_go_files.is_empty() {
        "no non-test Go files"
    } else {
        "no Go files"
    };
    format!("{what} in {}", package.dir)
}
