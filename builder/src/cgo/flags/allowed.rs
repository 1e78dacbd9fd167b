//! Which flags source code may give to compilers and linkers.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::shop::StepError;

/// A table of flags.
#[derive(Clone, Copy, Debug)]
pub(super) enum Table {
    Compiler,
    Linker,
    PkgConfig,
}

/// What the user allows and refuses beyond the table, by CGO_CFLAGS_ALLOW and others.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    allow: Option<Regex>,
    refuse: Option<Regex>,
}

impl Overrides {
    /// What the variables say of flags such as `CFLAGS`.
    pub(super) fn of(variables: &BTreeMap<String, String>, name: &str) -> Result<Self, StepError> {
        let pattern = |kind: &str| {
            let variable = format!("CGO_{name}_{kind}");
            let Some(value) = variables.get(&variable).filter(|value| !value.is_empty()) else {
                return Ok(None);
            };
            Regex::new(value)
                .map(Some)
                .map_err(|error| StepError::Plain(format!("parsing ${variable}: {error}")))
        };
        Ok(Self { allow: pattern("ALLOW")?, refuse: pattern("DISALLOW")? })
    }
}

impl Table {
    /// Refuses what is not in the table (`checkFlags`); `source` says where the flags come from.
    pub(super) fn check(
        self,
        source: &str,
        flags: &[String],
        overrides: &Overrides,
    ) -> Result<(), StepError> {
        let mut rest = flags;
        while let Some((flag, after)) = rest.split_first() {
            let next = after.first();
            let taken = self.accepts(flag, next.map(String::as_str), overrides);
            let bad = match (taken, next) {
                (Taken::Nothing, _) => flag.clone(),
                (Taken::One, _) => {
                    rest = after;
                    continue;
                }
                (Taken::Two, _) => {
                    rest = &after[1..];
                    continue;
                }
                (Taken::BadArgument, Some(next)) => format!("{flag} {next}"),
                (Taken::BadArgument, None) => format!("{flag} without argument"),
            };
            return Err(StepError::Plain(format!(
                "invalid flag in {source}: {bad} (see https://go.dev/s/invalidflag)"
            )));
        }
        Ok(())
    }

    fn accepts(self, flag: &str, next: Option<&str>, overrides: &Overrides) -> Taken {
        let is = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|pattern| is_whole(pattern, flag));
        if is(&overrides.refuse) {
            return Taken::Nothing;
        }
        if is(&overrides.allow) {
            return Taken::One;
        }
        let (valid, with_next) = self.patterns();
        let is_refused = |flag: &str| matches!(self, Self::Linker) && flag == "-lto_library";
        if is_refused(flag) {
            return Taken::Nothing;
        }
        let is_valid = |flag: &str| valid.iter().any(|pattern| is_whole(pattern, flag));
        if is_valid(flag) {
            return Taken::One;
        }
        if flag.starts_with("-Wl,--push-state,") {
            let all = flag.split(',').skip(1).map(|word| format!("-Wl,{word}"));
            let all_valid = all.into_iter().all(|flag| is_valid(&flag) && !is_refused(&flag));
            return if all_valid { Taken::One } else { Taken::Nothing };
        }
        if !with_next.contains(&flag) {
            return Taken::Nothing;
        }
        let is_argument = next.is_some_and(|next| {
            let of_linker = next.strip_prefix("-Wl,").filter(|_| flag.starts_with("-Wl,"));
            is_safe(next)
                || of_linker.is_some_and(|word| is_safe(word) && !word.contains(','))
                || flag == "-I"
                    && (next.starts_with('=') || next.starts_with("$SYSROOT"))
                    && is_safe(&next[1..])
        });
        if is_argument { Taken::Two } else { Taken::BadArgument }
    }

    fn patterns(self) -> (&'static [Regex], &'static [&'static str]) {
        static COMPILERS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&COMPILER));
        static LINKERS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&LINKER));
        static PKG_CONFIGS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&PKG_CONFIG));
        match self {
            Self::Compiler => (&COMPILERS, &COMPILER_WITH_NEXT),
            Self::Linker => (&LINKERS, &LINKER_WITH_NEXT),
            Self::PkgConfig => (&PKG_CONFIGS, &[]),
        }
    }
}

enum Taken {
    Nothing,
    One,
    Two,
    BadArgument,
}

/// Whether an argument can't be taken for a flag or a file of flags (`load.SafeArg`).
pub(super) fn is_safe(argument: &str) -> bool {
    argument
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/') || !c.is_ascii())
}

