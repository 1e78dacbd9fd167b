//! Flags that pkg-config gives for `#cgo pkg-config:` lines.

use super::allowed::{Overrides, Table, is_safe};
use crate::action::{Action, Variables};
use crate::compile::Unit;
use crate::package_flags::split;
use crate::shop::{Bench, StepError};

/// Flags for the compiler and for the linker (`getPkgConfigFlags`).
pub(crate) fn from_pkg_config(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
) -> Result<(Vec<String>, Vec<String>), StepError> {
    let words = &unit.package.cgo_flags.packages;
    if words.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let words = words.iter().filter(|word| *word != "--");
    let (flags, packages): (Vec<&String>, Vec<&String>) = words.partition(|word| word.starts_with("--"));
    if let Some(package) = packages.iter().find(|package| !is_safe(package)) {
        return Err(StepError::Plain(format!("invalid pkg-config package name: {package}")));
    }
    let flags: Vec<String> = flags.into_iter().cloned().collect();
    Table::PkgConfig.check("pkg-config", &flags, &Overrides::default())?;
    let mut ask = |what: &str, table: Table, name: &str| {
        let mut arguments = vec![what.to_owned()];
        arguments.extend(flags.iter().cloned());
        arguments.push("--".to_owned());
        arguments.extend(packages.iter().map(|&package| package.clone()));
        let names: Vec<&str> = packages.iter().map(|package| package.as_str()).collect();
        let words = format!("{what} {} -- {}", flags.join(" "), names.join(" "));
        let found = run(unit, bench, &words, arguments)?;
        let overrides = Overrides::of(unit.shop.machine.variables(), name)?;
        table.check(&format!("pkg-config {what}"), &found, &overrides)?;
        Ok::<_, StepError>(found)
    };
    let compiler = ask("--cflags", Table::Compiler, "CFLAGS")?;
    let linker = ask("--libs", Table::Linker, "LDFLAGS")?;
    Ok((compiler, linker))
}

/// `words` is what go calls the arguments.
fn run(
    unit: &Unit<'_>,
    bench: &mut Bench<'_>,
    words: &str,
    arguments: Vec<String>,
) -> Result<Vec<String>, StepError> {
    let variable = unit.shop.machine.variables().get("PKG_CONFIG").filter(|value| !value.is_empty());
    let program = variable.and_then(|value| split(value).ok()).and_then(|words| words.into_iter().next());
    let program = program.unwrap_or_else(|| "pkg-config".to_owned());
    let heading = format!("{program} {words}");
    let action = Action {
        program,
        arguments,
        folder: unit.package.dir.clone(),
        environment: Variables::Inherited(Vec::new()),
        inputs: Vec::new(),
        outputs: Vec::new(),
    };
    let outcome = bench.run_silently(action, &[])?;
    if outcome.ended.is_err() {
        bench.report(outcome, &heading, "")?;
        return Ok(Vec::new());
    }
    words_of(String::from_utf8_lossy(&outcome.output).trim()).map_err(StepError::Plain)
}

/// Splits as a shell would, refusing what only a shell could understand (`splitPkgConfigOutput`).
fn words_of(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted_word = false;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => word.push(c),
            (Some(_), c) if !matches!(c, '`' | '$' | '\\') => word.push(c),
            (_, '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`') => {
                return Err(format!(
                    "unexpected shell character {} in pkgconf output",
                    modkeep_module::quote::quote_char(c)
                ));
            }
            (_, '\\') => match chars.next() {
                None => return Err("broken character escaping in pkgconf output".to_owned()),
                Some('\n') => {}
                Some(next) => {
                    if quote.is_some() && !matches!(next, '$' | '`' | '"' | '\\') {
                        word.push('\\');
                    }
                    word.push(next);
                }
            },
            (_, '"' | '\'') => {
                quote = Some(c);
                is_quoted_word = true;
            }
            (_, ' ' | '\t' | '\n') => {
                if !word.is_empty() || is_quoted_word {
                    words.push(std::mem::take(&mut word));
                }
                is_quoted_word = false;
            }
            _ => word.push(c),
        }
    }
    if quote.is_some() {
        return Err("unterminated quoted string in pkgconf output".to_owned());
    }
    if !word.is_empty() || is_quoted_word {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], &str>) {
        let words = words_of(text);
        let expected =
            expected.map(|words| words.iter().map(|&word| word.to_owned()).collect()).map_err(str::to_owned);
        assert_eq!(words, expected, "{text:?}");
    }

    #[test]
    fn words_are_those_of_a_shell() {
        check(
            "-r:foo -L/usr/white\\ space/lib '-lfoo bar' \"-lbar baz\"",
            Ok(&["-r:foo", "-L/usr/white space/lib", "-lfoo bar", "-lbar baz"]),
        );
        check("-lextra\\ fun\\ arg\\\\", Ok(&["-lextra fun arg\\"]));
        check("\" \\$ \\q \"", Ok(&[" $ \\q "]));
        check("''", Ok(&[""]));
        check("$(x)", Err("unexpected shell character '$' in pkgconf output"));
        check("'a", Err("unterminated quoted string in pkgconf output"));
        check("a\\", Err("broken character escaping in pkgconf output"));
    }
}
