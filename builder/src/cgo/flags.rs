//! The flags of C compilers, and which of them may come from source code.
//!
//! Source: `cmd/go/internal/work:security.go`, `exec.go` (`CFlags`, `getPkgConfigFlags`). The tables are go's: what they
//! let through runs on the machine of whoever builds.

mod allowed;
mod pkg_config;

use super::compiler::Language;
use crate::compile::Unit;
use crate::package_flags::split;
use crate::release::Release;
use crate::shop::StepError;
use crate::tags::Instrument;
use crate::target::Target;

pub(super) use pkg_config::from_pkg_config;

/// What CGO_CFLAGS and others are when nobody sets them.
pub(super) const DEFAULT: &str = "-O2 -g";

/// The flags for one package.
#[derive(Clone, Debug, Default)]
pub(super) struct FlagLists {
    pub(super) preprocessor: Vec<String>,
    pub(super) c: Vec<String>,
    pub(super) cxx: Vec<String>,
    pub(super) fortran: Vec<String>,
    pub(super) linker: Vec<String>,
}

impl FlagLists {
    /// The flags of the environment and of the package's sources, these checked or not.
    pub(super) fn of(unit: &Unit<'_>, is_checked: bool) -> Result<Self, StepError> {
        let own = &unit.package.cgo_flags;
        let list = |name: &str, default: &str, own: &[String], table: allowed::Table| {
            if is_checked {
                let overrides = allowed::Overrides::of(unit.shop.machine.variables(), name)?;
                table.check(&format!("#cgo {name}"), own, &overrides)?;
            }
            let variable = format!("CGO_{name}");
            let value = unit.goal.build.c_variables.get(&variable).filter(|value| !value.is_empty());
            let words = split(value.map_or(default, String::as_str)).map_err(|error| {
                StepError::Plain(format!("go: {variable} environment variable could not be parsed: {error}"))
            })?;
            Ok::<_, StepError>(words.into_iter().chain(own.iter().cloned()).collect::<Vec<String>>())
        };
        use allowed::Table::{Compiler, Linker};
        Ok(Self {
            preprocessor: list("CPPFLAGS", "", &own.preprocessor, Compiler)?,
            c: list("CFLAGS", DEFAULT, &own.c, Compiler)?,
            cxx: list("CXXFLAGS", DEFAULT, &own.cxx, Compiler)?,
            fortran: list("FFLAGS", DEFAULT, &own.fortran, Compiler)?,
            linker: list("LDFLAGS", DEFAULT, &own.linker, Linker)?,
        })
    }

    /// Whether a flag asks for what only the host's linker can do.
    pub(super) fn prefer_external_linking(&self, release: Release) -> bool {
        let none = allowed::Overrides::default();
        let of_compilers = [&self.c, &self.cxx, &self.fortran].into_iter().any(|list| {
            allowed::Table::Compiler.check("", list, &none).is_err()
                || list.iter().any(|flag| {
                    flag.starts_with("-flto")
                        || release.links_static_externally()
                            && matches!(flag.as_str(), "-static" | "--static")
                })
        });
        let is_static = |flag: &String| {
            matches!(flag.as_str(), "-static" | "--static" | "-Wl,-static" | "-Wl,--static" | "-Wl,-Bstatic")
        };
        of_compilers
            || release.links_static_externally()
                && (allowed::Table::Linker.check("", &self.linker, &none).is_err()
                    || self.linker.iter().any(is_static))
    }

    /// Whether a compiler leaves it to the linker to optimize.
    pub(super) fn optimize_links(&self, language: Language) -> bool {
        self.for_compiler(language).any(|flag| flag.starts_with("-flto"))
    }

    pub(super) fn sanitize(&mut self, instrument: Option<Instrument>) {
        let flag = match instrument {
            Some(Instrument::Memory) => "-fsanitize=memory",
            Some(Instrument::Address) => "-fsanitize=address",
            _ => return,
        };
        self.c.insert(0, flag.to_owned());
        self.linker.insert(0, flag.to_owned());
    }

    pub(super) fn for_compiler(&self, language: Language) -> impl Iterator<Item = &String> {
        let list = match language {
            Language::C | Language::Assembly => &self.c,
            Language::Cxx => &self.cxx,
            Language::Fortran => &self.fortran,
        };
        self.preprocessor.iter().chain(list)
    }

    /// What the linker gets that only finds out what is needed.
    pub(super) fn for_probe(&self, target: &Target) -> Vec<String> {
        let mut flags = self.linker.clone();
        let needs_pie = target.os == "android" || target.os == "linux" && target.arch == "arm";
        if !needs_pie {
            return flags;
        }
        let has = |flags: &[String], word: &str| flags.iter().any(|flag| flag == word);
        if !has(&flags, "-no-pie") {
            flags.push("-pie".to_owned());
        }
        if has(&flags, "-pie") {
            flags.retain(|flag| flag != "-static");
        }
        flags
    }
}