/// Whether the first match is the whole flag.
fn is_whole(pattern: &Regex, flag: &str) -> bool {
    pattern.find(flag).is_some_and(|found| found.as_str() == flag)
}

fn compiled(patterns: &[&str]) -> Vec<Regex> {
    patterns
        .iter()
        .map(|pattern| Regex::new(pattern).expect("a table whose patterns a test compiles"))
        .collect()
}

const COMPILER: [&str; 94] = [
    r"-D([A-Za-z_][A-Za-z0-9_]*)(=[^@\-]*)?",
    r"-U([A-Za-z_][A-Za-z0-9_]*)",
    r"-F([^@\-].*)",
    r"-I([^@\-].*)",
    r"-O",
    r"-O([^@\-].*)",
    r"-W",
    r"-W([^@,]+)",
    r"-Wa,-mbig-obj",
    r"-Wp,-D([A-Za-z_][A-Za-z0-9_]*)(=[^@,\-]*)?",
    r"-Wp,-U([A-Za-z_][A-Za-z0-9_]*)",
    r"-ansi",
    r"-f(no-)?asynchronous-unwind-tables",
    r"-f(no-)?blocks",
    r"-f(no-)builtin-[a-zA-Z0-9_]*",
    r"-f(no-)?common",
    r"-f(no-)?constant-cfstrings",
    r"-fdebug-prefix-map=([^@]+)=([^@]+)",
    r"-fdiagnostics-show-note-include-stack",
    r"-ffile-prefix-map=([^@]+)=([^@]+)",
    r"-fno-canonical-system-headers",
    r"-f(no-)?eliminate-unused-debug-types",
    r"-f(no-)?exceptions",
    r"-f(no-)?fast-math",
    r"-f(no-)?inline-functions",
    r"-finput-charset=([^@\-].*)",
    r"-f(no-)?fat-lto-objects",
    r"-f(no-)?keep-inline-dllexport",
    r"-f(no-)?lto",
    r"-fmacro-backtrace-limit=(.+)",
    r"-fmessage-length=(.+)",
    r"-f(no-)?modules",
    r"-f(no-)?objc-arc",
    r"-f(no-)?objc-nonfragile-abi",
    r"-f(no-)?objc-legacy-dispatch",
    r"-f(no-)?omit-frame-pointer",
    r"-f(no-)?openmp(-simd)?",
    r"-f(no-)?permissive",
    r"-f(no-)?(pic|PIC|pie|PIE)",
    r"-f(no-)?plt",
    r"-f(no-)?rtti",
    r"-f(no-)?split-stack",
    r"-f(no-)?stack-(.+)",
    r"-f(no-)?strict-aliasing",
    r"-f(un)signed-char",
    r"-f(no-)?use-linker-plugin",
    r"-f(no-)?visibility-inlines-hidden",
    r"-fsanitize=(.+)",
    r"-fsanitize-undefined-strip-path-components=(-)?[0-9]+",
    r"-ftemplate-depth-(.+)",
    r"-ftls-model=(global-dynamic|local-dynamic|initial-exec|local-exec)",
    r"-fvisibility=(.+)",
    r"-g([^@\-].*)?",
    r"-m32",
    r"-m64",
    r"-m(abi|arch|cpu|fpu|simd|tls-dialect|tune)=([^@\-].*)",
    r"-m(no-)?v?aes",
    r"-marm",
    r"-mcmodel=[0-9a-z-]+",
    r"-mfloat-abi=([^@\-].*)",
    r"-m(soft|single|double)-float",
    r"-mfpmath=[0-9a-z,+]*",
    r"-m(no-)?avx[0-9a-z.]*",
    r"-m(no-)?ms-bitfields",
    r"-m(no-)?stack-(.+)",
    r"-mmacosx-(.+)",
    r"-m(no-)?relax",
    r"-m(no-)?strict-align",
    r"-m(no-)?(lsx|lasx|frecipe|div32|lam-bh|lamcas|ld-seq-sa)",
    r"-mios-simulator-version-min=(.+)",
    r"-miphoneos-version-min=(.+)",
    r"-mlarge-data-threshold=[0-9]+",
    r"-mtvos-simulator-version-min=(.+)",
    r"-mtvos-version-min=(.+)",
    r"-mwatchos-simulator-version-min=(.+)",
    r"-mwatchos-version-min=(.+)",
    r"-mnop-fun-dllimport",
    r"-m(no-)?sse[0-9.]*",
    r"-m(no-)?ssse3",
    r"-mthumb(-interwork)?",
    r"-mthreads",
    r"-mwindows",
    r"-no-canonical-prefixes",
    r"--param=ssp-buffer-size=[0-9]*",
    r"-pedantic(-errors)?",
    r"-pipe",
    r"-pthread",
    r"--static",
    r"-?-std=([^@\-].*)",
    r"-?-stdlib=([^@\-].*)",
    r"--sysroot=([^@\-].*)",
    r"-w",
    r"-x([^@\-].*)",
    r"-v",
];

