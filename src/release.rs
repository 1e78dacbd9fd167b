//! The Go release that modkeep acts as, chosen as go chooses its toolchain.
//!
//! GOTOOLCHAIN may name one; with `auto` and `path` the go and toolchain lines of go.work or go.mod may ask for a newer
//! one. The floor is the Go that is installed, and without one the newest release that modkeep knows.
//! Source of the rule: `cmd/go/internal/toolchain/select.go:Select`.

mod installed;
mod lines;

use modkeep_resolver::go_version::GoVersion;
use modkeep_resolver::release::NEWEST;

use crate::config::Environment;
use crate::report::Failure;
use lines::Lines;

/// The variable in which the release stands that a verb changed to, which no setting and no line overrules: go tells it
/// to the go command that it runs.
pub(crate) const ACTS_AS: &str = "GOTOOLCHAIN_INTERNAL_SWITCH_VERSION";

/// The release for the folder in which the program runs, such as `1.27.3`.
pub(crate) fn selected(environment: &Environment) -> Result<String, Failure> {
    if let Some(release) = environment.text(ACTS_AS).and_then(of_toolchain) {
        return Ok(release.to_owned());
    }
    let installed = installed::release(environment).unwrap_or_else(|| NEWEST.to_owned());
    let wish = environment.go_setting("GOTOOLCHAIN").unwrap_or_else(|| "local".to_owned());
    select(&wish, &installed, || Lines::find(environment)).map_err(Failure::go)
}

/// GOROOT of the go on a PATH.
pub(crate) fn installed_root(path: &str) -> Option<String> {
    installed::root_on(path.as_ref())?.into_os_string().into_string().ok()
}

/// `lines` are read only if the wish lets them speak.
fn select(wish: &str, installed: &str, lines: impl FnOnce() -> Lines) -> Result<String, String> {
    let (floor, mode) = match wish {
        "auto" | "path" => (installed, wish),
        _ => {
            let (name, suffix) = wish.split_once('+').unwrap_or((wish, ""));
            let floor = if name == "local" { Some(installed) } else { of_toolchain(name) };
            let is_plain = !wish.contains('+');
            let floor = floor.ok_or_else(|| match is_plain {
                true => format!("invalid GOTOOLCHAIN {wish:?}"),
                false => format!("invalid GOTOOLCHAIN {wish:?}: invalid minimum toolchain {name:?}"),
            })?;
            if !is_plain && !matches!(suffix, "auto" | "path") {
                return Err(format!(
                    "invalid GOTOOLCHAIN {wish:?}: only version suffixes are +auto and +path"
                ));
            }
            (floor, suffix)
        }
    };
    match mode {
        "" => Ok(floor.to_owned()),
        _ => raised(floor, &lines()),
    }
}

/// The floor, or the greater of what the lines ask for.
fn raised(floor: &str, lines: &Lines) -> Result<String, String> {
    let mut release = floor.to_owned();
    match lines.toolchain.as_str() {
        "default" => return Ok(release),
        "" => {}
        name => match of_toolchain(name) {
            Some(asked) if is_newer(asked, &release) => asked.clone_into(&mut release),
            Some(_) => {}
            None => return Err(format!("invalid toolchain {name:?} in {}", lines.file)),
        },
    }
    if is_newer(&lines.go, &release) {
        let is_language =
            lines.go.bytes().all(|b| b.is_ascii_digit() || b == b'.') && lines.go.matches('.').count() == 1;
        let first = if is_language && !is_newer("1.21", &lines.go) { ".0" } else { "" };
        release = format!("{}{first}", lines.go);
    }
    Ok(release)
}

/// The version in a name such as `go1.22.1-custom`.
fn of_toolchain(name: &str) -> Option<&str> {
    let version = name.strip_prefix("go")?;
    let version = version.split([' ', '\t', '-']).next().unwrap_or(version);
    let is_name = !name.contains(['/', '\\']);
    GoVersion::parse(version).filter(|_| is_name).map(|_| version)
}

/// What is no version is older than all, as for go.
fn is_newer(a: &str, b: &str) -> bool {
    GoVersion::parse(a) > GoVersion::parse(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wish: &str, go: &str, toolchain: &str, expected: Result<&str, &str>) {
        let lines = Lines { file: "go.mod".into(), go: go.into(), toolchain: toolchain.into() };
        let release = select(wish, "1.26.8", || lines);
        assert_eq!(release.as_deref().map_err(String::as_str), expected, "{wish} {go} {toolchain}");
    }

    #[test]
    fn the_lines_speak_only_where_the_wish_lets_them() {
        check("local", "1.30", "go1.31.0", Ok("1.26.8"));
        check("go1.22.1", "1.30", "", Ok("1.22.1"));
        check("auto", "", "", Ok("1.26.8"));
        check("auto", "1.25.0", "", Ok("1.26.8"));
        check("auto", "1.30", "", Ok("1.30.0"));
        check("auto", "1.27rc1", "", Ok("1.27rc1"));
        check("path", "1.30.2", "go1.31.0", Ok("1.31.0"));
        check("go1.22.1+auto", "1.20", "go1.23.4-custom", Ok("1.23.4"));
        check("local+auto", "1.30", "default", Ok("1.26.8"));
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        check("go1.x", "", "", Err("invalid GOTOOLCHAIN \"go1.x\""));
        check(
            "1.22+auto",
            "",
            "",
            Err("invalid GOTOOLCHAIN \"1.22+auto\": invalid minimum toolchain \"1.22\""),
        );
        check(
            "go1.22.0+fast",
            "",
            "",
            Err("invalid GOTOOLCHAIN \"go1.22.0+fast\": only version suffixes are +auto and +path"),
        );
        check("auto", "1.21", "1.22.0", Err("invalid toolchain \"1.22.0\" in go.mod"));
    }
}
