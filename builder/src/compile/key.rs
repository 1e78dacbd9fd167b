//! The text that a package's key is the hash of.
//!
//! Its lines are go's, in go's order (`cmd/go/internal/work:exec.go:buildActionID`); one that differs is a cache of its own.

use std::fmt::Write as _;
use std::path::Path;

use modkeep_module::quote::quote;

use super::Unit;
use crate::action_id::short;
use crate::cgo;
use crate::release::MAGIC_VARIABLES;
use crate::shop::StepError;
use crate::words::quoted_list;

impl Unit<'_> {
    pub(super) fn preimage(&self) -> Result<String, StepError> {
        let (package, goal, shop) = (self.package, self.goal, self.shop);
        let build = goal.build;
        let mut text = String::from("compile\n");
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            // Writing to a string can't fail.
            let _ = text.write_fmt(arguments);
        };
        match &package.module {
            Some(module) if build.trimpath => {
                line(format_args!("module {}@{}\n", module.path, module.version))
            }
            None if build.trimpath => {}
            // The program of a test lies in the work folder.
            _ if package.goroot || package.testmain.is_some() || package.dir.starts_with(&shop.work) => {}
            _ => line(format_args!("dir {}\n", package.dir)),
        }
        if let Some(module) = &package.module {
            line(format_args!("go {}\n", module.go_version));
        }
        line(format_args!("goos {} goarch {}\n", build.target.os, build.target.arch));
        line(format_args!("import {}\n", quote(&package.import_path)));
        line(format_args!(
            "omitdebug {} standard {} local {} prefix {}\n",
            package.omit_debug,
            package.standard,
            package.is_local(),
            quote(&package.local_prefix)
        ));
        if build.trimpath {
            line(format_args!("trimpath\n"));
        }
        if package.force_library {
            line(format_args!("forcelibrary\n"));
        }
        if package.uses_cgo() || package.uses_swig() {
            line(format_args!("cgo {}\n", quote(shop.tool_id(goal, "cgo")?)));
            line(format_args!("{}", cgo::key_lines(self)?));
        }
        if let Some(cover) = &package.cover {
            line(format_args!("cover {} {}\n", quote(&cover.mode), quote(shop.tool_id(goal, "cover")?)));
        }
        if package.fuzz_instrument && build.is_fuzz_instrumented() {
            line(format_args!("fuzz {}\n", quoted_list(&["-d=libfuzzer".to_owned()])));
        }
        if let Some(info) = &package.build_info {
            line(format_args!("modinfo {}\n", quote(info.to_string())));
        }
        let (forced, asked) = (quoted_list(&goal.forced_gcflags), quoted_list(&package.gcflags));
        line(format_args!("compile {} {forced} {asked}\n", shop.tool_id(goal, "compile")?));
        if !package.s_files.is_empty() {
            let (forced, asked) = (quoted_list(&goal.forced_asmflags), quoted_list(&package.asmflags));
            line(format_args!("asm {} {forced} {asked}\n", quote(shop.tool_id(goal, "asm")?)));
        }
        line(format_args!("{}{}", goal.level_line(), goal.experiments_line()));
        for name in MAGIC_VARIABLES {
            if let Some(value) = shop.machine.variables().get(name).filter(|value| !value.is_empty()) {
                line(format_args!("magic {name}={value}\n"));
            }
        }
        self.file_lines(&mut line);
        for (import, compiled) in &self.imports {
            line(format_args!("import {} {}\n", import.import_path, compiled.build_id.content()));
        }
        if let Some(profile) = &self.profile {
            line(format_args!("pgofile {}\n", self.hash(&profile.path)));
        }
        Ok(text)
    }

    fn file_lines(&self, line: &mut impl FnMut(std::fmt::Arguments<'_>)) {
        let package = self.package;
        let lists = [
            &package.go_files,
            &package.cgo_files,
            &package.c_files,
            &package.cxx_files,
            &package.f_files,
            &package.m_files,
            &package.h_files,
            &package.s_files,
            &package.syso_files,
            &package.swig_files,
            &package.swig_cxx_files,
            &package.embed_files,
        ];
        if let Some(text) = &package.testmain {
            let content = modkeep_store::Digest::of(text.as_bytes());
            line(format_args!("file _testmain.go {}\n", short(content.as_bytes())));
            return;
        }
        for file in lists.into_iter().flatten() {
            line(format_args!("file {file} {}\n", self.hash_of_source(file)));
        }
    }

    fn hash_of_source(&self, name: &str) -> String {
        let digest = self.shop.hashes.in_folder(&self.package.dir, name);
        digest.map_or_else(|_| String::new(), |digest| short(digest.as_bytes()))
    }

    /// The content of a file as keys name it; empty for one that can't be read, which the compiler will say.
    fn hash(&self, path: &str) -> String {
        self.shop.hashes.of(Path::new(path)).map_or_else(|_| String::new(), |digest| short(digest.as_bytes()))
    }
}