const COMPILER_WITH_NEXT: [&str; 12] = [
    r"-arch",
    r"-D",
    r"-U",
    r"-I",
    r"-F",
    r"-framework",
    r"-include",
    r"-isysroot",
    r"-isystem",
    r"--sysroot",
    r"-target",
    r"-x",
];

const LINKER: [&str; 68] = [
    r"-F([^@\-].*)",
    r"-l([^@\-].*)",
    r"-L([^@\-].*)",
    r"-O",
    r"-O([^@\-].*)",
    r"-f(no-)?(pic|PIC|pie|PIE)",
    r"-f(no-)?openmp(-simd)?",
    r"-fsanitize=([^@\-].*)",
    r"-flat_namespace",
    r"-g([^@\-].*)?",
    r"-headerpad_max_install_names",
    r"-m(abi|arch|cpu|fpu|simd|tls-dialect|tune)=([^@\-].*)",
    r"-mcmodel=[0-9a-z-]+",
    r"-mfloat-abi=([^@\-].*)",
    r"-m(soft|single|double)-float",
    r"-m(no-)?relax",
    r"-m(no-)?strict-align",
    r"-m(no-)?(lsx|lasx|frecipe|div32|lam-bh|lamcas|ld-seq-sa)",
    r"-mmacosx-(.+)",
    r"-mios-simulator-version-min=(.+)",
    r"-miphoneos-version-min=(.+)",
    r"-mthreads",
    r"-mwindows",
    r"-(pic|PIC|pie|PIE)",
    r"-pthread",
    r"-rdynamic",
    r"-shared",
    r"-?-static([-a-z0-9+]*)",
    r"-?-stdlib=([^@\-].*)",
    r"-v",
    r"-Wl,--(no-)?allow-multiple-definition",
    r"-Wl,--(no-)?allow-shlib-undefined",
    r"-Wl,--(no-)?as-needed",
    r"-Wl,-Bdynamic",
    r"-Wl,-berok",
    r"-Wl,-Bstatic",
    r"-Wl,-Bsymbolic-functions",
    r"-Wl,-O[0-9]+",
    r"-Wl,-d[ny]",
    r"-Wl,--disable-new-dtags",
    r"-Wl,-e[=,][a-zA-Z0-9]+",
    r"-Wl,--enable-new-dtags",
    r"-Wl,--end-group",
    r"-Wl,--(no-)?export-dynamic",
    r"-Wl,-E",
    r"-Wl,-framework,[^,@\-][^,]*",
    r"-Wl,--hash-style=(sysv|gnu|both)",
    r"-Wl,-headerpad_max_install_names",
    r"-Wl,--no-undefined",
    r"-Wl,--pop-state",
    r"-Wl,--push-state",
    r"-Wl,-R,?([^@\-,][^,@]*$)",
    r"-Wl,--just-symbols[=,]([^,@\-][^,@]*)",
    r"-Wl,-rpath(-link)?[=,]([^,@\-][^,]*)",
    r"-Wl,-s",
    r"-Wl,-search_paths_first",
    r"-Wl,-sectcreate,([^,@\-][^,]*),([^,@\-][^,]*),([^,@\-][^,]*)",
    r"-Wl,--start-group",
    r"-Wl,-?-static",
    r"-Wl,-?-subsystem,(native|windows|console|posix|xbox)",
    r"-Wl,-syslibroot[=,]([^,@\-][^,]*)",
    r"-Wl,-undefined[=,]([^,@\-][^,]*)",
    r"-Wl,-?-unresolved-symbols=[^,]+",
    r"-Wl,--(no-)?warn-([^,]+)",
    r"-Wl,-?-wrap[=,][^,@\-][^,]*",
    r"-Wl(,-z,(relro|now|(no)?execstack))+",
    r"[a-zA-Z0-9_/].*\.(a|o|obj|dll|dylib|so|tbd)",
    r"\./.*\.(a|o|obj|dll|dylib|so|tbd)",
];

const LINKER_WITH_NEXT: [&str; 13] = [
    r"-arch",
    r"-F",
    r"-l",
    r"-L",
    r"-framework",
    r"-isysroot",
    r"--sysroot",
    r"-target",
    r"-Wl,-framework",
    r"-Wl,-rpath",
    r"-Wl,-R",
    r"-Wl,--just-symbols",
    r"-Wl,-undefined",
];

const PKG_CONFIG: [&str; 49] = [
    r"--atleast-pkgconfig-version=\d+\.\d+\.\d+",
    r"--atleast-version=\d+\.\d+\.\d+",
    r"--cflags-only-I",
    r"--cflags",
    r"--define-prefix",
    r"--define-variable=[A-Za-z_][A-Za-z0-9_]*=[^@\-]*",
    r"--digraph",
    r"--dont-define-prefix",
    r"--dont-relocate-paths",
    r"--dump-personality",
    r"--env-only",
    r"--errors-to-stdout",
    r"--exact-version=\d+\.\d+\.\d+",
    r"--exists",
    r"--fragment-filter=[A-Za-z_][a-zA-Z0-9_]*",
    r"--ignore-conflicts",
    r"--internal-cflags",
    r"--keep-system-cflags",
    r"--keep-system-libs",
    r"--libs-only-l",
    r"--libs-only-L",
    r"--libs",
    r"--list-all",
    r"--list-package-names",
    r"--max-version=\d+\.\d+\.\d+",
    r"--maximum-traverse-depth=[0-9]+",
    r"--modversion",
    r"--msvc-syntax",
    r"--no-cache",
    r"--no-provides",
    r"--no-uninstalled",
    r"--path",
    r"--personality=(triplet|filename)",
    r"--prefix-variable=[A-Za-z_][a-zA-Z0-9_]*",
    r"--print-errors",
    r"--print-provides",
    r"--print-requires-private",
    r"--print-requires",
    r"--print-variables",
    r"--pure",
    r"--shared",
    r"--short-errors",
    r"--silence-errors",
    r"--simulate",
    r"--static",
    r"--uninstalled",
    r"--validate",
    r"--variable=[A-Za-z_][a-zA-Z0-9_]*",
    r"--with-path=[^@\-].*",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: Table, flags: &[&str], expected: Result<(), &str>) {
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let found = table.check("#cgo X", &flags, &Overrides::default()).map_err(|error| error.to_string());
        let expected = expected
            .map_err(|bad| format!("invalid flag in #cgo X: {bad} (see https://go.dev/s/invalidflag)"));
        assert_eq!(found, expected, "{flags:?}");
    }

    #[test]
    fn what_is_harmless_passes() {
        check(
            Table::Compiler,
            &["-DFOO=bar", "-O2", "-Wall", "-I", "/x", "-I=/x", "-std=c11", "-mavx512f"],
            Ok(()),
        );
        check(
            Table::Linker,
            &["-lm", "-L/x", "-Wl,-rpath,/x", "-Wl,--push-state,--as-needed", "a/b.o"],
            Ok(()),
        );
        check(Table::Linker, &["-Wl,-framework", "-Wl,Chocolate", "-framework", "X"], Ok(()));
        check(Table::PkgConfig, &["--static", "--define-variable=a=b"], Ok(()));
    }

    #[test]
    fn what_runs_programs_or_reads_files_of_flags_is_refused() {
        check(Table::Compiler, &["-D@X"], Err("-D@X"));
        check(Table::Compiler, &["-O2", "-fplugin=x"], Err("-fplugin=x"));
        check(Table::Compiler, &["-I", "@x"], Err("-I @x"));
        check(Table::Compiler, &["-x"], Err("-x without argument"));
        check(Table::Linker, &["-Wl,-a,-b"], Err("-Wl,-a,-b"));
        check(Table::Linker, &["-lto_library"], Err("-lto_library"));
        check(Table::Linker, &["-Wl,--push-state,-plugin"], Err("-Wl,--push-state,-plugin"));
        check(Table::PkgConfig, &["--exec=x"], Err("--exec=x"));
    }

    #[test]
    fn users_may_decide_otherwise() {
        let variables = BTreeMap::from([
            ("CGO_CFLAGS_ALLOW".to_owned(), "-fplugin=.*".to_owned()),
            ("CGO_CFLAGS_DISALLOW".to_owned(), "-O2".to_owned()),
        ]);
        let overrides = Overrides::of(&variables, "CFLAGS").unwrap();
        let flag = |flag: &str| Table::Compiler.check("", &[flag.to_owned()], &overrides).is_ok();
        assert!(flag("-fplugin=x") && !flag("-O2") && flag("-O3"));
    }
}
